/* SPDX-License-Identifier: MIT */
/*
 * join - waiting for tasks, and running them meanwhile.          [worker]
 *
 * Owns:    struct join, on the stack of the one that waits.
 * Called:  by api_task.c; task.c says who has ended.
 * Fails:   as remuda_wait; whatever it returns, each given task has ended.
 *
 * Two phases: until settled, cancelled or late; then, with the rest cancelled, until all have
 * ended. A thread of the pool has a slot and nothing to do: in the first phase it runs what
 * has not begun, of its own tasks or of theirs below, so no depth of tasks needs more slots.
 */
#include "worker/join.h"

#include "common/check.h"
#include "common/clock.h"
#include "worker/self.h"
#include "worker/task.h"
#include "worker/wait.h"

#include <errno.h>

/* What one call of remuda_wait has in its hands. */
struct call {
    struct join join;
    remuda_task *const *tasks;
    size_t count;
    size_t next; /* of those before it, none waits for a thread any more */
    uint64_t at_ns;
    bool is_cut; /* the tasks know of at_ns */
};

/* ---- under the lock ---- */

static void settle(struct join *j, struct remuda_task *first, int error, uint64_t now_ns)
{
    j->is_settled = true;
    j->first = first;
    j->error = error;
    j->settled_ns = now_ns;
}

void join_note_end(struct remuda_task *task, int rc, uint64_t now_ns)
{
    struct join *j = task->join;
    if (j == NULL)
        return;
    task->join = NULL;
    CHECK(j->remaining > 0);
    j->remaining--;
    int error = rc < 0 ? rc : 0;
    bool settles =
        !j->is_settled && (j->how == REMUDA_ANY || error != 0 || j->remaining == 0);
    if (settles)
        settle(j, task, error, now_ns);
    if (settles && j->remaining > 0 && j->running != NULL)
        family_cancel(&j->running->ctx, -ECANCELED); /* the one who would do it runs it */
    if (settles || j->remaining == 0)
        family_wake(j->ctx);
}

/* Does a task that had ended before decide? The earliest one that counts. */
static void settle_by_ended(struct call *call)
{
    struct join *j = &call->join;
    struct remuda_task *earliest = NULL;
    for (size_t i = 0; i < call->count; i++) {
        struct remuda_task *t = call->tasks[i];
        bool counts =
            t->live == NULL && (j->how == REMUDA_ANY || atomic_load(&t->result) < 0);
        if (counts && (earliest == NULL || t->ended_number < earliest->ended_number))
            earliest = t;
    }
    if (earliest != NULL) {
        int rc = atomic_load(&earliest->result);
        settle(j, earliest, rc < 0 ? rc : 0, 0);
    } else if (j->remaining == 0) {
        settle(j, NULL, 0, 0);
    }
}

static void begin(struct call *call)
{
    struct join *j = &call->join;
    struct family *f = &j->ctx->worker->family;
    family_lock(f);
    for (size_t i = 0; i < call->count; i++) {
        struct remuda_task *t = call->tasks[i];
        if (t->live == NULL || t->join == j)
            continue;
        t->join = j;
        j->remaining++;
    }
    settle_by_ended(call);
    j->ctx->is_joining = true;
    family_unlock(f);
}

/* ---- running what waits for a thread ---- */

static struct task *task_at(struct list *sibling)
{
    return task_of(LIST_ENTRY(sibling, struct remuda_ctx, sibling));
}

static bool is_unrun(const struct task *task)
{
    return task->ctx.place == CTX_ON_POOL && task->state == TASK_WAITING;
}

static struct task *find_below(struct remuda_ctx *c)
{
    LIST_FOREACH (link, &c->children) {
        struct task *task = task_at(link);
        if (is_unrun(task))
            return task;
        if ((task = find_below(&task->ctx)) != NULL)
            return task;
    }
    return NULL;
}

static struct task *find_unrun(struct call *call)
{
    for (; call->next < call->count; call->next++) {
        struct task *task = call->tasks[call->next]->live;
        if (task != NULL && is_unrun(task))
            return task;
    }
    LIST_FOREACH (link, &call->join.ctx->children) {
        struct task *task = task_at(link);
        if (task->handle->join != &call->join)
            continue;
        if ((task = find_below(&task->ctx)) != NULL)
            return task;
    }
    return NULL;
}

/* Nobody looks at the clock for the others while we run one of them. */
static void cut_all(struct call *call)
{
    if (call->is_cut || call->at_ns == WAIT_FOREVER)
        return;
    call->is_cut = true;
    for (size_t i = 0; i < call->count; i++) {
        if (call->tasks[i]->live != NULL)
            family_cut(&call->tasks[i]->live->ctx, call->at_ns);
    }
}

static bool run_one(struct call *call)
{
    struct join *j = &call->join;
    struct family *f = &j->ctx->worker->family;
    if (j->ctx->place != CTX_ON_POOL)
        return false;
    family_lock(f);
    struct task *task = j->is_settled ? NULL : find_unrun(call);
    if (task != NULL) {
        CHECK(task_claim(task));
        task->runner = j;
        j->running = task;
        if (task->is_loops) /* it runs in our slot: it waits for none any more */
            family_post(task);
        cut_all(call);
    }
    family_unlock(f);
    if (task == NULL)
        return false;
    struct waiter *own = atomic_load(&j->ctx->waiter);
    task_run_here(task);
    CHECK(atomic_load(&j->ctx->waiter) == own);
    return true;
}

/* ---- the two phases ---- */

static bool is_settled(struct join *j, uint64_t *at_ns_out)
{
    struct family *f = &j->ctx->worker->family;
    family_lock(f);
    bool is_so = j->is_settled;
    *at_ns_out = j->settled_ns;
    family_unlock(f);
    return is_so;
}

/* 0: settled in time; or why not. */
static int until_settled(struct call *call)
{
    struct remuda_ctx *c = call->join.ctx;
    struct waiter *waiter = atomic_load(&c->waiter);
    uint64_t settled_ns;
    for (;;) {
        if (is_settled(&call->join, &settled_ns))
            return settled_ns < call->at_ns ? 0 : -ETIMEDOUT;
        int error = ctx_cancelled(c);
        if (error != 0)
            return error;
        if (clock_mono_ns() >= call->at_ns)
            return -ETIMEDOUT;
        if (!run_one(call))
            (void)waiter_wait(waiter, -1, 0, ctx_until_ns(c, call->at_ns));
    }
}

static void cancel_rest(struct call *call)
{
    struct family *f = &call->join.ctx->worker->family;
    for (size_t i = 0; i < call->count; i++) {
        family_lock(f);
        struct task *task = call->tasks[i]->live;
        bool is_unrun_still = task != NULL && task_claim(task);
        if (task != NULL && !is_unrun_still)
            family_cancel(&task->ctx, -ECANCELED);
        family_unlock(f);
        if (is_unrun_still)
            task_end(task, -ECANCELED);
    }
}

static void until_all_have_ended(struct join *j)
{
    struct family *f = &j->ctx->worker->family;
    struct waiter *waiter = atomic_load(&j->ctx->waiter);
    for (;;) {
        family_lock(f);
        bool is_over = j->remaining == 0;
        j->ctx->is_joining = !is_over;
        family_unlock(f);
        if (is_over)
            return;
        (void)waiter_wait(waiter, -1, 0, WAIT_FOREVER);
    }
}

static int index_of_first(const struct call *call)
{
    int i = 0;
    while (call->tasks[i] != call->join.first)
        i++;
    return i;
}

static bool is_valid(const struct remuda_ctx *c, remuda_task *const *t, size_t n, int how)
{
    if ((how != REMUDA_ALL && how != REMUDA_ANY) || n > INT32_MAX)
        return false;
    for (size_t i = 0; i < n; i++) {
        if (t[i] == NULL || t[i]->parent != c)
            return false;
    }
    return n > 0 || how == REMUDA_ALL;
}

int join_wait(struct remuda_ctx *c, remuda_task *const *t, size_t n, int how,
              uint64_t at_ns)
{
    struct waiter *waiter = waiter_of(c);
    if (waiter == NULL)
        return -EDEADLK;
    if (!is_valid(c, t, n, how))
        return -EINVAL;
    struct call call = {
        .join = {.ctx = c, .how = how}, .tasks = t, .count = n, .at_ns = at_ns};
    waiter_prepare(waiter);
    begin(&call);
    int error = until_settled(&call);
    if (error != 0 || call.join.error != 0 || how == REMUDA_ANY)
        cancel_rest(&call);
    until_all_have_ended(&call.join);
    if (error != 0)
        return error;
    return how == REMUDA_ANY ? index_of_first(&call) : call.join.error;
}
