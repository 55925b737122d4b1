/* SPDX-License-Identifier: MIT */
/*
 * wait - suspend a coroutine or block a thread, until something happens.   [worker]
 *
 * Owns:    the eventfd of each pool thread, for the life of the process.
 * Called:  by api_wait.c, stream.c, join.c, semaphore.c on the waiting side; family.c and
 *          stream.c wake.
 * Fails:   a thread whose eventfd cannot be made sleeps in steps of 20 ms instead.
 */
#include "worker/wait.h"

#include "common/check.h"
#include "common/clock.h"
#include "worker/coro.h"
#include "worker/engine.h"
#include "worker/self.h"

#include <errno.h>
#include <poll.h>
#include <sys/eventfd.h>
#include <unistd.h>

enum { NS_PER_S = 1000000000, NS_PER_MS = 1000000, BLIND_STEP_NS = 20000000 };

uint64_t wait_until_ns(uint32_t ms)
{
    return ms == REMUDA_FOREVER ? WAIT_FOREVER
                                : clock_mono_ns() + (uint64_t)ms * NS_PER_MS;
}

/* ---- coroutines ---- */

static void resume(struct waiter *w)
{
    ev_timer_stop(w->loop, &w->timer);
    ev_io_stop(w->loop, &w->io);
    w->is_suspended = false;
    engine_resume(w->ctx, w->coro); /* w is gone if the coroutine has ended */
}

static void on_timer(struct ev_loop *loop, ev_timer *timer, int events)
{
    (void)loop;
    (void)events;
    resume(timer->data);
}

static void on_ready(struct ev_loop *loop, ev_io *io, int events)
{
    (void)loop;
    struct waiter *w = io->data;
    w->events = events & (EV_READ | EV_WRITE);
    resume(w);
}

void waiter_init_coro(struct waiter *w, struct remuda_ctx *c)
{
    *w = (struct waiter){
        .ctx = c, .coro = coro_current(), .loop = c->worker->loop, .event_fd = -1};
    ev_timer_init(&w->timer, on_timer, 0., 0.);
    ev_io_init(&w->io, on_ready, -1, 0);
    w->timer.data = w->io.data = w;
}

static int wait_coro(struct waiter *w, int fd, int events, uint64_t at_ns)
{
    CHECK(coro_current() == w->coro);
    w->events = 0;
    if (at_ns != WAIT_FOREVER) {
        uint64_t now_ns = clock_mono_ns();
        double after = at_ns > now_ns ? (double)(at_ns - now_ns) / 1e9 : 0.;
        ev_now_update(
            w->loop); /* its time is that of the turn's start: too early a wake */
        ev_timer_set(&w->timer, after, 0.);
        ev_timer_start(w->loop, &w->timer);
    }
    if (fd >= 0) {
        ev_io_set(&w->io, fd, events);
        ev_io_start(w->loop, &w->io);
    }
    w->is_suspended = true;
    coro_suspend();
    return w->events;
}

/* ---- threads ---- */

struct waiter *waiter_of_thread(void)
{
    static _Thread_local struct waiter own = {.event_fd = -1};
    return &own;
}

void waiter_prepare(struct waiter *w)
{
    if (w->coro == NULL && atomic_load(&w->event_fd) < 0)
        atomic_store(&w->event_fd, eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK));
}

static struct timespec time_left(uint64_t at_ns, bool is_blind)
{
    uint64_t now_ns = clock_mono_ns();
    uint64_t left_ns = at_ns > now_ns ? at_ns - now_ns : 0;
    if (is_blind && left_ns > BLIND_STEP_NS)
        left_ns = BLIND_STEP_NS;
    return (struct timespec){(time_t)(left_ns / NS_PER_S), (long)(left_ns % NS_PER_S)};
}

static int wait_thread(struct waiter *w, int fd, int events, uint64_t at_ns)
{
    short wanted =
        (short)(((events & EV_READ) ? POLLIN : 0) | ((events & EV_WRITE) ? POLLOUT : 0));
    struct pollfd polled[2] = {{.fd = w->event_fd, .events = POLLIN},
                               {.fd = fd, .events = wanted}};
    bool is_blind = w->event_fd < 0;
    bool is_timed = at_ns != WAIT_FOREVER || is_blind;
    struct timespec left = is_timed ? time_left(at_ns, is_blind) : (struct timespec){0};
    if (ppoll(polled, 2, is_timed ? &left : NULL, NULL) <= 0)
        return 0;
    if (polled[0].revents != 0) {
        uint64_t count;
        (void)!read(w->event_fd, &count, sizeof count);
    }
    short seen = polled[1].revents;
    if (fd < 0 || seen == 0)
        return 0;
    int all = (seen & (POLLERR | POLLHUP | POLLNVAL)) ? events : 0;
    return all | ((seen & POLLIN) ? EV_READ : 0) | ((seen & POLLOUT) ? EV_WRITE : 0);
}

/* ---- both ---- */

int waiter_wait(struct waiter *w, int fd, int events, uint64_t at_ns)
{
    return w->coro != NULL ? wait_coro(w, fd, events, at_ns)
                           : wait_thread(w, fd, events, at_ns);
}

void waiter_wake(struct waiter *w)
{
    if (w->coro == NULL) {
        uint64_t one = 1;
        (void)!write(w->event_fd, &one, sizeof one);
    } else if (w->is_suspended) {
        ev_feed_event(w->loop, &w->timer, EV_TIMER);
    }
}

struct waiter *waiter_of(struct remuda_ctx *c)
{
    return c->place == CTX_ON_LOOP ? NULL : atomic_load(&c->waiter);
}

int ctx_wait(struct remuda_ctx *c, int fd, int events, uint64_t at_ns)
{
    struct waiter *w = waiter_of(c);
    if (w == NULL)
        return -EDEADLK;
    waiter_prepare(w);
    for (bool has_waited = false;; has_waited = true) {
        int error = ctx_cancelled(c);
        if (error != 0)
            return error;
        if (has_waited && clock_mono_ns() >= at_ns)
            return 0; /* not before: sleep(0) lets others run */
        int seen = waiter_wait(w, fd, events, ctx_until_ns(c, at_ns));
        if (seen != 0)
            return seen;
    }
}
