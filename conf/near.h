/* SPDX-License-Identifier: MIT */
/*
 * near - the name that was probably meant.                   [every process]
 *
 * Owns:    nothing. Pure.
 * Called:  by assign.c, explain.c, and whoever has a list of words (cli/).
 * Fails:   NULL: nothing is near enough.
 */
#ifndef CONF_NEAR_H
#define CONF_NEAR_H

#include <stddef.h>

/** A search for `word`; feed it candidates with near_offer, then read `best`. */
struct near {
    const char *word;
    const char *best; /* NULL: none so far */
    size_t distance;  /* of best, in edits; starts as the largest accepted + 1 */
};

void near_init(struct near *near, const char *word);

/** `as`: what best becomes when `candidate` is nearer than all before. */
void near_offer(struct near *near, const char *candidate, const char *as);

#endif
