/* SPDX-License-Identifier: MIT */
/*
 * recycle - workers that are worn are replaced, one at a time.
 */
#ifndef MASTER_RECYCLE_H
#define MASTER_RECYCLE_H

#include "master/policy.h"

/** What decides whether one may be recycled now. */
struct recycle_view {
    uint32_t generation; /* the running one */
    unsigned want;       /* workers of it */
    const struct slot *slots;
    size_t slot_count;
};

/** Whose turn it is: of those for whom it is wished, the first to be. NULL: nobody's now.
 *  Pure. Not while a worker is missing, starts or is being replaced; and while others of the
 *  generation still drain, only as long as a reload finds its entries. */
const struct slot *recycle_next(const struct recycle_view *view);

struct master;

/** Once per turn, before the policy: gives a permit if one may be given. */
void recycle_turn(struct master *master);

#endif
