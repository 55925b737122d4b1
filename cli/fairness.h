/* SPDX-License-Identifier: MIT */
/*
 * fairness - did every client get its share?                             [clients]
 *
 * Owns:    nothing. Pure.
 * Called:  by load.c at the end of a run.
 * Fails:   never.
 */
#ifndef CLI_FAIRNESS_H
#define CLI_FAIRNESS_H

#include <stddef.h>
#include <stdint.h>

/* What one client got in the measured window. */
struct share {
    uint64_t answers;
    uint64_t silence_ns; /* the longest time without an answer, both ends included */
};

struct fairness {
    double jain; /* 1: all equal; 1/n: one got everything; 0: nobody got anything */
    double mean;
    uint64_t least, most, silence_ns;
    size_t starved; /* by either rule */
    size_t below_half, silent;
};

/** How long a client may wait for an answer: 3 x (clients / slots) x service time, and
 * its own thinking on top. Fewer clients than slots wait for one service time, not for a
 * fraction of it. 0 (no limit) when slots or service are 0. */
uint64_t fairness_silence_limit(size_t clients, unsigned slots, uint64_t service_ns,
                                uint64_t think_ns);

/** silence_limit_ns 0: only the rule of half the mean. */
struct fairness fairness_judge(const struct share *shares, size_t n,
                               uint64_t silence_limit_ns);

#endif
