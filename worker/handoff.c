/* SPDX-License-Identifier: MIT */
/*
 * handoff - sends connections, asks for them; lets requests wait.   [worker]
 *
 * Owns:    the retry timer; the list of neighbours.
 * Called:  by conn.c (end of a turn, drain), engine.c (a slot is free), inbox.c (a sibling
 *          asks), accept.c, lifecycle.c.
 * Calls:   place.c decides, load.c counts, handoff_message.c sends; conn.c lets go.
 * Fails:   what cannot be sent stays and waits here.
 */
#include "worker/handoff.h"

#include "worker/conn.h"
#include "worker/drain.h"
#include "worker/engine.h"
#include "worker/handoff_message.h"
#include "worker/lifecycle.h"
#include "worker/load.h"
#include "worker/request.h"
#include "worker/self.h"

#include <assert.h>
#include <string.h>

static const double retry_s = 0.01; /* while requests wait here */

/* Entries in use but for ours, as of this second: what every end of a request looks at. One
 * that is newer is missed for so long; its own retry finds us. */
static uint8_t neighbour[BOARD_WORKERS];

/* ---- what this worker sees ---- */

static uint32_t draw(struct worker *w)
{
    w->random = w->random * 1664525u + 1013904223u;
    return w->random;
}

static struct place_view look(struct worker *w, const struct lane *lane,
                              enum load_peers peers,
                              struct place_sibling out[static BOARD_WORKERS])
{
    const struct heritage *h = w->heritage;
    return (struct place_view){.sibling = out,
                               .count =
                                   load_look(h->board, h->index, peers, lane->kind, out),
                               .busy = lane->busy,
                               .waiting = lane->waiting_count + lane->task_waiting_count,
                               .limit = lane->limit,
                               .random = draw(w)};
}

/* ---- one goes ---- */

/* Only a request that waits, with nothing unwritten before it. */
static bool can_move(const struct conn *c)
{
    const struct request *req = c->request;
    return c->worker->is_inbox_open && c->is_handed && req->handler == HANDLER_QUEUED &&
           c->out.queued_bytes == 0 && !c->is_eof && !c->is_broken && !c->is_closing &&
           !c->is_processing;
}

static void describe(const struct conn *c, struct handoff_message *m)
{
    const struct heritage *h = c->worker->heritage;
    *m = (struct handoff_message){.type = HANDOFF_CONNECTION};
    m->sender = h->index;
    m->generation = h->generation;
    m->requests = c->requests;
    static_assert(sizeof m->peer == sizeof c->peer, "one size of address");
    memcpy(m->peer, c->peer, sizeof m->peer);
    if (c->is_header_due)
        m->flags = HANDOFF_HEADER_DUE;
}

static void describe_ready(const struct conn *c, struct handoff_message *m)
{
    const struct request *req = c->request;
    const struct http_request *head = &req->parser.request;
    const char *end = c->in.data + c->in.end, *rest = req->base + req->consumed;
    describe(c, m);
    m->requests--; /* this one is not served */
    m->hops = req->hops;
    m->flags |= HANDOFF_CONTINUED;
    if (head->body_kind == HTTP_BODY_CHUNKED && req->intake == NULL)
        m->flags |= HANDOFF_CHUNKED;
    m->begun_ns = req->begun_ns;
    m->queued_ns = req->queued_ns;
    m->head = (struct slice){req->base, head->head_bytes};
    m->body = (struct slice){req->body, req->body_bytes};
    m->rest = (struct slice){rest, (size_t)(end - rest)};
}

static bool move(struct conn *c, unsigned to)
{
    struct worker *w = c->worker;
    const struct heritage *h = w->heritage;
    if (to >= h->inbox_count)
        return false;
    struct handoff_message m;
    describe_ready(c, &m);
    m.number = load_send(h->board, h->index, to);
    m.ticket = begun_send(c->request);
    if (handoff_send(h->inbox[to].tx, &m, c->io.fd) < 0) {
        begun_unsend(c->request);
        load_unsend(h->board, h->index, to);
        return false;
    }
    board_add(&w->entry->counters.handoffs_out, 1);
    conn_leave(c);
    return true;
}

/* It begins to wait here, unless too many wait already. */
static bool admit(struct worker *w, struct request *req)
{
    const struct heritage *h = w->heritage;
    if (req->is_admitted)
        return true;
    bool is_arriving = w->arriving != 0 && req->conn->adoption == w->arriving;
    if (!load_admit(h->board, h->index, w->conf->limits.queue_limit, is_arriving))
        return false;
    lane_admit(req->lane, req);
    engine_publish_load(w, req->lane);
    load_admitted(h->board, h->index);
    return true;
}

static struct place choose(struct conn *c, uint32_t hops)
{
    struct worker *w = c->worker;
    struct place_sibling others[BOARD_WORKERS];
    if (!can_move(c))
        return (struct place){.verdict = PLACE_QUEUE_HERE};
    struct place_view view = look(w, c->request->lane, LOAD_TAKERS, others);
    view.waiting--; /* but for this one */
    view.hops = hops;
    return place_request(&view);
}

void handoff_retry_soon(struct worker *w)
{
    if (!ev_is_active(&w->retry))
        ev_timer_again(w->loop, &w->retry);
}

enum handoff_place handoff_place(struct conn *c)
{
    struct worker *w = c->worker;
    struct place place = choose(c, c->request->hops);
    bool is_to_move = place.verdict == PLACE_MOVE;
    if (is_to_move && place.is_to_free && move(c, place.index))
        return HANDOFF_GONE;
    if (!admit(w, c->request))
        return HANDOFF_FULL;
    if (is_to_move && !place.is_to_free && move(c, place.index))
        return HANDOFF_GONE;
    if (w->is_inbox_open)
        handoff_retry_soon(w);
    return HANDOFF_WAITS;
}

/* One that drains has no room in its own eyes, before the master has said so to all. */
bool handoff_has_heir(struct worker *w)
{
    const struct heritage *h = w->heritage;
    struct place_sibling others[BOARD_WORKERS];
    if (!w->is_inbox_open || w->is_orphan || h->common_inbox.tx < 0 ||
        lifecycle_is_whole_stop(w))
        return false;
    size_t n = load_look(h->board, h->index, LOAD_HEIRS, LOAD_SLOTS, others);
    for (size_t i = 0; i < n; i++)
        if (others[i].fd_room > 0)
            return true;
    return false;
}

enum handoff_retire handoff_retire(struct conn *c)
{
    struct worker *w = c->worker;
    const struct heritage *h = w->heritage;
    if (c->is_eof || c->is_broken || !handoff_has_heir(w))
        return HANDOFF_NOBODY;
    struct handoff_message m;
    describe(c, &m);
    if (handoff_send(h->common_inbox.tx, &m, c->io.fd) < 0) {
        handoff_retry_soon(w);
        return HANDOFF_LATER;
    }
    board_add(&w->entry->counters.handoffs_out, 1);
    conn_leave(c);
    return HANDOFF_RETIRED;
}

static struct conn *oldest(const struct lane *lane)
{
    LIST_FOREACH (link, &lane->waiting) {
        struct request *req = LIST_ENTRY(link, struct request, lane_link);
        if (req->conn != NULL && can_move(req->conn))
            return req->conn;
    }
    return NULL;
}

/* However often it has moved: once in a while is no to and fro. Does any still wait? */
static bool retry_lane(struct lane *lane)
{
    struct conn *c;
    while ((c = oldest(lane)) != NULL) {
        struct place place = choose(c, 0);
        if (place.verdict != PLACE_MOVE || !move(c, place.index))
            return true;
    }
    return false;
}

/* While requests wait here: a sibling may have become free and its question lost. */
static void on_retry(struct ev_loop *loop, ev_timer *timer, int events)
{
    (void)events;
    struct worker *w = timer->data;
    bool has_slots = retry_lane(&w->slots), has_flights = retry_lane(&w->flights);
    bool has_idle = w->phase == WORKER_DRAINING && drain_retire(w);
    if (!has_slots && !has_flights && !has_idle)
        ev_timer_stop(loop, timer);
    lifecycle_on_gone(w); /* it may have stayed for what it had sent */
}

/* ---- asking ---- */

static void ask(struct worker *w, const struct lane *lane)
{
    const struct heritage *h = w->heritage;
    struct place_sibling others[BOARD_WORKERS];
    if (lane->busy >= lane->limit || lane->waiting_count > 0 ||
        load_waiting(h->board, lane->kind, neighbour, w->neighbour_count) == 0)
        return;
    struct place_view view = look(w, lane, LOAD_GIVERS, others);
    struct place place = place_free(&view);
    if (place.verdict != PLACE_ASK || place.index >= h->inbox_count)
        return;
    struct handoff_message m = {.type = HANDOFF_ASK,
                                .sender = h->index,
                                .generation = h->generation,
                                .flags =
                                    lane->kind == LOAD_FLIGHTS ? HANDOFF_FLIGHTS : 0};
    (void)handoff_send(h->inbox[place.index].tx, &m, -1);
}

void handoff_on_free(struct worker *w, const struct lane *lane)
{
    if (w->is_inbox_open && w->phase == WORKER_SERVING)
        ask(w, lane);
}

void handoff_give(struct worker *w, const struct handoff_message *m)
{
    struct place_sibling others[BOARD_WORKERS];
    struct lane *lane = (m->flags & HANDOFF_FLIGHTS) != 0 ? &w->flights : &w->slots;
    struct place_view view = look(w, lane, LOAD_TAKERS, others);
    for (size_t i = 0; i < view.count; i++) {
        if (others[i].index != m->sender || !place_may_give(&view, &others[i]))
            continue;
        struct conn *c = oldest(lane);
        if (c != NULL)
            (void)move(c, m->sender);
        return;
    }
}

bool handoff_is_room_elsewhere(struct worker *w)
{
    const struct heritage *h = w->heritage;
    struct place_sibling others[BOARD_WORKERS];
    if (!w->is_inbox_open || w->neighbour_count == 0)
        return false;
    size_t n = load_look(h->board, h->index, LOAD_TAKERS, LOAD_SLOTS, others);
    for (size_t i = 0; i < n; i++)
        if (others[i].load < others[i].limit && others[i].fd_room >= PLACE_FD_ROOM)
            return true;
    return false;
}

/* ---- upkeep ---- */

void handoff_each_second(struct worker *w)
{
    const struct heritage *h = w->heritage;
    w->neighbour_count = 0;
    for (unsigned i = 0; w->is_inbox_open && i < h->inbox_count; i++)
        if (i != h->index && board_state(h->board, i) != BOARD_EMPTY)
            neighbour[w->neighbour_count++] = (uint8_t)i;
}

void handoff_init(struct worker *w)
{
    w->random = (uint32_t)(w->now_ns ^ (uint64_t)w->pid << 16);
    ev_init(&w->retry, on_retry);
    w->retry.repeat = retry_s;
    w->retry.data = w;
}

void handoff_stop(struct worker *w)
{
    ev_timer_stop(w->loop, &w->retry);
}
