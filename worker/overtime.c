/* SPDX-License-Identifier: MIT */
/*
 * overtime - 504, a late slot, a stack, and at last another worker.   [worker]
 *
 * Owns:    the deadlines of running handlers; nothing of the handler, which ends by itself.
 * Called:  by engine.c (begin, end) and its timers, all on the loop.
 * Calls:   answer.c for what the client gets, conn.c to part, stack.c, the master.
 * Fails:   never. A loop that is blocked cannot look at a clock: that is the master's.
 */
#include "worker/overtime.h"

#include "common/log.h"
#include "common/message.h"
#include "worker/answer.h"
#include "worker/conn.h"
#include "worker/plugin.h"
#include "worker/request.h"
#include "worker/self.h"
#include "worker/stack.h"
#include "worker/task.h"

#include <errno.h>
#include <inttypes.h>
#include <stdio.h>

enum { NS_PER_MS = 1000000 };

/* ---- what is said ---- */

/* A thousand handlers that wait for one dead database are late together. */
static bool may_say(struct worker *w)
{
    if (w->overtime.lines < OVERTIME_LINES) {
        w->overtime.lines++;
        return true;
    }
    w->overtime.unsaid++;
    return false;
}

void overtime_each_second(struct worker *w)
{
    if (w->overtime.unsaid > 0)
        log_warn("late handlers: %u more lines in this second", w->overtime.unsaid);
    w->overtime.lines = w->overtime.unsaid = 0;
}

/* "slot 3", or "a flight": what it holds. */
static const char *place_of(const struct request *req, char *out, size_t size)
{
    if (req->lane != &req->ctx.worker->slots)
        return "a flight";
    snprintf(out, size, "slot %d", req->record);
    return out;
}

static uint64_t limit_of(const struct request *req)
{
    return req->route->overtime->first.length_ms;
}

static uint64_t ran_ms(const struct request *req)
{
    return (req->ctx.worker->now_ns - req->started_ns) / NS_PER_MS;
}

static void say_late(const struct request *req, const char *what)
{
    char room[REQUEST_ID_BYTES], place[32];
    if (!may_say(req->ctx.worker))
        return;
    log_warn("%s: %s: over request_timeout (%" PRIu64 " ms): %s; %s is late [%s]",
             req->route->plugin->name, req->route->label, limit_of(req), what,
             place_of(req, place, sizeof place), request_id(req, room));
}

void overtime_end(struct request *req)
{
    char room[REQUEST_ID_BYTES], place[32];
    uint64_t took_ms = ran_ms(req), limit_ms = limit_of(req);
    if (!may_say(req->ctx.worker))
        return;
    log_info("%s: %s: ended %" PRIu64 " ms late; %s is free again [%s]",
             req->route->plugin->name, req->route->label,
             took_ms > limit_ms ? took_ms - limit_ms : 0,
             place_of(req, place, sizeof place), request_id(req, room));
}

/* Before the cancellation, which moves it on. A coroutine that waits stands nowhere; an event
 * has no thread. */
static void show_stack(struct request *req, struct pool_job *job)
{
    struct worker *w = req->ctx.worker;
    if (job == NULL || (w->overtime.stack_ms != 0 &&
                        w->now_ms - w->overtime.stack_ms < OVERTIME_STACK_MS))
        return;
    w->overtime.stack_ms = w->now_ms;
    stack_show(job, req->route);
}

/* ---- its time is over ---- */

static void on_first(struct deadline *d)
{
    struct request *req = CONTAINER_OF(d, struct request, overtime);
    CHECK_OBJ(req, REQUEST_MAGIC);
    struct worker *w = req->ctx.worker;
    struct overtime *o = req->route->overtime;
    if (done_has_ended(&w->done, req)) { /* in time, if we had looked sooner */
        deadline_set(&o->first, d);
        return;
    }
    deadline_set(&o->second, d);
    req->is_late = true;
    board_add(&w->entry->counters.late, 1);
    lane_mark_late(req->lane, req->record);
    show_stack(req, task_mark_late(req));
    const char *what = answer_late(req);
    say_late(req, what != NULL ? what : "it is just answering");
    ctx_cancel(&req->ctx, -ECANCELED);
    if (what != NULL && req->conn != NULL)
        conn_part(req->conn);
}

/* ---- it will not end ---- */

static void ask_for_successor(struct request *req)
{
    struct worker *w = req->ctx.worker;
    const struct heritage *h = w->heritage;
    char why[MESSAGE_TEXT];
    snprintf(why, sizeof why,
             "%s of plugin %s does not end: it has run for %" PRIu64 " ms",
             req->route->label, req->route->plugin->name, ran_ms(req));
    if (message_send(h->channel, MESSAGE_RETIRE, h->generation, (int32_t)w->pid,
                     MESSAGE_RETIRE_LATE, why, -1) == 0)
        w->overtime.has_asked = true;
    else
        deadline_set(&req->route->overtime->second, &req->overtime);
}

static void on_second(struct deadline *d)
{
    struct request *req = CONTAINER_OF(d, struct request, overtime);
    CHECK_OBJ(req, REQUEST_MAGIC);
    const struct worker *w = req->ctx.worker;
    if (w->phase == WORKER_SERVING && !w->overtime.has_asked)
        ask_for_successor(req);
    bool is_left = !req->is_answered && answer_late(req) != NULL;
    if (is_left && req->conn != NULL) /* it was just answering then */
        conn_part(req->conn);
}

/* ---- begin and end ---- */

void overtime_init(struct overtime *o, struct worker *w, uint64_t limit_ms)
{
    uint64_t second_ms = limit_ms > OVERTIME_LEAST_MS ? limit_ms : OVERTIME_LEAST_MS;
    deadlines_init(&o->first, w->loop, &w->now_ms, limit_ms, on_first);
    deadlines_init(&o->second, w->loop, &w->now_ms, second_ms, on_second);
    o->next = w->overtime.first;
    w->overtime.first = o;
}

void overtime_fini(struct overtime *o)
{
    deadlines_fini(&o->first);
    deadlines_fini(&o->second);
}

void overtime_begin(struct request *req)
{
    if (req->route->overtime != NULL)
        deadline_set(&req->route->overtime->first, &req->overtime);
}

void overtime_hold_back(struct worker *w, uint64_t by_ms)
{
    for (struct overtime *o = w->overtime.first; o != NULL; o = o->next) {
        deadlines_hold_back(&o->first, by_ms);
        deadlines_hold_back(&o->second, by_ms);
    }
}
