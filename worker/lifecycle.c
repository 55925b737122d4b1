/* SPDX-License-Identifier: MIT */
/*
 * lifecycle - GO, DRAIN, each second, and the end.                 [worker]
 *
 * Owns:    w->phase after boot; the channel to the master.
 * Called:  by worker.c and the loop.
 * Fails:   EOF on the channel means that the master is gone: the listeners are closed at
 *          once, idle connections too, requests in flight end within graceful_timeout.
 */
#include "worker/lifecycle.h"

#include "common/clock.h"
#include "common/fd.h"
#include "common/log.h"
#include "common/message.h"
#include "http/date.h"
#include "worker/accept.h"
#include "worker/access_log.h"
#include "worker/conn.h"
#include "worker/coro.h"
#include "worker/drain.h"
#include "worker/handoff.h"
#include "worker/inbox.h"
#include "worker/plugin.h"
#include "worker/request.h"
#include "worker/self.h"
#include "worker/turn.h"
#include "worker/wear.h"

#include <errno.h>
#include <fcntl.h>
#include <malloc.h>
#include <signal.h>
#include <stdio.h>
#include <unistd.h>

enum {
    MS_PER_S = 1000,
    RELAXED_ENOUGH =
        1000,        /* requests, blocks and stacks: worth a look at the whole heap */
    RELAXED_FEW = 32 /* in one second: the peak is over */
};

/* After graceful_timeout: what was cancelled has this long to say 503. */
static const double last_words_s = 0.5;

/* ---- each second ---- */

/* Resident pages are the second number. */
static uint64_t read_rss_bytes(void)
{
    char text[128];
    unsigned long all = 0, resident = 0;
    int fd = open("/proc/self/statm", O_RDONLY | O_CLOEXEC);
    ssize_t n = fd < 0 ? -1 : read(fd, text, sizeof text - 1);
    fd_close(&fd);
    text[n > 0 ? n : 0] = '\0';
    if (sscanf(text, "%lu %lu", &all, &resident) != 2)
        return 0;
    return (uint64_t)resident * (uint64_t)sysconf(_SC_PAGESIZE);
}

/* The memory of a peak, when it is over. What was freed stands in the midst of malloc's heap;
 * malloc alone would give back its end and nothing else. */
static void give_back(struct worker *w)
{
    unsigned now =
        request_relax(w) + block_pool_relax(&w->blocks) + coro_pool_relax(w->coros);
    w->relaxed += now;
    if (now > RELAXED_FEW || w->relaxed < RELAXED_ENOUGH)
        return;
    (void)malloc_trim(0);
    w->relaxed = 0;
}

static void on_second(struct ev_loop *loop, ev_timer *second, int events)
{
    (void)loop;
    (void)events;
    struct worker *w = second->data;
    http_date_refresh((time_t)(clock_wall_ms() / MS_PER_S));
    turn_each_second(w);
    overtime_each_second(w);
    slow_each_second(w);
    uint64_t rss_bytes = read_rss_bytes();
    board_set(&w->entry->rss_bytes, rss_bytes);
    wear_on_rss(w, rss_bytes);
    accept_each_second(w);
    handoff_each_second(w);
    inbox_each_second(w);
    begun_each_second(&w->begun);
    give_back(w);
    if (w->access_log != NULL)
        access_log_flush(w->access_log);
}

/* ---- the end ---- */

bool lifecycle_is_whole_stop(const struct worker *w)
{
    return board_get32(&w->heritage->board->closing) == BOARD_CLOSED;
}

/* Not while queues are being emptied: what was taken may have ended at once, and more lies
 * behind it. */
static bool is_idle(const struct worker *w)
{
    return w->conn_count == 0 && w->slots.busy == 0 && w->flights.busy == 0 &&
           !w->is_leaving_queue && !w->is_taking_last;
}

void lifecycle_on_gone(struct worker *w)
{
    if (w->phase != WORKER_DRAINING || !is_idle(w) || !inbox_is_empty(w))
        return;
    if (lifecycle_is_whole_stop(w) && !w->is_orphan && !inbox_collect(w))
        return;
    w->phase = WORKER_ENDED;
    ev_break(w->loop, EVBREAK_ALL);
}

static void on_last_words(struct ev_loop *loop, ev_timer *timer, int events)
{
    (void)events;
    struct worker *w = timer->data;
    log_warn("%u connections and %u handlers did not end in time; leaving", w->conn_count,
             w->slots.busy + w->flights.busy);
    w->phase = WORKER_ENDED;
    ev_break(loop, EVBREAK_ALL);
}

static void end_long(struct worker *w)
{
    LIST_FOREACH (link, &w->conns) {
        struct conn *c = LIST_ENTRY(link, struct conn, link);
        if (c->is_handed && c->request->route->is_long)
            ctx_cancel(&c->request->ctx, -ESHUTDOWN);
    }
}

static void on_graceful_over(struct ev_loop *loop, ev_timer *timer, int events)
{
    (void)events;
    struct worker *w = timer->data;
    ev_set_cb(timer, on_last_words);
    ev_timer_set(timer, last_words_s, 0.);
    ev_timer_start(loop, timer);
    LIST_FOREACH (link, &w->conns)
        drain_give_up(LIST_ENTRY(link, struct conn, link));
}

void lifecycle_drain(struct worker *w, uint64_t graceful_ms)
{
    if (w->phase == WORKER_DRAINING || w->phase == WORKER_ENDED)
        return;
    w->phase = WORKER_DRAINING;
    atomic_store(&w->is_draining, true);
    accept_close(w);
    inbox_drain(w);
    end_long(w);
    ev_timer_set(&w->graceful, clock_ms_as_s(graceful_ms), 0.);
    ev_timer_start(w->loop, &w->graceful);
    LIST_FOREACH (link, &w->conns)
        drain_idle(LIST_ENTRY(link, struct conn, link));
    lifecycle_on_gone(w);
}

/* ---- the master's word ---- */

static void take_log(struct worker *w, uint64_t which, int fd)
{
    if (fd < 0)
        return;
    if (which == MESSAGE_LOG_ERROR) {
        /* onto the same number: another thread may be about to write to it */
        if (log_get_fd() > STDERR_FILENO && dup3(fd, log_get_fd(), O_CLOEXEC) >= 0)
            fd_close(&fd);
        else
            log_set_fd(fd);
    } else if (w->access_log != NULL) {
        int before = access_log_set_fd(w->access_log, fd);
        if (before > STDERR_FILENO)
            fd_close(&before);
    } else {
        fd_close(&fd);
    }
}

static void obey(struct worker *w, const struct message *m, int fd)
{
    switch (m->type) {
    case MESSAGE_GO:
        if (w->phase == WORKER_STANDBY) {
            w->phase = WORKER_SERVING;
            accept_start(w);
            inbox_start(w);
            handoff_each_second(w);
        }
        break;
    case MESSAGE_DRAIN:
        lifecycle_drain(w, m->arg);
        break;
    case MESSAGE_LOGFD:
        take_log(w, m->arg, fd);
        return;
    case MESSAGE_EMPTY_INBOX:
        if (m->arg < BOARD_WORKERS)
            inbox_empty(w, (unsigned)m->arg);
        break;
    case MESSAGE_PAUSE:
        accept_set_paused(w, m->arg != 0);
        break;
    default:
        break;
    }
    fd_close(&fd);
}

static void on_channel(struct ev_loop *loop, ev_io *io, int events)
{
    (void)events;
    struct worker *w = io->data;
    struct message m;
    int fd = -1, got;
    while ((got = message_recv(io->fd, &m, &fd)) == 1)
        obey(w, &m, fd);
    if (got < 0 && (errno == EAGAIN || errno == EINTR))
        return;
    log_error("the master is gone; draining");
    w->is_orphan = true;
    ev_io_stop(loop, io);
    lifecycle_drain(w, w->conf->worker.graceful_timeout_ms);
}

static void on_term(struct ev_loop *loop, ev_signal *term, int events)
{
    (void)loop;
    (void)events;
    struct worker *w = term->data;
    log_info("SIGTERM: draining; the master starts another worker");
    lifecycle_drain(w, w->conf->worker.graceful_timeout_ms);
}

void lifecycle_start(struct worker *w)
{
    turn_start(w);
    ev_timer_init(&w->second, on_second, 0., 1.);
    w->second.data = w;
    ev_timer_start(w->loop, &w->second);
    ev_timer_init(&w->graceful, on_graceful_over, 0., 0.);
    w->graceful.data = w;
    ev_io_init(&w->channel, on_channel, w->heritage->channel, EV_READ);
    w->channel.data = w;
    ev_io_start(w->loop, &w->channel);
    ev_signal_init(&w->term, on_term, SIGTERM);
    w->term.data = w;
    ev_signal_start(w->loop, &w->term);
}

void lifecycle_stop(struct worker *w)
{
    ev_signal_stop(w->loop, &w->term);
    ev_io_stop(w->loop, &w->channel);
    ev_timer_stop(w->loop, &w->graceful);
    ev_timer_stop(w->loop, &w->second);
    turn_stop(w);
}
