/* SPDX-License-Identifier: MIT */
/*
 * histogram - how often each latency was seen, within 1 %.              [clients]
 *
 * Owns:    nothing: a plain struct, copied and cleared as one.
 * Called:  by tally.c; read by the reports.
 * Fails:   never. What is longer than HISTOGRAM_MAX_NS counts as that long.
 */
#ifndef CLI_HISTOGRAM_H
#define CLI_HISTOGRAM_H

#include <stdint.h>

/* Each power of two is cut into 128 equal buckets; below 128 ns a bucket is 1 ns. */
enum {
    HISTOGRAM_FINE_BITS = 7,
    HISTOGRAM_TOP_BIT = 42,
    HISTOGRAM_BUCKETS = (HISTOGRAM_TOP_BIT - HISTOGRAM_FINE_BITS + 1)
                        << HISTOGRAM_FINE_BITS
};

#define HISTOGRAM_MAX_NS ((UINT64_C(1) << HISTOGRAM_TOP_BIT) - 1) /* 73 minutes */

struct histogram {
    uint64_t count;
    uint64_t sum_ns, min_ns, max_ns; /* exact; min and max are 0 while count is */
    uint64_t bucket[HISTOGRAM_BUCKETS];
};

void histogram_add(struct histogram *h, uint64_t ns);

/** The smallest value that at least `share` (0 to 1) of all values do not exceed, rounded
 * up to the end of its bucket and never above the maximum; 0 when empty. */
uint64_t histogram_quantile(const struct histogram *h, double share);

/** 0 when empty. */
uint64_t histogram_mean(const struct histogram *h);

/** The largest value that falls into bucket i. */
uint64_t histogram_edge(unsigned i);

#endif
