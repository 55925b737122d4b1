/* SPDX-License-Identifier: MIT */
/*
 * lag - finds a worker whose loop is blocked, while it is, and names the handler.   [master]
 *
 * A loop is blocked when one turn of it lasts longer than loop_block and what runs in it has
 * not changed between two looks: a turn of many short handlers is load, not a mistake. There
 * is a look each half loop_block, LAG_LEAST_MS apart at least.
 */
#ifndef MASTER_LAG_H
#define MASTER_LAG_H

#include <stdbool.h>
#include <stdint.h>

struct master;

enum { LAG_LEAST_MS = 10, LAG_MOST_MS = 1000, LAG_STACK_MS = 1000 };

/** What a look sees of a loop; the words of the scoreboard. */
struct lag_look {
    uint64_t awake_since_ms, running;
};

/** What is kept of each worker. */
struct lag_seen {
    struct lag_look last;
    uint64_t told;     /* awake_since_ms of the turn that was told of */
    uint64_t asked_ms; /* when it was last asked for its stack */
};

/** Is this the look at which the turn has to be told of? Once for each turn at most. Time before
 *  judge_from_ms does not count: the master was held up. limit_ms 0: never. Pure. */
bool lag_judge(struct lag_seen *seen, const struct lag_look *look, uint64_t limit_ms,
               uint64_t judge_from_ms, uint64_t now_ms);

/** Milliseconds between two looks for that loop_block; 0: none. Pure. */
uint64_t lag_period(uint64_t loop_block_ms);

/** Looks as often as the workers that there are want it. After each spawn, and at each look. */
void lag_pace(struct master *master);
void lag_stop(struct master *master);

#endif
