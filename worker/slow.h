/* SPDX-License-Identifier: MIT */
/*
 * slow - a line for each request that took longer than slow_request.   [worker]
 */
#ifndef WORKER_SLOW_H
#define WORKER_SLOW_H

#include <stdbool.h>
#include <stdint.h>

struct request;
struct worker;

/** Part of struct worker. */
struct slow {
    uint64_t from_us; /* slow_request; 0: off */
    unsigned lines, unsaid;
};

enum { SLOW_LINES = 20 }; /* of the log in one second; then they are counted */

void slow_init(struct worker *w);

/** Is that slow? One comparison: off is the largest number there is. */
static inline bool slow_is(const struct slow *slow, uint64_t us)
{
    return us > slow->from_us - 1;
}

/** That one has ended, and ran for so long after it had waited for so long. */
void slow_tell(struct request *req, uint64_t queue_us, uint64_t service_us);

void slow_each_second(struct worker *w);

#endif
