/* SPDX-License-Identifier: MIT */
/*
 * place - the rules of placement.                                [worker]
 *
 * Owns:    nothing; no system calls, no clock, no chance of its own.
 * Called:  with a request that is ready, when a slot has become free, and for a sibling that
 *          asks.
 * Fails:   never. A stale view costs a move or a wait: the receiver applies the rule again.
 *
 * Workers of two generations may differ in `limit`, so loads are compared as shares of it.
 * For equal limits "load + 1 there is no larger a share than load here" is "load there is
 * smaller", and a free slot beats a full worker whatever their sizes.
 */
#include "worker/place.h"

static uint32_t own_load(const struct place_view *v)
{
    return v->busy + v->waiting;
}

static bool is_free_here(const struct place_view *v)
{
    return v->busy < v->limit && v->waiting == 0;
}

static bool can_take(const struct place_sibling *s)
{
    return s->limit > 0 && s->fd_room >= PLACE_FD_ROOM;
}

/* Its share with one more, as a fraction: (load + 1) / limit. */
static int compare_with_one_more(const struct place_sibling *a,
                                 const struct place_sibling *b)
{
    uint64_t left = ((uint64_t)a->load + 1) * b->limit;
    uint64_t right = ((uint64_t)b->load + 1) * a->limit;
    return left < right ? -1 : left > right;
}

static bool is_better_there(const struct place_view *v, const struct place_sibling *s)
{
    return ((uint64_t)s->load + 1) * v->limit <= (uint64_t)own_load(v) * s->limit;
}

/* One out of those that tie: the k-th of them replaces the choice with probability 1/k. */
struct draw {
    uint32_t random, ties;
};

static bool draw_wins(struct draw *d, int order)
{
    if (order > 0)
        return false;
    d->ties = order < 0 ? 1 : d->ties + 1;
    d->random =
        d->random * 1664525u + 1013904223u; /* Numerical Recipes; high bits count */
    return ((uint64_t)d->random * d->ties) >> 32 == 0;
}

static const struct place_sibling *best_of(const struct place_view *v)
{
    const struct place_sibling *best = NULL;
    struct draw draw = {v->random, 0};
    for (size_t i = 0; i < v->count; i++) {
        const struct place_sibling *s = &v->sibling[i];
        if (can_take(s) &&
            draw_wins(&draw, best == NULL ? -1 : compare_with_one_more(s, best)))
            best = s;
    }
    return best;
}

static const struct place_sibling *longest_of(const struct place_view *v)
{
    const struct place_sibling *longest = NULL;
    struct draw draw = {v->random, 0};
    uint32_t most = 0;
    for (size_t i = 0; i < v->count; i++) {
        const struct place_sibling *s = &v->sibling[i];
        if (s->waiting == 0 ||
            !draw_wins(&draw, (s->waiting < most) - (s->waiting > most)))
            continue;
        longest = s;
        most = s->waiting;
    }
    return longest;
}

struct place place_request(const struct place_view *v)
{
    if (is_free_here(v))
        return (struct place){.verdict = PLACE_HERE};
    const struct place_sibling *best = v->hops < PLACE_HOPS ? best_of(v) : NULL;
    if (best == NULL || !is_better_there(v, best))
        return (struct place){.verdict = PLACE_QUEUE_HERE};
    return (struct place){.verdict = PLACE_MOVE,
                          .index = best->index,
                          .is_to_free = best->load < best->limit};
}

struct place place_free(const struct place_view *v)
{
    const struct place_sibling *longest = is_free_here(v) ? longest_of(v) : NULL;
    if (longest == NULL)
        return (struct place){.verdict = PLACE_REST};
    return (struct place){.verdict = PLACE_ASK, .index = longest->index};
}

bool place_may_give(const struct place_view *v, const struct place_sibling *to)
{
    return v->waiting > 0 && can_take(to) && to->load < to->limit;
}
