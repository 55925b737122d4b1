/* SPDX-License-Identifier: MIT */
/*
 * upgrade - another binary takes the place of this one.                       [master]
 *
 * Owns:    the trial child, and the descriptor of the image we come from.
 * Called:  by signals.c (USR2), herd.c (once per turn), reap.c (the trial has ended), and
 *          in the next image by reload.c.
 * Fails:   a trial that refuses, dies, hangs or is no remuda costs one line and changes
 *          nothing. So does an exec that fails. A new image whose generation does not come up
 *          goes back to the one before, by the descriptor it kept of it.
 * Order:   trial (rehearsal.c, in a child) -> exec of the same file -> adopt.c -> a change of
 *          generation as of a reload -> upgrade_settle().
 */
#include "master/upgrade.h"

#include "common/clock.h"
#include "common/fd.h"
#include "common/log.h"
#include "common/message.h"
#include "conf/conf.h"
#include "master/adopt.h"
#include "master/command.h"
#include "master/handover.h"
#include "master/launch.h"
#include "master/master.h"
#include "master/reap.h"
#include "master/rehearsal.h"
#include "master/reload.h"

#include <errno.h>
#include <inttypes.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

enum { TRIAL_MS = 30 * 1000 }; /* where boot_timeout is off */

/* ---- how it ends ---- */

static void refuse(struct master *master, const char *why)
{
    log_error("upgrade refused: %s; generation %u goes on", why, master->running.number);
    master_tell_refusal(master, "upgrade", why);
    command_on_end(master, CONTROL_UPGRADE, false, why);
}

/* ---- the trial ---- */

static uint64_t limit_of(const struct master *master)
{
    const uint64_t boot_ms = master->running.conf->worker.boot_timeout_ms;

    return boot_ms > 0 ? boot_ms : TRIAL_MS;
}

static void end_trial(struct upgrade *upgrade, const char *doom)
{
    /* ours until reap.c has waited for it; with what it has started, if it is a script */
    upgrade->doom = doom;
    upgrade->limit_ms = UINT64_MAX;
    (void)kill(-upgrade->trial, SIGKILL);
    (void)kill(upgrade->trial, SIGKILL);
}

static void watch_trial(struct master *master, pid_t pid, int verdict_fd)
{
    struct upgrade *upgrade = &master->upgrade;

    upgrade->trial = pid;
    upgrade->verdict_fd = verdict_fd;
    upgrade->doom = NULL;
    upgrade->limit_ms = clock_mono_ms() + limit_of(master);
    log_info("upgrade: %s is tried (pid %d)", upgrade->binary, (int)pid);
}

static int start_trial(struct master *master, struct fault *fault)
{
    struct upgrade *upgrade = &master->upgrade;
    pid_t pid;
    int verdict_fd;

    if (upgrade->binary[0] == '\0')
        return fault_set(fault, EXIT_NO_FILE,
                         "where the binary is could not be found out");
    if (stat(upgrade->binary, &upgrade->image) < 0)
        return fault_set(fault, EXIT_NO_FILE, "%s: %s", upgrade->binary, strerror(errno));
    pid = handover_try(master, &verdict_fd, fault);
    if (pid < 0)
        return fault->status;
    watch_trial(master, pid, verdict_fd);
    return EXIT_OK;
}

/* Its last word, after the mistakes of a configuration; false: it has said none. */
static bool read_verdict(struct master *master, struct message *out)
{
    int passed_fd = -1;

    while (message_recv(master->upgrade.verdict_fd, out, &passed_fd) == 1) {
        fd_close(&passed_fd);
        if (out->arg != REHEARSAL_MISTAKE)
            return true;
        command_note(master, out->text);
    }
    return false;
}

/* False: it has passed. */
static bool read_refusal(struct master *master, int wait_status, char *out, size_t size)
{
    const struct upgrade *upgrade = &master->upgrade;
    struct message message;
    char cause[96];
    const bool spoke = read_verdict(master, &message);

    reap_format_status(wait_status, cause, sizeof(cause));
    if (upgrade->doom != NULL)
        snprintf(out, size, "%s %s", upgrade->binary, upgrade->doom);
    else if (spoke && message.arg != 0)
        snprintf(out, size, "%s", message.text);
    else if (!spoke || wait_status != 0)
        snprintf(out, size, "%s ended in its trial: %s", upgrade->binary, cause);
    else
        return false;
    return true;
}

void upgrade_on_exit(struct master *master, pid_t pid, int wait_status)
{
    struct upgrade *upgrade = &master->upgrade;
    const bool is_wanted = master->phase == MASTER_RUNNING;
    char why[PATH_MAX + 128];

    if (upgrade->trial == 0 || upgrade->trial != pid)
        return;
    upgrade->passed = !read_refusal(master, wait_status, why, sizeof(why)) && is_wanted;
    upgrade->trial = 0;
    fd_close(&upgrade->verdict_fd);
    if (!upgrade->passed && is_wanted)
        refuse(master, why);
}

/* ---- exec ---- */

static bool is_as_tried(const struct upgrade *upgrade)
{
    const struct stat *tried = &upgrade->image;
    struct stat now;

    return stat(upgrade->binary, &now) == 0 && now.st_dev == tried->st_dev &&
           now.st_ino == tried->st_ino && now.st_size == tried->st_size &&
           now.st_mtim.tv_sec == tried->st_mtim.tv_sec &&
           now.st_mtim.tv_nsec == tried->st_mtim.tv_nsec;
}

static void go_over(struct master *master)
{
    struct fault fault;

    master->upgrade.passed = false;
    if (!is_as_tried(&master->upgrade))
        fault_set(&fault, EXIT_TEMPORARY, "%s has changed since its trial",
                  master->upgrade.binary);
    else
        handover_go(master, &fault);
    refuse(master, fault.text);
}

void upgrade_go_back(struct master *master, const char *why, struct fault *why_not)
{
    log_error("upgrade: %s; going back to the binary before", why);
    handover_return(master, why, why_not);
    upgrade_settle(master);
}

void upgrade_settle(struct master *master)
{
    fd_close(&master->upgrade.before_fd);
}

/* ---- turns ---- */

void upgrade_init(struct master *master, const struct launch *launch)
{
    master->upgrade =
        (struct upgrade){.launch = launch, .verdict_fd = -1, .before_fd = -1};
    snprintf(master->upgrade.binary, sizeof(master->upgrade.binary), "%s",
             launch->binary);
}

bool upgrade_is_running(const struct master *master)
{
    return master->upgrade.trial != 0 || master->upgrade.passed;
}

void upgrade_cancel(struct master *master)
{
    master->upgrade.wanted = false;
    master->upgrade.passed = false;
    if (master->upgrade.trial != 0)
        end_trial(&master->upgrade, "was ended by a stop");
}

void upgrade_fini(struct master *master)
{
    fd_close(&master->upgrade.verdict_fd);
    fd_close(&master->upgrade.before_fd);
}

void upgrade_begin(struct master *master)
{
    if (master->phase == MASTER_STOPPING) {
        log_info("upgrade ignored: stopping");
        return;
    }
    if (upgrade_is_running(master)) {
        log_info("upgrade ignored: one is running");
        return;
    }
    if (master->change.active)
        log_info("upgrade waits: %s", master->phase == MASTER_STARTING ? "still starting"
                                      : master->change.kind == CHANGE_UPGRADE
                                          ? "one is running"
                                          : "a reload is running");
    master->upgrade.wanted = true;
    master->upgrade.told = false;
}

/* What it has come to is not carried over. */
static bool waits_for_order(struct master *master)
{
    const enum control_verb verb = master->staffing.verb;

    if (verb == CONTROL_NOTHING)
        return false;
    if (!master->upgrade.told)
        log_info("upgrade waits: '%s' is running", control_verb_name(verb));
    master->upgrade.told = true;
    return true;
}

static void begin_if_asked(struct master *master)
{
    struct upgrade *upgrade = &master->upgrade;
    struct fault fault;

    if (!upgrade->wanted || waits_for_order(master) ||
        !reload_can_begin(master, "upgrade", &upgrade->told))
        return;
    upgrade->wanted = false;
    command_on_begin(master, CONTROL_UPGRADE);
    if (start_trial(master, &fault) != EXIT_OK)
        refuse(master, fault.text);
}

uint64_t upgrade_turn(struct master *master)
{
    struct upgrade *upgrade = &master->upgrade;

    if (upgrade->passed)
        go_over(master);
    if (upgrade->trial != 0 && clock_mono_ms() >= upgrade->limit_ms)
        end_trial(upgrade, "did not end within boot_timeout");
    begin_if_asked(master);
    return upgrade->trial == 0 ? UINT64_MAX : upgrade->limit_ms;
}
