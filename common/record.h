/* SPDX-License-Identifier: MIT */
/*
 * record - one request that has begun, as the scoreboard shows it.
 *
 * Written by whoever runs the request (T): `seq` is made odd, the rest is written, `seq`
 * is made even (release). A reader that sees an odd or a changed seq tries again, a
 * bounded number of times, and then shows what it has: the writer may have been killed.
 */
#ifndef COMMON_RECORD_H
#define COMMON_RECORD_H

#include "common/atomics.h"
#include "common/slice.h"

#include <stdalign.h>
#include <stdbool.h>

enum {
    BOARD_METHOD = 16,
    BOARD_PATH = 88, /* of a record's path, cut, with its NUL */
    BOARD_PEER = 48
};

enum board_slot_state {
    BOARD_SLOT_FREE,
    BOARD_SLOT_BUSY,
    BOARD_SLOT_LATE /* over request_timeout: answered or cut, but its handler still runs */
};

struct board_record {
    alignas(ATOMICS_LINE) _Atomic uint32_t seq;
    _Atomic uint32_t state;    /* enum board_slot_state */
    _Atomic uint64_t since_ms; /* monotonic */
    _Atomic uint32_t route;    /* index in the worker's route table */
    uint32_t reserved;
    char method[BOARD_METHOD];
    char path[BOARD_PATH];
    char peer[BOARD_PEER];
    uint64_t reserved2[10];
};

/** Fill and empty a record (T). The path is cut to its field; `method` and `peer` fill
 *  theirs: BOARD_METHOD and BOARD_PEER bytes. `since_ms` 0 means now is not known. */
void board_record_begin(struct board_record *r, uint64_t since_ms, const char *method,
                        struct slice path, const char *peer, uint32_t route);
void board_record_end(struct board_record *r);

/** A busy one is BOARD_SLOT_LATE from now on (T). */
void board_record_late(struct board_record *r);

/** A copy of the record, its texts always terminated; false when it is free. */
bool board_record_read(struct board_record *r, struct board_record *out);

/** For a reader beside a writer: the pause before the next of BOARD_READ_TRIES tries. All
 *  of them together take a tenth of a second. */
void board_read_pause(int tries);

enum { BOARD_READ_TRIES = 1000 };

#endif
