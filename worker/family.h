/* SPDX-License-Identifier: MIT */
/*
 * family - who is whose task in this worker, and how news of it travels.   [worker]
 *
 * The ctxs of a worker are a forest: a request is a root, its tasks are below it. One lock
 * guards the edges, the ends and the semaphores, because a cancellation, an end and a permit
 * must find the one they wake still there. A thread is woken under that lock by its eventfd;
 * a coroutine only on the loop, to which others send it by a list.
 */
#ifndef WORKER_FAMILY_H
#define WORKER_FAMILY_H

#include "common/list.h"

#include <ev.h>
#include <pthread.h>
#include <stdint.h>

struct remuda_ctx;
struct task;
struct worker;

struct family {
    struct worker *worker;
    ev_async news; /* something is on `posted` or `wakes` */
    pthread_mutex_t lock;
    /* all below: under the lock */
    struct list posted;     /* struct task, by its post_link: for task_on_posted */
    struct list wakes;      /* struct remuda_ctx, by its wake_link: coroutines */
    struct list semaphores; /* of all plugins */
    uint64_t ended_number;  /* tasks that have ended so far: who was first */
};

/** With w->loop. */
void family_init(struct worker *w);
/** After the last request, and after the pool's threads. */
void family_fini(struct worker *w);

void family_lock(struct family *f);
void family_unlock(struct family *f);

/* ---- any thread, under the lock ---- */

/** Whatever c waits for, it looks again. Early or needless wakes do no harm. */
void family_wake(struct remuda_ctx *c);

/** ctx_cancel of c and of all below it. */
void family_cancel(struct remuda_ctx *c, int error);

/** All below c have at most c's deadline from now on. */
void family_shorten(struct remuda_ctx *c);

/** At at_ns c and all below it count as cancelled. */
void family_cut(struct remuda_ctx *c, uint64_t at_ns);

/** The loop looks at this task soon. */
void family_post(struct task *task);

/* ---- any thread, without it ---- */

/** Before a coroutine's ctx goes: no wake is on its way to it any more. Loop thread. */
void family_forget(struct remuda_ctx *c);

/** The lower of the two, where 0 is none. */
void family_lower_ns(_Atomic uint64_t *at_ns, uint64_t to_ns);

#endif
