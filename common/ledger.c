/* SPDX-License-Identifier: MIT */
/*
 * ledger - what the master reads in it.                      [master]
 *
 * Owns:    nothing; the entries are the worker's while it lives (worker/begun.c).
 * Called:  by the master's lost.c, and by board_retire.
 * Fails:   never. A worker that ran foreign code may have written anything anywhere: each
 *          length is cut to its field, each text ends.
 */
#include "common/ledger.h"

#include <assert.h>
#include <string.h>

static_assert(sizeof(struct ledger_entry) == 256, "stride of an entry");
static_assert(sizeof(struct board_ledger) == 64 + 256 * LEDGER_ENTRIES,
              "and of a ledger");

bool ledger_read(const struct ledger_entry *e, struct ledger_entry *out)
{
    if (board_get(&e->number) == 0)
        return false;
    memcpy((void *)out, (const void *)e, sizeof(*out));
    out->peer[LEDGER_PEER - 1] = '\0';
    if (out->minor != 0 && out->minor != 1) {
        out->minor = -1;
        out->method_bytes = 0;
        out->target_bytes = 0;
    }
    if (out->method_bytes > LEDGER_METHOD)
        out->method_bytes = LEDGER_METHOD;
    if (out->target_bytes > LEDGER_TARGET)
        out->target_bytes = LEDGER_TARGET;
    return true;
}

unsigned ledger_count(const struct board_ledger *ledger)
{
    const uint32_t used = board_get32(&ledger->used);

    return used < LEDGER_ENTRIES ? used : LEDGER_ENTRIES;
}

void ledger_clear(struct board_ledger *ledger)
{
    memset((void *)ledger->entry, 0, sizeof(ledger->entry[0]) * ledger_count(ledger));
    board_set32(&ledger->used, 0);
    board_set32(&ledger->unrecorded, 0);
}
