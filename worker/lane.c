/* SPDX-License-Identifier: MIT */
/*
 * lane - a count of those who run, a queue of those who wait.    [worker]
 *
 * Owns:    the count and the order; requests and tasks to request.c, task.c.
 * Called:  by engine.c for requests, task.c for tasks.
 * Fails:   never after init.
 */
#include "worker/lane.h"

#include "common/check.h"
#include "worker/request.h"

#include <stdlib.h>

int lane_init(struct lane *l, enum load_lane kind, unsigned limit,
              struct board_record *records, unsigned count)
{
    *l = (struct lane){.kind = kind,
                       .limit = limit,
                       .records = records,
                       .record_count = limit < count ? limit : count};
    list_init(&l->waiting);
    list_init(&l->tasks);
    list_init(&l->granted);
    l->free_records = calloc(l->record_count + 1, sizeof *l->free_records);
    if (l->free_records == NULL)
        return -1;
    for (unsigned i = l->record_count; i > 0; i--)
        l->free_records[l->free_count++] = (uint16_t)(i - 1);
    return 0;
}

void lane_fini(struct lane *l)
{
    free(l->free_records);
    l->free_records = NULL;
}

static int take_record(struct lane *l, const struct request *req)
{
    if (l->free_count == 0)
        return LANE_NO_RECORD;
    int record = l->free_records[--l->free_count];
    request_record(req, &l->records[record]);
    return record;
}

static void drop_record(struct lane *l, int record)
{
    if (record == LANE_NO_RECORD)
        return;
    board_record_end(&l->records[record]);
    l->free_records[l->free_count++] = (uint16_t)record;
}

void lane_mark_late(struct lane *l, int record)
{
    if (record != LANE_NO_RECORD)
        board_record_late(&l->records[record]);
}

static void remove_waiting(struct lane *l, struct request *req)
{
    CHECK(l->waiting_count > 0);
    list_remove(&req->lane_link);
    l->waiting_count--;
    l->unadmitted_count -= !req->is_admitted;
    CHECK(l->unadmitted_count <= l->waiting_count);
}

static void count_unrecorded(struct lane *l, uint32_t by)
{
    if (l->unrecorded != NULL)
        board_set32(l->unrecorded, board_get32(l->unrecorded) + by);
}

static void begin(struct lane *l, struct request *req)
{
    l->busy++;
    CHECK(l->busy <= l->limit);
    req->lane = l;
    req->record = take_record(l, req);
    if (req->record == LANE_NO_RECORD)
        count_unrecorded(l, 1);
}

static void begin_task(struct lane *l, struct lane_task *task)
{
    l->busy++;
    l->task_busy++;
    CHECK(l->busy <= l->limit && l->task_busy <= l->busy);
    task->record = LANE_NO_RECORD;
}

/* A place is free: a task first, then a request. */
static struct request *pass_on(struct lane *l)
{
    struct list *link = list_first(&l->tasks);
    if (link != NULL) {
        list_remove(link);
        l->task_waiting_count--;
        begin_task(l, LIST_ENTRY(link, struct lane_task, link));
        list_append(&l->granted, link);
        return NULL;
    }
    link = list_first(&l->waiting);
    if (link == NULL)
        return NULL;
    struct request *next = LIST_ENTRY(link, struct request, lane_link);
    remove_waiting(l, next);
    begin(l, next);
    return next;
}

/* ---- requests ---- */

/* By arrival, wherever that was: one that has waited in another worker does not begin anew. */
static void queue(struct lane *l, struct request *req)
{
    struct list *at = l->waiting.prev;
    while (at != &l->waiting &&
           LIST_ENTRY(at, struct request, lane_link)->queued_ns > req->queued_ns)
        at = at->prev;
    list_append(at->next, &req->lane_link);
}

bool lane_enter(struct lane *l, struct request *req)
{
    if (l->busy < l->limit && l->waiting_count == 0) {
        begin(l, req);
        return true;
    }
    req->lane = l;
    queue(l, req);
    l->waiting_count++;
    l->unadmitted_count++;
    return false;
}

void lane_admit(struct lane *l, struct request *req)
{
    CHECK(req->lane == l && !req->is_admitted && l->unadmitted_count > 0);
    req->is_admitted = true;
    l->unadmitted_count--;
}

struct request *lane_leave(struct lane *l, struct request *req)
{
    CHECK(l->busy > l->task_busy && req->lane == l);
    l->busy--;
    if (req->record == LANE_NO_RECORD)
        count_unrecorded(l, UINT32_MAX); /* one less */
    drop_record(l, req->record);
    req->lane = NULL;
    return pass_on(l);
}

void lane_abandon(struct lane *l, struct request *req)
{
    CHECK(req->lane == l);
    remove_waiting(l, req);
    req->lane = NULL;
}

/* ---- tasks ---- */

bool lane_enter_task(struct lane *l, struct lane_task *task)
{
    list_init(&task->link);
    if (l->busy < l->limit) { /* no task waits then, and requests are behind tasks */
        begin_task(l, task);
        return true;
    }
    list_append(&l->tasks, &task->link);
    l->task_waiting_count++;
    return false;
}

void lane_record_task(struct lane *l, struct lane_task *task, const struct request *req)
{
    task->record = take_record(l, req);
}

struct request *lane_leave_task(struct lane *l, struct lane_task *task)
{
    CHECK(l->task_busy > 0);
    l->busy--;
    l->task_busy--;
    drop_record(l, task->record);
    return pass_on(l);
}

void lane_abandon_task(struct lane *l, struct lane_task *task)
{
    CHECK(l->task_waiting_count > 0);
    list_remove(&task->link);
    l->task_waiting_count--;
}
