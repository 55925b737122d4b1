/* SPDX-License-Identifier: MIT */
/*
 * accept - connections from the shared listeners, while there is room.   [worker]
 *
 * The gate: a worker whose slots are taken leaves the next connection to a sibling that has
 * one free. Without it the first request of that connection would move there.
 */
#ifndef WORKER_ACCEPT_H
#define WORKER_ACCEPT_H

#include <stdbool.h>

struct worker;

void accept_init(struct worker *w);

/** Begins to accept; nothing where the worker is full. */
void accept_start(struct worker *w);
void accept_stop(struct worker *w);

/** By order of the operator: new connections wait in the kernel, all else goes on. */
void accept_set_paused(struct worker *w, bool is_paused);

/** A connection has gone: accept again if it was for want of room or of descriptors. */
void accept_on_room(struct worker *w);

/** A slot is free: accept again if it was for want of one. */
void accept_reconsider(struct worker *w);

/** Once a second: nobody's connections are taken; says, once, if the exclusive wait
 *  (epoll.h) is not to be had here. */
void accept_each_second(struct worker *w);

/** For good: takes what is queued, and closes this worker's copies of the listeners. Where room
 *  is wanting for that, the rest follows as connections go (w->is_leaving_queue). */
void accept_close(struct worker *w);

#endif
