/* SPDX-License-Identifier: MIT */
/*
 * watchdog - notices workers whose loop stands still, and when it was we who slept.
 */
#ifndef MASTER_WATCHDOG_H
#define MASTER_WATCHDOG_H

#include "master/master.h"

enum {
    WATCHDOG_TICK_MS = 1000,
    WATCHDOG_LATE_MS = 500,
    WATCHDOG_SLEEP_MS = 1500 /* a loop without work turns once a second */
};

void watchdog_start(struct master *master);
void watchdog_stop(struct master *master);

/** First in each turn: if the master itself was held up, all deadlines move by that, and no
 *  heartbeat counts as missing that could not be seen. True: so it was. */
bool watchdog_forgive(struct master *master, uint64_t now_ms);

/** Has its loop stood still for longer than heartbeat_timeout? */
bool watchdog_is_stuck(const struct master *master, const struct slot *slot,
                       uint64_t now_ms);

/** Does its loop turn, after it stood still? */
bool watchdog_turns(const struct master *master, const struct slot *slot,
                    uint64_t now_ms);

/** How long the master itself was held up, given two ticks (ms); 0: it was not. Pure. */
uint64_t watchdog_delay(uint64_t last_ms, uint64_t now_ms);

/** Has a worker that last ticked at tick_ms (0: never yet) been still for longer than
 *  limit_ms (0: no limit)? Time before judge_from_ms does not count. Pure. */
bool watchdog_is_late(uint64_t tick_ms, uint64_t judge_from_ms, uint64_t limit_ms,
                      uint64_t now_ms);

/** It has ticked since judge_from_ms: that its silence is forgiven is no sign of life. Pure. */
bool watchdog_is_alive(uint64_t tick_ms, uint64_t judge_from_ms);

#endif
