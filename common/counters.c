/* SPDX-License-Identifier: MIT */
/*
 * counters - adds counters, sorts times into buckets.        [every process]
 *
 * Owns:    nothing.
 * Called:  by the worker for each request; by scoreboard.c for the totals.
 * Fails:   never.
 */
#include "common/counters.h"

#include <assert.h>
#include <stddef.h>

static_assert(sizeof(struct board_histogram) == 2064, "as in BOARD_VERSION 1");
static_assert(sizeof(struct board_counters) == 4672, "as in BOARD_VERSION 1");
static_assert(sizeof(_Atomic uint64_t) == 8 && sizeof(_Atomic uint32_t) == 4,
              "plain words");
static_assert(ATOMIC_LLONG_LOCK_FREE == 2 && ATOMIC_INT_LOCK_FREE == 2,
              "no hidden locks");

void board_counters_add(struct board_counters *sum, struct board_counters *c)
{
    _Atomic uint64_t *to = &sum->requests;
    _Atomic uint64_t *from = &c->requests;

    for (size_t i = 0; i < sizeof(*sum) / sizeof(*to); i++)
        board_add(&to[i], atomic_load_explicit(&from[i], memory_order_relaxed));
}

/* Bucket 0 is below 64 us; then 16 linear steps to each octave: a percentile read from them is
 * within 6 %. */
static unsigned bucket_of(uint64_t us)
{
    if (us < 64)
        return 0;
    unsigned octave = 63 - (unsigned)__builtin_clzll(us);
    unsigned step = (unsigned)(us >> (octave - 4)) % BOARD_STEPS;
    unsigned i = 1 + (octave - 6) * BOARD_STEPS + step;
    return i < BOARD_BUCKETS ? i : BOARD_BUCKETS - 1;
}

void board_observe(struct board_histogram *h, uint64_t us)
{
    board_add(&h->count, 1);
    board_add(&h->sum_us, us);
    board_add(&h->bucket[bucket_of(us)], 1);
}

uint64_t board_bucket_limit_us(unsigned i)
{
    if (i >= BOARD_BUCKETS - 1)
        return UINT64_MAX;
    return (uint64_t)(BOARD_STEPS + i % BOARD_STEPS) << (2 + i / BOARD_STEPS);
}
