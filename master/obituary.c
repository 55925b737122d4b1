/* SPDX-License-Identifier: MIT */
/*
 * obituary - the cause and the circumstances, in a line.     [master]
 *
 * Owns:    how much is said (flood.h), and board->traces with it.
 * Called:  by reap.c for each worker that has ended, by the watchdog's tick.
 * Fails:   never.
 */
#include "master/obituary.h"

#include "common/clock.h"
#include "common/log.h"
#include "master/lost.h"
#include "master/reap.h"

#include <inttypes.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/wait.h>

enum { LOST_SHOWN = 20, CAUSE_BYTES = 256 };

/* ---- text ---- */

static bool is_signal(const struct death *death, int number)
{
    return WIFSIGNALED(death->wait_status) && WTERMSIG(death->wait_status) == number;
}

/* Who is behind a signal that is not its own doing. */
static const char *sender_of(const struct death *death)
{
    if (!is_signal(death, SIGKILL))
        return "";
    if (death->is_memory)
        return ", by the kernel: out of memory";
    return death->is_memory_known ? ", sent by somebody else"
                                  : ", sent by somebody else, or out of memory";
}

static void format_cause(const struct death *death, char *out, size_t size)
{
    char status[64];

    reap_format_status(death->wait_status, status, sizeof(status));
    if (death->is_expected)
        snprintf(out, size, "left: drained");
    else if (death->doom == NULL || death->is_memory)
        snprintf(out, size, "died: %s%s", status, sender_of(death));
    else if (is_signal(death, SIGKILL) || is_signal(death, SIGABRT))
        snprintf(out, size, "died: %s, by the master: %s", status, death->doom);
    else
        snprintf(out, size, "died: %s, while the master was ending it: %s", status,
                 death->doom);
}

void obituary_format(const struct death *death, char *out, size_t size)
{
    char cause[CAUSE_BYTES], rss[48] = "", unrecorded[48] = "";

    format_cause(death, cause, sizeof(cause));
    if (death->rss_bytes > 0)
        snprintf(rss, sizeof(rss), ", rss %.1f MiB", (double)death->rss_bytes / 1048576.);
    if (death->unrecorded > 0)
        snprintf(unrecorded, sizeof(unrecorded), " and %u without a record",
                 death->unrecorded);
    snprintf(out, size,
             "%s, after %" PRIu64 ".%" PRIu64 " s, %" PRIu64
             " requests, %u of them lost%s%s",
             cause, death->age_ms / 1000, death->age_ms % 1000 / 100, death->requests,
             death->lost, unrecorded, rss);
}

/* ---- the log ---- */

static void write_line(const struct slot *slot, const struct death *death)
{
    char text[2 * CAUSE_BYTES];

    obituary_format(death, text, sizeof(text));
    log_line(death->is_expected    ? LOG_LEVEL_INFO
             : death->doom != NULL ? LOG_LEVEL_WARN
                                   : LOG_LEVEL_ERROR,
             "worker %u (pid %d, generation %u) %s", slot->index, (int)slot->pid,
             slot->generation, text);
}

void obituary_write(struct master *master, const struct slot *slot,
                    const struct death *death)
{
    const enum flood_verdict verdict =
        death->is_expected ? FLOOD_TELL_ALL
                           : flood_on_death(&master->flood, death->lost, clock_mono_ms());

    if (verdict == FLOOD_COUNT)
        return;
    write_line(slot, death);
    lost_tell(master, slot, death->lost, verdict == FLOOD_TELL_ALL ? LOST_SHOWN : 0);
}

void obituary_each_second(struct master *master, uint64_t now_ms)
{
    struct flood told;

    if (!flood_end(&master->flood, now_ms, &told))
        return;
    board_set32(&master->board->traces, FLOOD_TRACES);
    if (told.untold > 0)
        log_error(
            "%u workers died within %u s; %u of them are not named here, they lost %u "
            "requests",
            told.deaths, FLOOD_WINDOW_MS / 1000, told.untold, told.untold_requests);
}
