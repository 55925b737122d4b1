/* SPDX-License-Identifier: MIT */
/*
 * coro - stackful coroutines for the loop thread: a handler that waits keeps its stack.
 *
 * Owns:    struct coro_pool (mapped stacks, each with a guard below) and struct coro, which
 *          lives at the top of its own stack.
 * Called:  by engine.c (start, resume) and wait.c (suspend); all on one loop thread.
 * Rule:    start and resume from the loop, never from inside a coroutine; a coroutine stays
 *          on its thread for life and ends only by returning. Nothing unwinds a stack.
 * Fails:   coro_start at the cap (EAGAIN) or out of memory (ENOMEM). An overflow hits the
 *          guard: the worker names the route and dies of SIGSEGV.
 */
#ifndef WORKER_CORO_H
#define WORKER_CORO_H

#include <stdbool.h>
#include <stddef.h>

enum {
    CORO_CAP = 32000,           /* two mappings each; vm.max_map_count is 65,530 */
    CORO_STACK_MIN = 16 * 1024, /* bytes */
    CORO_GUARD = 64 * 1024      /* bytes; address space only. A frame up to this size
                                   cannot jump over it */
};

struct coro;
struct coro_pool;

typedef void (*coro_fn)(void *arg);

struct coro_count {
    unsigned live; /* started and not ended */
    unsigned idle; /* mapped stacks that wait for work */
    unsigned peak; /* most that were ever live */
    unsigned cap;  /* of live + idle */
};

/* ---- the pool: one for a loop thread, made on that thread ---- */

/** stack_bytes are rounded up to pages (at least CORO_STACK_MIN) and reserved, not
 *  resident. At most idle_max stacks are kept for reuse, at most `cap` exist. NULL with
 *  errno: ENOMEM; ENOTSUP where a hardware shadow stack is on and cannot be switched off.
 */
struct coro_pool *coro_pool_create(size_t stack_bytes, unsigned idle_max, unsigned cap);

/** No coroutine may be alive. Accepts NULL inside. */
void coro_pool_destroy(struct coro_pool **pool);

/** Unmaps idle stacks until `keep` are left; for a quiet moment of the loop. */
void coro_pool_trim(struct coro_pool *pool, unsigned keep);

/** Once a second: unmaps some of the stacks that nobody needs (spare.h); how many. */
unsigned coro_pool_relax(struct coro_pool *pool);

void coro_pool_count(const struct coro_pool *pool, struct coro_count *out);

/** How many coroutines this process may have at most: CORO_CAP, or less where
 *  vm.max_map_count leaves less room. Reads /proc; call it once, at start. */
unsigned coro_cap(void);

/** After each dlopen of a plugin, on the loop thread: if the handle brings a C++ runtime,
 *  its exception state is kept apart for each coroutine from now on. */
void coro_pool_learn(struct coro_pool *pool, void *dl_handle);

/* ---- one coroutine ---- */

/** Runs fn(arg) on a stack of the pool until it returns or suspends, then returns 0.
 *  `label`
 *  ("GET /x") names it in the overflow line; not copied, must outlive it; NULL is
 *  allowed. -1 with errno (EAGAIN, ENOMEM): fn was not called. */
int coro_start(struct coro_pool *pool, coro_fn fn, void *arg, const char *label);

/** The coroutine that runs now on this thread; NULL on the loop and in other threads. */
struct coro *coro_current(void);

/** Back to whoever started or resumed the current coroutine, until the next coro_resume.
 */
void coro_suspend(void);

/** Goes on after its coro_suspend; returns when it suspends again or ends. `co` is gone
 *  once it has ended. */
void coro_resume(struct coro *co);

void coro_set_label(struct coro *co, const char *label);
const char *coro_label(const struct coro *co);

/* ---- overflow ---- */

/** The coroutine of this thread's pool whose guard holds the address, or NULL.
 *  Async-signal-safe. */
const struct coro *coro_fault_address(const void *address);

#endif
