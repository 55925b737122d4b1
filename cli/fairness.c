/* SPDX-License-Identifier: MIT */
/*
 * fairness - Jain's index, and who starved.                              [clients]
 *
 * The index: R. Jain, D. Chiu, W. Hawe, "A quantitative measure of fairness", DEC-TR-301.
 *
 * Called:  by load.c.
 * Fails:   never.
 */
#include "cli/fairness.h"

#include <stdbool.h>

enum { PATIENCE = 3 };

uint64_t fairness_silence_limit(size_t clients, unsigned slots, uint64_t service_ns,
                                uint64_t think_ns)
{
    double turns;

    if (slots == 0 || service_ns == 0)
        return 0;
    turns = (double)clients / slots;
    if (turns < 1.0)
        turns = 1.0;
    return (uint64_t)(PATIENCE * turns * (double)service_ns) + think_ns;
}

static void judge_one(struct fairness *f, const struct share *s, uint64_t limit_ns)
{
    /* one that got nothing starved, also where nobody got anything */
    const bool is_below = (double)s->answers < f->mean / 2 || s->answers == 0;
    const bool is_silent = limit_ns > 0 && s->silence_ns > limit_ns;

    f->below_half += is_below;
    f->silent += is_silent;
    f->starved += is_below || is_silent;
    if (s->answers < f->least)
        f->least = s->answers;
    if (s->answers > f->most)
        f->most = s->answers;
    if (s->silence_ns > f->silence_ns)
        f->silence_ns = s->silence_ns;
}

struct fairness fairness_judge(const struct share *shares, size_t n,
                               uint64_t silence_limit_ns)
{
    struct fairness f = {.least = n > 0 ? shares[0].answers : 0};
    double sum = 0, squares = 0;

    for (size_t i = 0; i < n; i++) {
        const double x = (double)shares[i].answers;

        sum += x;
        squares += x * x;
    }
    if (n == 0)
        return f;
    f.mean = sum / (double)n;
    f.jain = squares > 0 ? sum * sum / ((double)n * squares) : 0;
    for (size_t i = 0; i < n; i++)
        judge_one(&f, &shares[i], silence_limit_ns);
    return f;
}
