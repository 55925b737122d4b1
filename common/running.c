/* SPDX-License-Identifier: MIT */
/*
 * running - takes the word apart.                            [every process]
 *
 * Owns:    nothing.
 * Called:  by the master's lag.c, the worker's stack.c, and whoever shows a worker.
 * Fails:   never; a number that names no record is taken for none.
 */
#include "common/running.h"

struct running running_of(struct board_worker *worker, uint64_t word)
{
    const uint32_t what = word & 0xffff;
    struct running r = {.count = (uint32_t)(word >> 32),
                        .is_handler = what != RUNNING_NOTHING,
                        .route = (word >> 16) & 0xffff};

    if (what >= RUNNING_SLOT && what < RUNNING_SLOT + BOARD_SLOTS)
        r.record = &worker->slot[what - RUNNING_SLOT];
    else if (what >= RUNNING_FLIGHT && what < RUNNING_FLIGHT + BOARD_INFLIGHT)
        r.record = &worker->flight[what - RUNNING_FLIGHT];
    return r;
}
