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

static_assert(sizeof(struct board_histogram) == 2064, "as in BOARD_VERSION 2");
static_assert(sizeof(struct board_counters) == 4672, "as in BOARD_VERSION 2");
static_assert((int)LIMIT_COUNT <= (int)BOARD_LIMITS, "a word for each");
static_assert(sizeof(_Atomic uint64_t) == 8 && sizeof(_Atomic uint32_t) == 4,
              "plain words");
static_assert(ATOMIC_LLONG_LOCK_FREE == 2 && ATOMIC_INT_LOCK_FREE == 2,
              "no hidden locks");

void board_counters_add(struct board_counters *sum, struct board_counters *c)
{
    _Atomic uint64_t *to = &sum->requests;
    _Atomic uint64_t *from = &c->requests;

    for (size_t i = 0; i < sizeof(*sum) / sizeof(*to); i++)
        board_add(&to[i], board_get(&from[i]));
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

void board_histogram_since(const struct board_histogram *before,
                           const struct board_histogram *now, struct board_histogram *out)
{
    board_set(&out->count, board_get(&now->count) - board_get(&before->count));
    board_set(&out->sum_us, board_get(&now->sum_us) - board_get(&before->sum_us));
    for (unsigned i = 0; i < BOARD_BUCKETS; i++)
        board_set(&out->bucket[i],
                  board_get(&now->bucket[i]) - board_get(&before->bucket[i]));
}

/* ---- percentiles ---- */

/* The part of a bucket in which its observations are taken to be, evenly spread. */
struct span {
    double low, high;
};

/* The last one has no end of its own. */
static struct span span_of(unsigned i)
{
    double low = i == 0 ? 0. : (double)board_bucket_limit_us(i - 1);

    return (struct span){low,
                         i == BOARD_BUCKETS - 1 ? low : (double)board_bucket_limit_us(i)};
}

static double mean_in(const struct board_histogram *h, unsigned i)
{
    double sum = (double)board_get(&h->sum_us);

    for (unsigned other = 0; other < BOARD_BUCKETS; other++) {
        struct span span = span_of(other);

        if (other != i)
            sum -= (double)board_get(&h->bucket[other]) * (span.low + span.high) / 2;
    }
    return sum / (double)board_get(&h->bucket[i]);
}

/* A handler that sleeps 100 ms fills one bucket, 98 to 102 ms. */
static struct span narrow(const struct board_histogram *h, unsigned i)
{
    struct span span = span_of(i);
    double mean = mean_in(h, i);

    if (mean < span.low)
        mean = span.low;
    if (i < BOARD_BUCKETS - 1 && mean > span.high)
        mean = span.high;
    if (i == BOARD_BUCKETS - 1 || mean < (span.low + span.high) / 2)
        span.high = 2 * mean - span.low;
    else
        span.low = 2 * mean - span.high;
    return span;
}

uint64_t board_percentile_us(const struct board_histogram *h, double share)
{
    double all = 0, below = 0, here = 0;
    unsigned i = 0;

    for (unsigned n = 0; n < BOARD_BUCKETS; n++) /* a writer may be between two words */
        all += (double)board_get(&h->bucket[n]);
    if (all == 0)
        return 0;
    for (; i < BOARD_BUCKETS; i++, below += here) {
        here = (double)board_get(&h->bucket[i]);
        if (here > 0 && below + here >= share * all)
            break;
    }
    if (i == BOARD_BUCKETS)
        return 0;
    struct span span = here * 2 > all ? narrow(h, i) : span_of(i);
    return (uint64_t)(span.low + (span.high - span.low) * (share * all - below) / here);
}
