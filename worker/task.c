/* SPDX-License-Identifier: MIT */
/*
 * task - birth, run and end of a task.                           [worker]
 *
 * Owns:    struct task; struct remuda_task stands in its parent's memory.
 * Called:  by api_task.c and join.c on a ctx's thread; family.c and engine.c on the loop.
 * Fails:   a task that cannot start has ended with its -errno; its function never ran.
 *
 * Each task is born with two holds: its run's, which task_end drops, and the loop's, which
 * task_slot.c drops when the loop has started it, or has its slot back.
 */
#include "worker/task.h"

#include "common/check.h"
#include "common/clock.h"
#include "common/log.h"
#include "worker/coro.h"
#include "worker/fault.h"
#include "worker/join.h"
#include "worker/plugin.h"
#include "worker/request.h"
#include "worker/self.h"
#include "worker/task_slot.h"
#include "worker/turn.h"
#include "worker/wait.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

struct request *task_request(struct remuda_ctx *c)
{
    if (c->kind == CTX_TASK)
        return task_of(c)->request;
    return c->kind == CTX_REQUEST ? request_of(c) : NULL;
}

/* ---- birth ---- */

static struct task *create(struct remuda_ctx *c, struct remuda_task *handle, int where)
{
    struct task *task = calloc(1, sizeof *task);
    if (task == NULL)
        return NULL;
    ctx_init(&task->ctx, CTX_TASK, c->worker);
    task->ctx.plugin = c->plugin;
    task->ctx.parent = c;
    task->ctx.place = where == REMUDA_ON_LOOP ? CTX_ON_CORO : CTX_ON_POOL;
    task->ctx.is_shared = true;
    task->handle = handle;
    task->request = task_request(c);
    task->holds = 2;
    list_init(&task->post_link);
    list_init(&task->in_lane.link);
    return task;
}

/* A thread of the pool that waits for us or our elders may run a task that has no slot. */
static void tell_elders(struct remuda_ctx *c)
{
    for (struct remuda_ctx *elder = c->parent; elder != NULL; elder = elder->parent) {
        if (elder->place == CTX_ON_POOL && elder->is_joining) {
            family_wake(elder);
            return;
        }
    }
}

static void be_born(struct task *task)
{
    struct remuda_ctx *parent = task->ctx.parent;
    struct family *f = &parent->worker->family;
    family_lock(f);
    atomic_store(&task->ctx.cancelled, atomic_load(&parent->cancelled));
    task->ctx.deadline_ns = parent->deadline_ns;
    task->ctx.cutoff_ns = parent->cutoff_ns;
    list_append(&parent->children, &task->ctx.sibling);
    task->handle->live = task;
    family_post(task);
    if (task->ctx.place == CTX_ON_POOL)
        tell_elders(parent);
    family_unlock(f);
}

struct remuda_task *task_spawn(struct remuda_ctx *c, int where, remuda_fn fn, void *arg)
{
    struct remuda_task *handle = ctx_keep(c, sizeof *handle);
    *handle = (struct remuda_task){.parent = c, .result = -EINPROGRESS};
    bool is_good = fn != NULL && (where == REMUDA_ON_LOOP || where == REMUDA_ON_POOL);
    if (!is_good || c->kind == CTX_PLUGIN) {
        handle->result = is_good ? -EPERM : -EINVAL;
        return handle;
    }
    struct task *task = create(c, handle, where);
    if (task == NULL) {
        handle->result = -ENOMEM;
        return handle;
    }
    task->fn = fn;
    task->arg = arg;
    c->is_shared = true;
    be_born(task);
    return handle;
}

/* ---- run ---- */

bool task_claim(struct task *task)
{
    if (task->state != TASK_WAITING)
        return false;
    task->state = TASK_RUNNING;
    if (!task->is_seen) {
        list_remove(&task->post_link);
        task->holds--;
    }
    return true;
}

void task_note_seen(struct task *task)
{
    task->is_loops = task->ctx.place == CTX_ON_POOL; /* it looks at it once more */
    task->is_seen = true;
}

int task_error_before(struct task *task)
{
    int error = ctx_cancelled(&task->ctx);
    return error == -ESHUTDOWN ? 0 : error;
}

static void run(struct task *task, struct waiter *waiter)
{
    atomic_store(&task->ctx.waiter, waiter);
    task->rc = task->fn(&task->ctx, task->arg);
    if (task_leave(&task->ctx))
        task->rc = -ECHILD;
    atomic_store(&task->ctx.waiter, NULL);
    ctx_clean(&task->ctx);
    ctx_free_memory(&task->ctx); /* the rest may have to wait for the loop */
}

void task_run_here(struct task *task)
{
    const struct request *before = fault_request; /* of whose wait it runs in */
    task->rc = task_error_before(task);
    fault_request = task->request;
    if (task->rc == 0)
        run(task, waiter_of_thread());
    fault_request = before;
    task_end(task, task->rc);
}

static void coro_main(void *arg)
{
    struct task *task = arg;
    struct waiter waiter;
    waiter_init_coro(&waiter, &task->ctx);
    run(task, &waiter);
    task->has_ended_here = true;
}

void task_after_coro(struct remuda_ctx *c)
{
    struct task *task = task_of(c);
    if (task->has_ended_here)
        task_end(task, task->rc);
}

static int start_coro(struct task *task)
{
    struct worker *w = task->ctx.worker;
    const char *label = task->request->route->label;
    turn_begin_run(w, task->request);
    int error = coro_start(w->coros, coro_main, task, label) < 0 ? -errno : 0;
    turn_end_run(w);
    if (error != 0)
        log_error("no coroutine for a task of %s: %s", label, strerrordesc_np(-error));
    return error;
}

void task_start_coro(struct task *task)
{
    int error = task_error_before(task);
    if (error == 0)
        error = start_coro(task);
    if (error != 0)
        task_end(task, error);
    else
        task_after_coro(&task->ctx);
}

/* ---- end ---- */

void task_let_go(struct task *task)
{
    struct family *f = &task->ctx.worker->family;
    family_lock(f);
    bool is_last = --task->holds == 0;
    family_unlock(f);
    if (!is_last)
        return;
    CHECK(list_is_empty(&task->post_link));
    ctx_fini(&task->ctx);
    free(task);
}

/* Under the lock. An EVENT that returned too early and can go on now, or NULL. */
static struct request *tell_parent(struct remuda_ctx *parent)
{
    if (!parent->is_leaving || !list_is_empty(&parent->children))
        return NULL;
    if (parent->place == CTX_ON_LOOP)
        return request_of(parent);
    family_wake(parent);
    return NULL;
}

void task_end(struct task *task, int rc)
{
    struct worker *w = task->ctx.worker;
    struct family *f = &w->family;
    struct remuda_task *handle = task->handle;
    uint64_t now_ns = clock_mono_ns();
    family_lock(f);
    CHECK(task->state == TASK_RUNNING && list_is_empty(&task->ctx.children));
    task->state = TASK_ENDED;
    list_remove(&task->ctx.sibling);
    list_remove(&task->ctx.wake_link);
    if (task->runner != NULL)
        task->runner->running = NULL;
    handle->live = NULL;
    handle->ended_number = ++f->ended_number;
    atomic_store(&handle->result, rc);
    join_note_end(handle, rc, now_ns);
    struct request *leaver = tell_parent(task->ctx.parent);
    if (task->is_loops && !task->is_threads)
        family_post(task); /* that place is needed no more */
    family_unlock(f);
    task_let_go(task);
    if (leaver != NULL)
        done_put(&w->done, leaver, true); /* it waits for this, so it is still there */
}

/* ---- a parent that returns too early ---- */

/* Under the lock; those that have not begun are given to the caller to end. */
static struct task *cancel_children(struct remuda_ctx *c)
{
    LIST_FOREACH (link, &c->children) {
        struct remuda_ctx *child = LIST_ENTRY(link, struct remuda_ctx, sibling);
        if (task_claim(task_of(child)))
            return task_of(child);
        family_cancel(child, -ECANCELED);
    }
    return NULL;
}

static unsigned orphan_all(struct remuda_ctx *c)
{
    struct family *f = &c->worker->family;
    unsigned count = 0;
    family_lock(f);
    LIST_FOREACH (link, &c->children)
        count++;
    c->is_leaving = count > 0;
    struct task *unrun;
    while ((unrun = cancel_children(c)) != NULL) {
        family_unlock(f);
        task_end(unrun, -ECANCELED);
        family_lock(f);
    }
    family_unlock(f);
    const struct request *req = task_request(c);
    if (count > 0 && req != NULL) /* who starts has none */
        log_error("%s: %s: returned with %u live tasks; they are cancelled, and it is"
                  " answered 500",
                  c->plugin->name, req->route->label, count);
    return count;
}

static bool has_children(struct remuda_ctx *c)
{
    struct family *f = &c->worker->family;
    family_lock(f);
    bool has = !list_is_empty(&c->children);
    family_unlock(f);
    return has;
}

unsigned task_leave_slowly(struct remuda_ctx *c)
{
    struct waiter *waiter = atomic_load(&c->waiter);
    waiter_prepare(waiter);
    unsigned count = orphan_all(c);
    while (has_children(c))
        (void)waiter_wait(waiter, -1, 0, WAIT_FOREVER);
    if (c->place == CTX_ON_CORO)
        family_forget(c);
    return count;
}

bool task_leave_later(struct remuda_ctx *c)
{
    return c->is_shared && orphan_all(c) > 0;
}
