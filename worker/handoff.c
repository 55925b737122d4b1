/* SPDX-License-Identifier: MIT */
/*
 * handoff - sends connections, takes them in, asks for them.     [worker]
 *
 * Owns:    the watchers of this worker's inbox and of the common one.
 * Called:  by conn.c (end of a turn), engine.c (a slot is free), lifecycle.c.
 * Calls:   place.c decides, load.c counts, handoff_message.c sends; conn.c lets go and takes.
 * Fails:   what cannot be sent stays and waits here. A socket that could not be received is
 *          lost, counted and logged; a worker without descriptors to spare does not read.
 */
#include "worker/handoff.h"

#include "common/fd.h"
#include "common/log.h"
#include "worker/conn.h"
#include "worker/engine.h"
#include "worker/epoll.h"
#include "worker/handoff_message.h"
#include "worker/load.h"
#include "worker/request.h"
#include "worker/self.h"

#include <assert.h>
#include <inttypes.h>
#include <poll.h>
#include <stdio.h>
#include <string.h>
#include <sys/resource.h>

enum {
    BATCH = 16,      /* messages in one turn; then others are served too */
    OWN_FD_ROOM = 8, /* with less this worker reads no inbox */
    WARN_MS = 10000,
    SIZE_LINE = 24 /* of a chunk */
};

static const double retry_s = 0.02; /* while requests wait here */

static unsigned char buffer[HANDOFF_BYTES_MOST]; /* one message at a time, loop thread */

/* Entries in use but for ours, as of this second: what every end of a request looks at. One
 * that is newer is missed for so long; its own retry finds us. */
static uint8_t neighbour[BOARD_WORKERS];

/* ---- what this worker sees ---- */

static uint32_t draw(struct worker *w)
{
    w->random = w->random * 1664525u + 1013904223u;
    return w->random;
}

static struct place_view look(struct worker *w, enum load_peers peers,
                              struct place_sibling out[static BOARD_WORKERS])
{
    const struct heritage *h = w->heritage;
    return (struct place_view){.sibling = out,
                               .count = load_look(h->board, h->index, peers, out),
                               .busy = w->slots.busy,
                               .waiting =
                                   w->slots.waiting_count + w->slots.task_waiting_count,
                               .limit = w->slots.limit,
                               .random = draw(w)};
}

/* ---- one goes ---- */

/* Only a request that waits, with nothing unwritten before it. */
static bool can_move(const struct conn *c)
{
    const struct request *req = c->request;
    return c->is_handed && req->handler == HANDLER_QUEUED &&
           req->lane == &c->worker->slots && c->out.queued_bytes == 0 && !c->is_eof &&
           !c->is_broken && !c->is_closing && !c->is_processing;
}

static struct handoff_message describe(const struct conn *c)
{
    const struct request *req = c->request;
    const struct heritage *h = c->worker->heritage;
    const struct http_request *head = &req->parser.request;
    const char *end = c->in.data + c->in.end, *rest = req->base + req->consumed;
    struct handoff_message m = {.type = HANDOFF_CONNECTION,
                                .sender = h->index,
                                .generation = h->generation,
                                .requests = c->requests - 1, /* this one is not served */
                                .hops = req->hops,
                                .flags = HANDOFF_CONTINUED,
                                .begun_ns = req->begun_ns,
                                .queued_ns = req->queued_ns,
                                .head = {req->base, head->head_bytes},
                                .body = {req->body, req->body_bytes},
                                .rest = {rest, (size_t)(end - rest)}};
    if (head->body_kind == HTTP_BODY_CHUNKED)
        m.flags |= HANDOFF_CHUNKED;
    static_assert(sizeof m.peer == sizeof c->peer, "one size of address");
    memcpy(m.peer, c->peer, sizeof m.peer);
    return m;
}

static bool move(struct conn *c, unsigned to)
{
    const struct heritage *h = c->worker->heritage;
    if (to >= h->inbox_count)
        return false;
    struct handoff_message m = describe(c);
    m.number = load_send(h->board, h->index, to);
    if (handoff_send(h->inbox[to].tx, &m, c->io.fd) < 0) {
        load_unsend(h->board, h->index, to);
        return false;
    }
    board_add(&c->worker->entry->moved, 1);
    conn_leave(c);
    return true;
}

bool handoff_place(struct conn *c)
{
    struct worker *w = c->worker;
    struct place_sibling others[BOARD_WORKERS];
    if (!w->is_inbox_open || !can_move(c))
        return false;
    struct place_view view = look(w, LOAD_TAKERS, others);
    view.waiting--; /* but for this one */
    view.hops = c->request->hops;
    struct place place = place_request(&view);
    if (place.verdict == PLACE_MOVE && move(c, place.index))
        return true;
    if (!ev_is_active(&w->retry))
        ev_timer_again(w->loop, &w->retry);
    return false;
}

static struct conn *oldest(struct worker *w)
{
    LIST_FOREACH (link, &w->slots.waiting) {
        struct request *req = LIST_ENTRY(link, struct request, lane_link);
        if (req->conn != NULL && can_move(req->conn))
            return req->conn;
    }
    return NULL;
}

/* While requests wait here: a sibling may have become free and its question lost. */
static void on_retry(struct ev_loop *loop, ev_timer *timer, int events)
{
    (void)events;
    struct worker *w = timer->data;
    struct conn *c = oldest(w);
    if (c == NULL)
        ev_timer_stop(loop, timer);
    else
        (void)handoff_place(c);
}

bool handoff_is_full(const struct worker *w)
{
    uint64_t waiting = w->slots.waiting_count + w->flights.waiting_count;
    waiting += load_waiting(w->heritage->board, neighbour, w->neighbour_count);
    return waiting > w->conf->limits.queue_limit;
}

/* ---- asking ---- */

void handoff_on_free(struct worker *w)
{
    const struct heritage *h = w->heritage;
    struct place_sibling others[BOARD_WORKERS];
    if (!w->is_inbox_open || w->phase != WORKER_SERVING ||
        w->slots.busy >= w->slots.limit || w->slots.waiting_count > 0 ||
        load_waiting(h->board, neighbour, w->neighbour_count) == 0)
        return;
    struct place_view view = look(w, LOAD_GIVERS, others);
    struct place place = place_free(&view);
    if (place.verdict != PLACE_ASK || place.index >= h->inbox_count)
        return;
    struct handoff_message m = {
        .type = HANDOFF_ASK, .sender = h->index, .generation = h->generation};
    (void)handoff_send(h->inbox[place.index].tx, &m, -1);
}

static void give(struct worker *w, unsigned asker)
{
    struct place_sibling others[BOARD_WORKERS];
    struct place_view view = look(w, LOAD_TAKERS, others);
    for (size_t i = 0; i < view.count; i++) {
        if (others[i].index != asker || !place_may_give(&view, &others[i]))
            continue;
        struct conn *c = oldest(w);
        if (c != NULL)
            (void)move(c, asker);
        return;
    }
}

/* ---- one comes ---- */

static void put(struct in *in, const void *bytes, size_t n)
{
    memcpy(in->data + in->end, bytes, n);
    in->end += (uint32_t)n;
}

static bool put_body(struct in *in, const struct handoff_message *m,
                     const struct handoff_parts *parts)
{
    if (parts->body < 0)
        put(in, m->body.p, m->body.n);
    else if (handoff_read_body(parts, m->body_bytes, in->data + in->end) == 0)
        in->end += (uint32_t)m->body_bytes;
    else
        return false;
    return true;
}

bool handoff_fill(struct in *in, const struct handoff_message *m,
                  const struct handoff_parts *parts)
{
    char size[SIZE_LINE] = "";
    const char *end = "";
    if ((m->flags & HANDOFF_CHUNKED) != 0) {
        end = m->body_bytes > 0 ? "\r\n0\r\n\r\n" : "0\r\n\r\n";
        if (m->body_bytes > 0)
            snprintf(size, sizeof size, "%" PRIx64 "\r\n", m->body_bytes);
    }
    uint64_t all = m->head.n + strlen(size) + m->body_bytes + strlen(end) + m->rest.n;
    if (all > UINT32_MAX || !in_reserve(in, (uint32_t)all))
        return false;
    put(in, m->head.p, m->head.n);
    put(in, size, strlen(size));
    if (!put_body(in, m, parts))
        return false;
    put(in, end, strlen(end));
    put(in, m->rest.p, m->rest.n);
    return true;
}

static void say_lost(struct worker *w)
{
    if (w->handoff_warned_ms != 0 && w->now_ms - w->handoff_warned_ms <= WARN_MS)
        return;
    w->handoff_warned_ms = w->now_ms;
    log_warn("a connection from another worker could not be received: descriptors");
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
        give(w, m.sender);
    else if (result == HANDOFF_TAKEN)
        conn_adopt(w, &m, &parts);
    if (result != HANDOFF_BAD && is_own && m.sender < BOARD_WORKERS)
        load_take(h->board, h->index, m.sender, m.number);
    return true;
}

static bool has_fd_room(const struct worker *w)
{
    return w->fd_base >= w->conn_count + OWN_FD_ROOM;
}

static void on_inbox(struct ev_loop *loop, ev_io *io, int events)
{
    (void)events;
    struct worker *w = io->data;
    for (int i = 0; i < BATCH; i++) {
        if (!has_fd_room(w)) {
            ev_io_stop(loop, io);
            return;
        }
        if (!take_one(w, io->fd, io == &w->inbox))
            return;
    }
}

void handoff_empty_inbox(struct worker *w, unsigned index)
{
    if (index >= w->heritage->inbox_count || index == w->heritage->index)
        return;
    while (has_fd_room(w) && take_one(w, w->heritage->inbox[index].rx, false))
        ;
}

/* ---- upkeep ---- */

void handoff_on_connections(struct worker *w)
{
    uint32_t room = w->fd_base > w->conn_count ? w->fd_base - w->conn_count : 0;
    board_set32(&w->entry->fd_room, room);
    if (w->is_inbox_open && !ev_is_active(&w->inbox) && has_fd_room(w))
        ev_io_start(w->loop, &w->inbox);
}

static uint32_t state_of(const struct board *board, unsigned index)
{
    return atomic_load_explicit(&board->worker[index].state, memory_order_relaxed);
}

static void list_neighbours(struct worker *w)
{
    const struct heritage *h = w->heritage;
    w->neighbour_count = 0;
    for (unsigned i = 0; i < h->inbox_count; i++)
        if (i != h->index && state_of(h->board, i) != BOARD_EMPTY)
            neighbour[w->neighbour_count++] = (uint8_t)i;
}

/* Nobody reads the inbox of an empty entry. What lies there was sent to one that died, and
 * the order of the master to take it out came before, or found nobody. */
static void empty_the_abandoned(struct worker *w, bool is_all)
{
    const struct heritage *h = w->heritage;
    for (unsigned i = 0; i < h->inbox_count; i++) {
        if (state_of(h->board, i) == BOARD_EMPTY &&
            (is_all || load_is_unseen(h->board, h->index, i)))
            handoff_empty_inbox(w, i);
    }
}

void handoff_each_second(struct worker *w)
{
    const struct heritage *h = w->heritage;
    struct pollfd inbox = {.fd = w->inbox.fd, .events = POLLIN};
    if (!w->is_inbox_open)
        return;
    list_neighbours(w);
    empty_the_abandoned(w, false);
    load_settle(h->board, h->index, poll(&inbox, 1, 0) == 0);
}

void handoff_init(struct worker *w)
{
    const struct heritage *h = w->heritage;
    if (h->index >= h->inbox_count)
        return; /* a check, a test: there is nobody else */
    w->random = (uint32_t)(w->now_ns ^ (uint64_t)w->pid << 16);
    epoll_mark_listener(h->inbox[h->index].rx,
                        false); /* epoll_forget wants to know where */
    ev_io_init(&w->inbox, on_inbox, h->inbox[h->index].rx, EV_READ);
    w->inbox.data = w;
    ev_init(&w->retry, on_retry);
    w->retry.repeat = retry_s;
    w->retry.data = w;
}

/* Descriptors that connections may have: what is left once the worker is up. */
static uint32_t count_fd_base(void)
{
    struct rlimit limit;
    int open = fd_count();
    if (open < 0 || getrlimit(RLIMIT_NOFILE, &limit) < 0 ||
        limit.rlim_cur <= (rlim_t)open)
        return 0;
    rlim_t left = limit.rlim_cur - (rlim_t)open;
    return left < UINT32_MAX ? (uint32_t)left : UINT32_MAX;
}

void handoff_start(struct worker *w)
{
    if (w->is_inbox_open || w->heritage->index >= w->heritage->inbox_count)
        return;
    w->is_inbox_open = true;
    w->fd_base = count_fd_base();
    handoff_on_connections(w);
    list_neighbours(w);
    empty_the_abandoned(w, true);
}

void handoff_stop(struct worker *w)
{
    if (!w->is_inbox_open)
        return;
    w->is_inbox_open = false;
    ev_io_stop(w->loop, &w->inbox);
    ev_timer_stop(w->loop, &w->retry);
}
