/* SPDX-License-Identifier: MIT */
/*
 * slow - a line for each request that took longer than slow_request.   [worker]
 *
 * Owns:    how many lines this second has had.
 * Called:  by account.c at a request's end, by lifecycle.c.
 * Fails:   never. LONG handlers are not slow: they are meant to stay.
 */
#include "worker/slow.h"

#include "common/log.h"
#include "worker/plugin.h"
#include "worker/request.h"
#include "worker/self.h"

#include <inttypes.h>
#include <stdio.h>

enum { US_PER_MS = 1000 };

void slow_init(struct worker *w)
{
    w->slow = (struct slow){.from_us = w->conf->limits.slow_request_ms * US_PER_MS};
}

static const char *place_of(const struct request *req, char *out, size_t size)
{
    if (req->lane != &req->ctx.worker->slots)
        return "no slot";
    snprintf(out, size, "slot %d", req->record);
    return out;
}

static void say(const struct request *req, uint64_t queue_us, uint64_t service_us)
{
    const struct worker *w = req->ctx.worker;
    struct slice method = request_text(req, req->parser.request.method_text);
    char room[REQUEST_ID_BYTES], place[32];
    log_warn("slow: %.*s %.*s, route %s of plugin %s: %" PRIu64 " ms (%" PRIu64
             " ms in the queue, %" PRIu64 " ms of service), worker %u, %s [%s]",
             (int)method.n, method.p, (int)req->path.n, req->path.p, req->route->label,
             req->route->plugin->name, (queue_us + service_us) / US_PER_MS,
             queue_us / US_PER_MS, service_us / US_PER_MS, w->heritage->index,
             place_of(req, place, sizeof place), request_id(req, room));
}

void slow_tell(struct request *req, uint64_t queue_us, uint64_t service_us)
{
    struct worker *w = req->ctx.worker;
    if (req->route->is_long)
        return;
    board_add(&w->entry->counters.limits[LIMIT_SLOW_REQUEST], 1);
    if (req->limit == LIMIT_NONE)
        req->limit = LIMIT_SLOW_REQUEST;
    if (w->slow.lines < SLOW_LINES) {
        w->slow.lines++;
        say(req, queue_us, service_us);
    } else {
        w->slow.unsaid++;
    }
}

void slow_each_second(struct worker *w)
{
    if (w->slow.unsaid > 0)
        log_warn("slow requests: %u more lines in this second", w->slow.unsaid);
    w->slow.lines = w->slow.unsaid = 0;
}
