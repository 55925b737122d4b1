/* SPDX-License-Identifier: MIT */
/*
 * reader - from the bytes of a connection to complete requests.  [worker]
 */
#ifndef WORKER_READER_H
#define WORKER_READER_H

#include "common/limit.h"

#include <stdbool.h>

struct conn;
struct request;

/** Goes on with one request as far as the bytes go that are there: a head, a part of a body,
 *  handed over. false: it needs the client, a handler, or room in the output first. */
bool reader_step(struct conn *c);

/** One recv to where the bytes are wanted. The count, 0 at EOF, -1 with errno. In
 *  CONN_LINGER they are dropped. */
long reader_receive(struct conn *c);

/** Is there room to read ahead while a request is with its handler? Its strings stand in
 *  the input, so that must not move. */
bool reader_has_room(const struct conn *c);

/** A body arrives while its handler runs: is it the client's turn? */
bool reader_is_due(const struct conn *c);

/** The input splits: what this request has of it goes with it, what is behind it stays. false:
 *  out of memory, and all of it went. */
bool reader_part(struct conn *c, struct request *req);

/** Answers the request that is being read with the host's error page, then closes. */
void reader_refuse(struct conn *c, int status);

/** The same where none is being read. LIMIT_NONE: over no limit. */
void reader_refuse_unread(struct conn *c, int status, enum limit limit);

/** Has the body taken longer than body_timeout or body_min_rate allow? LIMIT_NONE: no. */
enum limit reader_body_limit(const struct conn *c);

#endif
