/* SPDX-License-Identifier: MIT */
/*
 * engine_event - class = event: coroutines and events on the loop, SYNC on the pool.
 *                                                                [worker]
 * Owns:    nothing; the lanes and the pool are the worker's.
 * Called:  through engine.h.
 * Fails:   never; a handler that cannot start is answered 503 (engine.c).
 */
#include "worker/engine.h"

#include "worker/plugin.h"
#include "worker/request.h"
#include "worker/self.h"

static struct lane *lane(struct worker *w, const struct route *route)
{
    return route->mode == REMUDA_SYNC ? &w->slots : &w->flights;
}

static void run(struct request *req)
{
    switch (req->route->mode) {
    case REMUDA_ASYNC:
        engine_run_coro(req);
        break;
    case REMUDA_EVENT:
        engine_run_event(req);
        break;
    default:
        engine_run_pool(req);
    }
}

const struct engine engine_event = {.name = "event", .lane = lane, .run = run};
