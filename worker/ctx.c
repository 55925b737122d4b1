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
#include "worker/family.h"
#include "worker/self.h"
#include "worker/semaphore.h"

#include <errno.h>
#include <unistd.h>

enum { EXIT_NO_MEMORY = 71 };

void ctx_init(struct remuda_ctx *c, enum ctx_kind kind, struct worker *w)
{
    *c = (struct remuda_ctx){.magic = CTX_MAGIC, .kind = kind, .worker = w};
    arena_init(&c->arena);
    arena_init(&c->kept);
    list_init(&c->children);
    list_init(&c->sibling);
    list_init(&c->wake_link);
}

void ctx_fini(struct remuda_ctx *c)
{
    CHECK_OBJ(c, CTX_MAGIC);
    ctx_clean(c);
    ctx_free_memory(c);
    c->magic = 0;
}

void ctx_free_memory(struct remuda_ctx *c)
{
    arena_fini(&c->arena);
    arena_fini(&c->kept);
}

void ctx_reset(struct remuda_ctx *c)
{
    CHECK(c->cleanups == NULL && c->permits == NULL && list_is_empty(&c->children));
    arena_reset(&c->arena);
    arena_reset(&c->kept);
    c->plugin = NULL;
    c->place = CTX_ON_LOOP;
    c->is_shared = c->is_leaving = false;
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
    if (c->permits != NULL)
        semaphore_release_all(c);
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
    struct family *f = &c->worker->family;
    family_lock(f);
    family_cancel(c, error);
    family_unlock(f);
}

int ctx_cancelled(struct remuda_ctx *c)
{
    int error = atomic_load(&c->cancelled);
    uint64_t deadline_ns = c->deadline_ns, cutoff_ns = c->cutoff_ns;
    if (error != 0 || (deadline_ns == 0 && cutoff_ns == 0))
        return error;
    uint64_t now_ns = clock_mono_ns();
    if (deadline_ns != 0 && now_ns >= deadline_ns)
        return -ETIMEDOUT;
    return cutoff_ns != 0 && now_ns >= cutoff_ns ? -ECANCELED : 0;
}

uint64_t ctx_until_ns(struct remuda_ctx *c, uint64_t at_ns)
{
    uint64_t deadline_ns = c->deadline_ns, cutoff_ns = c->cutoff_ns;
    if (deadline_ns != 0 && deadline_ns < at_ns)
        at_ns = deadline_ns;
    return cutoff_ns != 0 && cutoff_ns < at_ns ? cutoff_ns : at_ns;
}
