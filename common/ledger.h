/* SPDX-License-Identifier: MIT */
/*
 * ledger - every request that a worker has begun and not yet written into the access log.
 *
 * From its first byte until its line is published, whoever runs it, waiting ones included
 * (the records of record.h are for those that run). When the worker dies, its lines are
 * written from here. One writer, the loop thread (W); nobody reads an entry while the worker
 * lives, so `number` alone must come after what it vouches for.
 */
#ifndef COMMON_LEDGER_H
#define COMMON_LEDGER_H

#include "common/atomics.h"
#include "common/slice.h"

#include <stdalign.h>
#include <stdbool.h>
#include <stdint.h>

enum {
    LEDGER_ENTRIES = 16384, /* a request beyond them is counted, not named */
    LEDGER_METHOD = 16,
    LEDGER_PEER = 48,
    LEDGER_TARGET = 132, /* a longer target is cut */
    LEDGER_NO_ROUTE = UINT16_MAX,
    LEDGER_NO_SLOT = UINT16_MAX
};

struct ledger_entry {
    alignas(ATOMICS_LINE) _Atomic uint64_t number; /* the worker's; 0: free */
    uint64_t begun_ns;                             /* monotonic, as all three */
    uint64_t queued_ns;                            /* complete; 0: still being read */
    uint64_t started_ns;                           /* 0: waits for a slot */
    uint16_t route;                                /* index in the worker's table */
    uint16_t slot;
    uint16_t target_bytes;
    uint8_t method_bytes;
    int8_t minor; /* of HTTP/1; -1: the head is not complete, nor are its texts */
    char peer[LEDGER_PEER];
    char method[LEDGER_METHOD];
    char target[LEDGER_TARGET]; /* as received */
    uint32_t reserved[3];
};

struct board_ledger {
    alignas(
        ATOMICS_LINE) _Atomic uint32_t used; /* entries from here on were never used */
    _Atomic uint32_t unrecorded;             /* begun, beyond the entries */
    uint64_t reserved[7];
    struct ledger_entry entry[LEDGER_ENTRIES];
};

/** Begins an entry; peer has LEDGER_PEER bytes. */
static inline void ledger_begin(struct ledger_entry *e, uint64_t number,
                                uint64_t begun_ns, const char *peer)
{
    e->begun_ns = begun_ns;
    e->queued_ns = e->started_ns = 0;
    e->route = LEDGER_NO_ROUTE;
    e->slot = LEDGER_NO_SLOT;
    e->minor = -1;
    memcpy(e->peer, peer, LEDGER_PEER);
    atomic_store_explicit(&e->number, number, memory_order_release);
}

/** Its head is complete. */
static inline void ledger_note_head(struct ledger_entry *e, struct slice method,
                                    struct slice target, int minor)
{
    e->method_bytes = (uint8_t)(method.n < LEDGER_METHOD ? method.n : LEDGER_METHOD);
    e->target_bytes = (uint16_t)(target.n < LEDGER_TARGET ? target.n : LEDGER_TARGET);
    memcpy(e->method, method.p, e->method_bytes);
    memcpy(e->target, target.p, e->target_bytes);
    atomic_signal_fence(memory_order_release);
    e->minor = (int8_t)minor;
}

/** Its line is in the ring, or another worker will write it. */
static inline void ledger_end(struct ledger_entry *e)
{
    atomic_store_explicit(&e->number, 0, memory_order_release);
}

/** A copy of a dead worker's entry, fit to be shown: nothing in it is trusted. False: it is
 *  free. */
bool ledger_read(const struct ledger_entry *e, struct ledger_entry *out);

/** How many entries may be in use: `used`, if that can be. */
unsigned ledger_count(const struct board_ledger *ledger);

/** Master, when its worker is gone and its lines are written. */
void ledger_clear(struct board_ledger *ledger);

#endif
