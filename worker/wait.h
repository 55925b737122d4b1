/* SPDX-License-Identifier: MIT */
/*
 * wait - how a handler waits: the one place where a coroutine and a thread differ.
 *                                                                [worker]
 * A waiter stands for the thing that waits: a coroutine (its struct lives on the coroutine's
 * stack) or a pool thread (one for each thread, with an eventfd).
 */
#ifndef WORKER_WAIT_H
#define WORKER_WAIT_H

#include "worker/ctx.h"

#include <ev.h>
#include <stdint.h>

struct coro;

#define WAIT_FOREVER UINT64_MAX

struct waiter {
    struct remuda_ctx *ctx; /* whom to look after when it has run on */
    struct coro *coro;      /* NULL: a thread */
    struct ev_loop *loop;
    ev_timer timer;
    ev_io io;
    int events; /* seen on the descriptor */
    bool is_suspended;
    atomic_int event_fd; /* of a thread; -1 until it first waits */
};

/** The moment ms milliseconds (or REMUDA_FOREVER) from now. */
uint64_t wait_until_ns(uint32_t ms);

/** The current coroutine's, which runs c. */
void waiter_init_coro(struct waiter *w, struct remuda_ctx *c);

/** The calling pool thread's own. */
struct waiter *waiter_of_thread(void);

/** That with which c may wait; NULL: waiting is not allowed here (-EDEADLK). */
struct waiter *waiter_of(struct remuda_ctx *c);

/** Before the caller looks whether there is cause to wait: from here on a wake is seen. */
void waiter_prepare(struct waiter *w);

/** Until fd (or -1) shows one of `events` (EV_READ, EV_WRITE), until at_ns (monotonic), or
 *  until a waiter_wake; it may also return early without cause. Returns the events seen, or
 *  0; never looks at cancellation: the caller does, in its loop. */
int waiter_wait(struct waiter *w, int fd, int events, uint64_t at_ns);

/** A thread's waiter: from any thread. A coroutine's: on the loop; it runs on soon, not in
 *  this call. A wake that finds nobody waiting is not lost to the next wait of a thread. */
void waiter_wake(struct waiter *w);

/** Loops over waiter_wait with ctx's deadline and cancellation: the events seen, 0 when at_ns
 *  has come, -ECANCELED, -ETIMEDOUT, ..., -EDEADLK where waiting is not allowed. */
int ctx_wait(struct remuda_ctx *c, int fd, int events, uint64_t at_ns);

#endif
