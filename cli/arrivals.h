/* SPDX-License-Identifier: MIT */
/*
 * arrivals - when the requests of an open loop are due.                  [clients]
 *
 * Owns:    its random numbers: the same seed gives the same arrivals.
 * Called:  by load.c, which takes one arrival after the other and never skips any.
 * Fails:   never.
 */
#ifndef CLI_ARRIVALS_H
#define CLI_ARRIVALS_H

#include <stdbool.h>
#include <stdint.h>

struct arrivals {
    uint64_t start_ns;
    double gap_ns; /* the mean one */
    bool is_poisson;
    uint64_t taken;
    double offset_ns; /* of the next arrival from start_ns */
    uint64_t random;
};

/** `rate` per second, above 0; the first one of constant arrivals is due at start_ns. */
void arrivals_init(struct arrivals *a, double rate, bool is_poisson, uint64_t seed,
                   uint64_t start_ns);

/** When the next one is due; it stays the next until it is taken. */
uint64_t arrivals_peek(const struct arrivals *a);
void arrivals_take(struct arrivals *a);

#endif
