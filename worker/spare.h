/* SPDX-License-Identifier: MIT */
/*
 * spare - how many of the things that are kept for reuse nobody needs.    [worker]
 *
 * Every list of free things (requests, blocks, stacks) keeps whatever a peak has made, so
 * that a steady load allocates nothing, and counts in one of these. Once a second the owner
 * asks for the excess: a part of those that were free during the whole second. So the
 * memory of a peak is given back some seconds after it, in small portions.
 */
#ifndef WORKER_SPARE_H
#define WORKER_SPARE_H

enum {
    SPARE_PART = 2,       /* one in two of those not needed goes each second */
    SPARE_AT_ONCE = 1000, /* at most: a few ms of munmap */
    SPARE_KEPT = 64       /* of each kind, for ever */
};

struct spare {
    unsigned count; /* free now */
    unsigned least; /* and since the last spare_excess */
};

static inline void spare_put(struct spare *s)
{
    s->count++;
}

static inline void spare_take(struct spare *s)
{
    if (--s->count < s->least)
        s->least = s->count;
}

/** How many the owner should free now (each with spare_take). Begins a new period. */
static inline unsigned spare_excess(struct spare *s)
{
    unsigned unneeded = s->least;
    s->least = s->count;
    if (unneeded <= SPARE_KEPT)
        return 0;
    unsigned part = (unneeded - SPARE_KEPT + SPARE_PART - 1) / SPARE_PART;
    return part < SPARE_AT_ONCE ? part : SPARE_AT_ONCE;
}

#endif
