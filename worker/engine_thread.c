/* SPDX-License-Identifier: MIT */
/*
 * engine_thread - class = thread: every request takes a slot; the worker's capacity is
 * exactly `threads`.                                             [worker]
 *
 * Owns:    nothing; the lane and the pool are the worker's.
 * Called:  through engine.h.
 * Fails:   never.
 */
#include "worker/engine.h"

#include "worker/plugin.h"
#include "worker/request.h"
#include "worker/self.h"

static struct lane *lane(struct worker *w, const struct route *route)
{
    (void)route;
    return &w->slots;
}

static void run(struct request *req)
{
    if (req->route->mode == REMUDA_EVENT)
        engine_run_event(req);
    else
        engine_run_pool(req);
}

const struct engine engine_thread = {.name = "thread", .lane = lane, .run = run};
