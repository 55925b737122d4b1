/* SPDX-License-Identifier: MIT */
/*
 * drain - the connections of a worker that leaves.               [worker]
 */
#ifndef WORKER_DRAIN_H
#define WORKER_DRAIN_H

#include <stdbool.h>

struct conn;
struct worker;

/** The drain begins: one that is idle goes to whoever serves on, or has a moment for a request
 *  that may be on its way; others end after their answer. */
void drain_idle(struct conn *c);

/** Those that are idle go to whoever serves on, as far as the common inbox takes them. True:
 *  some are left. */
bool drain_retire(struct worker *w);

/** That moment is over. */
void drain_on_last(struct conn *c);

/** graceful_timeout is over. What waits for a slot, or has not come in whole, is answered 503;
 *  what runs is told to end. */
void drain_give_up(struct conn *c);

/** The worker ends now. A handler that has not answered has 503 in its place; what it has sent
 *  in whole is its answer; a response that has begun is cut. */
void drain_cut(struct conn *c);

#endif
