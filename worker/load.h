/* SPDX-License-Identifier: MIT */
/*
 * load - how busy each worker is, as all can see it, without locks or reservations. [worker]
 *
 * The load of t is what t says (`load`: busy + waiting) and what is on the way to it: for
 * each s, `sent` of s to t less `seen` by t of s. Each word has one writer, the worker whose
 * entry it stands in; after its death the master (board_retire), then its successor.
 *
 * Whoever dies at any instant, the two settle: a receiver whose inbox is empty has seen all
 * that was sent to it; a sender to an empty entry has sent only what was seen. A word may be
 * wrong for one settling period, towards a load too small or too large by one message.
 */
#ifndef WORKER_LOAD_H
#define WORKER_LOAD_H

#include "common/scoreboard.h"
#include "worker/place.h"

/** Whom to look at. */
enum load_peers {
    LOAD_TAKERS, /* they serve, turn their loops, and are of our generation or younger */
    LOAD_HEIRS,  /* the same, though their loops may have stood still for a second */
    LOAD_GIVERS  /* they have requests, and are of our generation or an older one */
};

/** Of which lane; a message on its way counts in both, for whose it is nobody knows. */
enum load_lane {
    LOAD_SLOTS,  /* the limit is `threads` */
    LOAD_FLIGHTS /* ASYNC and EVENT in the event class: `flights_limit` */
};

/** busy + waiting + on the way to t; any process. */
uint32_t load_of(const struct board *board, unsigned t, enum load_lane lane);

/** Copies the others of that kind into out[], at most BOARD_WORKERS; their number. What the
 *  caller has published before is visible to whoever looks at it after. */
size_t load_look(const struct board *board, unsigned self, enum load_peers peers,
                 enum load_lane lane, struct place_sibling out[static BOARD_WORKERS]);

/** How many requests wait in these entries. Cheap: one word of each. */
uint64_t load_waiting(const struct board *board, enum load_lane lane,
                      const uint8_t *index, size_t count);

/** May one more request wait in `self`, so that no more than `limit` do in all workers, those
 *  included that are on their way to a queue? True: the caller publishes it as waiting, then
 *  calls load_admitted. `arriving` of those on the way to `self` are being looked at. Two
 *  that ask at the same instant may both be refused; more than `limit` are never let in. */
bool load_admit(struct board *board, unsigned self, uint32_t limit, uint32_t arriving);
void load_admitted(struct board *board, unsigned self);

/** s is about to send to t: counts it; the number travels in the message, never 0. */
uint64_t load_send(struct board *board, unsigned s, unsigned t);

/** The message could not be sent. Before any other load_send from s to t. */
void load_unsend(struct board *board, unsigned s, unsigned t);

/** Does its loop stand still: in a turn that does not end, asleep although we have sent it
 *  something a while ago, or silent for longer than an idle one is? As of the last turn of
 *  ours. Who is only idle is not. */
bool load_is_stuck(const struct board *board, unsigned self, unsigned t);

/** Has s sent to t what t has not seen? False, and the state of t is BOARD_EMPTY after that:
 *  it may have died without looking. */
bool load_is_unseen(const struct board *board, unsigned s, unsigned t);

/** t has taken a message with this number from s out of its inbox, and its own `load`
 *  counts the request already, or will not. 0: a message that does not count. A number that
 *  was never sent changes nothing for long. */
void load_take(struct board *board, unsigned t, unsigned s, uint64_t number);

/** A worker sets right, about once a second, what the death of another has left: its `sent`
 *  to empty entries and, if its inbox has just been found empty, its `seen`. */
void load_settle(struct board *board, unsigned self, bool is_inbox_empty);

#endif
