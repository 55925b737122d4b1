/* SPDX-License-Identifier: MIT */
/*
 * near - the name that was probably meant.                   [every process]
 *
 * Owns:    nothing. The distance is that of Damerau and Levenshtein restricted to
 *          adjacent swaps, capped at NEAR_LONGEST bytes: longer words are nobody's
 *          typing error.
 * Called:  by assign.c, explain.c.
 * Fails:   never.
 */
#include "conf/near.h"

#include <string.h>

enum { NEAR_LONGEST = 48 };

static size_t least(size_t a, size_t b)
{
    return a < b ? a : b;
}

static size_t distance(const char *a, size_t a_n, const char *b, size_t b_n)
{
    size_t row[3][NEAR_LONGEST + 1]; /* of i - 2, i - 1 and i, by i % 3 */

    for (size_t j = 0; j <= b_n; j++)
        row[0][j] = j;
    for (size_t i = 1; i <= a_n; i++) {
        size_t *now = row[i % 3];
        const size_t *before = row[(i + 2) % 3];
        const size_t *swap = row[(i + 1) % 3];

        now[0] = i;
        for (size_t j = 1; j <= b_n; j++) {
            now[j] = least(before[j] + 1, now[j - 1] + 1);
            now[j] = least(now[j], before[j - 1] + (a[i - 1] != b[j - 1]));
            if (i > 1 && j > 1 && a[i - 1] == b[j - 2] && a[i - 2] == b[j - 1])
                now[j] = least(now[j], swap[j - 2] + 1);
        }
    }
    return row[a_n % 3][b_n];
}

void near_init(struct near *near, const char *word)
{
    size_t n = strlen(word);

    /* a third of the word may be wrong, but never all of a short one */
    *near = (struct near){word, NULL, n < 3 ? n : least(n / 3 + 2, 5)};
}

void near_offer(struct near *near, const char *candidate, const char *as)
{
    size_t a = strlen(near->word);
    size_t b = strlen(candidate);
    size_t d;

    if (a > NEAR_LONGEST || b > NEAR_LONGEST)
        return;
    d = distance(near->word, a, candidate, b);
    if (a >= 3 && strncmp(candidate, near->word, a) == 0)
        d = least(d, 2); /* the beginning of a name is a good hint at the whole */
    if (d < near->distance) {
        near->distance = d;
        near->best = as;
    }
}
