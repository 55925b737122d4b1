/* SPDX-License-Identifier: MIT */
/*
 * counters - what a worker counts. They only grow; words and nothing else, so that they
 * can be added as an array.
 */
#ifndef COMMON_COUNTERS_H
#define COMMON_COUNTERS_H

#include "common/atomics.h"
#include "common/limit.h"

#include <stdalign.h>

/** Of a latency histogram: 16 to each octave, from 64 us to 4 s. */
enum { BOARD_STEPS = 16, BOARD_BUCKETS = 16 * BOARD_STEPS };

enum { BOARD_LIMITS = 24 }; /* words for enum limit, with some to spare */

struct board_histogram {
    _Atomic uint64_t count, sum_us;
    _Atomic uint64_t bucket[BOARD_BUCKETS];
};

struct board_counters {
    alignas(ATOMICS_LINE) _Atomic uint64_t
        requests;                  /* begun: a head was complete, or refused */
    _Atomic uint64_t responses[6]; /* by status class; [0]: ended without one */
    _Atomic uint64_t connections;  /* accepted or adopted */
    _Atomic uint64_t bytes_in, bytes_out;
    _Atomic uint64_t shed;        /* 503 by our own choice, no handler ran */
    _Atomic uint64_t departed;    /* clients that left before their answer */
    _Atomic uint64_t timeouts;    /* head, body, write, request */
    _Atomic uint64_t refused;     /* 4xx and 5xx by the parser and its limits */
    _Atomic uint64_t log_dropped; /* access-log lines */
    _Atomic uint64_t handoffs_out, handoffs_in;
    _Atomic uint64_t loop_blocks;          /* turns of the loop longer than loop_block */
    _Atomic uint64_t late;                 /* handlers that were over request_timeout */
    _Atomic uint64_t limits[BOARD_LIMITS]; /* by enum limit: how often one was met */
    _Atomic uint64_t reserved[25];
    struct board_histogram queue, service;
};

/** sum += c. The sum's writer is the caller. */
void board_counters_add(struct board_counters *sum, struct board_counters *c);

/** One writer per histogram. */
void board_observe(struct board_histogram *h, uint64_t us);

/** What was observed between two copies of one histogram. */
void board_histogram_since(const struct board_histogram *before,
                           const struct board_histogram *now,
                           struct board_histogram *out);

/** The time that `share` (0.99: 99 %) of all observations stayed below; 0 when there is none.
 *  It is in the bucket of the true one, 1/16 of an octave wide. Where more than half of all
 *  are in that bucket, their mean, which is known, tells in which part of it. */
uint64_t board_percentile_us(const struct board_histogram *h, double share);

/** The microseconds below which bucket i counts: 64, 68, 72 ... 124, 128, 136 ...;
 *  UINT64_MAX for the last. */
uint64_t board_bucket_limit_us(unsigned i);

#endif
