/* SPDX-License-Identifier: MIT */
/*
 * answer - from what a handler said to bytes in the output.      [worker]
 */
#ifndef WORKER_ANSWER_H
#define WORKER_ANSWER_H

#include <stdbool.h>

struct request;

/** The host's own answer to a request without a handler: an error page, or OPTIONS. */
void answer_host(struct request *req, int status);

/** The time of a handler is over, and it still runs: 504 in its place; or what it has sent
 *  already; or its stream is cut. What was done, for the log; NULL: it is just sending, and is
 *  answered when it ends. */
const char *answer_late(struct request *req);

/** The worker ends, and the handler still runs: 503 in its place, or what it has sent already.
 *  False: its answer has begun, and goes no further. */
bool answer_at_end(struct request *req);

/** A handler has ended with req->rc: puts its answer, or the host's in its place, into the
 *  output of the connection if there is one; one loud line where it broke a rule. */
void answer_settle(struct request *req);

/** The head of a streamed response, before its first bytes. */
void answer_begin_stream(struct request *req);

#endif
