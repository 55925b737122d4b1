/* SPDX-License-Identifier: MIT */
/*
 * ledger - every request that a worker has begun and not yet written into the access log.
 *
 * From its first byte until its line is published, whoever runs it, waiting ones included
 * (the records of record.h are for those that run). When the worker dies, its lines are
 * written from here. One writer, the loop thread (W), and one word that others move too:
 *
 *   `number`     moved on by                                                   to
 *   0            W: a request has begun                                        N
 *   N            W: its line is published                                      0
 *   N            W: about to send it to another worker                         N | SENT
 *   N | SENT     W: it could not be sent                                       N
 *   N | SENT     the receiver: it has an entry of its own                      N | TAKEN
 *   N | SENT     the master: nobody has taken it for so long that it is lost   N | LOGGED
 *   N | TAKEN    W; the master, when W is dead                                 0
 *   N | LOGGED   the same, after LEDGER_KEPT_MS: a late receiver finds it and writes no line
 */
#ifndef COMMON_LEDGER_H
#define COMMON_LEDGER_H

#include "common/atomics.h"
#include "common/slice.h"

#include <stdalign.h>
#include <stdbool.h>
#include <stdint.h>

enum {
    LEDGER_INDEX_BITS = 14,
    LEDGER_ENTRIES = 1 << LEDGER_INDEX_BITS, /* a request beyond them is only counted */
    LEDGER_METHOD = 16,
    LEDGER_PEER = 48,
    LEDGER_TARGET = 128, /* a longer target is cut */
    LEDGER_NO_ROUTE = UINT16_MAX,
    LEDGER_NO_SLOT = UINT16_MAX,
    LEDGER_TAKE_MS = 5000, /* sent and not taken for so long: lost */
    LEDGER_KEPT_MS = 60000
};

#define LEDGER_SENT   (UINT64_C(1) << 62)
#define LEDGER_TAKEN  (UINT64_C(1) << 63)
#define LEDGER_LOGGED (LEDGER_SENT | LEDGER_TAKEN)
#define LEDGER_STATE  LEDGER_LOGGED /* the bits of a state; none: begun here */

struct ledger_entry {
    alignas(ATOMICS_LINE) _Atomic uint64_t number; /* the worker's; 0: free */
    uint64_t begun_ns;                             /* monotonic, as all four */
    uint64_t queued_ns;                            /* complete; 0: still being read */
    uint64_t started_ns;                           /* 0: waits for a slot */
    uint64_t sent_ns;
    uint64_t
        origin;  /* the ticket with which it came from another worker; 0: it did not */
    int32_t pid; /* of the worker */
    uint16_t origin_worker;
    uint16_t route; /* index in the worker's table */
    uint16_t slot;
    uint16_t target_bytes;
    uint8_t method_bytes;
    int8_t minor; /* of HTTP/1; -1: the head is not complete, nor are its texts */
    uint16_t reserved;
    char peer[LEDGER_PEER];
    char method[LEDGER_METHOD];
    char target[LEDGER_TARGET]; /* as received */
};

struct board_ledger {
    alignas(
        ATOMICS_LINE) _Atomic uint32_t used; /* entries from here on were never used */
    _Atomic uint32_t unrecorded;             /* begun, beyond the entries */
    _Atomic uint32_t unclaimed; /* sent, and not taken when W last looked; (W) */
    _Atomic uint32_t left;      /* sent by one that has died; (M) */
    uint64_t reserved[6];
    struct ledger_entry entry[LEDGER_ENTRIES];
};

/** Its head is complete; LEDGER_METHOD bytes from where the method begins may be read: no head
 *  is shorter. */
static inline void ledger_note_head(struct ledger_entry *e, struct slice method,
                                    struct slice target, int minor)
{
    e->method_bytes = (uint8_t)(method.n < LEDGER_METHOD ? method.n : LEDGER_METHOD);
    e->target_bytes = (uint16_t)(target.n < LEDGER_TARGET ? target.n : LEDGER_TARGET);
    memcpy(e->method, method.p, LEDGER_METHOD); /* a known length is cheap */
    memcpy(e->target, target.p, e->target_bytes);
    atomic_signal_fence(memory_order_release);
    e->minor = (int8_t)minor;
}

static inline void ledger_set(struct ledger_entry *e, uint64_t number)
{
    atomic_store_explicit(&e->number, number, memory_order_release);
}

/** What a receiver shows to claim it. */
static inline uint64_t ledger_ticket(uint64_t number, unsigned index)
{
    return number << LEDGER_INDEX_BITS | index;
}

/** The receiver, or the master for one that died: the request of that ticket is ours now. True:
 *  its line is ours to write. False: it has been written. */
bool ledger_claim(struct board_ledger *sender, uint64_t ticket);

/** The sender: it could not be sent. False: its line has been written. */
bool ledger_take_back(struct ledger_entry *e, uint64_t number);

/** The master: nobody will take the request of that number, as it was read. True: its line is
 *  ours to write, and nobody else's. False: it was taken, and the entry may be another's. */
bool ledger_give_up(struct ledger_entry *e, uint64_t number);

/** A copy of an entry of whatever state, fit to be shown: nothing in it is trusted. False: it
 *  is free. */
bool ledger_read(const struct ledger_entry *e, struct ledger_entry *out);

/** How many entries may be in use: `used`, if that can be. */
unsigned ledger_count(const struct board_ledger *ledger);

/** Master, when its worker is gone and its lines are written: all are free, but for those that
 *  were sent; these are `left`. */
void ledger_clear(struct board_ledger *ledger);

#endif
