/* SPDX-License-Identifier: MIT */
/*
 * running - what a worker's loop runs now, as one word of the scoreboard.
 *
 * One word, so that a reader never sees halves of two. It changes with each handler, or
 * piece of one between two waits: one that stays the same for long is a handler that blocks.
 */
#ifndef COMMON_RUNNING_H
#define COMMON_RUNNING_H

#include "common/scoreboard.h"

/** The low half of it: nothing; or, counted on from here, the record of a slot or a flight; or a
 *  flight that has none. */
enum {
    RUNNING_NOTHING,
    RUNNING_SLOT = 1,
    RUNNING_UNRECORDED = RUNNING_SLOT + BOARD_SLOTS,
    RUNNING_FLIGHT
};

struct running {
    uint32_t count;              /* of pieces begun, wraps round; stays when one ends */
    bool is_handler;             /* false: the worker's own code, and no route */
    uint32_t route;              /* index in the worker's table */
    struct board_record *record; /* of its request; NULL: it has none */
};

static inline uint64_t running_word(uint32_t count, uint32_t what, uint32_t route)
{
    return (uint64_t)count << 32 | (uint64_t)(route & 0xffff) << 16 | what;
}

/** The word of that worker, taken apart. */
struct running running_of(struct board_worker *worker, uint64_t word);

#endif
