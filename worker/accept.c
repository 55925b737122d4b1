/* SPDX-License-Identifier: MIT */
/*
 * accept - one connection for each readiness of a listener.      [worker]
 *
 * Owns:    this worker's watchers of the listeners, and its copies of their descriptors.
 * Called:  by lifecycle.c (GO, pause, drain), conn.c (room again).
 * Fails:   out of descriptors or memory it pauses, says so once in a while, and goes on when
 *          a connection has gone or after 100 ms: a listener that stays readable while
 *          accept fails would spin the loop.
 */
#include "worker/accept.h"

#include "common/fd.h"
#include "common/log.h"
#include "worker/conn.h"
#include "worker/epoll.h"
#include "worker/fault.h"
#include "worker/handoff.h"
#include "worker/lifecycle.h"
#include "worker/self.h"

#include <errno.h>
#include <netinet/in.h>
#include <sys/socket.h>

enum { ACCEPT_WARN_MS = 10000, ACCEPT_GONE = 16 };

static const double accept_pause_s = 0.1;
static const double gate_s = 0.02; /* then it looks again, whatever it knows */

/* Nor has one that crashes at this moment: its siblings accept what comes now. */
static bool has_room(const struct worker *w)
{
    return w->conn_count < w->conf->limits.worker_connections &&
           !atomic_load_explicit(&fault_has_begun, memory_order_relaxed);
}

static void close_gate(struct worker *w, bool is_closed)
{
    w->is_gated = is_closed;
    if (is_closed)
        ev_timer_again(w->loop, &w->gate);
    else
        ev_timer_stop(w->loop, &w->gate);
}

static bool is_slot_free(const struct worker *w)
{
    return w->slots.busy + w->slots.waiting_count < w->slots.limit;
}

void accept_start(struct worker *w)
{
    if (w->phase != WORKER_SERVING || w->accept_on || w->is_paused || !has_room(w))
        return;
    w->accept_on = true;
    close_gate(w, false);
    for (size_t i = 0; i < w->heritage->listener_count; i++)
        epoll_watch(w->loop, &w->listener[i].io);
}

void accept_stop(struct worker *w)
{
    ev_timer_stop(w->loop, &w->accept_pause);
    close_gate(w, false);
    for (size_t i = 0; i < w->heritage->listener_count; i++) {
        if (ev_is_active(&w->listener[i].io))
            epoll_forget(w->listener[i].io.fd);
        ev_io_stop(w->loop, &w->listener[i].io);
    }
    w->accept_on = false;
}

void accept_set_paused(struct worker *w, bool is_paused)
{
    w->is_paused = is_paused;
    if (is_paused)
        accept_stop(w);
    else
        accept_start(w);
}

void accept_on_room(struct worker *w)
{
    if (w->is_leaving_queue) {
        if (w->phase == WORKER_DRAINING)
            accept_close(w);
    } else if (!w->accept_on && !w->is_gated) {
        ev_timer_stop(w->loop, &w->accept_pause);
        accept_start(w);
    }
}

void accept_reconsider(struct worker *w)
{
    if (w->is_gated && is_slot_free(w))
        accept_start(w);
}

static void on_again(struct ev_loop *loop, ev_timer *timer, int events)
{
    (void)loop;
    (void)events;
    struct worker *w = timer->data;
    accept_start(w);
    if (w->is_leaving_queue) {
        accept_on_room(w);
        lifecycle_on_gone(w);
    }
}

/* Not EAGAIN: a sibling was faster; nor ECONNABORTED and kin: the client has gone. */
static bool is_for_want_of_room(int error)
{
    return error == EMFILE || error == ENFILE || error == ENOBUFS || error == ENOMEM;
}

static void on_failure(struct worker *w)
{
    if (!is_for_want_of_room(errno))
        return;
    if (w->accept_warned_ms == 0 || w->now_ms - w->accept_warned_ms > ACCEPT_WARN_MS) {
        log_warn("cannot accept: %m; %u connections are open; trying again",
                 w->conn_count);
        w->accept_warned_ms = w->now_ms;
    }
    accept_stop(w);
    ev_timer_set(&w->accept_pause, accept_pause_s, 0.);
    ev_timer_start(w->loop, &w->accept_pause);
}

/* Its listener may have raised it to refuse whoever is new (master/refuse.c); what the client
 * sent meanwhile comes again. */
static void lower_ttl(int fd, int family)
{
    const int none = 0;
    if (family == AF_INET)
        (void)setsockopt(fd, IPPROTO_IP, IP_MINTTL, &none, sizeof none);
    else if (family == AF_INET6)
        (void)setsockopt(fd, IPPROTO_IPV6, IPV6_MINHOPCOUNT, &none, sizeof none);
}

/* One connection; false with errno when there is none to be had. */
static bool take_one(struct worker *w, int listener)
{
    struct sockaddr_storage peer;
    socklen_t length = sizeof peer;
    peer.ss_family = AF_UNSPEC;
    int fd = accept4(listener, (struct sockaddr *)&peer, &length,
                     SOCK_NONBLOCK | SOCK_CLOEXEC);
    if (fd < 0)
        return false;
    if (w->is_rotating)
        epoll_rotate(listener);
    if (board_get32(&w->entry->refusing) != 0)
        lower_ttl(fd, peer.ss_family);
    conn_open(w, fd, (struct sockaddr *)&peer, length);
    return true;
}

/* One that has gone by the time it is accepted costs no turn of its own: in a storm of them
 * whoever stays would wait behind all. */
static bool take_live(struct worker *w, int listener)
{
    const unsigned before = w->conn_count;
    for (int i = 0; i < ACCEPT_GONE && w->accept_on; i++) {
        if (!take_one(w, listener))
            return i > 0;
        if (w->conn_count != before)
            break;
    }
    return true;
}

static void on_readable(struct ev_loop *loop, ev_io *io, int events)
{
    (void)loop;
    (void)events;
    struct worker_listener *l = io->data;
    struct worker *w = l->worker;
    if (!has_room(w))
        accept_stop(w);
    else if (!take_live(w, io->fd))
        on_failure(w);
    else if (w->accept_on && !has_room(w))
        accept_stop(w);
    else if (w->accept_on && !is_slot_free(w) && handoff_is_room_elsewhere(w)) {
        accept_stop(w);
        close_gate(w, true);
    }
}

void accept_init(struct worker *w)
{
    w->is_rotating = w->conf->server.workers > 1;
    ev_timer_init(&w->accept_pause, on_again, 0., 0.);
    w->accept_pause.data = w;
    ev_init(&w->gate, on_again);
    w->gate.repeat = gate_s;
    w->gate.data = w;
    for (size_t i = 0; i < w->heritage->listener_count; i++) {
        struct worker_listener *l = &w->listener[i];
        l->worker = w;
        l->from = &w->heritage->listener[i];
        epoll_mark_listener(l->from->fd, w->is_rotating);
        ev_io_init(&l->io, on_readable, l->from->fd, EV_READ);
        l->io.data = l;
    }
}

/* A worker that stopped accepting may have taken a wake-up with it: the connection it was
 * meant for is picked up here, by anyone. */
static void sweep(struct worker *w)
{
    for (size_t i = 0; i < w->heritage->listener_count; i++) {
        while (w->accept_on && has_room(w) && take_one(w, w->listener[i].io.fd))
            ;
    }
}

void accept_each_second(struct worker *w)
{
    if (!w->is_rotating || !w->accept_on)
        return;
    if (epoll_is_exclusive()) {
        sweep(w);
        return;
    }
    w->is_rotating = false;
    if (w->heritage->index == 0)
        log_warn("libev does not reach our epoll_ctl: every idle worker wakes for each "
                 "connection");
}

/* What was queued for whoever woke is not left behind. False: there is no room for it. One
 * that systemd holds, or that a new generation shares, may never be empty: so not for ever. */
static bool take_queued(struct worker *w, int listener)
{
    for (unsigned i = 0; i <= w->conf->server.backlog; i++) {
        if (take_one(w, listener))
            continue;
        if (errno == EAGAIN || is_for_want_of_room(errno))
            return errno == EAGAIN;
    }
    return true;
}

void accept_close(struct worker *w)
{
    if (w->is_taking_last)
        return; /* a connection that was taken has ended at once: the caller goes on */
    w->is_taking_last = true;
    w->is_leaving_queue = false;
    accept_stop(w);
    w->is_rotating = false;
    for (size_t i = 0; i < w->heritage->listener_count; i++) {
        int fd = w->listener[i].io.fd;
        if (fd < 0)
            continue;
        if (!take_queued(w, fd)) {
            w->is_leaving_queue = true;
            on_failure(w);
            continue;
        }
        fd_close(&fd);
        w->listener[i].io.fd = -1;
    }
    w->is_taking_last = false;
}
