/* SPDX-License-Identifier: MIT */
/*
 * lane - how many requests may run at once, and who waits.       [worker]
 *
 * A worker has two lanes: slots (a handler that may block, `threads` of them) and flights
 * (coroutines and events on the loop, max_inflight). Neither blocks the other. Each request
 * that runs has a record in the scoreboard, so that an obituary can name it. A task of the
 * pool takes a slot too; those that wait for one go before all requests and are not counted
 * among the waiting.
 */
#ifndef WORKER_LANE_H
#define WORKER_LANE_H

#include "common/list.h"
#include "common/scoreboard.h"
#include "worker/load.h"

#include <stdbool.h>

struct request;

enum { LANE_NO_RECORD = -1 };

/** Inside a task. */
struct lane_task {
    struct list link;
    int record;
};

struct lane {
    enum load_lane kind;
    unsigned limit, busy; /* tasks too */
    struct list waiting;  /* struct request, by its lane_link, oldest first */
    unsigned waiting_count;
    unsigned unadmitted_count; /* of these: whether they may wait is not decided yet */
    struct list tasks;         /* struct lane_task that wait, oldest first */
    struct list granted;       /* those whose turn has come: busy already, to be run */
    unsigned task_waiting_count, task_busy;
    struct board_record *records; /* `record_count` of them, for the first ones busy */
    unsigned record_count;
    uint16_t *free_records; /* a stack of indices */
    unsigned free_count;
    _Atomic uint32_t *unrecorded; /* how many requests run without one; NULL: not asked */
};

/** -1 when out of memory. */
int lane_init(struct lane *l, enum load_lane kind, unsigned limit,
              struct board_record *records, unsigned count);
void lane_fini(struct lane *l);

/** True: it runs now. False: it waits, and lane_leave of another will say so. */
bool lane_enter(struct lane *l, struct request *req);

/** It waits, and may. */
void lane_admit(struct lane *l, struct request *req);

/** The record of one that runs, or LANE_NO_RECORD: its handler is over its time. */
void lane_mark_late(struct lane *l, int record);

/** It has ended. The request whose turn it is now, already entered, or NULL; and if it is a
 *  task's turn, that is in `granted`. */
struct request *lane_leave(struct lane *l, struct request *req);

/** It waits no longer: its client has left. */
void lane_abandon(struct lane *l, struct request *req);

/** The same for tasks. One that runs has its request's record, if it asks for it. */
bool lane_enter_task(struct lane *l, struct lane_task *task);
void lane_record_task(struct lane *l, struct lane_task *task, const struct request *req);
struct request *lane_leave_task(struct lane *l, struct lane_task *task);
void lane_abandon_task(struct lane *l, struct lane_task *task);

#endif
