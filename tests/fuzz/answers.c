/* SPDX-License-Identifier: MIT */
/*
 * answers - a model of the client.                                [tests]
 */
#include "tests/fuzz/answers.h"

#include "tests/fuzz/must.h"
#include "tests/unit/http_transcript.h"

#include <string.h>
#include <strings.h>

enum { HASH_START = 2166136261u, HASH_PRIME = 16777619u };

static uint32_t hash_on(uint32_t hash, const void *bytes, size_t n)
{
    for (size_t i = 0; i < n; i++)
        hash = (hash ^ ((const uint8_t *)bytes)[i]) * HASH_PRIME;
    return hash;
}

uint32_t answers_hash(const void *bytes, size_t n)
{
    return hash_on(HASH_START, bytes, n);
}

/* ---- requests ---- */

/* The body behind a head; false: it does not end here. */
static bool read_body(struct http_parser *p, const char **at, const char *end,
                      struct asked *asked, bool *is_refused)
{
    asked->body = HASH_START;
    if (p->request.body_kind == HTTP_BODY_NONE)
        return true;
    for (;;) {
        size_t used = 0;
        enum http_event event = http_parser_body(p, *at, (size_t)(end - *at), &used);
        *at += used;
        if (event == HTTP_EVENT_BODY)
            asked->body = hash_on(asked->body, p->piece.p, p->piece.n);
        *is_refused = event == HTTP_EVENT_ERROR;
        if (event == HTTP_EVENT_DONE)
            return true;
        if (event != HTTP_EVENT_BODY)
            return false;
    }
}

void answers_asked(const uint8_t *bytes, size_t n, struct asking *out)
{
    const char *at = (const char *)bytes, *end = at + n;
    struct http_parser *p = malloc(sizeof *p);
    must(p != NULL, "memory");
    memset(out, 0, sizeof *out);
    http_parser_init(p, &TRANSCRIPT_LIMITS);
    while (at < end && !out->is_refused && out->count == out->complete) {
        enum http_event event = http_parser_head(p, at, (size_t)(end - at));
        out->is_refused = event == HTTP_EVENT_ERROR;
        if (event != HTTP_EVENT_HEAD)
            break;
        out->is_too_much = out->count == ANSWERS_MOST;
        if (out->is_too_much)
            break;
        struct asked *asked = &out->asked[out->count++];
        const struct http_request *r = &p->request;
        *asked = (struct asked){.is_head = r->method == HTTP_METHOD_HEAD,
                                .is_continue = r->expect_continue,
                                .is_to_stay = r->keep_alive && r->minor == 1};
        asked->target = answers_hash(at + r->target.at, r->target.n);
        at += r->head_bytes;
        if (read_body(p, &at, end, asked, &out->is_refused)) {
            asked->is_complete = true;
            out->complete++;
        }
        if (!out->is_refused)
            http_parser_reset(p);
    }
    http_parser_fini(p);
    free(p);
}

/* ---- responses ---- */

struct reply {
    int status;
    bool is_close, is_chunked, has_length, has_target, has_body_hash, has_promise;
    size_t length, promise; /* said of the body; by its handler */
    uint32_t target, body;
};

/* The number behind a field's name, in that base; true: it is that field. */
static bool field(const char *line, size_t n, const char *name, int base, size_t *out)
{
    char value[24];
    size_t skip = strlen(name);
    if (n <= skip || strncmp(line, name, skip) != 0 || n - skip >= sizeof value)
        return false;
    memcpy(value, line + skip, n - skip);
    value[n - skip] = '\0';
    char *end;
    *out = strtoul(value, &end, base);
    must(*end == '\0', "a number in a field");
    return true;
}

static void read_field(const char *line, size_t n, struct reply *r)
{
    static const char CLOSE[] = "Connection: close";
    static const char CHUNKED[] = "Transfer-Encoding: chunked";
    size_t number = 0;
    must(memchr(line, '\n', n) == NULL && memchr(line, '\0', n) == NULL, "a field line");
    must(memchr(line, ':', n) != NULL, "a field without a colon");
    r->is_close = r->is_close || (n == sizeof CLOSE - 1 && memcmp(line, CLOSE, n) == 0);
    r->is_chunked =
        r->is_chunked || (n == sizeof CHUNKED - 1 && memcmp(line, CHUNKED, n) == 0);
    if (field(line, n, "Content-Length: ", 10, &number)) {
        must(!r->has_length, "Content-Length twice");
        r->has_length = true;
        r->length = number;
    } else if (field(line, n, "X-Target: ", 16, &number)) {
        r->has_target = true;
        r->target = (uint32_t)number;
    } else if (field(line, n, "X-Body: ", 16, &number)) {
        r->has_body_hash = true;
        r->body = (uint32_t)number;
    } else if (field(line, n, "X-Length: ", 10, &number)) {
        r->has_promise = true;
        r->promise = number;
    }
}

/* Bytes of a head; 0: it is not whole. */
static size_t read_head(const char *bytes, size_t n, struct reply *out)
{
    *out = (struct reply){0};
    const char *end = memmem(bytes, n, "\r\n\r\n", 4);
    must(memcmp(bytes, "HTTP/1.1 ", n < 9 ? n : 9) == 0, "no response where one is due");
    if (end == NULL)
        return 0;
    must(end - bytes >= 12, "a status line");
    for (int i = 9; i < 12; i++) {
        must(bytes[i] >= '0' && bytes[i] <= '9', "a status");
        out->status = out->status * 10 + (bytes[i] - '0');
    }
    const char *line = memchr(bytes, '\r', n);
    while (line < end) {
        line += 2;
        const char *stop = memmem(line, (size_t)(end + 2 - line), "\r\n", 2);
        read_field(line, (size_t)(stop - line), out);
        line = stop;
    }
    must(!out->is_chunked || !out->has_length, "two framings");
    return (size_t)(end - bytes) + 4;
}

/* Bytes of a chunked body with its framing; 0: it is not whole. */
static size_t read_chunks(const char *bytes, size_t n, size_t *data_out)
{
    size_t at = 0;
    *data_out = 0;
    for (;;) {
        const char *line = bytes + at, *end = memmem(line, n - at, "\r\n", 2);
        if (end == NULL)
            return 0;
        size_t size = 0;
        must(end > line && end - line <= 8, "a chunk's size");
        for (; line < end; line++) {
            const char *digit = memchr("0123456789abcdef", *line | 0x20, 16);
            must(digit != NULL, "a digit of a chunk's size");
            size = size * 16 + (size_t)(digit - "0123456789abcdef");
        }
        at = (size_t)(end - bytes) + 2 + size + 2;
        if (at > n)
            return 0;
        must(memcmp(bytes + at - 2, "\r\n", 2) == 0, "the end of a chunk");
        *data_out += size;
        if (size == 0)
            return at;
    }
}

/* Whole: bytes of head and body in *n_out. */
static bool read_reply(const char *bytes, size_t n, bool is_head, bool is_over,
                       struct reply *r, size_t *n_out)
{
    size_t head = read_head(bytes, n, r), body = 0, data = 0;
    if (head == 0)
        return false;
    bool is_bare = is_head || r->status < 200 || r->status == 204 || r->status == 304;
    must(!(r->status < 200 || r->status == 204) || (!r->has_length && !r->is_chunked),
         "a framing where RFC 9110 8.6 has none");
    if (is_bare) {
        *n_out = head;
        return true;
    }
    if (r->is_chunked) {
        body = read_chunks(bytes + head, n - head, &data);
        if (body == 0)
            return false;
    } else if (r->has_length) {
        body = data = r->length;
    } else {
        must(r->is_close, "a body until the end on a connection that stays");
        if (!is_over)
            return false;
        body = data = n - head;
    }
    must(!r->has_promise || r->promise == data || n < head + body ||
             (is_over && !r->has_length && !r->is_chunked),
         "not the body that its handler has sent");
    *n_out = head + body;
    return *n_out <= n;
}

/* Is it for that request? One that is beyond them is for what was no request. */
static void check_reply(const struct reply *r, const struct asking *asking, size_t i)
{
    must(i < asking->count + asking->is_refused || asking->is_too_much ||
             r->status == 408,
         "more responses than requests");
    if (i >= asking->count) {
        must(asking->is_too_much || (r->status >= 400 && r->is_close),
             "a good response for no request");
        return;
    }
    const struct asked *asked = &asking->asked[i];
    must(!r->has_target || r->target == asked->target, "the response of another request");
    must(!r->has_body_hash || r->body == asked->body, "the body of another request");
    must(!r->has_body_hash || asked->is_complete, "a body that has not come");
}

void answers_given(const uint8_t *bytes, size_t n, const struct asking *asking,
                   bool is_over, struct given *out)
{
    const char *at = (const char *)bytes, *end = at + n;
    bool was_told = false;
    *out = (struct given){0};
    while (at < end) {
        struct reply r;
        size_t used = 0;
        bool is_known = out->count < asking->count;
        const struct asked *asked = is_known ? &asking->asked[out->count] : NULL;
        must(!out->is_last, "a response behind the last one");
        if (!read_reply(at, (size_t)(end - at), asked != NULL && asked->is_head, is_over,
                        &r, &used)) {
            out->is_partial = true;
            return;
        }
        at += used;
        if (r.status < 200) {
            must(r.status == 100 && asked != NULL && asked->is_continue && !was_told,
                 "an interim response that nobody waits for");
            was_told = true;
            continue;
        }
        was_told = false;
        check_reply(&r, asking, out->count);
        out->is_last = r.is_close;
        out->status = r.status;
        out->count++;
    }
}
