/* SPDX-License-Identifier: MIT */
/*
 * histogram - counts in buckets that grow with the value.                [clients]
 *
 * A value of b bits keeps its leading 8 bits: the bucket is at most 1/128 of it wide.
 *
 * Called:  by tally.c and the reports.
 * Fails:   never.
 */
#include "cli/histogram.h"

#include <math.h>

enum { FINE = 1 << HISTOGRAM_FINE_BITS };

static unsigned bucket_of(uint64_t ns)
{
    unsigned shift;

    if (ns < FINE)
        return (unsigned)ns;
    shift = 63u - (unsigned)__builtin_clzll(ns) - HISTOGRAM_FINE_BITS;
    return (shift << HISTOGRAM_FINE_BITS) + (unsigned)(ns >> shift);
}

uint64_t histogram_edge(unsigned i)
{
    unsigned shift;

    if (i < FINE)
        return i;
    shift = (i >> HISTOGRAM_FINE_BITS) - 1;
    return (((uint64_t)(i & (FINE - 1)) + FINE + 1) << shift) - 1;
}

void histogram_add(struct histogram *h, uint64_t ns)
{
    if (ns > HISTOGRAM_MAX_NS)
        ns = HISTOGRAM_MAX_NS;
    if (h->count == 0 || ns < h->min_ns)
        h->min_ns = ns;
    if (ns > h->max_ns)
        h->max_ns = ns;
    h->count++;
    h->sum_ns += ns;
    h->bucket[bucket_of(ns)]++;
}

uint64_t histogram_quantile(const struct histogram *h, double share)
{
    uint64_t rank, seen = 0;

    if (h->count == 0)
        return 0;
    rank = (uint64_t)ceil(share * (double)h->count);
    for (unsigned i = 0; i < HISTOGRAM_BUCKETS; i++) {
        seen += h->bucket[i];
        if (seen >= rank && seen > 0) {
            const uint64_t edge = histogram_edge(i);

            return edge < h->max_ns ? edge : h->max_ns;
        }
    }
    return h->max_ns;
}

uint64_t histogram_mean(const struct histogram *h)
{
    return h->count == 0 ? 0 : h->sum_ns / h->count;
}
