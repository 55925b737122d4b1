/* SPDX-License-Identifier: MIT */
/*
 * watch - a running server, looked at from outside through its scoreboard.   [any process]
 *
 * There is no hook in the server: the scoreboard's memfd stands among the master's
 * descriptors, and whoever may look there (the same user, or root) can map it to read.
 *
 * Owns:    the mapping. It outlives the server: the last figures stay readable.
 * Called:  by sampler.c, experiments, benchmarks.
 * Fails:   watch_open, with errno.
 */
#ifndef CLI_WATCH_H
#define CLI_WATCH_H

#include "common/scoreboard.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

struct watch {
    struct board *board; /* read-only: a store faults */
};

/** The server whose master has this pid. -1 with errno: ESRCH no such process or one
 *  without a scoreboard, EACCES not ours to look at, EPROTO another version's. */
int watch_open(pid_t master, struct watch *out);
void watch_close(struct watch *watch);

/* The slots of one worker, as of one instant. Flights, the other lane, are not looked at:
 * ten thousand of them wait for nothing. */
struct watch_worker {
    unsigned index; /* of its entry */
    int32_t pid;
    uint32_t generation;
    enum board_state state;
    uint32_t threads;    /* its slots */
    uint32_t load;       /* what it says: busy + waiting, tasks of the pool included */
    uint32_t waiting;    /* requests, in both lanes */
    uint32_t coming;     /* sent to it and not seen by it */
    uint64_t sent, seen; /* all messages to it, and those that it took */
    uint64_t turn_ms; /* for so long its loop has not come back to sleep; 0: it sleeps */
};

struct watch_look {
    struct watch_worker worker[BOARD_WORKERS]; /* in the order of their entries */
    size_t count;                              /* entries that are not empty */
    bool is_sure;     /* no word changed while they were read; else a mixture */
    uint64_t threads; /* sums over all of them */
    uint64_t load, waiting, coming;
    uint64_t free_slots; /* of those that serve: threads - load - coming, where above 0 */
};

/** All workers at one instant: read twice, and again when anything has changed meanwhile,
 *  but a bounded number of times. Some microseconds; never waits. */
void watch_look(const struct watch *watch, struct watch_look *out);

/** Does a request wait for a slot while one is free? What is on its way to a slot fills it.
 */
bool watch_is_wasteful(const struct watch_look *look);

#endif
