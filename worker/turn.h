/* SPDX-License-Identifier: MIT */
/*
 * turn - one turn of the loop as others see it: since when, running what, how long.  [worker]
 *
 * A turn is the time between two polls of the kernel; nothing else of this worker's loop
 * happens meanwhile. The scoreboard says since when the present one lasts (0 while the loop
 * sleeps), and as loop_lag_us the longest that ended in the last 1 to 2 s.
 */
#ifndef WORKER_TURN_H
#define WORKER_TURN_H

#include "common/running.h"
#include "worker/plugin.h"
#include "worker/request.h"
#include "worker/self.h"

#include <assert.h>

/** Around all that plugin code does on the loop for `req`. Inline: each request pays. */
static inline void turn_begin_run(struct worker *w, const struct request *req)
{
    static_assert(LANE_NO_RECORD + RUNNING_FLIGHT == RUNNING_UNRECORDED, "no branch");
    int first = req->lane == &w->flights ? RUNNING_FLIGHT : RUNNING_SLOT;
    uint32_t what = (uint32_t)(first + req->record);
    board_set(&w->entry->running, running_word(++w->turn.count, what, req->route->index));
}

static inline void turn_end_run(struct worker *w)
{
    board_set(&w->entry->running, running_word(w->turn.count, RUNNING_NOTHING, 0));
}

/** From now on the time is taken when a turn begins, before anything else runs in it. */
void turn_start(struct worker *w);
void turn_stop(struct worker *w);

/** Forgets what was long before the last second. */
void turn_each_second(struct worker *w);

#endif
