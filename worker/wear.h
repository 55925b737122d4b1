/* SPDX-License-Identifier: MIT */
/*
 * wear - when this worker asks to be replaced: max_requests, max_rss.   [worker]
 *
 * It asks once, and serves on until the master says DRAIN.
 */
#ifndef WORKER_WEAR_H
#define WORKER_WEAR_H

#include <stdbool.h>
#include <stdint.h>

struct worker;

struct wear {
    uint64_t at;        /* the number of the request at which it asks; 0: never */
    uint64_t rss_bytes; /* the same, by memory */
    bool has_asked;
};

/** At boot: draws the limit. */
void wear_init(struct worker *w);

/** So many requests have begun here: w->wear.at is reached. */
void wear_on_requests(struct worker *w);

/** Once a second, with what is resident. */
void wear_on_rss(struct worker *w, uint64_t rss_bytes);

#endif
