/* SPDX-License-Identifier: MIT */
/*
 * lost - reads a dead worker's ledger, and ends what it has left in the access log.   [master]
 *
 * Owns:    the worker's ring and ledger, from its death to board_retire.
 * Called:  by reap.c, in the order of the header.
 * Fails:   what the log does not take now stays in the ring, for the next worker of this
 *          place; a ring without room drops the line and counts it.
 * Rule:    nothing in a dead worker's memory is trusted: it ran foreign code.
 *
 * A request has its line from one of two writers, never from both: from the worker, if the
 * line was published (ring_newest_line knows of the one whose entry the worker could not end
 * any more), else from here.
 */
#include "master/lost.h"

#include "common/access_format.h"
#include "common/clock.h"
#include "common/log.h"
#include "common/written.h"
#include "conf/conf.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>
#include <sys/fsuid.h>

enum { NS_PER_US = 1000, NS_PER_MS = 1000000, US_PER_MS = 1000, ID_BYTES = 32 };

/* ---- who was lost ---- */

/* The kernel shows the figures of another user's process only to that user. */
static bool count_written(const struct master *master, const struct slot *slot,
                          uint64_t *count_out)
{
    const struct heritage *h = &master->heritage;

    if (slot->written_fd <= 0)
        return false;
    if (written_read(slot->written_fd, count_out))
        return true;
    if (h->uid == (uid_t)-1)
        return false;
    const int gid = setfsgid(h->gid), uid = setfsuid(h->uid);
    const bool is_read = written_read(slot->written_fd, count_out);
    (void)setfsuid((uid_t)uid);
    (void)setfsgid((gid_t)gid);
    return is_read;
}

/* Ends the entry of the request that has its line; what is left has none. */
static void strike_out(struct board_ledger *ledger, uint64_t number)
{
    for (unsigned i = 0; number != 0 && i < ledger_count(ledger); i++)
        if (board_get(&ledger->entry[i].number) == number)
            ledger_end(&ledger->entry[i]);
}

unsigned lost_count(struct master *master, const struct slot *slot)
{
    struct board_ledger *ledger = &master->board->ledger[slot->index];
    struct board_ring *ring = &master->board->ring[slot->index];
    uint64_t written;
    unsigned count = 0;

    if (count_written(master, slot, &written))
        ring_settle(ring, written);
    strike_out(ledger, ring_newest_line(ring));
    ring_forget(ring);
    for (unsigned i = 0; i < ledger_count(ledger); i++)
        count += board_get(&ledger->entry[i].number) != 0;
    return count;
}

/* ---- the error log ---- */

static uint64_t since(uint64_t then_ns, uint64_t now_ns)
{
    return then_ns == 0 || then_ns > now_ns ? 0 : now_ns - then_ns;
}

static void describe(const struct ledger_entry *e, char *out, size_t size)
{
    if (e->started_ns != 0 && e->slot != LEDGER_NO_SLOT)
        snprintf(out, size, "running in slot %u", e->slot);
    else if (e->started_ns != 0)
        snprintf(out, size, "running");
    else if (e->queued_ns != 0)
        snprintf(out, size, "waiting");
    else
        snprintf(out, size, "being read");
}

/* The path without what a client may have put behind it. */
static int path_bytes(const struct ledger_entry *e)
{
    const char *mark = memchr(e->target, '?', e->target_bytes);

    return mark != NULL ? (int)(mark - e->target) : e->target_bytes;
}

/* "GET /slow" */
static void format_request(const struct ledger_entry *e, char *out, size_t size)
{
    if (e->minor < 0)
        snprintf(out, size, "an unfinished head");
    else
        snprintf(out, size, "%.*s %.*s", (int)e->method_bytes, e->method, path_bytes(e),
                 e->target);
}

static void tell_one(const struct master *master, const struct slot *slot,
                     const struct ledger_entry *e)
{
    const struct board_route route =
        routes_read(&master->board->routes[slot->index], e->route);
    const bool is_named = route.label[0] != '\0';
    char request[LEDGER_METHOD + LEDGER_TARGET + 2], what[32];

    format_request(e, request, sizeof(request));
    describe(e, what, sizeof(what));
    log_error(
        "worker %u (pid %d, generation %u) lost: %s from %s%s%s%s%s, %s, after %" PRIu64
        " ms",
        slot->index, (int)slot->pid, slot->generation, request, e->peer,
        is_named ? ", route " : "", route.label, is_named ? " of plugin " : "",
        route.plugin, what, since(e->begun_ns, clock_mono_ns()) / NS_PER_MS);
}

void lost_tell(const struct master *master, const struct slot *slot, unsigned count,
               unsigned most)
{
    const struct board_ledger *ledger = &master->board->ledger[slot->index];
    struct ledger_entry e;
    unsigned told = 0;

    for (unsigned i = 0; i < ledger_count(ledger) && told < most; i++)
        if (ledger_read(&ledger->entry[i], &e)) {
            tell_one(master, slot, &e);
            told++;
        }
    if (most > 0 && count > told)
        log_error("worker %u (pid %d, generation %u) lost: %u more requests", slot->index,
                  (int)slot->pid, slot->generation, count - told);
}

/* ---- the access log ---- */

/* The route's pattern stands behind the method of its label. */
static struct slice pattern_of(const struct board_route *route)
{
    const char *blank = strchr(route->label, ' ');

    return slice_of(blank != NULL ? blank + 1 : "");
}

static struct access_entry entry_of(const struct slot *slot, const struct ledger_entry *e)
{
    const uint64_t now_ns = clock_mono_ns();
    const uint64_t waited_until_ns = e->started_ns != 0 ? e->started_ns : now_ns;

    return (struct access_entry){
        .method = {e->method, e->method_bytes},
        .target = {e->target, e->target_bytes},
        .minor = e->minor,
        .aborted = true,
        .peer = slice_of(e->peer),
        .note = SLICE_LIT("killed"),
        .worker = (int)slot->index,
        .pid = (int)slot->pid,
        .slot = e->slot == LEDGER_NO_SLOT ? -1 : e->slot,
        .queue_us = since(e->queued_ns, waited_until_ns) / NS_PER_US,
        .service_us = since(e->started_ns, now_ns) / NS_PER_US,
        .wall_ms = clock_wall_ms() - since(e->begun_ns, now_ns) / NS_PER_MS,
    };
}

static void flush(struct board_ring *ring, int fd)
{
    while (ring_flush(ring, fd) > 0)
        continue;
}

static void write_one(struct master *master, const struct slot *slot,
                      struct access_format *format, const struct ledger_entry *e)
{
    struct board_ring *ring = &master->board->ring[slot->index];
    const struct board_route route =
        routes_read(&master->board->routes[slot->index], e->route);
    struct access_entry entry = entry_of(slot, e);
    char id[ID_BYTES];

    snprintf(id, sizeof(id), "%x-%" PRIx64, (unsigned)slot->pid, (uint64_t)e->number);
    entry.request_id = slice_of(id);
    entry.route = pattern_of(&route);
    const struct slice line = access_format_line(format, &entry);
    if (ring_put(ring, line.p, line.n))
        return;
    flush(ring, master->running.logs.access_fd);
    if (!ring_put(ring, line.p, line.n))
        board_add(&master->board->worker[slot->index].counters.log_dropped, 1);
}

void lost_write(struct master *master, const struct slot *slot)
{
    const struct board_ledger *ledger = &master->board->ledger[slot->index];
    const int fd = master->running.logs.access_fd;
    struct access_format *format = NULL;
    struct ledger_entry e;
    char why[128];

    if (fd < 0)
        return;
    flush(&master->board->ring[slot->index], fd);
    for (unsigned i = 0; i < ledger_count(ledger); i++) {
        if (!ledger_read(&ledger->entry[i], &e))
            continue;
        if (format == NULL)
            format = access_format_create(master->running.conf->log.access_format, why,
                                          sizeof(why));
        if (format != NULL) /* it is what every worker has compiled */
            write_one(master, slot, format, &e);
    }
    if (format != NULL)
        access_format_destroy(&format);
    flush(&master->board->ring[slot->index], fd);
}
