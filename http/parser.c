/* SPDX-License-Identifier: MIT */
/*
 * parser - one HTTP/1.1 request message: bytes in, events out.
 *
 * Owns:    the way through a message: lines of the head, then the body.
 * Called:  by worker/reader.c; calls guard.c and llhttp. Why: llhttp is given whole
 *          field lines only, each after it has passed guard.c, so its spans arrive in
 *          one piece and what it is told does not depend on how the bytes were split. Of
 *          a chunked body it gets either framing or data, never both at once.
 * Fails:   HTTP_EVENT_ERROR; after that llhttp is never called again: it may be in any
 *          state.
 */
#include "http/parser.h"

#include "common/check.h"
#include "http/chars.h"
#include "http/chunk.h"
#include "http/guard.h"

#include <stdlib.h>
#include <string.h>

/* 8.1 in its loose mode takes any two bytes as the end of a chunk (CVE-2023-30589). */
#if LLHTTP_VERSION_MAJOR < 9 && !LLHTTP_STRICT_MODE
#error "llhttp 8 must be compiled with LLHTTP_STRICT_MODE=1, everywhere"
#endif

static struct http_parser *parser_of(llhttp_t *llhttp)
{
    return CONTAINER_OF(llhttp, struct http_parser, llhttp);
}

/** Cold: so the callers keep their registers on the way that is taken. */
__attribute__((cold, noinline)) static enum http_event
fail(struct http_parser *p, int status, const char *reason)
{
    p->status = status;
    p->reason = reason;
    return HTTP_EVENT_ERROR;
}

/** The same, for too much of something. */
__attribute__((cold, noinline)) static enum http_event
fail_limit(struct http_parser *p, int status, enum limit limit, const char *reason)
{
    p->limit = limit;
    return fail(p, status, reason);
}

/** For a callback of llhttp: -1 ends llhttp_execute. */
__attribute__((cold, noinline)) static int stop(struct http_parser *p, int status,
                                                const char *reason)
{
    fail(p, status, reason);
    return -1;
}

/* ---- what llhttp reports ---- */

/** More room for fields, once: inline, then the limit. false: out of memory. */
__attribute__((cold, noinline)) static bool grow_fields(struct http_parser *p)
{
    struct http_request *req = &p->request;
    struct http_field *more = malloc(p->limits->header_fields * sizeof(*more));

    if (more == NULL)
        return false;
    memcpy(more, req->field, req->field_count * sizeof(*more));
    req->field = more;
    req->field_room = p->limits->header_fields;
    return true;
}

/** A name, or a piece of one, among trailers: 9.x refuses Content-Length there and 8.1
 *  does not, so it is refused in both. Spans of a body come in pieces, hence the
 *  counting. */
static int on_trailer_name(struct http_parser *p, const char *at, size_t n)
{
    static const char WORD[] = "content-length";

    for (size_t i = 0; i < n; i++) {
        bool same = p->trailer_matched < sizeof(WORD) - 1 &&
                    (at[i] | 0x20) == WORD[p->trailer_matched];
        p->trailer_matched = same ? p->trailer_matched + 1 : UINT8_MAX;
    }
    return 0;
}

static int on_trailer_value(struct http_parser *p)
{
    bool refused = p->trailer_matched == sizeof("content-length") - 1;

    p->trailer_matched = 0;
    return refused ? -1 : 0;
}

static int on_header_field(llhttp_t *llhttp, const char *at, size_t n)
{
    struct http_parser *p = parser_of(llhttp);
    struct http_request *req = &p->request;

    if (p->head_complete)
        return on_trailer_name(p, at, n);
    if (p->value_due) /* no report of the last value: guard.c has not seen it */
        return stop(p, 400, "malformed header");
    if (req->field_count >= p->limits->header_fields) {
        p->limit = LIMIT_HEADER_FIELDS;
        return stop(p, 431, "too many fields");
    }
    if (req->field_count == req->field_room && !grow_fields(p))
        return stop(p, 503, "out of memory");
    req->field[req->field_count++].name =
        (struct http_span){(uint32_t)(at - p->base), (uint32_t)n};
    p->value_due = true;
    return 0;
}

static int on_header_value(llhttp_t *llhttp, const char *at, size_t n)
{
    struct http_parser *p = parser_of(llhttp);
    struct http_request *req = &p->request;

    if (p->head_complete)
        return on_trailer_value(p);
    if (!p->value_due) { /* lines come whole and unfolded, so values have one piece */
        if (n == 0)
            return 0; /* but for nothing, where feed_trimmed goes on */
        return stop(p, 400, "malformed header");
    }
    struct http_field *f = &req->field[req->field_count - 1];
    while (n > 0 && http_char_is_blank(at[n - 1]))
        n--;
    /* llhttp reports an empty value late, with the next line */
    uint32_t value_at = n > 0 ? (uint32_t)(at - p->base) : f->name.at + f->name.n + 1;
    f->value = (struct http_span){value_at, (uint32_t)n};
    p->value_due = false;
    if (!http_guard_cares(p->base + f->name.at, f->name.n))
        return 0;
    struct http_refusal bad = http_guard_field(req, p->base, f, &p->seen);
    return bad.status == 0 ? 0 : stop(p, bad.status, bad.reason);
}

static int on_headers_complete(llhttp_t *llhttp)
{
    parser_of(llhttp)->head_complete = true;
    return 0;
}

static int on_chunk_header(llhttp_t *llhttp)
{
    parser_of(llhttp)->chunk_header = true;
    return HPE_PAUSED;
}

static int on_message_complete(llhttp_t *llhttp)
{
    parser_of(llhttp)->message_complete = true;
    return HPE_PAUSED;
}

static const llhttp_settings_t SETTINGS = {
    .on_header_field = on_header_field,
    .on_header_value = on_header_value,
    .on_headers_complete = on_headers_complete,
    .on_chunk_header = on_chunk_header,
    .on_message_complete = on_message_complete,
};

/* ---- life ---- */

/* The request line is read by guard.c alone, more strictly than llhttp would, and nothing
 * that follows depends on it but what guard.c refuses (CONNECT, HTTP/2). So llhttp sees
 * one stand-in per parser, and each message begins with a copy of its state behind that:
 * a sixth of the cost of a small request. */
void http_parser_init(struct http_parser *p, const struct http_limits *limits)
{
    static const char STAND_IN[] = "GET / HTTP/1.1\r\n";

    llhttp_init(&p->behind_line, HTTP_REQUEST, &SETTINGS);
    CHECK(llhttp_execute(&p->behind_line, STAND_IN, sizeof(STAND_IN) - 1) == HPE_OK);
    p->limits = limits;
    p->request.field = p->request.field_inline;
    p->request.field_room = HTTP_FIELDS_INLINE;
    http_parser_reset(p);
}

void http_parser_reset(struct http_parser *p)
{
    struct http_field *field = p->request.field;
    uint32_t room = p->request.field_room;

    memset(&p->base, 0,
           offsetof(struct http_parser, request.field_inline) -
               offsetof(struct http_parser, base));
    p->llhttp = p->behind_line;
    p->body_limit = p->limits->body_bytes;
    p->request.field = field;
    p->request.field_room = room;
}

void http_parser_fini(struct http_parser *p)
{
    if (p->request.field != p->request.field_inline)
        free(p->request.field);
    p->request.field = p->request.field_inline;
    p->request.field_room = HTTP_FIELDS_INLINE;
    p->request.field_count = 0;
}

bool http_parser_is_idle(const struct http_parser *p)
{
    return p->fields_at == 0 && p->scanned <= p->line_at;
}

/* ---- the head ---- */

/** Skips leading CRLFs. MORE: no request line has begun; HEAD: there is one. */
static enum http_event skip_empty_lines(struct http_parser *p, uint32_t have)
{
    for (; p->line_at < have; p->line_at += 2) {
        const char *at = p->base + p->line_at;
        if (http_char_is(*at, HTTP_CHAR_TOKEN))
            return HTTP_EVENT_HEAD;
        if (*at != '\r' || p->line_at == HTTP_LEADING_BYTES)
            return fail(p, 400, "no method at the start of the request line");
        if (have - p->line_at < 2)
            return HTTP_EVENT_MORE;
        if (at[1] != '\n')
            return fail(p, 400, "bare CR before the request line");
    }
    return HTTP_EVENT_MORE;
}

/** HEAD: the line is complete and accepted, and fields_at is set. */
static enum http_event take_request_line(struct http_parser *p, uint32_t have)
{
    enum http_event event = skip_empty_lines(p, have);
    uint32_t limit = p->limits->request_line_bytes;

    if (event != HTTP_EVENT_HEAD)
        return event;
    uint32_t from = p->scanned > p->line_at ? p->scanned : p->line_at;
    const char *lf = memchr(p->base + from, '\n', have - from);
    /* a line that is not complete needs one byte more, at least */
    uint32_t end = lf != NULL ? (uint32_t)(lf - p->base) + 1 : have + 1;
    if (end - p->line_at > limit)
        return fail_limit(p, 414, LIMIT_REQUEST_LINE, "request line too long");
    p->scanned = have;
    if (lf == NULL)
        return HTTP_EVENT_MORE;
    struct slice line = {p->base + p->line_at, end - p->line_at};
    struct http_refusal bad = http_guard_request_line(&p->request, p->base, line);
    if (bad.status != 0)
        return fail(p, bad.status, bad.reason);
    p->fed = p->fields_at = p->line_at = p->scanned = end;
    return HTTP_EVENT_HEAD;
}

/** Moves line_at over whole, acceptable lines, up to a refused one, or behind one that a
 *  blank ends. HEAD: the empty line was among them. */
static enum http_event take_field_lines(struct http_parser *p, uint32_t have,
                                        struct http_refusal *bad_out)
{
    const char *end = p->base + have, *fields = p->base + p->fields_at;
    const char *line = p->base + p->line_at, *from = p->base + p->scanned;
    size_t limit = p->limits->header_bytes;
    struct http_refusal bad = {0, NULL};
    bool empty = false;

    while (line < end && !empty) {
        const char *lf = memchr(from, '\n', (size_t)(end - from));
        size_t n = (size_t)((lf != NULL ? lf : end) - line) + 1;
        if ((size_t)(line - fields) + n > limit)
            bad = (struct http_refusal){431, "header too long"};
        else if (lf != NULL)
            bad = http_guard_field_line((struct slice){line, n});
        if (lf == NULL || bad.status != 0)
            break;
        empty = n == 2;
        from = line = lf + 1;
        if (http_char_is_blank(lf[-2])) { /* there is a byte: the line before, at least */
            p->blank_ends_line = true;
            break;
        }
    }
    p->line_at = (uint32_t)(line - p->base);
    p->scanned = empty || p->blank_ends_line ? p->line_at : have;
    *bad_out = bad;
    if (bad.status != 0)
        return HTTP_EVENT_ERROR;
    return empty ? HTTP_EVENT_HEAD : HTTP_EVENT_MORE;
}

static bool is_fed(struct http_parser *p, llhttp_errno_t err)
{
    /* HPE_PAUSED: a message without a body; HPE_PAUSED_UPGRADE: the same, with an offer
     * that we decline by going on. Nothing was fed beyond the head, so nothing is lost.
     */
    if (err == HPE_OK ||
        (p->head_complete && (err == HPE_PAUSED || err == HPE_PAUSED_UPGRADE)))
        return true;
    if (p->status == 0)
        fail(p, 400, llhttp_get_error_reason(&p->llhttp));
    return false;
}

/** Gives llhttp the lines that have passed. false: it, or a callback, refused them. */
static bool feed_lines(struct http_parser *p)
{
    uint32_t from = p->fed;

    if (from == p->line_at)
        return true;
    p->fed = p->line_at;
    return is_fed(p, llhttp_execute(&p->llhttp, p->base + from, p->line_at - from));
}

/** The same, the last line without the blanks at its end: llhttp refuses a tab behind a
 *  length or a coding, where RFC 9112 5.1 allows it. */
__attribute__((cold, noinline)) static bool feed_trimmed(struct http_parser *p)
{
    static const char END[] = "\r\n";
    uint32_t from = p->fed, end = p->line_at - 2;

    p->blank_ends_line = false;
    p->fed = p->line_at;
    while (http_char_is_blank(p->base[end - 1]))
        end--;
    return is_fed(p, llhttp_execute(&p->llhttp, p->base + from, end - from)) &&
           is_fed(p, llhttp_execute(&p->llhttp, END, sizeof(END) - 1));
}

/** The empty line was reached: everything is known but the body. */
static enum http_event end_head(struct http_parser *p)
{
    struct http_request *req = &p->request;

    struct http_refusal bad = http_guard_head(req, p->seen);
    if (bad.status != 0)
        return fail(p, bad.status, bad.reason);
    /* two readings of where a message ends are how requests are smuggled */
    if (!p->head_complete || p->value_due ||
        p->message_complete != (req->body_kind == HTTP_BODY_NONE))
        return fail(p, 400, "malformed header");
    req->head_bytes = p->line_at;
    return HTTP_EVENT_HEAD;
}

enum http_event http_parser_head(struct http_parser *p, const char *base, size_t have)
{
    uint32_t here = have < UINT32_MAX ? (uint32_t)have : UINT32_MAX - 1;

    CHECK(p->status == 0);
    p->base = base;
    if (p->fields_at == 0) {
        enum http_event event = take_request_line(p, here);
        if (event != HTTP_EVENT_HEAD)
            return event;
    }
    struct http_refusal bad;
    enum http_event event;
    for (;;) {
        event = take_field_lines(p, here, &bad);
        if (!p->blank_ends_line)
            break;
        if (!feed_trimmed(p))
            return HTTP_EVENT_ERROR;
    }
    /* what stands before a refused line is judged first, as if it had come alone */
    if (!feed_lines(p))
        return HTTP_EVENT_ERROR;
    if (event == HTTP_EVENT_HEAD)
        return end_head(p);
    if (event == HTTP_EVENT_ERROR)
        return fail_limit(p, bad.status,
                          bad.status == 431 ? LIMIT_HEADER_SIZE : LIMIT_NONE, bad.reason);
    return p->head_complete ? fail(p, 400, "malformed header") : HTTP_EVENT_MORE;
}

/* ---- the body ---- */

static enum http_event give_piece(struct http_parser *p, const char *bytes, size_t n,
                                  size_t *used_out)
{
    p->piece = (struct slice){bytes, n};
    p->body_seen += n;
    *used_out += n;
    return HTTP_EVENT_BODY;
}

static enum http_event counted_body(struct http_parser *p, const char *bytes, size_t n,
                                    size_t *used_out)
{
    uint64_t left = p->request.content_length - p->body_seen;

    if (left == 0)
        return HTTP_EVENT_DONE;
    if (n == 0)
        return HTTP_EVENT_MORE;
    return give_piece(p, bytes, left < n ? (size_t)left : n, used_out);
}

/** Data of the current chunk: llhttp counts it, too. */
static enum http_event chunk_data(struct http_parser *p, const char *bytes, size_t n,
                                  size_t *used_out)
{
    size_t take = p->chunk_left < n ? (size_t)p->chunk_left : n;

    if (llhttp_execute(&p->llhttp, bytes, take) != HPE_OK)
        return fail(p, 400, "malformed chunk");
    p->chunk_left -= take;
    return give_piece(p, bytes, take, used_out);
}

/** The size line has just ended: may so much data come? */
static enum http_event open_chunk(struct http_parser *p)
{
    uint64_t size = p->llhttp.content_length;

    p->chunk_header = false;
    if (p->body_seen > p->body_limit || size > p->body_limit - p->body_seen)
        return fail_limit(p, 413, LIMIT_BODY, "body too large");
    p->chunk_left = size; /* 0: the last one */
    p->chunk_state = size > 0 ? HTTP_CHUNK_DATA_CR : HTTP_CHUNK_TRAILERS;
    return HTTP_EVENT_MORE;
}

/** Bytes that are not data, as far as the next chunk's data or the end of the message. */
static enum http_event chunk_framing(struct http_parser *p, const char *bytes, size_t n,
                                     size_t *used_out)
{
    size_t room = p->limits->framing_bytes - p->framing_seen;

    if (room == 0)
        return fail_limit(p, 413, LIMIT_FRAMING, "too much chunk framing");
    bool fed = false;
    size_t take = http_chunk_run(&p->chunk_state, bytes, n < room ? n : room, &fed);
    if (take == 0)
        return fail(p, 400, "malformed chunk");
    p->framing_seen += (uint32_t)take;
    *used_out += take;
    if (!fed)
        return HTTP_EVENT_MORE;
    llhttp_errno_t err = llhttp_execute(&p->llhttp, bytes, take);
    bool paused = err == HPE_PAUSED || err == HPE_PAUSED_UPGRADE;
    if (err != HPE_OK && !paused)
        return fail(p, 400, "malformed chunk");
    if (p->message_complete)
        return HTTP_EVENT_DONE;
    if (!p->chunk_header)
        return paused ? fail(p, 400, "malformed chunk") : HTTP_EVENT_MORE;
    llhttp_resume(&p->llhttp);
    return open_chunk(p);
}

enum http_event http_parser_body(struct http_parser *p, const char *bytes, size_t n,
                                 size_t *used_out)
{
    enum http_event event = HTTP_EVENT_MORE;

    CHECK(p->status == 0 && p->head_complete);
    *used_out = 0;
    if (p->message_complete)
        return HTTP_EVENT_DONE;
    if (p->request.body_kind == HTTP_BODY_LENGTH)
        return counted_body(p, bytes, n, used_out);
    while (event == HTTP_EVENT_MORE && *used_out < n) {
        const char *at = bytes + *used_out;
        size_t left = n - *used_out;
        event = p->chunk_left > 0 ? chunk_data(p, at, left, used_out)
                                  : chunk_framing(p, at, left, used_out);
    }
    return event;
}
