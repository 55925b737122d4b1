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
    unsigned used;               /* entries from here on were never used */
    uint16_t *free; /* of the others, a stack of indices: the hot ones are used again */
    unsigned free_count;
    uint16_t *sent; /* a ring: what other workers have not taken yet, or have */
    unsigned sent_first, sent_count;
};

/** -1 when out of memory. Entries that are in use stay so: somebody has yet to read them. */
int begun_init(struct begun *b, struct board_ledger *ledger);
void begun_fini(struct begun *b);

/** It has begun; its number, its client and its time are known. With a ticket it has come from
 *  worker `sender`, and is claimed there. */
void begun_enter(struct request *req, unsigned sender, uint64_t ticket);

/** Its head is complete and has been routed; `base` is the head's first byte. */
void begun_note_head(struct request *req, const char *base);

/** A proxy has said whose it is. */
void begun_note_peer(struct request *req);

/** Its line is written. Each that has entered leaves once, in this way or as sent. */
void begun_leave(struct request *req);

/** It is about to be sent to another worker: its ticket. Then it leaves, or stays. */
uint64_t begun_send(struct request *req);
void begun_leave_sent(struct request *req);
void begun_unsend(struct request *req);

/** Which of those that were sent have been taken? */
void begun_each_second(struct begun *b);

#endif
