/* SPDX-License-Identifier: MIT */
/*
 * engine - the ways to run a handler, and what comes after it.   [worker]
 *
 * Owns:    the handler state of a request; its hold while the handler has it.
 * Called:  by conn.c (dispatch), done.c and wait.c (what comes back).
 * Fails:   a coroutine or a thread that cannot be made is answered 503, and logged.
 *
 * The rule of return: whatever ended the handler, the loop calls finish_run once, and
 * after it the request may be gone.
 */
#include "worker/engine.h"

#include "common/check.h"
#include "common/clock.h"
#include "common/log.h"
#include "worker/accept.h"
#include "worker/answer.h"
#include "worker/conn.h"
#include "worker/coro.h"
#include "worker/fault.h"
#include "worker/handoff.h"
#include "worker/intake.h"
#include "worker/lifecycle.h"
#include "worker/overtime.h"
#include "worker/plugin.h"
#include "worker/request.h"
#include "worker/self.h"
#include "worker/stream.h"
#include "worker/task.h"
#include "worker/turn.h"
#include "worker/wait.h"

#include <errno.h>

/* In its entry of the ledger. */
static inline void note_start(const struct request *req)
{
    struct ledger_entry *e = req->entry;
    if (e == NULL)
        return;
    if (req->lane == &req->ctx.worker->slots)
        e->slot = (uint16_t)req->record; /* none is none here too */
    e->started_ns = req->started_ns;
}

/* One that has waited: its connection hears now that it need not wait any more. */
static void start_intake(struct request *req)
{
    intake_start(req);
    if (req->conn != NULL)
        conn_on_output(req->conn);
}

static void begin_run(struct request *req)
{
    struct worker *w = req->ctx.worker;
    req->handler = HANDLER_RUNNING;
    req->started_ns = w->now_ns;
    note_start(req);
    /* not while it waits: a raw head may still travel to another worker */
    http_request_seal(&req->parser.request, req->base);
    if (req->intake != NULL)
        start_intake(req);
    w->engine->run(req);
}

void engine_publish_load(struct worker *w, const struct lane *lane)
{
    struct board_worker *entry = w->entry;
    unsigned load = lane->busy + lane->waiting_count + lane->task_waiting_count;
    unsigned waiting = lane->waiting_count - lane->unadmitted_count;
    bool is_slots = lane->kind == LOAD_SLOTS;
    board_set32(is_slots ? &entry->load : &entry->flights_load, load);
    board_set32(is_slots ? &entry->waiting : &entry->flights_waiting, waiting);
    board_set32(&entry->inflight, w->slots.busy - w->slots.task_busy + w->flights.busy);
}

void engine_dispatch(struct request *req)
{
    struct worker *w = req->ctx.worker;
    ON_LOOP(w);
    req->ctx.plugin = req->route->plugin;
    if (req->queued_ns == 0) /* else it has waited in another worker already */
        req->queued_ns = w->now_ns;
    if (req->entry != NULL)
        req->entry->queued_ns = req->queued_ns;
    request_hold(req);
    if (req->route->is_long && w->phase == WORKER_DRAINING)
        ctx_cancel(&req->ctx, -ESHUTDOWN);
    struct lane *lane = w->engine->lane(w, req->route);
    bool is_in = lane_enter(lane, req);
    engine_publish_load(w, lane);
    if (is_in)
        begin_run(req);
    else
        req->handler = HANDLER_QUEUED;
}

/* Those whose turn has come run one after the other: a handler that ends at once would
 * otherwise nest the whole queue on the stack. */
static void run_in_turn(struct worker *w, struct request *next)
{
    next->handler = HANDLER_RUNNING; /* it waits for a slot no more */
    list_append(&w->turn_come, &next->lane_link);
    if (w->is_running_turns)
        return;
    w->is_running_turns = true;
    struct list *link;
    while ((link = list_first(&w->turn_come)) != NULL) {
        list_remove(link);
        begin_run(LIST_ENTRY(link, struct request, lane_link));
    }
    w->is_running_turns = false;
}

void engine_pass_on(struct worker *w, const struct lane *lane, struct request *next)
{
    if (next != NULL)
        run_in_turn(w, next);
    task_serve_lane(w);
    if (next == NULL && w->neighbour_count > 0)
        handoff_on_free(w, lane);
    if (w->is_gated)
        accept_reconsider(w);
}

/* The handler has ended and its memory is the loop's again. */
static void finish_run(struct request *req)
{
    struct worker *w = req->ctx.worker;
    req->handler = HANDLER_ENDED;
    deadline_clear(&req->overtime);
    answer_settle(req); /* first: its line in the log names the slot */
    if (req->is_late)
        overtime_end(req);
    struct lane *lane = req->lane;
    struct request *next = lane_leave(lane, req);
    engine_publish_load(w, lane);
    if (req->conn != NULL)
        conn_on_answer(req->conn);
    request_release(req);
    engine_pass_on(w, lane, next);
    lifecycle_on_gone(w);
}

/* ---- on the pool ---- */

static void run_on_thread(struct pool_job *job, unsigned thread_index)
{
    (void)thread_index;
    struct request *req = CONTAINER_OF(job, struct request, job);
    atomic_store(&req->ctx.waiter, waiter_of_thread());
    fault_request = req;
    req->rc = req->route->fn(&req->ctx);
    req->has_left_tasks = task_leave(&req->ctx);
    atomic_store(&req->ctx.waiter, NULL);
    ctx_clean(&req->ctx);
    fault_request = NULL;
    done_put(&req->ctx.worker->done, req, true);
}

void engine_run_pool(struct request *req)
{
    req->ctx.place = CTX_ON_POOL;
    req->job.run = run_on_thread;
    overtime_begin(req);
    if (pool_submit(req->ctx.worker->pool, &req->job) < 0) {
        log_error("no thread for %s: %m", req->route->label);
        req->started_ns = 0; /* no handler ran */
        req->rc = 503;
        done_put(&req->ctx.worker->done, req, true);
    }
}

/* ---- on a coroutine ---- */

static void coro_main(void *arg)
{
    struct request *req = arg;
    struct waiter waiter;
    waiter_init_coro(&waiter, &req->ctx);
    atomic_store_explicit(&req->ctx.waiter, &waiter, memory_order_relaxed);
    req->rc = req->route->fn(&req->ctx);
    req->has_left_tasks = task_leave(&req->ctx);
    atomic_store_explicit(&req->ctx.waiter, NULL, memory_order_relaxed);
    ctx_clean(&req->ctx);
    req->has_ended_here = true;
}

/* Its stack is free again, or it waits: what it wrote goes out either way. */
static void after_coro(struct request *req)
{
    if (req->has_ended_here && req->intake != NULL)
        done_put(&req->ctx.worker->done, req, true); /* a read may have put it there */
    else if (req->has_ended_here)
        finish_run(req);
    else if (req->conn != NULL)
        conn_on_output(req->conn);
}

void engine_run_coro(struct request *req)
{
    struct worker *w = req->ctx.worker;
    req->ctx.place = CTX_ON_CORO;
    turn_begin_run(w, req);
    if (coro_start(w->coros, coro_main, req, req->route->label) < 0) {
        log_error("no coroutine for %s: %m", req->route->label);
        req->started_ns = 0; /* no handler ran */
        req->rc = 503;
        req->has_ended_here = true;
    }
    turn_end_run(w);
    if (!req->has_ended_here)
        overtime_begin(req);
    after_coro(req);
}

void engine_resume(struct remuda_ctx *c, struct coro *coro)
{
    struct worker *w = c->worker;
    turn_begin_run(w, task_request(c));
    coro_resume(coro);
    turn_end_run(w);
    if (c->kind == CTX_REQUEST)
        after_coro(request_of(c));
    else
        task_after_coro(c);
}

/* ---- as an event ---- */

/* Finished with live tasks: it comes back through done.h when the last has ended. */
static bool has_to_wait(struct request *req)
{
    if (req->route->mode != REMUDA_EVENT || !task_leave_later(&req->ctx))
        return false;
    req->has_left_tasks = true;
    return true;
}

void engine_run_event(struct request *req)
{
    req->ctx.place = CTX_ON_LOOP;
    req->is_in_handler = true;
    turn_begin_run(req->ctx.worker, req);
    int rc = req->route->fn(&req->ctx);
    turn_end_run(req->ctx.worker);
    req->is_in_handler = false;
    if (rc == REMUDA_PENDING) {
        if (!req->has_ended_here) {
            overtime_begin(req);
            return; /* remuda_finish brings it back through done.c */
        }
    } else {
        req->rc = rc;
    }
    if (req->stream != NULL || req->intake != NULL) { /* what it did has put it there */
        done_put(&req->ctx.worker->done, req, true);
        return;
    }
    if (has_to_wait(req))
        return;
    ctx_clean(&req->ctx);
    finish_run(req);
}

/* ---- what comes back ---- */

void engine_on_done(struct request *req, bool has_ended)
{
    if ((req->stream != NULL || req->intake != NULL) && req->conn != NULL) {
        if (req->stream != NULL)
            stream_pump(req);
        if (!has_ended)
            conn_on_output(req->conn);
    }
    if (!has_ended || has_to_wait(req))
        return;
    ctx_clean(&req->ctx); /* an event's; a thread has done its own */
    finish_run(req);
}

void engine_withdraw(struct request *req)
{
    CHECK(req->handler == HANDLER_QUEUED);
    struct lane *lane = req->lane;
    lane_abandon(lane, req);
    engine_publish_load(req->ctx.worker, lane);
    req->handler = HANDLER_ENDED;
    request_release(req);
}

void engine_abandon(struct request *req)
{
    request_account(req, 0);
    engine_withdraw(req);
}
