/* SPDX-License-Identifier: MIT */
/*
 * reap - waits for children, and says of what they died.                    [master]
 *
 * Owns:    nothing. No other file waits for a worker: a status that somebody else takes
 *          is an obituary that is never written.
 * Called:  by signals.c; calls lost.c and obituary.c for what is said.
 * Fails:   never. An orphan that PID 1 inherits is reaped without a word.
 */
#include "master/reap.h"

#include "common/clock.h"
#include "master/herd.h"
#include "master/lost.h"
#include "master/obituary.h"

#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/wait.h>

void reap_format_status(int wait_status, char *out, size_t size)
{
    if (WIFEXITED(wait_status)) {
        snprintf(out, size, "exit status %d", WEXITSTATUS(wait_status));
        return;
    }
    const int number = WTERMSIG(wait_status);
    const char *name = sigabbrev_np(number);

    snprintf(out, size, "signal %d (%s)%s", number, name == NULL ? "?" : name,
             WCOREDUMP(wait_status) ? ", core dumped" : "");
}

static bool is_expected(const struct slot *slot, int wait_status)
{
    return (slot->state == SLOT_DRAINING || slot->said_bye) && WIFEXITED(wait_status) &&
           WEXITSTATUS(wait_status) == 0;
}

/* Of what, and how it stood with it. The order matters: what was lost is counted before
 * anything is put into the ring. */
static struct death examine(struct master *master, const struct slot *slot,
                            int wait_status)
{
    const struct board_worker *worker = &master->board->worker[slot->index];
    const uint64_t now_ms = clock_mono_ms();
    const bool is_killed = WIFSIGNALED(wait_status) && WTERMSIG(wait_status) == SIGKILL;

    return (struct death){
        .wait_status = wait_status,
        .is_expected = is_expected(slot, wait_status),
        .is_memory =
            is_killed && slot->doom == NULL && oom_explains(&master->oom, now_ms),
        .is_memory_known = oom_is_known(&master->oom),
        .doom = slot->doom,
        .age_ms = now_ms - slot->started_ms,
        .rss_bytes = board_get(&worker->rss_bytes),
        .requests = board_get(&worker->counters.requests),
        .lost = lost_count(master, slot),
        .unrecorded = board_get32(&master->board->ledger[slot->index].unrecorded),
    };
}

static bool pass_on_to(struct master *master, unsigned index, enum slot_state state)
{
    for (unsigned i = 0; i < master->slot_count; i++) {
        struct slot *heir = &master->slots[i];
        if (heir->state != state || i == index)
            continue;
        if (channel_send(&heir->channel, MESSAGE_EMPTY_INBOX, index, -1) == 0)
            return true;
    }
    return false;
}

/* Connections that were on their way to it: a living one takes them. Its successor reads the
 * inbox too, if it gets the same place. In a stop nobody serves. */
static void pass_on_inbox(struct master *master, unsigned index)
{
    if (!pass_on_to(master, index, SLOT_SERVING))
        (void)pass_on_to(master, index, SLOT_DRAINING);
}

static void bury(struct master *master, struct slot *slot, int wait_status)
{
    struct board_counters *counters = &master->board->worker[slot->index].counters;

    channel_drain(&slot->channel); /* its last words may still be under way */
    const struct death death = examine(master, slot, wait_status);
    obituary_write(master, slot, &death);
    lost_write(master, slot);
    board_add(&counters->responses[0], death.lost);
    slot->served = herd_has_served(master, slot);
    slot->wait_status = wait_status;
    board_retire(master->board, slot->index);
    pass_on_inbox(master, slot->index);
    herd_feed(master, slot, SLOT_ON_EXIT);
}

static int status_of(const siginfo_t *info)
{
    const int core = info->si_code == CLD_DUMPED ? WCOREFLAG : 0;

    return info->si_code == CLD_EXITED ? W_EXITCODE(info->si_status, 0)
                                       : W_EXITCODE(0, info->si_status) | core;
}

/* Looked at before it is waited for: until then the kernel still knows what it has written,
 * and its pid is nobody else's. */
void reap_all(struct master *master)
{
    siginfo_t info = {.si_pid = 0};

    while (waitid(P_ALL, 0, &info, WEXITED | WNOHANG | WNOWAIT) == 0 &&
           info.si_pid != 0) {
        const pid_t pid = info.si_pid;
        struct slot *slot = herd_find(master, pid);

        if (slot != NULL)
            bury(master, slot, status_of(&info));
        (void)waitpid(pid, NULL, 0);
        if (slot == NULL)
            upgrade_on_exit(master, pid, status_of(&info));
        info.si_pid = 0;
    }
}
