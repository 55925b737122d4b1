/* SPDX-License-Identifier: MIT */
/*
 * inbox - takes in the connections that other workers have sent.      [worker]
 *
 * Owns:    the watchers of this worker's inbox and of the common one; fd_room.
 * Called:  by lifecycle.c, conn.c (a connection has come or gone) and the loop.
 * Calls:   conn.c adopts, handoff.c answers questions, load.c counts.
 * Fails:   a socket that could not be received is lost, counted and logged; a worker without
 *          descriptors to spare does not read.
 */
#include "worker/inbox.h"

#include "common/fd.h"
#include "common/log.h"
#include "worker/conn.h"
#include "worker/epoll.h"
#include "worker/fault.h"
#include "worker/handoff.h"
#include "worker/handoff_message.h"
#include "worker/lifecycle.h"
#include "worker/load.h"
#include "worker/self.h"

#include <inttypes.h>
#include <poll.h>
#include <stdio.h>
#include <string.h>
#include <sys/resource.h>

enum {
    BATCH = 16,      /* messages in one turn; then others are served too */
    OWN_FD_ROOM = 8, /* with less this worker reads no inbox */
    WARN_MS = 10000,
    RECOUNT_MS = 10000, /* it reads a directory of as many names as there are clients */
    SIZE_LINE = 24      /* of a chunk */
};

static unsigned char buffer[HANDOFF_BYTES_MOST]; /* one message at a time, loop thread */

/* ---- one comes ---- */

static void put(struct in *in, struct slice text)
{
    if (text.n > 0) /* an empty input has no memory */
        memcpy(in->data + in->end, text.p, text.n);
    in->end += (uint32_t)text.n;
}

static bool put_body(struct in *in, const struct handoff_message *m,
                     const struct handoff_parts *parts)
{
    if (parts->body < 0)
        put(in, m->body);
    else if (handoff_read_body(parts, m->body_bytes, in->data + in->end) == 0)
        in->end += (uint32_t)m->body_bytes;
    else
        return false;
    return true;
}

bool inbox_fill(struct in *in, const struct handoff_message *m,
                const struct handoff_parts *parts)
{
    char line[SIZE_LINE];
    struct slice size = {line, 0}, end = {NULL, 0};
    if ((m->flags & HANDOFF_CHUNKED) != 0) {
        end = m->body_bytes > 0 ? SLICE_LIT("\r\n0\r\n\r\n") : SLICE_LIT("0\r\n\r\n");
        if (m->body_bytes > 0)
            size.n =
                (size_t)snprintf(line, sizeof line, "%" PRIx64 "\r\n", m->body_bytes);
    }
    uint64_t all = m->head.n + size.n + m->body_bytes + end.n + m->rest.n;
    if (all > UINT32_MAX || !in_reserve(in, (uint32_t)all))
        return false;
    put(in, m->head);
    put(in, size);
    if (!put_body(in, m, parts))
        return false;
    put(in, end);
    put(in, m->rest);
    return true;
}

static void say_lost(struct worker *w)
{
    if (w->handoff_warned_ms != 0 && w->now_ms - w->handoff_warned_ms <= WARN_MS)
        return;
    w->handoff_warned_ms = w->now_ms;
    log_warn("a connection from another worker could not be received: descriptors");
}

/* Its request may end in here, or begin to wait: it is still counted as on its way. */
static void adopt(struct worker *w, const struct handoff_message *m,
                  struct handoff_parts *parts, bool is_own)
{
    w->arriving = is_own && m->number != 0 ? ++w->adoptions : 0;
    board_add(&w->entry->counters.handoffs_in, 1);
    conn_adopt(w, m, parts);
    w->arriving = 0;
}

/* false: the inbox is empty. */
static bool take_one(struct worker *w, int inbox, bool is_own)
{
    const struct heritage *h = w->heritage;
    struct handoff_message m;
    struct handoff_parts parts;
    enum handoff_result result = handoff_receive(inbox, buffer, &m, &parts);
    if (result == HANDOFF_NONE)
        return false;
    if (result == HANDOFF_BAD)
        log_warn("a message in an inbox is none of ours; dropped");
    if (result == HANDOFF_LOST)
        say_lost(w);
    if (result == HANDOFF_TAKEN && m.type == HANDOFF_ASK)
        handoff_give(w, &m);
    else if (result == HANDOFF_TAKEN)
        adopt(w, &m, &parts, is_own);
    if (result != HANDOFF_BAD && is_own && m.sender < BOARD_WORKERS)
        load_take(h->board, h->index, m.sender, m.number);
    return true;
}

/* One that crashes at this moment leaves what comes to the others. */
static bool has_fd_room(const struct worker *w)
{
    return w->fd_base >= w->conn_count + OWN_FD_ROOM &&
           !atomic_load_explicit(&fault_has_begun, memory_order_relaxed);
}

/* In the very turn in which it ends it takes no more: its heir does. */
static bool may_take(const struct worker *w)
{
    return w->phase != WORKER_ENDED && has_fd_room(w);
}

/* Of the common inbox the exclusive wait is taken out too: libev leaves that to a close, and
 * meanwhile wake-ups would go to one that does not read. */
static void stop_reading(struct worker *w, ev_io *inbox)
{
    if (!ev_is_active(inbox))
        return;
    if (inbox == &w->common)
        epoll_forget(inbox->fd);
    ev_io_stop(w->loop, inbox);
}

static void read_some(struct worker *w, ev_io *inbox)
{
    for (int i = 0; i < BATCH && may_take(w); i++)
        if (!take_one(w, inbox->fd, inbox == &w->inbox))
            return;
    if (!has_fd_room(w)) {
        stop_reading(w, &w->inbox);
        stop_reading(w, &w->common);
    }
}

static void on_inbox(struct ev_loop *loop, ev_io *io, int events)
{
    (void)loop;
    (void)events;
    struct worker *w = io->data;
    read_some(w, io);
    lifecycle_on_gone(w); /* it was all that a draining one stayed for */
}

static bool has_mail(const struct worker *w)
{
    struct pollfd inbox = {.fd = w->inbox.fd, .events = POLLIN};
    return poll(&inbox, 1, 0) > 0;
}

bool inbox_is_empty(const struct worker *w)
{
    return !w->is_inbox_open || !has_fd_room(w) || !has_mail(w);
}

void inbox_empty(struct worker *w, unsigned index)
{
    if (index >= w->heritage->inbox_count || index == w->heritage->index)
        return;
    while (may_take(w) && take_one(w, w->heritage->inbox[index].rx, false))
        ;
}

/* ---- a whole stop ---- */

/* Nobody reads the inbox of an empty entry. What lies there was sent to one that died, and
 * the order of the master to take it out came before, or found nobody. */
static bool is_abandoned(const struct board *board, unsigned index)
{
    return board_state(board, index) == BOARD_EMPTY;
}

/* Whoever takes in the last connection is not the one that ends in the same turn. */
static bool take_all(struct worker *w, int inbox)
{
    uint64_t before = w->entry->counters.handoffs_in;
    while (may_take(w) && take_one(w, inbox, false))
        ;
    return w->entry->counters.handoffs_in == before;
}

/* The tally first: the master makes it equal when it has emptied the entry. */
static bool is_settled(struct worker *w, unsigned index)
{
    const struct heritage *h = w->heritage;
    bool is_unseen = load_is_unseen(h->board, h->index, index);
    if (is_abandoned(h->board, index))
        return take_all(w, h->inbox[index].rx);
    return !is_unseen; /* else it looks itself, or has ended and is soon empty */
}

/* Each sender answers for what it has sent: it may have sent it when the receiver had looked
 * for the last time. So nobody leaves before it has looked after its last send, and the last
 * to leave finds nothing. */
bool inbox_collect(struct worker *w)
{
    const struct heritage *h = w->heritage;
    bool is_settled_all = true;
    if (!w->is_inbox_open)
        return true;
    if (w->is_collecting)
        return false; /* a connection that was taken in has ended at once: the caller goes on */
    w->is_collecting = true;
    if (h->common_inbox.rx >= 0)
        is_settled_all = take_all(w, h->common_inbox.rx);
    for (unsigned i = 0; i < h->inbox_count; i++)
        if (i != h->index)
            is_settled_all &= is_settled(w, i);
    w->is_collecting = false;
    if (!is_settled_all)
        handoff_retry_soon(w);
    return is_settled_all;
}

/* ---- upkeep ---- */

void inbox_on_connections(struct worker *w)
{
    bool is_open = (w->phase == WORKER_STANDBY || w->phase == WORKER_SERVING) &&
                   w->conn_count < w->conf->limits.worker_connections;
    uint32_t room = w->fd_base > w->conn_count ? w->fd_base - w->conn_count : 0;
    board_set32(&w->entry->fd_room, is_open ? room : 0);
    if (w->is_inbox_open && !ev_is_active(&w->inbox) && has_fd_room(w)) {
        ev_io_start(w->loop, &w->inbox);
        if (w->common.fd >= 0 && w->phase == WORKER_SERVING)
            epoll_watch(w->loop, &w->common);
    }
}

/* Once a second, so not all of them: those we have sent to, those whose loop stands still,
 * and one more, for an heir may itself have died or been full. */
static void empty_the_abandoned(struct worker *w)
{
    const struct heritage *h = w->heritage;
    w->inbox_sweep = (w->inbox_sweep + 1) % (unsigned)h->inbox_count;
    for (unsigned i = 0; i < h->inbox_count; i++) {
        bool is_gone = is_abandoned(h->board, i);
        if (is_gone ? i == w->inbox_sweep || load_is_unseen(h->board, h->index, i)
                    : load_is_stuck(h->board, h->index, i))
            inbox_empty(w, i);
    }
}

/* Descriptors that connections may have: all but what the worker and its handlers hold. */
static uint32_t count_fd_base(unsigned connections)
{
    struct rlimit limit;
    int open = fd_count() - (int)connections;
    if (open < 0 || getrlimit(RLIMIT_NOFILE, &limit) < 0 ||
        limit.rlim_cur <= (rlim_t)open)
        return 0;
    rlim_t left = limit.rlim_cur - (rlim_t)open;
    return left < UINT32_MAX ? (uint32_t)left : UINT32_MAX;
}

/* Handlers open descriptors too. */
static void recount(struct worker *w)
{
    if (w->now_ms - w->fd_counted_ms < RECOUNT_MS)
        return;
    w->fd_counted_ms = w->now_ms;
    w->fd_base = count_fd_base(w->conn_count);
    inbox_on_connections(w);
}

void inbox_each_second(struct worker *w)
{
    const struct heritage *h = w->heritage;
    if (!w->is_inbox_open)
        return;
    recount(w);
    empty_the_abandoned(w);
    if (w->phase == WORKER_SERVING && w->common.fd >= 0)
        read_some(w, &w->common); /* whoever was woken for it may not have come */
    load_settle(h->board, h->index, !has_mail(w));
}

void inbox_init(struct worker *w)
{
    const struct heritage *h = w->heritage;
    if (h->index >= h->inbox_count)
        return; /* a check, a test: there is nobody else */
    epoll_mark_listener(h->inbox[h->index].rx,
                        false); /* epoll_forget wants to know where */
    ev_io_init(&w->inbox, on_inbox, h->inbox[h->index].rx, EV_READ);
    w->inbox.data = w;
    epoll_mark_listener(h->common_inbox.rx, true);
    ev_io_init(&w->common, on_inbox, h->common_inbox.rx, EV_READ);
    w->common.data = w;
}

void inbox_announce(struct worker *w)
{
    if (w->heritage->index >= w->heritage->inbox_count)
        return;
    w->fd_base = count_fd_base(0);
    inbox_on_connections(w);
}

void inbox_start(struct worker *w)
{
    if (w->is_inbox_open || w->heritage->index >= w->heritage->inbox_count)
        return;
    w->is_inbox_open = true;
    inbox_announce(w);
    for (unsigned i = 0; i < w->heritage->inbox_count; i++)
        if (is_abandoned(w->heritage->board, i))
            inbox_empty(w, i);
}

void inbox_drain(struct worker *w)
{
    if (!lifecycle_is_whole_stop(w))
        stop_reading(w, &w->common);
    inbox_on_connections(w); /* nobody sends any more; the master may not know yet */
}

void inbox_stop(struct worker *w)
{
    if (!w->is_inbox_open)
        return;
    w->is_inbox_open = false;
    stop_reading(w, &w->inbox);
    stop_reading(w, &w->common);
}
