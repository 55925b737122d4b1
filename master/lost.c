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
 * any more), else from here. One that was sent to another worker is that one's from the moment
 * it claims it; what nobody has claimed for LEDGER_TAKE_MS went down with one of the two.
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
#include <unistd.h>

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

/* Begun here, and not sent elsewhere. */
static bool is_ours(const struct ledger_entry *e)
{
    const uint64_t number = board_get(&e->number);

    return number != 0 && (number & LEDGER_STATE) == 0;
}

/* Has it a line, from the worker itself or from us, when it was too long on its way? */
static bool has_line(struct board *board, const struct ledger_entry *e, uint64_t newest)
{
    if (board_get(&e->number) == newest)
        return true;
    return e->origin != 0 && e->origin_worker < BOARD_WORKERS &&
           !ledger_claim(&board->ledger[e->origin_worker], e->origin);
}

/* Ends the entries of requests that have their line; what is left has none. */
static unsigned strike_out(struct board *board, struct board_ledger *ledger,
                           uint64_t newest)
{
    unsigned count = 0;

    for (unsigned i = 0; i < ledger_count(ledger); i++) {
        struct ledger_entry *e = &ledger->entry[i];

        if (is_ours(e) && has_line(board, e, newest))
            ledger_set(e, 0);
        count += is_ours(e);
    }
    return count;
}

unsigned lost_count(struct master *master, const struct slot *slot)
{
    struct board_ledger *ledger = &master->board->ledger[slot->index];
    struct board_ring *ring = &master->board->ring[slot->index];
    uint64_t written, newest;

    if (count_written(master, slot, &written))
        ring_settle(ring, written);
    newest = ring_newest_line(ring);
    ring_forget(ring);
    return strike_out(master->board, ledger, newest);
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
        if (is_ours(&ledger->entry[i]) && ledger_read(&ledger->entry[i], &e)) {
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

static struct access_entry entry_of(unsigned index, const struct ledger_entry *e)
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
        .worker = (int)index,
        .pid = e->pid,
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

/* NULL only when out of memory: it is what every worker has compiled. */
static struct access_format *make_format(const struct master *master)
{
    char why[128];

    return access_format_create(master->running.conf->log.access_format, why,
                                sizeof(why));
}

static struct slice format_one(struct access_format *format, unsigned index,
                               const struct ledger_entry *e,
                               const struct board_route *route)
{
    struct access_entry entry = entry_of(index, e);
    char id[ID_BYTES];

    snprintf(id, sizeof(id), "%x-%" PRIx64, (unsigned)e->pid,
             (uint64_t)(e->number & ~LEDGER_STATE));
    entry.request_id = slice_of(id);
    entry.route = pattern_of(route);
    return access_format_line(format, &entry);
}

static void put_one(struct master *master, const struct slot *slot,
                    struct access_format *format, const struct ledger_entry *e)
{
    struct board_ring *ring = &master->board->ring[slot->index];
    const struct board_route route =
        routes_read(&master->board->routes[slot->index], e->route);
    const struct slice line = format_one(format, slot->index, e, &route);

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

    if (fd < 0)
        return;
    flush(&master->board->ring[slot->index], fd);
    for (unsigned i = 0; i < ledger_count(ledger); i++) {
        if (!is_ours(&ledger->entry[i]) || !ledger_read(&ledger->entry[i], &e))
            continue;
        if (format == NULL)
            format = make_format(master);
        if (format != NULL)
            put_one(master, slot, format, &e);
    }
    if (format != NULL)
        access_format_destroy(&format);
    flush(&master->board->ring[slot->index], fd);
}

/* ---- those that were between two workers ---- */

/* Its worker may be dead, or live and use its ring: past it, then. */
static void write_late(struct master *master, unsigned index,
                       const struct ledger_entry *e)
{
    const struct board_route route = {.label = ""};
    const int fd = master->running.logs.access_fd;
    struct access_format *format = fd < 0 ? NULL : make_format(master);

    log_error("worker %u (pid %d) lost: a request from %s, on its way to another worker",
              index, e->pid, e->peer);
    board_add(&master->board->retired.responses[0], 1);
    if (format == NULL)
        return;
    const struct slice line = format_one(format, index, e, &route);
    if (write(fd, line.p, line.n) != (ssize_t)line.n)
        board_add(&master->board->retired.log_dropped, 1);
    access_format_destroy(&format);
}

/* An entry of a worker that has died has us for an owner. True: it stays. */
static bool look_at_left(struct ledger_entry *e, uint64_t age_ms)
{
    const uint64_t state = board_get(&e->number) & LEDGER_STATE;

    if (state == LEDGER_SENT || (state == LEDGER_LOGGED && age_ms < LEDGER_KEPT_MS))
        return true;
    ledger_set(e, 0);
    return false;
}

static void look_through(struct master *master, unsigned index, uint64_t take_ms)
{
    struct board_ledger *ledger = &master->board->ledger[index];
    const uint64_t now_ns = clock_mono_ns();
    struct ledger_entry e;
    unsigned left = 0;

    for (unsigned i = 0; i < ledger_count(ledger); i++) {
        if (!ledger_read(&ledger->entry[i], &e) || (e.number & LEDGER_STATE) == 0)
            continue;
        const uint64_t age_ms = e.sent_ns > now_ns ? LEDGER_KEPT_MS /* it cannot be */
                                                   : (now_ns - e.sent_ns) / NS_PER_MS;
        if (age_ms >= take_ms && ledger_give_up(&ledger->entry[i], e.number))
            write_late(master, index, &e);
        if (e.pid != master->slots[index].pid)
            left += look_at_left(&ledger->entry[i], age_ms);
    }
    board_set32(&ledger->left, left);
}

void lost_each_second(struct master *master)
{
    for (unsigned i = 0; i < master->slot_count; i++) {
        const struct board_ledger *ledger = &master->board->ledger[i];

        if (board_get32(&ledger->unclaimed) > 0 || board_get32(&ledger->left) > 0)
            look_through(master, i, LEDGER_TAKE_MS);
    }
}

void lost_at_end(struct master *master)
{
    for (unsigned i = 0; i < master->slot_count; i++)
        if (board_get32(&master->board->ledger[i].left) > 0)
            look_through(master, i, 0);
}
