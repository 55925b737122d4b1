/* SPDX-License-Identifier: MIT */
/*
 * handoff - a connection moves to another worker, between two requests.   [worker]
 *
 * A request that waits for a slot here goes where it will run sooner, and its connection
 * with it; what the client sends next arrives there. After a successful send the connection
 * is gone here in the same function, so nothing is served twice, and the receiver writes
 * the one line in the access log.
 */
#ifndef WORKER_HANDOFF_H
#define WORKER_HANDOFF_H

#include <stdbool.h>

struct conn;
struct handoff_message;
struct lane;
struct worker;

void handoff_init(struct worker *w);
void handoff_stop(struct worker *w);

enum handoff_place {
    HANDOFF_GONE,  /* to another worker: the connection is no more */
    HANDOFF_WAITS, /* its request waits here, or runs */
    HANDOFF_FULL   /* as many wait already, in all workers, as queue_limit allows */
};

/** At the end of a turn, with a request that waits: is it better off elsewhere? */
enum handoff_place handoff_place(struct conn *c);

enum handoff_retire {
    HANDOFF_RETIRED, /* the connection is gone */
    HANDOFF_LATER,   /* the common inbox is full; the retry comes (drain_retire) */
    HANDOFF_NOBODY   /* nobody serves */
};

/** Would anyone take the connections of this worker, which drains? */
bool handoff_has_heir(struct worker *w);

/** A connection between two requests, of a worker that drains: to whoever serves on. */
enum handoff_retire handoff_retire(struct conn *c);

/** In 10 ms it is looked again at what waits here, and at whether a drain is over. */
void handoff_retry_soon(struct worker *w);

/** Work has ended here: a sibling that has too much is asked for some. */
void handoff_on_free(struct worker *w, const struct lane *lane);

/** Would a new connection's request find a free slot in a sibling, one that turns its loop? */
bool handoff_is_room_elsewhere(struct worker *w);

/** A sibling has asked for one that waits here. */
void handoff_give(struct worker *w, const struct handoff_message *m);

/** Once a second, and when this worker begins to serve: who the neighbours are. */
void handoff_each_second(struct worker *w);

#endif
