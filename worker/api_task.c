/* SPDX-License-Identifier: MIT */
/*
 * api_task - tasks, their deadline, and semaphores.              [worker]
 *
 * Owns:    nothing.
 * Called:  by plugins, through the table in api.c.
 * Fails:   as include/remuda.h says; what waits is -EDEADLK where waiting is not allowed.
 */
#include "worker/api.h"

#include "worker/family.h"
#include "worker/join.h"
#include "worker/self.h"
#include "worker/semaphore.h"
#include "worker/task.h"
#include "worker/wait.h"

remuda_task *api_spawn(remuda_ctx *c, int where, remuda_fn fn, void *arg)
{
    return task_spawn(c, where, fn, arg);
}

int api_wait(remuda_ctx *c, remuda_task *const *t, size_t n, int how, uint32_t ms)
{
    return join_wait(c, t, n, how, wait_until_ns(ms));
}

int api_result(remuda_task *t)
{
    return atomic_load(&t->result);
}

int api_deadline(remuda_ctx *c, uint32_t ms)
{
    struct family *f = &c->worker->family;
    if (ms == REMUDA_FOREVER)
        return 0;
    family_lower_ns(&c->deadline_ns, wait_until_ns(ms));
    if (c->is_shared) {
        family_lock(f);
        family_shorten(c);
        family_unlock(f);
    }
    return 0;
}

remuda_sem *api_semaphore(remuda_ctx *c, const char *name, uint32_t permits)
{
    return semaphore_find(c, name, permits);
}

int api_acquire(remuda_ctx *c, remuda_sem *s, uint32_t ms)
{
    return semaphore_acquire(c, s, wait_until_ns(ms));
}

void api_release(remuda_ctx *c, remuda_sem *s)
{
    semaphore_release(c, s);
}
