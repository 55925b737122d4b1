/* SPDX-License-Identifier: MIT */
/*
 * ledger - what the master reads in it, and what moves it on.     [worker, master]
 *
 * Owns:    nothing; the entries are the worker's while it lives (worker/begun.c).
 * Called:  by the master's lost.c, and by board_retire; by the worker for one that moves.
 * Fails:   never. A worker that ran foreign code may have written anything anywhere: each
 *          length is cut to its field, each text ends.
 */
#include "common/ledger.h"

#include <assert.h>
#include <string.h>

static_assert(sizeof(struct ledger_entry) == 256, "stride of an entry");
static_assert(sizeof(struct board_ledger) == 64 + 256 * LEDGER_ENTRIES,
              "and of a ledger");

bool ledger_claim(struct board_ledger *sender, uint64_t ticket)
{
    const uint64_t number = ticket >> LEDGER_INDEX_BITS;
    struct ledger_entry *e = &sender->entry[ticket % LEDGER_ENTRIES];
    uint64_t seen = number | LEDGER_SENT;

    if (atomic_compare_exchange_strong(&e->number, &seen, number | LEDGER_TAKEN))
        return true;
    return seen != (number | LEDGER_LOGGED);
}

bool ledger_take_back(struct ledger_entry *e, uint64_t number)
{
    uint64_t seen = number | LEDGER_SENT;

    return atomic_compare_exchange_strong(&e->number, &seen, number);
}

bool ledger_give_up(struct ledger_entry *e, uint64_t number)
{
    return (number & LEDGER_STATE) == LEDGER_SENT &&
           atomic_compare_exchange_strong(&e->number, &number, number | LEDGER_LOGGED);
}

/* The number first: what stands beside it is of that request, or of a later one. */
bool ledger_read(const struct ledger_entry *e, struct ledger_entry *out)
{
    const uint64_t number = atomic_load_explicit(&e->number, memory_order_acquire);

    if (number == 0)
        return false;
    memcpy((void *)out, (const void *)e, sizeof(*out));
    board_set(&out->number, number);
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

static bool is_sent(const struct ledger_entry *e)
{
    return (board_get(&e->number) & LEDGER_SENT) != 0; /* LOGGED too */
}

void ledger_clear(struct board_ledger *ledger)
{
    const unsigned count = ledger_count(ledger);
    unsigned used = 0, left = 0;

    for (unsigned i = 0; i < count; i++) {
        if (is_sent(&ledger->entry[i])) {
            used = i + 1;
            left++;
        } else {
            memset((void *)&ledger->entry[i], 0, sizeof(ledger->entry[i]));
        }
    }
    board_set32(&ledger->used, used);
    board_set32(&ledger->left, left);
    board_set32(&ledger->unrecorded, 0);
    board_set32(&ledger->unclaimed, 0);
}
