/* SPDX-License-Identifier: MIT */
/*
 * lane - how many requests may run at once, and who waits.       [worker]
 *
 * A worker has two lanes: slots (a handler that may block, `threads` of them) and flights
 * (coroutines and events on the loop, max_inflight). Neither blocks the other. Each request
 * that runs has a record in the scoreboard, so that an obituary can name it.
 */
#ifndef WORKER_LANE_H
#define WORKER_LANE_H

#include "common/list.h"
#include "common/scoreboard.h"

#include <stdbool.h>

struct request;

enum { LANE_NO_RECORD = -1 };

struct lane {
    unsigned limit, busy;
    struct list waiting; /* struct request, by its lane_link, oldest first */
    unsigned waiting_count;
    struct board_record *records; /* `record_count` of them, for the first ones busy */
    unsigned record_count;
    uint16_t *free_records; /* a stack of indices */
    unsigned free_count;
};

/** -1 when out of memory. */
int lane_init(struct lane *l, unsigned limit, struct board_record *records,
              unsigned count);
void lane_fini(struct lane *l);

/** True: it runs now. False: it waits, and lane_leave of another will say so. */
bool lane_enter(struct lane *l, struct request *req);

/** It has ended. The request whose turn it is now, already entered, or NULL. */
struct request *lane_leave(struct lane *l, struct request *req);

/** It waits no longer: its client has left. */
void lane_abandon(struct lane *l, struct request *req);

#endif
