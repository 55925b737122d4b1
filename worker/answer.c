/* SPDX-License-Identifier: MIT */
/*
 * answer - responses, as the rules of the plugin ABI have it.    [worker]
 *
 * Owns:    nothing; writes into the connection's output.
 * Called:  by reader.c (refusals), engine.c (a handler has ended), stream.c.
 * Fails:   out of memory breaks the connection.
 */
#include "worker/answer.h"

#include "common/log.h"
#include "http/response.h"
#include "worker/conn.h"
#include "worker/handoff.h"
#include "worker/intake.h"
#include "worker/patience.h"
#include "worker/plugin.h"
#include "worker/request.h"
#include "worker/self.h"
#include "worker/stream.h"

#include <errno.h>
#include <string.h>

enum { ANSWER_COPY_MOST = 8192 }; /* a larger body stays where it is */

/* A worker that drains keeps a connection for whoever serves on; a server that is about to
 * stop, or is drained for a balancer's sake, keeps none. */
static bool is_at_its_end(struct worker *w)
{
    return board_get32(&w->heritage->board->closing) != BOARD_OPEN ||
           (w->phase == WORKER_DRAINING && !handoff_has_heir(w));
}

/* Keep-alive: wanted by the client, not ended by us. What it has sent behind this request is
 * answered before we end, or it could not know whether that was done. A close that is our
 * idea lingers. */
static bool keep_alive(struct request *req, struct conn *c)
{
    struct worker *w = c->worker;
    if (req->intake != NULL && !intake_lets_stay(req))
        return false;
    bool is_last = (c->is_eof || w->conf->limits.keepalive_ms == 0 || is_at_its_end(w)) &&
                   in_count(&c->in) <= req->consumed;
    if (req->keep_alive && !c->is_closing && !is_last)
        return true;
    c->is_lingering = c->is_lingering || req->keep_alive;
    return false;
}

/* Valid until the next call. Not in the ctx's memory: where an answer begins before its handler
 * has ended, that is another thread's. */
static struct slice fields_text(struct request *req)
{
    size_t n = 0;
    for (struct response_field *f = req->response.fields; f != NULL; f = f->next)
        n += f->name.n + f->value.n + 4;
    if (n == 0)
        return (struct slice){NULL, 0};
    struct arena *scratch = &req->ctx.worker->scratch;
    arena_reset(scratch);
    char *text = arena_alloc(scratch, n), *at = text;
    if (text == NULL) {
        req->conn->is_broken = true;
        return (struct slice){NULL, 0};
    }
    for (struct response_field *f = req->response.fields; f != NULL; f = f->next) {
        at = (char *)mempcpy(at, f->name.p, f->name.n);
        at = (char *)mempcpy(at, ": ", 2);
        at = (char *)mempcpy(at, f->value.p, f->value.n);
        at = (char *)mempcpy(at, "\r\n", 2);
    }
    return (struct slice){text, n};
}

/* X-Request-Id before all others, unless the handler has said one. Out of line: it is rare. */
__attribute__((noinline)) static void say_id(struct request *req, struct http_response *r)
{
    char room[REQUEST_ID_BYTES], *text, *at;
    struct slice id = slice_of(request_id(req, room));
    const struct slice name = SLICE_LIT("X-Request-Id: ");
    struct arena *scratch = &req->ctx.worker->scratch;
    for (struct response_field *f = req->response.fields; f != NULL; f = f->next)
        if (slice_is_nocase(f->name, SLICE_LIT("X-Request-Id")))
            return;
    if (r->fields.n == 0)
        arena_reset(scratch); /* nothing of this answer stands there */
    text = at = arena_alloc(scratch, name.n + id.n + 2 + r->fields.n);
    if (text == NULL) {
        req->conn->is_broken = true;
        return;
    }
    at = (char *)mempcpy(at, name.p, name.n);
    at = (char *)mempcpy(at, id.p, id.n);
    at = (char *)mempcpy(at, "\r\n", 2);
    if (r->fields.n > 0)
        at = (char *)mempcpy(at, r->fields.p, r->fields.n);
    r->fields = (struct slice){text, (size_t)(at - text)};
}

/* The head, with room behind it for `extra` bytes. Returns where those go, or NULL. */
static char *put_head(struct request *req, struct http_response *r, size_t extra)
{
    struct conn *c = req->conn;
    const struct http_request *head = &req->parser.request;
    r->minor = head->minor;
    if (c->worker->proxies.id_seed != 0)
        say_id(req, r);
    r->head_only = head->method == HTTP_METHOD_HEAD;
    r->keep_alive = keep_alive(req, c);
    http_response_plan(r);
    if (!r->keep_alive)
        c->is_closing = true;
    size_t room = http_response_head_room(r);
    char *at = out_reserve(&c->out, room + extra);
    if (at == NULL) {
        c->is_broken = true;
        return NULL;
    }
    size_t n = http_response_head(at, room, r);
    out_commit(&c->out, n);
    return at + n;
}

static void put_bytes(struct request *req, struct http_response *r, const char *bytes,
                      size_t n)
{
    struct conn *c = req->conn;
    bool is_small = n <= ANSWER_COPY_MOST;
    r->length = n;
    char *at = put_head(req, r, is_small ? n : 0);
    if (at == NULL || !http_response_has_body(r) || n == 0)
        return;
    req->sent_bytes = n;
    bool is_input =
        c->in.data != NULL && bytes >= c->in.data && bytes < c->in.data + c->in.room;
    if (is_small) {
        memcpy(at, bytes, n);
        out_commit(&c->out, n);
    } else if (is_input) { /* will be overwritten by the next request */
        c->is_broken = c->is_broken || out_copy(&c->out, bytes, n) < 0;
    } else {
        request_hold(req);
        c->is_broken = c->is_broken || out_refer(&c->out, bytes, n, req) < 0;
    }
}

static void put_file(struct request *req, struct http_response *r)
{
    struct response *response = &req->response;
    r->length = response->file_bytes;
    int fd = response->fd;
    if (put_head(req, r, 0) == NULL || !http_response_has_body(r) || r->length == 0)
        return; /* closed with the request */
    response->fd = -1;
    req->sent_bytes = response->file_bytes;
    if (out_file(&req->conn->out, fd, response->file_offset, response->file_bytes) < 0)
        req->conn->is_broken = true;
}

static void put_error_page(struct request *req, int status)
{
    char page[HTTP_ERROR_PAGE_BYTES];
    char allow[sizeof "Allow: \r\n" + HTTP_ALLOW_BYTES] = "Allow: ";
    struct http_response r = {.status = status};
    arena_reset(
        &req->ctx.worker->scratch); /* of what say_id adds to the fields of others */
    if (req->route == NULL && (status == 405 || status == 204)) {
        size_t n = strlen(allow);
        n += http_router_allow(req->match.methods, allow + n);
        memcpy(allow + n, "\r\n", 3);
        r.fields = (struct slice){allow, n + 2};
    }
    if (status == 503)
        r.fields = SLICE_LIT("Retry-After: 1\r\n");
    size_t n = status == 204 ? 0 : http_response_error_page(status, page);
    if (n > 0)
        r.type = SLICE_LIT(HTTP_ERROR_PAGE_TYPE);
    put_bytes(req, &r, page, n);
    if (status == 503 && req->started_ns == 0) /* else it is the handler's own */
        board_add(&req->ctx.worker->entry->counters.shed, 1);
}

void answer_host(struct request *req, int status)
{
    (void)request_claim(req, RESPONSE_HOST);
    if (req->conn != NULL)
        put_error_page(req, status);
    request_account(req, status);
}

static void put_answer(struct request *req)
{
    struct response *response = &req->response;
    struct http_response r = {.status = response->status,
                              .type = slice_of(response->type),
                              .fields = fields_text(req)};
    if (response->fd >= 0)
        put_file(req, &r);
    else
        put_bytes(req, &r, response->bytes, response->byte_count);
}

void answer_begin_stream(struct request *req)
{
    struct http_response r = {.status = req->response.status,
                              .type = slice_of(req->response.type),
                              .fields = fields_text(req),
                              .length = HTTP_LENGTH_UNKNOWN};
    (void)put_head(req, &r, 0);
    stream_set_framing(req->stream, r.chunked, http_response_has_body(&r));
}

/* ---- what a handler returned ---- */

/* Out of line: an answer without one then needs no room for the number. */
__attribute__((noinline)) static void complain(const struct request *req,
                                               const char *what, int rc)
{
    char room[REQUEST_ID_BYTES];
    log_error("%s: %s: handler %s (%d) [%s]", req->route->plugin->name, req->route->label,
              what, rc, request_id(req, room));
}

/* The status that the host answers in the handler's place; 0: none is due. */
static int status_for(struct request *req)
{
    int rc = req->rc;
    if (rc >= 400 && rc <= 599)
        return rc;
    if (rc == -ECANCELED && atomic_load(&req->client) == CLIENT_GONE)
        return 0;
    int of_body = req->intake != NULL ? intake_status(req, rc) : 0;
    if (of_body != 0)
        return of_body; /* as the client's fault it would fill the log */
    if (rc == 0)
        complain(req, "returned 0 without an answer", rc);
    else if (rc == REMUDA_PENDING)
        complain(req, "returned REMUDA_PENDING, which is for EVENT alone", rc);
    else if (rc > 0)
        complain(req, "returned what is neither 0, 400 to 599 nor -errno", rc);
    else
        complain(req, strerror(-rc), rc);
    if (atomic_load(&req->ctx.worker->is_draining) &&
        (rc == -ECANCELED || rc == -ESHUTDOWN))
        return 503;
    return rc == -ETIMEDOUT ? 504 : rc == -EMSGSIZE ? 413 : 500;
}

static void send_answer(struct request *req)
{
    if (req->conn != NULL)
        put_answer(req);
    request_account(req, req->response.status);
}

static void settle_complete(struct request *req)
{
    if (req->rc != 0)
        complain(req, "answered, then returned an error", req->rc);
    send_answer(req);
}

static void end_stream(struct request *req, bool is_whole)
{
    if (req->conn != NULL)
        stream_end(req, is_whole);
    request_account(req, req->response.status);
}

/* Events for a HEAD end with its head (stream.c), as the answer does. */
static void settle_stream(struct request *req)
{
    bool is_whole = req->rc == 0 || (req->rc == -ECANCELED && stream_is_head(req));
    bool is_of_body = req->intake != NULL && intake_status(req, req->rc) != 0;
    if (!is_whole && !is_of_body && atomic_load(&req->client) == CLIENT_HERE)
        complain(req, "cut its stream", req->rc);
    end_stream(req, is_whole);
}

static void settle_unanswered(struct request *req)
{
    int status = status_for(req);
    if (status == 504 && req->conn != NULL)
        req->conn->is_closing = req->conn->is_lingering = true;
    if (status != 0) {
        answer_host(req, status);
        return;
    }
    request_account(req, 0);
    if (req->conn != NULL)
        req->conn->is_closing = true;
}

/* Its handler left tasks behind: what it answered is not sent. */
static void settle_rejected(struct request *req)
{
    if (atomic_load(&req->response_state) == RESPONSE_STREAMING)
        end_stream(req, false);
    else
        answer_host(req, 500);
}

static void settle(struct request *req)
{
    if (req->has_left_tasks) {
        settle_rejected(req);
        return;
    }
    switch (atomic_load(&req->response_state)) {
    case RESPONSE_HANDLER:
        settle_complete(req);
        break;
    case RESPONSE_STREAMING:
        settle_stream(req);
        break;
    default:
        settle_unanswered(req);
    }
}

void answer_settle(struct request *req)
{
    if (!req->is_answered) /* else by answer_late: what came after that goes nowhere */
        settle(req);
    atomic_store(&req->response_state, RESPONSE_DONE);
}

/* ---- in the place of one that still runs ---- */

/* A stream of which nothing has left yet can still be a 504. */
static bool claim_for_host(struct request *req)
{
    int streaming = RESPONSE_STREAMING;
    return request_claim(req, RESPONSE_HOST) ||
           (!req->is_flowing && atomic_compare_exchange_strong(
                                    &req->response_state, &streaming, RESPONSE_HOST));
}

/* All of its answer is there; what it does now is something else. */
static bool send_what_is_said(struct request *req)
{
    if (!atomic_load_explicit(&req->is_said, memory_order_acquire))
        return false;
    send_answer(req);
    return true;
}

static const char *answer_in_its_place(struct request *req)
{
    struct board_counters *counters = &req->ctx.worker->entry->counters;
    if (claim_for_host(req)) {
        patience_over(req, LIMIT_REQUEST_TIMEOUT);
        answer_host(req, 504);
        board_add(&counters->timeouts, 1);
        return req->conn != NULL ? "answered 504" : "its client had gone";
    }
    if (atomic_load(&req->response_state) == RESPONSE_STREAMING) {
        patience_over(req, LIMIT_REQUEST_TIMEOUT);
        end_stream(req, false);
        board_add(&counters->timeouts, 1);
        return "its stream is cut";
    }
    return send_what_is_said(req) ? "what it had sent is its answer" : NULL;
}

const char *answer_late(struct request *req)
{
    const char *what = answer_in_its_place(req);
    req->is_answered = what != NULL;
    return what;
}

bool answer_at_end(struct request *req)
{
    req->conn->is_closing = true;
    if (!claim_for_host(req))
        return send_what_is_said(req);
    answer_host(req, 503);
    return true;
}
