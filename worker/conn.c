/* SPDX-License-Identifier: MIT */
/*
 * conn - the states of a connection.                             [worker]
 *
 * Owns:    struct conn: descriptor, input, output, deadline.
 * Called:  by accept.c, the loop (readiness, deadlines) and engine.c (answers).
 * Calls:   reader.c for bytes, which hands requests to engine.c.
 * Fails:   never; a connection that breaks is closed, its request told.
 *
 * A turn: process what was read, write all answers, settle in a state. A turn may end the
 * connection, so every caller of conn_turn() returns after it.
 */
#include "worker/conn.h"

#include "common/addr.h"
#include "common/fd.h"
#include "common/log.h"
#include "worker/accept.h"
#include "worker/address.h"
#include "worker/answer.h"
#include "worker/engine.h"
#include "worker/epoll.h"
#include "worker/handoff.h"
#include "worker/handoff_message.h"
#include "worker/identity.h"
#include "worker/inbox.h"
#include "worker/intake.h"
#include "worker/lifecycle.h"
#include "worker/patience.h"
#include "worker/reader.h"
#include "worker/request.h"
#include "worker/self.h"
#include "worker/stream.h"

#include <errno.h>
#include <netinet/in.h>
#include <stdlib.h>
#include <unistd.h>

enum { NS_PER_MS = 1000000 };
enum { CONN_REFILLS = 16 }; /* of a stream in one turn; then others are served too */

static const enum deadline_kind deadline_of[] = {
    [CONN_TURN] = DEADLINE_KINDS,     [CONN_HEAD] = DEADLINE_HEAD,
    [CONN_BODY] = DEADLINE_BODY,      [CONN_WAIT] = DEADLINE_QUEUE,
    [CONN_RUN] = DEADLINE_KINDS,      [CONN_WRITE] = DEADLINE_WRITE,
    [CONN_IDLE] = DEADLINE_KEEPALIVE, [CONN_LAST] = DEADLINE_LAST,
    [CONN_LINGER] = DEADLINE_LINGER,
};

/* Entering a state starts its deadline; staying in it does not. */
void conn_set_state(struct conn *c, enum conn_state state)
{
    if (c->state == state)
        return;
    c->state = state;
    enum deadline_kind kind = deadline_of[state];
    if (state == CONN_WAIT)
        deadline_set_since(&c->worker->deadlines[kind], &c->deadline,
                           c->request->queued_ns / NS_PER_MS);
    else if (state == CONN_WRITE)
        deadline_set_since(&c->worker->deadlines[kind], &c->deadline, c->taking.look_ms);
    else if (kind == DEADLINE_KINDS)
        deadline_clear(&c->deadline);
    else
        deadline_set(&c->worker->deadlines[kind], &c->deadline);
}

static void watch(struct conn *c, int events)
{
    if (ev_is_active(&c->io)) {
        if ((c->io.events & (EV_READ | EV_WRITE)) == events)
            return;
        ev_io_stop(c->worker->loop, &c->io);
    }
    if (events == 0)
        return;
    ev_io_set(&c->io, c->io.fd, events);
    ev_io_start(c->worker->loop, &c->io);
}

/* What the request loses when its connection goes. */
static void let_go_of_request(struct conn *c)
{
    struct request *req = c->request;
    if (req == NULL)
        return;
    c->request = NULL;
    if (!c->is_handed)
        request_account(req, 0);
    else if (req->handler == HANDLER_QUEUED)
        engine_abandon(req);
    else
        request_detach(req);
    request_release(req);
}

static void publish_count(struct worker *w)
{
    board_set32(&w->entry->connections, w->conn_count);
    inbox_on_connections(w);
}

/* Out of all lists, and free. */
static void discard(struct conn *c)
{
    struct worker *w = c->worker;
    deadline_clear(&c->deadline);
    ev_io_stop(w->loop, &c->io);
    if (c->is_shared) /* its sender may not have closed its copy yet: as in conn_leave */
        epoll_forget(c->io.fd);
    out_fini(&c->out);
    in_fini(&c->in);
    fd_close(&c->io.fd);
    list_remove(&c->link);
    if (c->address != NULL)
        address_leave(c);
    w->conn_count--;
    publish_count(w);
    c->magic = 0;
    free(c);
    accept_on_room(w);
    lifecycle_on_gone(w);
}

void conn_close(struct conn *c)
{
    CHECK_OBJ(c, CONN_MAGIC);
    struct worker *w = c->worker;
    if (c->request != NULL && c->is_handed && c->request->handler == HANDLER_RUNNING &&
        c->request->in.data == NULL) {
        c->request->in = c->in; /* its strings live there */
        in_init(&c->in, &w->blocks);
    }
    let_go_of_request(c);
    discard(c);
}

/* The descriptor lives on elsewhere, and with it its entry in our epoll set, if it were not
 * taken out: libev would build the whole set anew at the client's next byte. No shutdown,
 * which would end the client's connection. */
void conn_leave(struct conn *c)
{
    CHECK_OBJ(c, CONN_MAGIC);
    struct request *req = c->request;
    c->request = NULL;
    if (req != NULL) {
        req->is_accounted = true; /* by the other */
        begun_leave_sent(req);
        engine_withdraw(req);
        request_release(req);
    }
    c->is_shared = true; /* by another */
    discard(c);
}

void conn_try_write(struct conn *c)
{
    uint64_t written = 0;
    if (out_flush(&c->out, c->io.fd, &written) == OUT_BROKEN)
        c->is_broken = true;
    if (written > 0) {
        board_add(&c->worker->entry->counters.bytes_out, written);
        c->taking.given += written;
        if (c->out.queued_bytes == 0)
            c->taking.since_ms = 0;
    }
}

/* Writes; a stream refills the output as it empties. false: the connection is gone. */
static bool flush(struct conn *c)
{
    for (int i = 0; i < CONN_REFILLS && c->out.queued_bytes > 0 && !c->is_broken; i++) {
        conn_try_write(c);
        if (c->out.queued_bytes > 0 || c->request == NULL || !c->request->is_flowing)
            break;
        stream_pump(c->request);
    }
    if (!c->is_broken)
        return true;
    conn_close(c);
    return false;
}

void conn_end_our_side(struct conn *c, uint64_t since_ms)
{
    if (!c->is_lingering || shutdown(c->io.fd, SHUT_WR) < 0) {
        conn_close(c);
        return;
    }
    in_fini(&c->in);
    if (c->state != CONN_LINGER)
        deadline_set_since(&c->worker->deadlines[DEADLINE_LINGER], &c->deadline,
                           since_ms);
    c->state = CONN_LINGER;
    watch(c, EV_READ);
}

bool conn_is_waiting(const struct conn *c)
{
    return c->is_handed && c->request->handler == HANDLER_QUEUED;
}

/* Nothing more can be done now: wait for the right thing, for the right time. The connection
 * may be gone after it. */
static void settle(struct conn *c)
{
    bool is_running = c->is_handed && c->request->handler == HANDLER_RUNNING;
    if (c->out.queued_bytes > 0) {
        if (c->taking.since_ms == 0)
            patience_begin_taking(c);
        conn_set_state(c, CONN_WRITE);
        watch(c, reader_is_due(c) && !c->is_eof ? EV_READ | EV_WRITE : EV_WRITE);
    } else if (c->is_eof && !is_running) {
        conn_close(c); /* one that still waits for a slot is dropped */
    } else if (c->is_handed) {
        conn_set_state(c, conn_is_waiting(c) ? CONN_WAIT
                          : reader_is_due(c) ? CONN_BODY
                                             : CONN_RUN);
        watch(c, !c->is_eof && reader_has_room(c) ? EV_READ : 0);
    } else if (c->is_closing) {
        conn_end_our_side(c, c->worker->now_ms);
    } else if (c->request != NULL) {
        conn_set_state(c, c->request->has_head ? CONN_BODY : CONN_HEAD);
        watch(c, EV_READ);
    } else {
        bool is_new = c->state == CONN_HEAD; /* its first byte has head_timeout too */
        bool is_draining = c->worker->phase == WORKER_DRAINING && conn_is_between(c);
        if (is_draining && handoff_retire(c) == HANDOFF_RETIRED)
            return;
        conn_set_state(c, is_draining ? CONN_LAST : is_new ? CONN_HEAD : CONN_IDLE);
        watch(c, EV_READ);
    }
}

/* Everything that was read, as far as it goes now. false: the connection is gone. */
static bool process(struct conn *c)
{
    do {
        c->is_processing = true;
        while (reader_step(c))
            ;
        c->is_processing = false;
        if (!flush(c))
            return false;
    } while (c->is_stalled && c->out.queued_bytes == 0);
    return true;
}

/* It would wait too long, or has. */
void conn_shed(struct conn *c, enum limit limit)
{
    engine_withdraw(c->request);
    if (limit != LIMIT_NONE)
        patience_over(c->request, limit);
    answer_host(c->request, 503);
    c->is_processing = true; /* the caller goes on */
    conn_on_answer(c);
    c->is_processing = false;
}

void conn_turn(struct conn *c)
{
    while (process(c)) {
        bool has_to_wait = conn_is_waiting(c) && !c->is_eof;
        enum handoff_place place = has_to_wait ? handoff_place(c) : HANDOFF_WAITS;
        if (place == HANDOFF_GONE)
            return;
        if (place == HANDOFF_WAITS) {
            settle(c);
            return;
        }
        conn_shed(c, LIMIT_QUEUE);
    }
}

void conn_on_answer(struct conn *c)
{
    CHECK_OBJ(c, CONN_MAGIC);
    struct request *req = c->request;
    if (req->intake != NULL && req->conn != NULL)
        (void)intake_drop(req);
    c->is_handed = false;
    c->request = NULL;
    c->state = CONN_TURN; /* whichever state follows is entered anew */
    in_consume(&c->in, req->consumed);
    request_release(req);
    if (!c->is_processing)
        conn_turn(c);
}

void conn_part(struct conn *c)
{
    struct request *req = c->request;
    if (!reader_part(c, req))
        c->is_closing = c->is_lingering = true;
    if (req->intake != NULL) {
        intake_cut(req);
        (void)intake_drop(req);
    }
    req->conn = NULL;
    conn_on_answer(c);
}

void conn_on_output(struct conn *c)
{
    if (!c->is_processing)
        conn_turn(c);
}

/* EOF: gone, but what it sent before is answered. A request that waits for a slot is
 * dropped; a handler that runs is told, and its answer is written if it makes one. */
static void on_eof(struct conn *c)
{
    c->is_eof = true;
    if (c->state == CONN_LINGER) {
        conn_close(c);
        return;
    }
    if (c->is_handed && c->request->handler == HANDLER_RUNNING)
        request_client_gone(c->request);
    conn_turn(c);
}

/* n and errno are those of a receive. */
void conn_on_received(struct conn *c, long n)
{
    if (n > 0) {
        c->read_ms = c->worker->now_ms;
        board_add(&c->worker->entry->counters.bytes_in, (uint64_t)n);
        if (c->state != CONN_LINGER)
            conn_turn(c);
    } else if (n == 0) {
        on_eof(c);
    } else if (errno == EAGAIN || errno == EINTR) {
        settle(c);
    } else {
        conn_close(c);
    }
}

static void on_readable(struct conn *c)
{
    conn_on_received(c, reader_receive(c));
}

static void on_io(struct ev_loop *loop, ev_io *io, int events)
{
    (void)loop;
    struct conn *c = io->data;
    CHECK_OBJ(c, CONN_MAGIC);
    if (events & EV_READ)
        on_readable(c);
    else
        conn_turn(c);
}

/* Takes the descriptor over. */
static struct conn *create(struct worker *w, int fd)
{
    ON_LOOP(w);
    struct conn *c = malloc(sizeof *c);
    if (c == NULL) {
        fd_close(&fd);
        return NULL;
    }
    *c = (struct conn){.magic = CONN_MAGIC, .worker = w, .state = CONN_TURN};
    ev_io_init(&c->io, on_io, fd, EV_READ);
    c->io.data = c;
    deadline_init(&c->deadline);
    in_init(&c->in, &w->blocks);
    out_init(&c->out, &w->blocks, request_release);
    list_append(&w->conns, &c->link);
    w->conn_count++;
    publish_count(w);
    return c;
}

void conn_set_peer(struct conn *c, const struct sockaddr *peer, socklen_t length)
{
    if (peer->sa_family == AF_UNIX)
        memcpy(c->peer, "unix:", sizeof "unix:");
    else
        addr_format_host(peer, length, c->peer, sizeof c->peer);
}

bool conn_count_address(struct conn *c)
{
    return c->worker->addresses.bucket == NULL || c->is_trusted || address_enter(c);
}

void conn_open(struct worker *w, int fd, const struct sockaddr *peer, socklen_t length)
{
    struct conn *c = create(w, fd);
    if (c == NULL)
        return;
    board_add(&w->entry->counters.connections, 1);
    conn_set_peer(c, peer, length);
    if (w->proxies.count > 0 && !identity_begin(c)) {
        conn_close(c);
        return;
    }
    if (!conn_count_address(c)) {
        address_refuse(c);
        return;
    }
    conn_set_state(c, CONN_HEAD);
    on_readable(c);
}

static uint64_t earlier(uint64_t ns, const struct worker *w)
{
    return ns < w->now_ns ? ns
                          : w->now_ns; /* its loop may have looked at the clock later */
}

void conn_adopt(struct worker *w, const struct handoff_message *m,
                struct handoff_parts *parts)
{
    struct conn *c = create(w, parts->socket);
    bool is_filled = c != NULL && inbox_fill(&c->in, m, parts);
    fd_close(&parts->body);
    if (c == NULL)
        return;
    c->is_shared = true;
    c->adoption = w->arriving;
    memcpy(c->peer, m->peer, sizeof c->peer);
    identity_adopt(c, (m->flags & HANDOFF_HEADER_DUE) != 0);
    (void)conn_count_address(c); /* it may stay: it was counted where it came from */
    c->requests = m->requests;
    c->read_ms = w->now_ms;
    if (m->head.n > 0)
        c->past = (struct conn_past){.hops = m->hops + 1,
                                     .sender = m->sender,
                                     .ticket = m->ticket,
                                     .begun_ns = earlier(m->begun_ns, w),
                                     .queued_ns = earlier(m->queued_ns, w)};
    if (m->requests == 0)
        conn_set_state(c, CONN_HEAD); /* its first byte has head_timeout */
    if (is_filled) {
        conn_turn(c);
        return;
    }
    log_error("out of memory for a connection from another worker");
    conn_close(c);
}
