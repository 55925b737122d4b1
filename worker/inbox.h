/* SPDX-License-Identifier: MIT */
/*
 * inbox - connections that other workers have sent.             [worker]
 *
 * Each worker reads its own inbox; all who serve read the common one, in which those who
 * drain put what is idle.
 */
#ifndef WORKER_INBOX_H
#define WORKER_INBOX_H

#include <stdbool.h>

struct handoff_message;
struct handoff_parts;
struct in;
struct worker;

/** Prepares the watchers; at boot. */
void inbox_init(struct worker *w);

/** This worker stands by: it has room for what others will send to it, who look at that only
 *  once the master has said that it serves. It may hear of that later than they do, and they
 *  would find no heir. */
void inbox_announce(struct worker *w);

/** This worker serves: others may send to it. */
void inbox_start(struct worker *w);
/** It drains: what is for all who serve is not for it. */
void inbox_drain(struct worker *w);
/** At the end of the worker. What is in its inbox then is the successor's, or the master
 *  orders another worker to take it. */
void inbox_stop(struct worker *w);

/** The whole server stops, and this worker has nothing more to do. What lies in the common
 *  inbox, or in that of one that has ended, is taken in: nobody else might come. True: there
 *  was nothing, and all that this worker has ever sent was taken; false: it has to stay. */
bool inbox_collect(struct worker *w);

/** Nothing lies in its own, or nothing that it could take. */
bool inbox_is_empty(const struct worker *w);

/** The bytes of a message into an empty input, as the client sent them or could have: a body
 *  that came in chunks is one chunk now. false: out of memory, or the body is not to be had. */
bool inbox_fill(struct in *in, const struct handoff_message *m,
                const struct handoff_parts *parts);

/** A connection has come or gone: fd_room is published, a full inbox read on. */
void inbox_on_connections(struct worker *w);

/** Once a second: what was sent to the dead, and the tallies. */
void inbox_each_second(struct worker *w);

/** The worker of this index is dead: what is in its inbox is ours. */
void inbox_empty(struct worker *w, unsigned index);

#endif
