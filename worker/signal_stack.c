/* SPDX-License-Identifier: MIT */
/*
 * signal_stack - maps and unmaps signal stacks.              [worker, any thread]
 *
 * Owns:    the mapping, with a guard below: a handler may overflow too.
 * Called:  by fault.c for the loop thread, by pool.c for each thread of the pool.
 * Fails:   -1; the thread then handles signals on its own stack.
 */
#include "worker/signal_stack.h"

#include <signal.h>
#include <stddef.h>
#include <sys/mman.h>

enum {
    STACK = 64 * 1024, /* bytes; holds any sigframe, AVX-512 and AMX too */
    ENOUGH = STACK / 4,
    GUARD = 64 * 1024
};

int signal_stack_give(void **stack_out)
{
    stack_t now;

    *stack_out = NULL;
    if (sigaltstack(NULL, &now) < 0)
        return -1;
    if ((now.ss_flags & SS_DISABLE) == 0 && now.ss_size >= ENOUGH)
        return 0;
    char *mapping = mmap(NULL, GUARD + STACK, PROT_NONE,
                         MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE | MAP_STACK, -1, 0);
    if (mapping == MAP_FAILED)
        return -1;
    now = (stack_t){.ss_size = STACK, .ss_sp = mapping + GUARD};
    if (mprotect(now.ss_sp, STACK, PROT_READ | PROT_WRITE) < 0 ||
        sigaltstack(&now, NULL) < 0) {
        munmap(mapping, GUARD + STACK);
        return -1;
    }
    *stack_out = mapping;
    return 0;
}

void signal_stack_take(void **stack)
{
    const stack_t none = {.ss_flags = SS_DISABLE};

    if (*stack == NULL)
        return;
    (void)sigaltstack(&none, NULL);
    (void)munmap(*stack, GUARD + STACK);
    *stack = NULL;
}
