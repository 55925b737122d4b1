/* SPDX-License-Identifier: MIT */
/*
 * ctx - birth, cancellation and end of a unit of work.           [worker]
 *
 * Owns:    the arena and the cleanups of a ctx.
 * Called:  by request.c, plugin.c and the api_*.c.
 * Fails:   ctx_alloc ends the process: the ABI promises that it never returns NULL.
 */
#include "worker/ctx.h"

#include "common/check.h"
#include "common/clock.h"
#include "common/log.h"
#include "worker/wait.h"

#include <errno.h>
#include <unistd.h>

enum { EXIT_NO_MEMORY = 71 };

void ctx_init(struct remuda_ctx *c, enum ctx_kind kind, struct worker *w)
{
    *c = (struct remuda_ctx){.magic = CTX_MAGIC, .kind = kind, .worker = w};
    arena_init(&c->arena);
    arena_init(&c->kept);
}

void ctx_fini(struct remuda_ctx *c)
{
    CHECK_OBJ(c, CTX_MAGIC);
    ctx_clean(c);
    arena_fini(&c->arena);
    arena_fini(&c->kept);
    c->magic = 0;
}

void ctx_reset(struct remuda_ctx *c)
{
    CHECK(c->cleanups == NULL);
    arena_reset(&c->arena);
    arena_reset(&c->kept);
    c->plugin = NULL;
    c->place = CTX_ON_LOOP;
    c->deadline_ns = 0;
    atomic_store_explicit(&c->cancelled, 0, memory_order_relaxed);
    atomic_store_explicit(&c->waiter, NULL, memory_order_relaxed);
}

void ctx_clean(struct remuda_ctx *c)
{
    struct ctx_cleanup *it;
    while ((it = c->cleanups) != NULL) {
        c->cleanups = it->next; /* before the call: it may register another */
        it->fn(it->p);
    }
}

static void *alloc_or_end(struct arena *arena, size_t n)
{
    void *p = arena_alloc(arena, n);
    if (p == NULL) {
        log_error("out of memory: %zu bytes for a handler; this worker ends", n);
        _exit(EXIT_NO_MEMORY);
    }
    return p;
}

void *ctx_alloc(struct remuda_ctx *c, size_t n)
{
    return alloc_or_end(&c->arena, n);
}

void *ctx_keep(struct remuda_ctx *c, size_t n)
{
    return alloc_or_end(&c->kept, n);
}

void ctx_cancel(struct remuda_ctx *c, int error)
{
    int before = 0;
    while (!atomic_compare_exchange_strong(&c->cancelled, &before, error)) {
        if (before != -ESHUTDOWN || error == -ESHUTDOWN)
            return;
    }
    struct waiter *waiter = atomic_load(&c->waiter);
    if (waiter != NULL)
        waiter_wake(waiter);
}

int ctx_cancelled(struct remuda_ctx *c)
{
    int error = atomic_load(&c->cancelled);
    if (error == 0 && c->deadline_ns != 0 && clock_mono_ns() >= c->deadline_ns)
        error = -ETIMEDOUT;
    return error;
}
