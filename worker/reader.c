/* SPDX-License-Identifier: MIT */
/*
 * reader - head, then body, then hand over.                      [worker]
 *
 * Owns:    the request while it is being read.
 * Called:  by conn.c; calls http/ for the letter, answer.c for refusals, engine.c.
 * Fails:   with an HTTP status to the client.
 *
 * A body stands in one of three places: in the input behind its head (small), in a buffer
 * of its declared length that recv fills directly, or in a buffer that grows (chunked).
 */
#include "worker/reader.h"

#include "common/log.h"
#include "http/response.h"
#include "http/target.h"
#include "worker/answer.h"
#include "worker/body.h"
#include "worker/conn.h"
#include "worker/engine.h"
#include "worker/identity.h"
#include "worker/intake.h"
#include "worker/patience.h"
#include "worker/plugin.h"
#include "worker/request.h"
#include "worker/self.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>

enum {
    SERVER_METHODS = 1 << HTTP_METHOD_GET | 1 << HTTP_METHOD_HEAD |
                     1 << HTTP_METHOD_POST | 1 << HTTP_METHOD_PUT |
                     1 << HTTP_METHOD_DELETE | 1 << HTTP_METHOD_PATCH |
                     1 << HTTP_METHOD_OPTIONS
};
enum { READER_DROP = 16384, READER_MS_PER_S = 1000 };

static uint32_t head_most(const struct worker *w)
{
    uint64_t most =
        w->conf->limits.request_line_bytes + w->conf->limits.header_size_bytes;
    most += HTTP_LEADING_BYTES + BLOCK_BYTES;
    return most < UINT32_MAX ? (uint32_t)most : UINT32_MAX;
}

void reader_refuse(struct conn *c, int status)
{
    struct request *req = c->request;
    c->is_closing = true;
    c->is_lingering = true;
    board_add(&c->worker->entry->counters.refused, 1);
    answer_host(req, status);
    req->consumed = in_count(&c->in);
    conn_on_answer(c);
}

/* ---- receiving ---- */

static long drop_input(struct conn *c)
{
    char scrap[READER_DROP];
    return recv(c->io.fd, scrap, sizeof scrap, 0);
}

/* Its handler runs while it arrives; before that it is read ahead as others are. */
static bool is_streaming_in(const struct conn *c)
{
    return c->is_handed && c->request->intake != NULL &&
           intake_is_started(c->request->intake);
}

bool reader_has_room(const struct conn *c)
{
    if (is_streaming_in(c))
        return intake_has_room(c);
    return c->in.end < c->in.room;
}

/* What fills the small block is read on at once: the client has more to say. */
static long receive_head(struct conn *c)
{
    struct in *in = &c->in;
    long n = in_receive(in, c->io.fd);
    if (n <= 0 || in->end < in->room || in->room >= BLOCK_BYTES ||
        !in_make_room(in, BLOCK_BYTES))
        return n;
    long more = in_receive(in, c->io.fd);
    return more > 0 ? n + more : n; /* an end or an error comes again */
}

static void find_in_input(struct conn *c, struct request *req)
{
    req->base = c->in.data + c->in.start;
    req->body = req->body_room > 0 ? req->body_buffer
                                   : req->base + req->parser.request.head_bytes;
}

/* A handler has strings in the input. What is behind its request goes to a new one with room
 * for `room` bytes. */
static bool split(struct conn *c, struct request *req, uint32_t room)
{
    struct in *in = &c->in, rest;
    in_init(&rest, in->pool);
    if (!in_reserve(&rest, room))
        return false;
    rest.end = in_count(in) - req->consumed;
    if (rest.end > 0)
        memcpy(rest.data, in->data + in->start + req->consumed, rest.end);
    req->in = *in;
    req->consumed = 0;
    *in = rest;
    return true;
}

bool reader_is_due(const struct conn *c)
{
    return is_streaming_in(c) && intake_is_due(c);
}

bool reader_part(struct conn *c, struct request *req)
{
    if (req->in.data != NULL || split(c, req, in_count(&c->in) - req->consumed))
        return true;
    req->in = c->in;
    req->consumed = 0;
    in_init(&c->in, req->in.pool);
    return false;
}

/* What comes behind a request that waits or runs has filled the small block: a full one
 * could not hear the client leave. */
static void widen(struct conn *c, struct request *req)
{
    struct in *in = &c->in;
    if (in->end < in->room || in->room >= BLOCK_BYTES)
        return;
    if (req->handler != HANDLER_QUEUED)
        (void)split(c, req, BLOCK_BYTES);
    else if (in_make_room(in, BLOCK_BYTES))
        find_in_input(c, req);
}

/* Out of line: the way of every request then needs few registers. */
__attribute__((noinline)) static long receive_behind(struct conn *c)
{
    long n = in_receive(&c->in, c->io.fd);
    widen(c, c->request);
    return n;
}

long reader_receive(struct conn *c)
{
    struct request *req = c->request;
    if (c->state == CONN_LINGER)
        return drop_input(c);
    if (is_streaming_in(c)) {
        return intake_receive(c);
    } else if (c->is_handed) {
        if (reader_has_room(c))
            return receive_behind(c);
    } else if (req != NULL && req->has_head && req->body_room > 0 &&
               req->parser.request.body_kind == HTTP_BODY_LENGTH) {
        return body_receive(req, c->io.fd);
    } else if (in_make_room(&c->in, head_most(c->worker))) {
        return receive_head(c);
    }
    errno = EAGAIN; /* full: the limits refuse it in the next step, or it must wait */
    return -1;
}

/* ---- the head ---- */

/* One that has waited in another worker began there, and is counted there. */
__attribute__((always_inline)) static inline void begin_account(struct conn *c,
                                                                struct request *req)
{
    c->requests++;
    if (c->past.hops == 0) {
        board_add(&c->worker->entry->counters.requests, 1);
        begun_enter(req, 0, 0);
        return;
    }
    req->hops = c->past.hops;
    req->begun_ns = c->past.begun_ns;
    req->queued_ns = c->past.queued_ns;
    begun_enter(req, c->past.sender, c->past.ticket);
    c->past = (struct conn_past){0};
}

/* In line: it is a part of every request. */
__attribute__((always_inline)) static inline bool begin_request(struct conn *c)
{
    c->request = request_create(c->worker, c);
    if (c->request != NULL) {
        begin_account(c, c->request);
        return true;
    }
    log_error("out of memory for a request");
    c->is_closing = true;
    return false;
}

/* The path goes to the arena: the input may still move, and this is what routes see. */
static bool find_route(struct request *req, const char *base)
{
    const struct http_request *head = &req->parser.request;
    struct slice raw = http_span_slice(head->path, base);
    char *path = ctx_keep(&req->ctx, raw.n + 2);
    size_t n = raw.n;
    if (n > 0 && http_target_is_plain(raw)) {
        memcpy(path, raw.p, n);
        path[n] = '\0';
    } else if (!http_target_decode(raw, path, raw.n + 2, &n)) {
        return false;
    }
    req->path = (struct slice){path, n};
    if (n == 1 && path[0] == '*') { /* OPTIONS *: about the server, RFC 9110 9.3.7 */
        req->match.methods = SERVER_METHODS;
        req->host_status = 204;
        return true;
    }
    http_router_find(req->ctx.worker->router, head->method, req->path, &req->match);
    if (req->match.status == 200)
        req->route = req->match.data;
    else if (req->match.status == 405 && head->method == HTTP_METHOD_OPTIONS)
        req->host_status = 204;
    else
        req->host_status = req->match.status;
    return true;
}

/* What the parser has used is dropped, so that the input holds the head and one read. */
static void drop_used(struct conn *c, struct request *req, uint32_t used)
{
    uint32_t head_bytes = req->parser.request.head_bytes;
    char *staged = c->in.data + c->in.start + head_bytes;
    uint32_t staged_bytes = in_count(&c->in) - head_bytes;
    memmove(staged, staged + used, staged_bytes - used);
    c->in.end -= used;
}

/* One that is here already is as good as any other. */
static bool is_to_stream_in(const struct conn *c, const struct request *req)
{
    const struct http_request *head = &req->parser.request;
    return req->route != NULL && req->route->is_stream_in &&
           (head->body_kind == HTTP_BODY_CHUNKED ||
            in_count(&c->in) - head->head_bytes < head->content_length);
}

static int open_body(struct conn *c, struct request *req)
{
    const struct http_request *head = &req->parser.request;
    uint64_t limit =
        req->route != NULL ? req->route->body_bytes : c->worker->conf->limits.body_bytes;
    req->parser.body_limit = limit;
    req->consumed = head->head_bytes;
    if (head->body_kind == HTTP_BODY_LENGTH && head->content_length > limit) {
        patience_over(req, LIMIT_BODY);
        return 413;
    }
    if (is_to_stream_in(c, req))
        return intake_create(req) < 0 ? 503 : 0;
    if (head->body_kind != HTTP_BODY_LENGTH ||
        head->head_bytes + head->content_length <= BLOCK_BYTES)
        return 0;
    size_t length = (size_t)head->content_length;
    int status = body_open(req, length);
    if (status != 0)
        return status;
    size_t here = in_count(&c->in) - head->head_bytes;
    struct slice begun = {c->in.data + c->in.start + head->head_bytes,
                          here < length ? here : length};
    status = body_append(req, begun);
    drop_used(c, req, (uint32_t)begun.n); /* they live in the buffer now */
    return status;
}

/* Before the body: may it come at all? A client that waits for 100 sends none if not. */
static int on_head(struct conn *c, struct request *req)
{
    const struct http_request *head = &req->parser.request;
    req->has_head = true;
    req->keep_alive = head->keep_alive;
    req->body_begun_ms = c->worker->now_ms;
    bool is_found = find_route(req, c->in.data + c->in.start);
    if (c->is_trusted)
        identity_read(req, c->in.data + c->in.start);
    begun_note_head(req, c->in.data + c->in.start);
    if (!is_found)
        return 400;
    if (head->body_kind == HTTP_BODY_NONE) {
        req->consumed = head->head_bytes;
        return 0;
    }
    int status = open_body(c, req);
    if (status != 0 || !head->expect_continue)
        return status;
    if (req->route == NULL)
        return req->host_status;
    if (req->intake != NULL)
        return 0; /* its handler's first read says so */
    if (in_count(&c->in) == head->head_bytes && req->body_bytes == 0 && req->hops == 0)
        (void)out_copy(&c->out, HTTP_CONTINUE, sizeof HTTP_CONTINUE - 1);
    return 0;
}

static int refusal(struct conn *c, struct request *req)
{
    const struct http_parser *parser = &req->parser;
    log_debug("%s: %d %s", c->peer, parser->status, parser->reason);
    if (parser->limit != LIMIT_NONE)
        patience_over(req, parser->limit);
    return parser->status;
}

/* Is it there, and may the body come? */
static bool read_head(struct conn *c, struct request *req)
{
    struct in *in = &c->in;
    int status = 0;
    switch (http_parser_head(&req->parser, in->data + in->start, in_count(in))) {
    case HTTP_EVENT_MORE:
        return false;
    case HTTP_EVENT_HEAD:
        status = on_head(c, req);
        break;
    default:
        status = refusal(c, req);
    }
    if (status != 0)
        reader_refuse(c, status);
    return status == 0;
}

/* ---- the body ---- */

/* 1: complete; 0: more bytes are needed; else a status. */
static int read_chunked(struct conn *c, struct request *req)
{
    uint32_t head_bytes = req->parser.request.head_bytes;
    uint32_t used = 0, staged_bytes = in_count(&c->in) - head_bytes;
    const char *staged = c->in.data + c->in.start + head_bytes;
    int status = -1;
    while (status < 0) {
        size_t n = 0;
        enum http_event event =
            http_parser_body(&req->parser, staged + used, staged_bytes - used, &n);
        used += (uint32_t)n;
        if (event == HTTP_EVENT_DONE)
            status = 1;
        else if (event == HTTP_EVENT_MORE)
            status = 0;
        else if (event == HTTP_EVENT_ERROR)
            status = refusal(c, req);
        else if ((n = (size_t)body_append(req, req->parser.piece)) != 0)
            status = (int)n;
    }
    drop_used(c, req, used);
    return status;
}

static int read_length(struct conn *c, struct request *req)
{
    const struct http_request *head = &req->parser.request;
    if (req->body_status != 0)
        return req->body_status;
    if (req->body_room > 0)
        return req->body_bytes == head->content_length;
    if (in_count(&c->in) - head->head_bytes < head->content_length)
        return 0;
    req->body_bytes = (size_t)head->content_length;
    req->consumed = head->head_bytes + (uint32_t)head->content_length;
    return 1;
}

static int read_body(struct conn *c, struct request *req)
{
    switch (req->parser.request.body_kind) {
    case HTTP_BODY_LENGTH:
        return req->intake != NULL ? 1 : read_length(c, req);
    case HTTP_BODY_CHUNKED:
        return req->intake != NULL ? 1 : read_chunked(c, req);
    default:
        return 1;
    }
}

/* Two ways to be late: a pause of body_timeout, or, once the body has taken that long, an
 * average below body_min_rate. */
enum limit reader_body_limit(const struct conn *c)
{
    const struct request *req = c->request;
    const struct conf_limits *limits = &c->worker->conf->limits;
    uint64_t timeout_ms =
        req->route != NULL ? req->route->body_timeout_ms : limits->body_timeout_ms;
    uint64_t now_ms = c->worker->now_ms;
    if (timeout_ms == 0)
        return LIMIT_NONE;
    uint64_t last_ms = c->read_ms > req->body_begun_ms ? c->read_ms : req->body_begun_ms;
    if (now_ms - last_ms >= timeout_ms)
        return LIMIT_BODY_TIMEOUT;
    uint64_t taken_ms = now_ms - req->body_begun_ms;
    uint64_t received = req->body_room > 0    ? req->body_bytes
                        : req->intake != NULL ? req->parser.body_seen
                                              : in_count(&c->in);
    uint64_t rate =
        req->route != NULL ? req->route->body_rate_bytes : limits->body_min_rate_bytes;
    bool is_drip = taken_ms >= timeout_ms && received * READER_MS_PER_S < rate * taken_ms;
    return is_drip ? LIMIT_BODY_RATE : LIMIT_NONE;
}

/* ---- complete ---- */

static void hand_over(struct conn *c, struct request *req)
{
    int status = req->body_fd < 0 ? 0 : body_close(req);
    if (status != 0) {
        reader_refuse(c, status);
        return;
    }
    find_in_input(c, req);
    if (req->route == NULL) {
        answer_host(req, req->host_status);
        conn_on_answer(c);
        return;
    }
    c->is_handed = true;
    if (c->is_eof)
        request_client_gone(req);
    engine_dispatch(req);
}

void reader_refuse_unread(struct conn *c, int status, enum limit limit)
{
    if (!begin_request(c))
        return;
    if (limit != LIMIT_NONE)
        patience_over(c->request, limit);
    reader_refuse(c, status);
}

bool reader_step(struct conn *c)
{
    c->is_stalled = false;
    if (c->is_handed && c->request->intake != NULL)
        intake_pump(c);
    if (c->is_closing || c->is_handed)
        return false;
    if (c->request == NULL) {
        if (in_count(&c->in) == 0)
            return false;
        if (c->is_header_due && !identity_take_header(c))
            return false;
        c->is_stalled = c->out.queued_bytes >= CONN_OUT_HIGH;
        if (c->is_stalled || !begin_request(c))
            return false;
    }
    struct request *req = c->request;
    if (!req->has_head && !read_head(c, req))
        return false;
    int status = read_body(c, req);
    if (status == 1)
        hand_over(c, req);
    else if (status != 0)
        reader_refuse(c, status);
    return status != 0;
}
