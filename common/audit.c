/* SPDX-License-Identifier: MIT */
/*
 * audit - what is left in the scoreboard when nothing should be. [whoever looks]
 *
 * Called:  when a server is idle.
 * Fails:   never.
 */
#include "common/audit.h"

static void audit_pair(const struct board *board, unsigned s, unsigned t,
                       struct board_audit *out)
{
    if (board_get(&board->worker[s].sent[t]) == board_get(&board->worker[t].seen[s]))
        return;
    if (out->unequal++ == 0) {
        out->from = s;
        out->to = t;
    }
}

struct board_audit board_audit(const struct board *board)
{
    struct board_audit audit = {0};

    for (unsigned s = 0; s < board_entries(board); s++) {
        const struct board_worker *w = &board->worker[s];

        audit.load += (uint64_t)board_get32(&w->load) + board_get32(&w->flights_load);
        audit.waiting +=
            (uint64_t)board_get32(&w->waiting) + board_get32(&w->flights_waiting);
        for (unsigned t = 0; t < board_entries(board); t++)
            audit_pair(board, s, t, &audit);
    }
    audit.is_idle = audit.load == 0 && audit.unequal == 0;
    return audit;
}
