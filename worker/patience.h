/* SPDX-License-Identifier: MIT */
/*
 * patience - how much and how long a client may take, and what becomes of it then.   [worker]
 */
#ifndef WORKER_PATIENCE_H
#define WORKER_PATIENCE_H

#include "common/limit.h"

struct conn;
struct deadline;
struct request;

/** That request goes over that limit: counted, and told in its line. */
void patience_over(struct request *req, enum limit limit);

/** Answers begin to wait for that client: from now on it has to take them. */
void patience_begin_taking(struct conn *c);

/** The callback of every connection's deadlines. The connection may be gone on return. */
void patience_on_deadline(struct deadline *d);

#endif
