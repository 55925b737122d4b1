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
struct handoff_parts;
struct in;
struct worker;

/** Prepares the watchers; at boot. */
void handoff_init(struct worker *w);

/** This worker serves: others may send to it. */
void handoff_start(struct worker *w);
/** At the end of the worker. What is in its inbox then is the successor's, or the master
 *  orders another worker to take it. */
void handoff_stop(struct worker *w);

/** The bytes of a message into an empty input, as the client sent them or could have: a body
 *  that came in chunks is one chunk now. false: out of memory, or the body is not to be had. */
bool handoff_fill(struct in *in, const struct handoff_message *m,
                  const struct handoff_parts *parts);

/** At the end of a turn: is its request better off elsewhere? True: the connection is gone. */
bool handoff_place(struct conn *c);

/** Do more requests wait, in all workers, than queue_limit allows? Siblings that decide at
 *  the same instant may each admit one. */
bool handoff_is_full(const struct worker *w);

/** Work has ended here: a sibling that has too much is asked for some. */
void handoff_on_free(struct worker *w);

/** A connection has come or gone: fd_room is published, a full inbox read on. */
void handoff_on_connections(struct worker *w);

/** Once a second: the tallies of the dead. */
void handoff_each_second(struct worker *w);

/** The worker of this index is dead: what is in its inbox is ours. */
void handoff_empty_inbox(struct worker *w, unsigned index);

#endif
