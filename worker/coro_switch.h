/* SPDX-License-Identifier: MIT */
/*
 * coro_switch - from one stack to another, and telling the tools about it.
 *
 * Owns:    struct coro_context: where a stack goes on, and what ASan, TSan and Valgrind
 *          must know of it.
 * Called:  by coro.c alone.
 */
#ifndef WORKER_CORO_SWITCH_H
#define WORKER_CORO_SWITCH_H

#include <stdbool.h>
#include <stddef.h>

#if !defined(__x86_64__) && !defined(__aarch64__) && !defined(REMUDA_CORO_UCONTEXT)
#define REMUDA_CORO_UCONTEXT 1
#endif
#ifndef REMUDA_CORO_UCONTEXT
#define REMUDA_CORO_UCONTEXT 0
#endif

#if REMUDA_CORO_UCONTEXT
#include <ucontext.h>
#endif

struct coro_context {
#if REMUDA_CORO_UCONTEXT
    ucontext_t machine;
#else
    void *sp; /* valid while the stack does not run */
#endif
    const void
        *bottom; /* lowest usable address; of the loop's stack: known to ASan only */
    size_t size;
    void *fake_stack; /* ASan */
    void *fiber;      /* TSan */
    unsigned valgrind_id;
};

/** The context of the stack that runs now. */
void coro_context_init(struct coro_context *self);

/** A context that will call fn(arg) at the top of the given stack (16-byte aligned end).
 *  fn must first call coro_context_arrived and must never return. */
void coro_context_make(struct coro_context *self, void *bottom, size_t size,
                       void (*fn)(void *), void *arg);

/** Forgets a made context; its stack may be unmapped then. */
void coro_context_fini(struct coro_context *self);

/** First thing on a new stack; `from` is the context that switched to it. */
void coro_context_arrived(struct coro_context *self, struct coro_context *from);

/** Saves the running stack in `from`, goes on in `to`; returns when someone switches
 *  back. `empty`: nothing on the stack of `from` is needed any more. */
void coro_context_switch(struct coro_context *from, struct coro_context *to, bool empty);

/** Makes this thread fit for the switch. -1 with ENOTSUP: it has a hardware shadow stack
 *  that cannot be switched off. */
int coro_context_allow(void);

#endif
