/* SPDX-License-Identifier: MIT */
/*
 * arrivals - evenly spaced, or a Poisson process: gaps drawn from the exponential
 * distribution, each independent of what the server does.                [clients]
 *
 * Called:  by load.c.
 * Fails:   never.
 */
#include "cli/arrivals.h"

#include "common/check.h"

#include <math.h>

/* splitmix64 (Steele, Lea, Flood 2014): one word of state, good enough for gaps. */
static uint64_t draw(uint64_t *state)
{
    uint64_t z = *state += UINT64_C(0x9e3779b97f4a7c15);

    z = (z ^ (z >> 30)) * UINT64_C(0xbf58476d1ce4e5b9);
    z = (z ^ (z >> 27)) * UINT64_C(0x94d049bb133111eb);
    return z ^ (z >> 31);
}

/* In (0, 1]: its logarithm is finite. */
static double draw_unit(uint64_t *state)
{
    return ((double)(draw(state) >> 11) + 1.0) * 0x1.0p-53;
}

static double draw_gap(struct arrivals *a)
{
    return -log(draw_unit(&a->random)) * a->gap_ns;
}

void arrivals_init(struct arrivals *a, double rate, bool is_poisson, uint64_t seed,
                   uint64_t start_ns)
{
    CHECK(rate > 0);
    *a = (struct arrivals){
        .start_ns = start_ns,
        .gap_ns = 1e9 / rate,
        .is_poisson = is_poisson,
        .random = seed,
    };
    if (is_poisson)
        a->offset_ns = draw_gap(a);
}

uint64_t arrivals_peek(const struct arrivals *a)
{
    return a->start_ns + (uint64_t)a->offset_ns;
}

/* Even ones are multiplied, not added up: no error grows over a long run. */
void arrivals_take(struct arrivals *a)
{
    a->taken++;
    if (a->is_poisson)
        a->offset_ns += draw_gap(a);
    else
        a->offset_ns = (double)a->taken * a->gap_ns;
}
