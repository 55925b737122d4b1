/* SPDX-License-Identifier: MIT */
/*
 * engine - the one internal seam: how a worker class runs a handler.     [worker]
 *
 *            event class                     thread class
 *   SYNC     a slot, on the pool             a slot, on the pool
 *   ASYNC    a flight, a coroutine           a slot, on the pool: its waits block
 *   EVENT    a flight, a call on the loop    a slot without a thread, a call on the loop
 */
#ifndef WORKER_ENGINE_H
#define WORKER_ENGINE_H

#include "include/remuda.h"

#include <stdbool.h>

struct coro;
struct lane;
struct request;
struct route;
struct worker;

struct engine {
    const char *name;
    /** The lane that a route's requests take. */
    struct lane *(*lane)(struct worker *w, const struct route *route);
    /** Runs the handler of a request that has entered its lane. It may have ended, and the
     *  request with it, on return. */
    void (*run)(struct request *req);
};

extern const struct engine engine_event, engine_thread;

/** A complete request with a route: run it now or let it wait for its lane. */
void engine_dispatch(struct request *req);

/** A suspended coroutine goes on; then its request or task is looked after. */
void engine_resume(struct remuda_ctx *c, struct coro *coro);

/** What both engines are made of. */
void engine_run_pool(struct request *req);
void engine_run_coro(struct request *req);
void engine_run_event(struct request *req);

/** The loop's part of what another thread has ended (done.h). */
void engine_on_done(struct request *req, bool has_ended);

/** After a place in that lane was given back: `next` (or NULL) and the tasks whose turn has
 *  come. */
void engine_pass_on(struct worker *w, const struct lane *lane, struct request *next);

/** The scoreboard's figures of a lane. */
void engine_publish_load(struct worker *w, const struct lane *lane);

/** A request that waits in a lane will not run: its client has left. */
void engine_abandon(struct request *req);

/** It will not run here; the caller answers, or lets another worker do so. */
void engine_withdraw(struct request *req);

#endif
