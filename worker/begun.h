/* SPDX-License-Identifier: MIT */
/*
 * begun - this worker's hand in the ledger: an entry for each request, from its first byte
 * until its line is in the access log.                         [worker, loop thread]
 */
#ifndef WORKER_BEGUN_H
#define WORKER_BEGUN_H

#include "common/scoreboard.h"

struct request;

struct begun {
    struct board_ledger *ledger; /* NULL: none is kept */
    uint16_t *free;              /* a stack of indices: the hot ones are used again */
    unsigned free_count;
};

/** -1 when out of memory. Entries that are in use stay so: somebody has yet to read them. */
int begun_init(struct begun *b, struct board_ledger *ledger);
void begun_fini(struct begun *b);

/** It has begun; its number, its client and its time are known. */
void begun_enter(struct request *req);

/** Its head is complete and has been routed; `base` is the head's first byte. */
void begun_note_head(struct request *req, const char *base);

/** It is with its handler. */
void begun_note_start(struct request *req);

/** Its line is written, or somebody else will write it. Once for each begun_enter. */
void begun_leave(struct request *req);

#endif
