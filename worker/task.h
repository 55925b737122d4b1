/* SPDX-License-Identifier: MIT */
/*
 * task - a running sub-operation of a handler, on the loop or on the pool.   [worker]
 *
 * Two structs: remuda_task, what the plugin holds, small, in its parent's memory and alive
 * as long as the parent's ctx; and task, with a ctx of its own, alive until the task has
 * ended and the loop has let go of it. docs/ARCHITECTURE.md has its states.
 */
#ifndef WORKER_TASK_H
#define WORKER_TASK_H

#include "common/check.h"
#include "worker/ctx.h"
#include "worker/lane.h"
#include "worker/pool.h"

struct join;
struct request;

enum task_state {
    TASK_WAITING, /* whoever moves it on from here runs it, or ends it unrun */
    TASK_RUNNING,
    TASK_ENDED
};

/* The loop's: where a task of the pool stands with its slot. */
enum task_slot {
    TASK_NO_SLOT, /* the loop has not seen it yet */
    TASK_IN_LANE, /* waits for one, before all requests */
    TASK_HAS_SLOT,
    TASK_BORROWS /* runs in the slot of its EVENT request, which needs no thread */
};

struct remuda_task {
    struct remuda_ctx *parent;
    atomic_int result; /* -EINPROGRESS until it has ended */

    /* under family.lock */
    struct task *live; /* NULL: ended */
    struct join *join; /* who waits for it */
    uint64_t ended_number;
};

struct task {
    struct remuda_ctx ctx; /* first */
    struct remuda_task *handle;
    struct request *request; /* the root; lives until this has ended, no longer */
    remuda_fn fn;
    void *arg;

    /* of whoever runs it */
    int rc;
    bool has_ended_here; /* its coroutine is through */

    /* under family.lock */
    enum task_state state;
    unsigned holds;      /* its run, and the loop */
    bool is_threads;     /* a thread of the pool runs it in its own slot */
    bool is_through;     /* that thread has let go of it */
    bool is_seen;        /* by the loop, which keeps a place for it or looks for one */
    bool is_loops;       /* seen, and the loop has not let go of it */
    struct join *runner; /* runs in the wait of an elder, in that one's slot */
    struct list post_link;

    /* the loop's */
    enum task_slot slot;
    struct lane_task in_lane;
    struct pool_job job;
};

static inline struct task *task_of(struct remuda_ctx *c)
{
    CHECK_OBJ(c, CTX_MAGIC);
    CHECK(c->kind == CTX_TASK);
    return (struct task *)c;
}

/** The holder's thread. Never NULL: what cannot start has ended with its error. */
struct remuda_task *task_spawn(struct remuda_ctx *c, int where, remuda_fn fn, void *arg);

/** Under family.lock. True: the caller has to task_run_here or task_end it, for nobody else
 *  will; if the loop has not seen it yet, it never does. */
bool task_claim(struct task *task);

/** A claimed one, on this thread of the pool; it may be gone on return. */
void task_run_here(struct task *task);

/** A claimed or run one: tells who waits for it. It may be gone on return. Any thread. */
void task_end(struct task *task, int rc);

/** Cancelled, late or too late: the error with which a task ends that has not begun; 0: run
 *  it. -ESHUTDOWN is none: it may have a goodbye to say. */
int task_error_before(struct task *task);

/** Under family.lock: the loop has taken it off `posted`. */
void task_note_seen(struct task *task);

/** The loop's look at a task: start, slot, end. */
void task_on_posted(struct task *task);

/** Its coroutine has run on. */
void task_after_coro(struct remuda_ctx *c);

/** After each lane_leave: runs the tasks whose turn has come. */
void task_serve_lane(struct worker *w);

/** What a ctx must do after its function has returned, where that ran: tasks that it left
 *  behind are cancelled and joined. How many there were. */
unsigned task_leave_slowly(struct remuda_ctx *c);

static inline bool task_leave(struct remuda_ctx *c)
{
    return c->is_shared && task_leave_slowly(c) > 0;
}

/** The same for an EVENT, on the loop, which cannot wait: true, and when the last of them
 *  has ended the request comes back through done.h. */
bool task_leave_later(struct remuda_ctx *c);

/** The slots that tasks of a late request hold are late too. The job of the pool that keeps it
 *  from ending, a task's or its own; NULL: nothing of it is on a thread. Loop thread. */
struct pool_job *task_mark_late(struct request *req);

/** The request that c is, or works for; NULL for a plugin's own ctx. */
struct request *task_request(struct remuda_ctx *c);

#endif
