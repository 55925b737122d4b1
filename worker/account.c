/* SPDX-License-Identifier: MIT */
/*
 * account - a request's end in numbers and in the access log.    [worker]
 *
 * Owns:    nothing; writes this worker's counters and ring.
 * Called:  by answer.c and conn.c through request.h; exactly once for each request begun.
 * Fails:   never; a line without room in the ring is dropped and counted.
 */
#include "worker/request.h"

#include "common/clock.h"
#include "worker/access_log.h"
#include "worker/conn.h"
#include "worker/plugin.h"
#include "worker/self.h"

#include <string.h>

enum { NS_PER_US = 1000, NS_PER_MS = 1000000 };

/* Where the head stands: handed over, or still in the input of a request that was refused
 * or given up on the way. NULL: there is no complete head. */
static const char *head_of(const struct request *req)
{
    if (req->base != NULL || !req->has_head || req->conn == NULL)
        return req->base;
    return req->conn->in.data + req->conn->in.start;
}

static struct slice header_of(const struct request *req, struct slice name)
{
    size_t n = 0;
    if (head_of(req) == NULL)
        return (struct slice){NULL, 0};
    const char *value = http_request_field(&req->parser.request, head_of(req), name, &n);
    return (struct slice){value, value != NULL ? n : 0};
}

static struct slice header_for_log(const void *request, struct slice name)
{
    return header_of(request, name);
}

/* A head that never was complete has no method and no target to show. */
static struct slice text_of(const struct request *req, struct http_span span)
{
    const char *base = head_of(req);
    return base != NULL ? http_span_slice(span, base) : (struct slice){NULL, 0};
}

/* A client that has only ended its side, and reads, is still served. */
static bool has_departed(const struct request *req, int status)
{
    return status == 0 || (atomic_load(&req->client) == CLIENT_GONE && req->conn == NULL);
}

/* Why it ended, where that was not the handler's doing. */
static struct slice note_of(const struct request *req, bool is_departed)
{
    if (req->limit != LIMIT_NONE)
        return slice_of(limit_name(req->limit).mark);
    if (req->parser.status == 400)
        return SLICE_LIT("malformed");
    return is_departed ? SLICE_LIT("departed") : (struct slice){NULL, 0};
}

/* Out of line: it needs room and registers that a request without a line need not pay for. */
__attribute__((noinline)) static void write_line(const struct request *req, int status,
                                                 uint64_t queue_us, uint64_t service_us)
{
    struct worker *w = req->ctx.worker;
    const struct http_request *head = &req->parser.request;
    bool is_departed = has_departed(req, status);
    char room[REQUEST_ID_BYTES];
    struct access_entry e = {
        .method = text_of(req, head->method_text),
        .target = text_of(req, head->target),
        .minor = req->has_head ? head->minor : -1,
        .status = status != 0 ? status : 499,
        .keep_alive = req->conn != NULL && !req->conn->is_closing,
        .aborted = is_departed || (req->conn != NULL && req->conn->is_broken),
        .body_bytes = req->sent_bytes,
        .peer = slice_of(req->peer),
        .referer = header_of(req, SLICE_LIT("Referer")),
        .user_agent = header_of(req, SLICE_LIT("User-Agent")),
        .request_id = slice_of(request_id(req, room)),
        .route =
            req->route != NULL ? slice_of(req->route->pattern) : (struct slice){NULL, 0},
        .note = note_of(req, is_departed),
        .worker = (int)w->heritage->index,
        .pid = (int)w->pid,
        .slot = req->lane == &w->slots ? req->record : -1,
        .queue_us = queue_us,
        .service_us = service_us,
        .wall_ms = clock_wall_ms() - (w->now_ns - req->begun_ns) / NS_PER_MS,
        .header = header_for_log,
        .request = req,
    };
    access_log_write(w->access_log, &e, req->number);
}

void request_account(struct request *req, int status)
{
    if (req->is_accounted)
        return;
    req->is_accounted = true;
    struct worker *w = req->ctx.worker;
    struct board_counters *counters = &w->entry->counters;
    int class = status / 100;
    board_add(&counters->responses[class >= 1 && class <= 5 ? class : 0], 1);
    if (has_departed(req, status))
        board_add(&counters->departed, 1);
    uint64_t queue_us = 0, service_us = 0;
    if (req->started_ns != 0) {
        queue_us = (req->started_ns - req->queued_ns) / NS_PER_US;
        service_us = (clock_mono_ns() - req->started_ns) / NS_PER_US;
        board_observe(&counters->queue, queue_us);
        board_observe(&counters->service, service_us);
        if (slow_is(&w->slow, queue_us + service_us))
            slow_tell(req, queue_us, service_us);
    }
    if (w->access_log != NULL)
        write_line(req, status, queue_us, service_us);
    begun_leave(
        req); /* after the line: killed in between, it has one, and that is known */
}
