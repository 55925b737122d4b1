/* SPDX-License-Identifier: MIT */
/*
 * task_slot - how the loop starts tasks, and lends them slots.   [worker]
 *
 * Owns:    task->slot; a place in the lane of slots for each task of the pool.
 * Called:  by family.c (what was posted) and engine.c (a place is free); all on the loop.
 * Fails:   a pool without a thread ends the task with -errno.
 *
 * A task may be run, or ended unrun, by a thread that waits for it while it is on its way
 * here; then its place is given back unused.
 */
#include "worker/task_slot.h"

#include "common/check.h"
#include "common/log.h"
#include "worker/engine.h"
#include "worker/lifecycle.h"
#include "worker/plugin.h"
#include "worker/request.h"
#include "worker/self.h"
#include "worker/task.h"

#include <errno.h>

static void submit(struct task *task);

static bool is_waiting(struct task *task)
{
    struct family *f = &task->ctx.worker->family;
    family_lock(f);
    bool is_so = task->state == TASK_WAITING;
    family_unlock(f);
    return is_so;
}

static bool claim(struct task *task)
{
    struct family *f = &task->ctx.worker->family;
    family_lock(f);
    bool is_ours = task_claim(task);
    family_unlock(f);
    return is_ours;
}

/* ---- giving back ---- */

/* In the thread class an EVENT holds a slot but no thread: its tasks run on that one, one at
 * a time, or a worker with one slot would never run them. */
static bool can_borrow(const struct task *task)
{
    const struct request *req = task->request;
    return req->route->mode == REMUDA_EVENT && req->lane == &req->ctx.worker->slots &&
           !req->has_lent;
}

static void borrow(struct task *task)
{
    task->slot = TASK_BORROWS;
    task->request->has_lent = true;
    request_hold(task->request);
    submit(task);
}

static void lend_to_next(struct lane *l, struct request *req)
{
    LIST_FOREACH (link, &l->tasks) {
        struct task *next = CONTAINER_OF(link, struct task, in_lane.link);
        if (next->request != req || !is_waiting(next))
            continue;
        lane_abandon_task(l, &next->in_lane);
        borrow(next);
        return;
    }
}

static void end_loan(struct task *task)
{
    struct request *req = task->request; /* held by the loan */
    req->has_lent = false;
    if (can_borrow(task))
        lend_to_next(&task->ctx.worker->slots, req);
    request_release(req);
}

static void forget(struct task *task)
{
    struct family *f = &task->ctx.worker->family;
    family_lock(f);
    task->is_loops = false;
    list_remove(&task->post_link);
    family_unlock(f);
}

static void give_back(struct task *task)
{
    struct worker *w = task->ctx.worker;
    forget(task);
    enum task_slot slot = task->slot;
    task->slot = TASK_NO_SLOT;
    if (slot == TASK_BORROWS)
        end_loan(task);
    else if (slot == TASK_IN_LANE)
        lane_abandon_task(&w->slots, &task->in_lane);
    struct request *next =
        slot == TASK_HAS_SLOT ? lane_leave_task(&w->slots, &task->in_lane) : NULL;
    engine_publish_load(w, &w->slots); /* before others are looked at */
    if (slot == TASK_HAS_SLOT)
        engine_pass_on(w, &w->slots, next);
    task_let_go(task);
    lifecycle_on_gone(w);
}

/* ---- on the pool ---- */

/* No thread will touch it any more: the loop may have its place back. */
static void let_through(struct task *task)
{
    struct family *f = &task->ctx.worker->family;
    family_lock(f);
    task->is_through = true;
    family_post(task);
    family_unlock(f);
}

static void run_on_thread(struct pool_job *job, unsigned thread_index)
{
    (void)thread_index;
    struct task *task = CONTAINER_OF(job, struct task, job);
    struct family *f = &task->ctx.worker->family;
    family_lock(f);
    bool is_ours = task_claim(task);
    task->is_threads = is_ours;
    family_unlock(f);
    if (is_ours)
        task_run_here(task); /* the loop's hold keeps it */
    let_through(task);
}

static void submit(struct task *task)
{
    task->job.run = run_on_thread;
    if (pool_submit(task->ctx.worker->pool, &task->job) == 0)
        return;
    int error = errno;
    log_error("no thread for a task of %s: %m", task->request->route->label);
    if (claim(task))
        task_end(task, -error);
    let_through(task);
}

static void run_in_slot(struct task *task)
{
    struct worker *w = task->ctx.worker;
    task->slot = TASK_HAS_SLOT;
    if (!is_waiting(task)) {
        give_back(task);
        return;
    }
    /* its request ends on this thread only, so it is there: it may be claimed meanwhile,
     * but not go */
    lane_record_task(&w->slots, &task->in_lane, task->request);
    engine_publish_load(w, &w->slots);
    submit(task);
}

void task_serve_lane(struct worker *w)
{
    struct list *link;
    if (w->is_serving_tasks)
        return; /* a place given back unused, in the loop below */
    w->is_serving_tasks = true;
    while ((link = list_first(&w->slots.granted)) != NULL) {
        list_remove(link);
        run_in_slot(CONTAINER_OF(link, struct task, in_lane.link));
    }
    w->is_serving_tasks = false;
}

static void seek_slot(struct task *task)
{
    struct worker *w = task->ctx.worker;
    if (!is_waiting(task)) {
        give_back(task);
    } else if (can_borrow(task)) {
        borrow(task);
    } else if (lane_enter_task(&w->slots, &task->in_lane)) {
        run_in_slot(task);
    } else {
        task->slot = TASK_IN_LANE;
        engine_publish_load(w, &w->slots);
    }
}

/* ---- over the time of its request ---- */

/* Under the lock. A thread that waits for its tasks does nothing else: the youngest is meant. */
static struct pool_job *mark_below(struct remuda_ctx *c)
{
    struct pool_job *job = NULL;
    LIST_FOREACH (link, &c->children) {
        struct task *task = task_of(LIST_ENTRY(link, struct remuda_ctx, sibling));
        struct pool_job *below = mark_below(&task->ctx);
        if (task->slot == TASK_HAS_SLOT)
            lane_mark_late(&c->worker->slots, task->in_lane.record);
        if (below != NULL)
            job = below;
        else if (task->is_threads && task->state == TASK_RUNNING)
            job = &task->job;
    }
    return job;
}

struct pool_job *task_mark_late(struct request *req)
{
    struct family *f = &req->ctx.worker->family;
    family_lock(f);
    struct pool_job *job = mark_below(&req->ctx);
    family_unlock(f);
    return job == NULL && req->ctx.place == CTX_ON_POOL ? &req->job : job;
}

/* ---- the loop's look ---- */

void task_on_posted(struct task *task)
{
    struct family *f = &task->ctx.worker->family;
    ON_LOOP(task->ctx.worker);
    if (task->ctx.place == CTX_ON_CORO) {
        if (claim(task))
            task_start_coro(task);
        task_let_go(task);
        return;
    }
    family_lock(f);
    bool is_through = task->is_through, is_waiting_still = task->state == TASK_WAITING;
    family_unlock(f);
    if (task->slot == TASK_NO_SLOT)
        seek_slot(task);
    else if (task->slot == TASK_IN_LANE ? !is_waiting_still : is_through)
        give_back(task);
}
