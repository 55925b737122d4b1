/* SPDX-License-Identifier: MIT */
/*
 * reap - waits for children, and says of what they died.                    [master]
 *
 * Owns:    nothing. No other file waits for a worker: a status that somebody else takes
 *          is an obituary that is never written.
 * Called:  by signals.c.
 * Fails:   never. An orphan that PID 1 inherits is reaped without a word.
 */
#include "master/reap.h"

#include "common/clock.h"
#include "common/log.h"
#include "master/herd.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>
#include <sys/wait.h>

enum { LOST_SHOWN = 20 }; /* requests in flight that get a line of their own */

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

static void write_obituary(const struct master *master, const struct slot *slot,
                           int wait_status)
{
    const struct board_worker *worker = &master->board->worker[slot->index];
    const uint64_t age_ms = clock_mono_ms() - slot->started_ms;
    const bool expected = is_expected(slot, wait_status);
    char cause[192], status[64];

    reap_format_status(wait_status, status, sizeof(status));
    if (expected)
        snprintf(cause, sizeof(cause), "left: drained");
    else if (slot->doom != NULL)
        snprintf(cause, sizeof(cause), "died: %s, by the master: %s", status, slot->doom);
    else
        snprintf(cause, sizeof(cause), "died: %s", status);
    log_line(expected             ? LOG_LEVEL_INFO
             : slot->doom != NULL ? LOG_LEVEL_WARN
                                  : LOG_LEVEL_ERROR,
             "worker %u (pid %d, generation %u) %s, after %" PRIu64 ".%" PRIu64
             " s, %" PRIu64 " requests, %u in flight",
             slot->index, (int)slot->pid, slot->generation, cause, age_ms / 1000,
             age_ms % 1000 / 100, (uint64_t)worker->counters.requests, worker->inflight);
}

/* The writer is dead: what the record says now is all that will ever be known. */
static void write_lost(const struct slot *slot, const struct board_record *record)
{
    const uint64_t since_ms = record->since_ms, now_ms = clock_mono_ms();
    const uint64_t age_ms = since_ms == 0 || since_ms > now_ms ? 0 : now_ms - since_ms;

    log_error(
        "worker %u (pid %d, generation %u) lost: %.*s %.*s from %.*s, after %" PRIu64
        " ms",
        slot->index, (int)slot->pid, slot->generation, (int)sizeof(record->method),
        record->method, (int)sizeof(record->path), record->path,
        (int)sizeof(record->peer), record->peer, age_ms);
}

static unsigned write_all_lost(const struct slot *slot,
                               const struct board_record *records, size_t count,
                               unsigned shown)
{
    for (size_t i = 0; i < count; i++)
        if (records[i].state != BOARD_SLOT_FREE && shown++ < LOST_SHOWN)
            write_lost(slot, &records[i]);
    return shown;
}

static void write_lost_requests(const struct master *master, const struct slot *slot)
{
    const struct board_worker *worker = &master->board->worker[slot->index];
    unsigned threads = worker->threads, lost;

    if (threads > BOARD_SLOTS)
        threads = BOARD_SLOTS;
    lost = write_all_lost(slot, worker->slot, threads, 0);
    lost = write_all_lost(slot, worker->flight, BOARD_INFLIGHT, lost);
    if (lost > LOST_SHOWN)
        log_error("worker %u (pid %d, generation %u) lost: %u more requests", slot->index,
                  (int)slot->pid, slot->generation, lost - LOST_SHOWN);
}

static void flush_access_log(struct master *master, unsigned index)
{
    const int fd = master->running.logs.access_fd;

    while (fd >= 0 && ring_flush(&master->board->ring[index], fd) > 0)
        ;
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
    channel_drain(&slot->channel); /* its last words may still be under way */
    write_obituary(master, slot, wait_status);
    write_lost_requests(master, slot);
    flush_access_log(master, slot->index);
    slot->served = herd_has_served(master, slot);
    slot->wait_status = wait_status;
    board_retire(master->board, slot->index);
    pass_on_inbox(master, slot->index);
    herd_feed(master, slot, SLOT_ON_EXIT);
}

void reap_all(struct master *master)
{
    int status;
    pid_t pid;

    while ((pid = waitpid(-1, &status, WNOHANG)) > 0) {
        struct slot *slot = herd_find(master, pid);

        if (slot != NULL)
            bury(master, slot, status);
    }
}
