/* SPDX-License-Identifier: MIT */
/*
 * flood - how much is said of workers that die one after the other.
 *
 * Pure. In each window the first deaths are told with all that was lost, some more with a
 * line, the rest as a number. Access-log lines are no part of this: each is written.
 */
#ifndef MASTER_FLOOD_H
#define MASTER_FLOOD_H

#include <stdbool.h>
#include <stdint.h>

enum { FLOOD_WINDOW_MS = 10000, FLOOD_WHOLE = 5, FLOOD_LINES = 20, FLOOD_TRACES = 5 };

enum flood_verdict {
    FLOOD_TELL_ALL,  /* the line, and the requests that were lost */
    FLOOD_TELL_LINE, /* the line alone */
    FLOOD_COUNT      /* nothing now; flood_end says how many */
};

struct flood {
    uint64_t begun_ms; /* of the window */
    unsigned deaths;
    unsigned untold, untold_requests;
};

/** One more death, with so many lost requests. */
enum flood_verdict flood_on_death(struct flood *flood, unsigned requests,
                                  uint64_t now_ms);

/** Is the window over? Then a new one begins, and *told is what the old one has kept back.
 *  To be asked about once a second. */
bool flood_end(struct flood *flood, uint64_t now_ms, struct flood *told);

#endif
