/* SPDX-License-Identifier: MIT */
/*
 * rehearsal - the trial of an upgrade, in the new binary.              [the trial child]
 *
 * Owns:    copies of all of the master's descriptors, until it exits.
 * Called:  by main.c, when the running master has started this binary as a trial.
 * Fails:   a fault, which the running master logs as its reason to refuse. Everything that
 *          can fail on the way to serving is done here once: reading the state, the
 *          versions of what is shared, the descriptors, the configurations that run and
 *          that shall run, and loading the plugins. It binds nothing and writes nothing but
 *          the log.
 */
#include "master/rehearsal.h"

#include "common/fd.h"
#include "common/log.h"
#include "common/message.h"
#include "conf/conf.h"
#include "master/adopt.h"
#include "master/claim.h"
#include "master/launch.h"
#include "master/revise.h"
#include "master/trial.h"

#include <signal.h>
#include <sys/prctl.h>
#include <unistd.h>

/* Into the log, and for whoever has ordered the upgrade. */
struct mistakes {
    int verdict_fd;
    unsigned told;
};

static void note(void *arg, const char *line)
{
    struct mistakes *mistakes = arg;

    log_error("%s", line);
    if (mistakes->told++ < REVISE_TOLD_MOST)
        (void)message_send(mistakes->verdict_fd, MESSAGE_READY, 0, (int32_t)getpid(),
                           REHEARSAL_MISTAKE, line, -1);
}

static int check_conf(const struct conf *running, const struct conf *wanted,
                      const struct estate_self *self, struct mistakes *mistakes,
                      struct fault *fault)
{
    if (revise_check(running, wanted, self->want, self->worker_slots, note, mistakes,
                     fault) != EXIT_OK)
        return fault->status;
    if (trial_run(wanted) != EXIT_OK)
        return fault_set(fault, EXIT_CONFIG,
                         "a plugin cannot be loaded, the log says why");
    return EXIT_OK;
}

static int check_confs(const struct conf_source *source, const struct estate *estate,
                       int verdict_fd, struct fault *fault)
{
    struct mistakes mistakes = {.verdict_fd = verdict_fd};
    struct conf *running = adopt_conf(estate, fault);
    struct conf *wanted =
        running == NULL ? NULL : revise_load(source, note, &mistakes, fault);
    int status = fault->status;

    if (running != NULL && wanted != NULL)
        status = check_conf(running, wanted, &estate->self, &mistakes, fault);
    conf_destroy(&running);
    conf_destroy(&wanted);
    return status;
}

/* What is said goes where the master says it, plugins included. */
static void take_log(const struct estate_self *self)
{
    if (self->error_log_fd > STDERR_FILENO)
        (void)dup2(self->error_log_fd, STDERR_FILENO);
}

static int rehearse(const struct conf_source *source, const struct estate *estate,
                    int verdict_fd, struct fault *fault)
{
    struct estate_abi ours;

    claim_abi(&ours);
    if (claim_check_abi(&estate->abi, &ours, fault) != EXIT_OK ||
        claim_check(estate, fault) != EXIT_OK)
        return fault->status;
    take_log(&estate->self);
    return check_confs(source, estate, verdict_fd, fault);
}

int rehearsal_run(const struct conf_source *source, const struct launch *launch)
{
    const struct sigaction ignore = {.sa_handler = SIG_IGN};
    struct fault fault = {.status = EXIT_OK};
    struct estate *estate;
    int status;

    log_set_role("trial");
    /* a log that nobody reads is no reason to refuse */
    sigaction(SIGPIPE, &ignore, NULL);
    (void)prctl(PR_SET_PDEATHSIG,
                SIGKILL); /* exec forgets it where files have privileges */
    (void)fd_set_cloexec(launch->verdict_fd, true);
    estate = estate_read(launch->estate_fd, &fault);
    status = estate == NULL ? fault.status
                            : rehearse(source, estate, launch->verdict_fd, &fault);
    (void)message_send(launch->verdict_fd, MESSAGE_READY, 0, (int32_t)getpid(),
                       (uint64_t)status, status == EXIT_OK ? "" : fault.text, -1);
    estate_destroy(&estate);
    return status;
}
