/* SPDX-License-Identifier: MIT */
/*
 * lifecycle - what the master orders, and how a worker ends.     [worker]
 */
#ifndef WORKER_LIFECYCLE_H
#define WORKER_LIFECYCLE_H

#include <stdbool.h>
#include <stdint.h>

struct worker;

/** Watches the channel, the clock and SIGTERM. */
void lifecycle_start(struct worker *w);
void lifecycle_stop(struct worker *w);

/** Accepts no more; each connection ends with its present answer; the loop is left with the
 *  last of them, or soon after `graceful_ms`. Twice is once. */
void lifecycle_drain(struct worker *w, uint64_t graceful_ms);

/** The whole server stops, so there is no heir: what is left here is answered here. */
bool lifecycle_is_whole_stop(const struct worker *w);

/** A connection or a handler has gone: the last one of a drain ends the loop. */
void lifecycle_on_gone(struct worker *w);

#endif
