/* SPDX-License-Identifier: MIT */
/*
 * audit - does the scoreboard of an idle server balance?
 *
 * Owns:    nothing.
 * Called:  by anyone who maps the board.
 * Fails:   never. Under load its words are of different moments: it says nothing then.
 */
#ifndef COMMON_AUDIT_H
#define COMMON_AUDIT_H

#include "common/scoreboard.h"

/** What is left when nothing should be. */
struct board_audit {
    uint64_t load, waiting; /* sums over all entries and both lanes */
    unsigned unequal;       /* pairs with `sent` other than `seen` */
    unsigned from, to;      /* the first such pair */
    bool is_idle;           /* no load, none unequal */
};
struct board_audit board_audit(const struct board *board);

#endif
