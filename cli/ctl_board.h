/* SPDX-License-Identifier: MIT */
/*
 * ctl_board - the scoreboard as rows of a table.                             [ctl]
 *
 * Owns:    nothing; reads a mapping that is the caller's.
 * Called:  by ctl_show.c and ctl_json.c.
 * Fails:   never. Rows are of one moment each, not all of the same.
 */
#ifndef CLI_CTL_BOARD_H
#define CLI_CTL_BOARD_H

#include "common/scoreboard.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct ctl_summary {
    const char *readiness;
    uint32_t generation;
    uint64_t uptime_ms, requests; /* since the start, of those that have gone too */
};

/** One worker. Loads and those who wait are of both its lanes. */
struct ctl_worker {
    unsigned index;
    const char *state;
    int32_t pid;
    uint32_t generation;
    uint64_t uptime_ms;
    uint32_t load, busy, late, slots, waiting, connections;
    uint64_t requests, rss_bytes;
};

/** One request that runs. */
struct ctl_request {
    unsigned worker;
    int slot; /* -1: it holds none, it is in flight on the loop */
    bool is_late;
    uint64_t age_ms;
    const char *method, *path, *client; /* of `record` */
    struct board_record record;
};

/** `now_ms`: monotonic. */
void ctl_read_summary(struct board *board, uint64_t now_ms, struct ctl_summary *out);

/** False: that entry is empty. */
bool ctl_read_worker(struct board *board, unsigned index, uint64_t now_ms,
                     struct ctl_worker *out);

/** Calls fn for each request that runs in that worker. */
typedef void ctl_request_fn(void *arg, const struct ctl_request *request);
void ctl_each_request(struct board *board, unsigned index, uint64_t now_ms,
                      ctl_request_fn *fn, void *arg);

#endif
