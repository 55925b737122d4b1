/* SPDX-License-Identifier: MIT */
/*
 * handover - exec of another image of the master.           [master, and the trial child]
 *
 * Owns:    nothing for longer than a call.
 * Called:  by upgrade.c.
 * Fails:   a fault, and all descriptors are close-on-exec as before.
 *
 * The signals of the master are blocked for life, and so across exec: one that comes
 * meanwhile waits for the next image. Descriptors keep their numbers, among them those of
 * systemd, and the environment is that of the start, so that LISTEN_FDS, NOTIFY_SOCKET and
 * the watchdog's variables mean to the next image what they meant to us.
 */
#include "master/handover.h"

#include "common/fd.h"
#include "common/message.h"
#include "master/adopt.h"
#include "master/launch.h"
#include "master/master.h"
#include "master/spawn.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <unistd.h>

enum { EXIT_NO_EXEC = 127 };

/* ---- what stays open ---- */

static void set_open(void *arg, const char *what, int fd)
{
    const bool *is_open = arg;

    (void)what;
    if (fd > STDERR_FILENO)
        (void)fd_set_cloexec(fd, !*is_open);
}

static void leave_open(const struct master *master, const struct estate *estate,
                       int estate_fd, bool is_open)
{
    estate_each_fd(estate, set_open, &is_open);
    for (size_t i = 0; i < master->inherited.count; i++)
        set_open(&is_open, "inherited", master->inherited.item[i].fd);
    set_open(&is_open, "estate", estate_fd);
}

/* ---- the trial ---- */

/* Child. What the trial logs goes where we log; it does not outlive us. */
static _Noreturn void become_trial(const struct master *master,
                                   const struct estate *estate, int estate_fd,
                                   int verdict_fd)
{
    const struct launch *launch = master->upgrade.launch;
    char word[LAUNCH_WORD], text[MESSAGE_TEXT];
    char **argv = launch_trial_argv(launch, estate_fd, verdict_fd, word);
    sigset_t none;

    spawn_reset_signals();
    sigemptyset(&none);
    /* root would get back what the master has given up, and lose the signal for it */
    (void)prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0);
    (void)prctl(PR_SET_PDEATHSIG, SIGKILL);
    if (getppid() != master->pid || argv == NULL)
        _exit(EXIT_NO_EXEC);
    leave_open(master, estate, estate_fd, true);
    (void)fd_set_cloexec(verdict_fd, false);
    sigprocmask(SIG_SETMASK, &none, NULL);
    execve(master->upgrade.binary, argv, launch->environment);
    snprintf(text, sizeof(text), "%.300s cannot be executed: %s", master->upgrade.binary,
             strerror(errno));
    (void)message_send(verdict_fd, MESSAGE_READY, 0, (int32_t)getpid(), EXIT_NO_EXEC,
                       text, -1);
    _exit(EXIT_NO_EXEC);
}

static pid_t fork_trial(const struct master *master, const struct estate *estate,
                        int estate_fd, int *verdict_fd_out, struct fault *fault)
{
    int pair[2] = {-1, -1};
    pid_t pid = fd_pair(pair) < 0 ? -1 : fork();

    if (pid == 0)
        become_trial(master, estate, estate_fd, pair[1]);
    if (pid < 0) {
        fault_set(fault, EXIT_TEMPORARY, "cannot start the trial: %s", strerror(errno));
        fd_close(&pair[0]);
    }
    fd_close(&pair[1]);
    *verdict_fd_out = pair[0];
    return pid;
}

static int write_out(const struct estate *estate, struct fault *fault)
{
    const int fd = estate_write(estate);

    if (fd < 0)
        fault_set(fault, EXIT_OS, "cannot write the master's state: %s", strerror(errno));
    return fd;
}

pid_t handover_try(struct master *master, int *verdict_fd_out, struct fault *fault)
{
    struct estate *estate = adopt_collect(master, "", fault);
    int estate_fd = estate == NULL ? -1 : write_out(estate, fault);
    pid_t pid = -1;

    *verdict_fd_out = -1;
    if (estate_fd >= 0)
        pid = fork_trial(master, estate, estate_fd, verdict_fd_out, fault);
    fd_close(&estate_fd);
    estate_destroy(&estate);
    return pid;
}

/* ---- for good ---- */

/* `image_fd` -1: the file of that name, else the image behind the descriptor. */
static void exec_image(const struct master *master, const struct estate *estate,
                       int image_fd, struct fault *fault)
{
    const struct launch *launch = master->upgrade.launch;
    int estate_fd = write_out(estate, fault);
    char word[LAUNCH_WORD];
    char **environment;

    if (estate_fd < 0)
        return;
    environment = launch_next_environment(launch, estate_fd, word);
    leave_open(master, estate, estate_fd, true);
    if (environment == NULL)
        errno = ENOMEM;
    else if (image_fd < 0)
        execve(master->upgrade.binary, launch->argv, environment);
    else
        execveat(image_fd, "", launch->argv, environment, AT_EMPTY_PATH);
    fault_set(fault, EXIT_OS, "cannot execute %.300s: %s", master->upgrade.binary,
              strerror(errno));
    leave_open(master, estate, estate_fd, false);
    fd_close(&estate_fd);
    free(environment);
}

void handover_go(struct master *master, struct fault *fault)
{
    struct estate *estate = adopt_collect(master, "", fault);
    int self_fd = open("/proc/self/exe", O_PATH | O_CLOEXEC);

    if (estate == NULL || (self_fd >= 0 && !adopt_add_before(estate, self_fd)))
        fault_set(fault, EXIT_OS, "out of memory");
    else
        exec_image(master, estate, -1, fault);
    fd_close(&self_fd);
    estate_destroy(&estate);
}

void handover_return(struct master *master, const char *why, struct fault *fault)
{
    struct estate *estate = adopt_collect(master, why, fault);

    if (master->upgrade.before_fd < 0)
        fault_set(fault, EXIT_OS, "the image before is not known");
    else if (estate != NULL)
        exec_image(master, estate, master->upgrade.before_fd, fault);
    estate_destroy(&estate);
}

void handover_give_back(struct master *master, struct estate *estate, const char *why,
                        struct fault *fault)
{
    int image_fd = master->upgrade.before_fd;

    if (image_fd < 0)
        image_fd = adopt_take_before(estate);
    (void)fd_set_cloexec(image_fd, true); /* it was left open for us alone */
    snprintf(estate->self.refusal, sizeof(estate->self.refusal), "%s", why);
    if (image_fd < 0)
        fault_set(fault, EXIT_OS, "the image before is not known");
    else
        exec_image(master, estate, image_fd, fault);
}
