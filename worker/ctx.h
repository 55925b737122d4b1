/* SPDX-License-Identifier: MIT */
/*
 * ctx - what a plugin holds in its hand: one unit of work.       [worker]
 *
 * A request (request.h begins with one), a task (task.h), or a plugin's start, stop and
 * check. `place` says what a wait means here: a coroutine is suspended, a pool thread sleeps,
 * the loop refuses.
 */
#ifndef WORKER_CTX_H
#define WORKER_CTX_H

#include "common/arena.h"
#include "common/list.h"
#include "include/remuda.h"

#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>

struct ctx_permit;
struct plugin;
struct waiter;
struct worker;

#define CTX_MAGIC 0x63747831u

enum ctx_kind { CTX_REQUEST, CTX_PLUGIN, CTX_TASK };

enum ctx_place {
    CTX_ON_LOOP, /* an EVENT handler, start, stop, check: may not wait */
    CTX_ON_CORO, /* an ASYNC handler in the event class, a task on the loop: a wait
                    suspends */
    CTX_ON_POOL  /* a thread of the pool: a wait blocks it */
};

struct ctx_cleanup {
    struct ctx_cleanup *next;
    remuda_free_fn fn;
    void *p;
};

struct remuda_ctx {
    unsigned magic;
    enum ctx_kind kind;
    enum ctx_place place;
    struct worker *worker;
    const struct plugin *plugin;
    struct remuda_ctx *parent; /* whose task it is; lives longer. NULL: of no other */

    /* of whoever runs the handler, one thread at a time */
    struct arena arena;           /* remuda_alloc; the handler may rewind it */
    struct arena kept;            /* the host's strings for it: live as long as the ctx */
    struct ctx_cleanup *cleanups; /* last registered first */
    struct ctx_permit *permits;   /* semaphore.c: what it holds */
    bool is_shared; /* it may have tasks or wait for a permit: see family.h at its end */

    /* any thread */
    _Atomic uint64_t deadline_ns; /* monotonic; 0: none. Only ever shortens */
    atomic_int cancelled;         /* 0, or the -errno of every further wait, for ever */
    _Atomic uint64_t cutoff_ns;   /* the same, but as if cancelled: a parent's time-out */
    struct waiter *_Atomic waiter; /* while a handler runs that may wait */

    /* under family.lock */
    struct list children;  /* tasks that have not ended, by `sibling` */
    struct list sibling;   /* in the parent's children */
    struct list wake_link; /* in family.wakes: a coroutine that the loop has to wake */
    bool is_joining;       /* waits for tasks */
    bool is_leaving;       /* has returned, and waits for the tasks it left behind */
};

void ctx_init(struct remuda_ctx *c, enum ctx_kind kind, struct worker *w);
/** Runs what is left of the cleanups and gives the memory back. */
void ctx_fini(struct remuda_ctx *c);

/** What it has allocated; after its cleanups. */
void ctx_free_memory(struct remuda_ctx *c);

/** Ready for the next request; the arena keeps its first block. */
void ctx_reset(struct remuda_ctx *c);

/** The cleanups, on the thread that ran the handler. */
void ctx_clean(struct remuda_ctx *c);

/** Memory of the handler's own, or for what the host keeps for it; cannot fail: out of
 *  memory ends the worker with one line. */
void *ctx_alloc(struct remuda_ctx *c, size_t n);
void *ctx_keep(struct remuda_ctx *c, size_t n);

/** Every wait, the present one too, of c and of its tasks returns `error` (-ECANCELED, ...)
 *  from now on. The first cause stays; but -ESHUTDOWN, under which writes go on, gives way.
 *  Loop thread. */
void ctx_cancel(struct remuda_ctx *c, int error);

/** 0, or what the next wait would return. Any thread. */
int ctx_cancelled(struct remuda_ctx *c);

/** at_ns, or what comes before it: its deadline, its cutoff. */
uint64_t ctx_until_ns(struct remuda_ctx *c, uint64_t at_ns);

#endif
