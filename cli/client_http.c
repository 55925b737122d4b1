/* SPDX-License-Identifier: MIT */
/*
 * client_http - reads lines and bodies; what a line means is response_head.c.  [clients]
 *
 * Lines are judged where they lie; only one that is cut by the end of a read is kept, and
 * of that only its beginning: no field that matters here is longer.
 *
 * Called:  by client.c.
 * Fails:   CLIENT_HTTP_BAD on the first byte that cannot be right.
 */
#include "cli/client_http.h"

#include "cli/response_head.h"

#include <string.h>

void client_http_begin(struct client_http *c, bool is_head)
{
    /* line[] is 256 bytes that need no clearing at every request */
    c->state = CLIENT_HTTP_STATUS_LINE;
    c->is_head = is_head;
    c->has_retry_after = false;
    c->status = 0;
    c->left = c->body_bytes = 0;
    c->head_bytes = c->line_n = 0;
    c->why = NULL;
}

static enum client_http_verdict refuse(struct client_http *c, const char *why)
{
    c->why = why;
    c->state = CLIENT_HTTP_ENDED;
    return CLIENT_HTTP_BAD;
}

static enum client_http_verdict finish(struct client_http *c)
{
    c->state = CLIENT_HTTP_ENDED;
    return CLIENT_HTTP_DONE;
}

/* Whatever its fields say. */
static bool is_bodyless(const struct client_http *c)
{
    return c->is_head || c->status == 204 || c->status == 304;
}

/* RFC 9112 section 6.3, in its order. */
static enum client_http_verdict begin_body(struct client_http *c)
{
    if (c->has_length && c->is_chunked)
        return refuse(c, "both Content-Length and Transfer-Encoding");
    if (c->status < 200) {
        c->state = CLIENT_HTTP_STATUS_LINE;
        return CLIENT_HTTP_MORE;
    }
    if (is_bodyless(c))
        return finish(c);
    if (c->is_chunked)
        c->state = CLIENT_HTTP_CHUNK_SIZE;
    else if (!c->has_length)
        c->state = CLIENT_HTTP_BODY_CLOSE;
    else if (c->left == 0)
        return finish(c);
    else
        c->state = CLIENT_HTTP_BODY_LENGTH;
    return CLIENT_HTTP_MORE;
}

static enum client_http_verdict take_chunk_size(struct client_http *c,
                                                const struct response_line *line)
{
    const char *why = response_head_chunk_size(line, &c->left);

    if (why != NULL)
        return refuse(c, why);
    c->state = c->left == 0 ? CLIENT_HTTP_TRAILERS : CLIENT_HTTP_CHUNK_DATA;
    return CLIENT_HTTP_MORE;
}

static enum client_http_verdict take_line(struct client_http *c,
                                          const struct response_line *line)
{
    const char *why = NULL;

    switch (c->state) {
    case CLIENT_HTTP_STATUS_LINE:
        why = response_head_status(line, c);
        c->state = CLIENT_HTTP_FIELDS;
        break;
    case CLIENT_HTTP_FIELDS:
        if (line->n == 0)
            return begin_body(c);
        why = response_head_field(line, c);
        break;
    case CLIENT_HTTP_CHUNK_SIZE:
        return take_chunk_size(c, line);
    case CLIENT_HTTP_CHUNK_END:
        c->state = CLIENT_HTTP_CHUNK_SIZE;
        why = line->n == 0 ? NULL : "no CRLF behind a chunk";
        break;
    default: /* CLIENT_HTTP_TRAILERS */
        if (line->n == 0)
            return finish(c);
        why = response_head_trailer(line);
        break;
    }
    return why == NULL ? CLIENT_HTTP_MORE : refuse(c, why);
}

static void keep(struct client_http *c, const char *p, size_t n)
{
    if (n == 0)
        return;
    if (c->line_n < sizeof(c->line)) {
        const size_t room = sizeof(c->line) - c->line_n;

        memcpy(c->line + c->line_n, p, n < room ? n : room);
    }
    c->line_n += n;
    c->last = p[n - 1];
}

static size_t at_most(size_t n, size_t limit)
{
    return n < limit ? n : limit;
}

/* `n` bytes and then LF: a whole line, or the rest of the one that was kept. Both are
 * judged by the same first bytes, so that the verdict does not depend on the split. */
static enum client_http_verdict end_line(struct client_http *c, const char *p, size_t n)
{
    struct response_line line = {.text = {p, 0}, .n = n};
    char last = n > 0 ? p[n - 1] : '\0';

    if (c->line_n > 0) {
        keep(c, p, n);
        line.text.p = c->line;
        line.n = c->line_n;
        last = c->last;
        c->line_n = 0;
    }
    if (last != '\r')
        return refuse(c, "a line that does not end in CRLF");
    line.n--;
    line.text.n = at_most(line.n, CLIENT_HTTP_LINE_KEPT);
    return take_line(c, &line);
}

static enum client_http_verdict read_line(struct client_http *c, const char *p, size_t n,
                                          size_t *used_out)
{
    const char *lf = memchr(p, '\n', n);
    const size_t size = lf == NULL ? n : (size_t)(lf - p);

    *used_out = lf == NULL ? n : size + 1;
    c->head_bytes += *used_out;
    if (c->head_bytes > CLIENT_HTTP_HEAD_MAX)
        return refuse(c, "a head, chunk line or trailers that never end");
    if (lf != NULL)
        return end_line(c, p, size);
    keep(c, p, size);
    return CLIENT_HTTP_MORE;
}

static enum client_http_verdict read_body(struct client_http *c, size_t n,
                                          size_t *used_out)
{
    *used_out = c->state == CLIENT_HTTP_BODY_CLOSE || n < c->left ? n : (size_t)c->left;
    c->body_bytes += *used_out;
    if (c->state == CLIENT_HTTP_BODY_CLOSE)
        return CLIENT_HTTP_MORE;
    c->left -= *used_out;
    if (c->left > 0)
        return CLIENT_HTTP_MORE;
    if (c->state == CLIENT_HTTP_BODY_LENGTH)
        return finish(c);
    c->state = CLIENT_HTTP_CHUNK_END;
    c->head_bytes = 0; /* a chunk that carried data earns the next its line */
    return CLIENT_HTTP_MORE;
}

static bool is_in_body(const struct client_http *c)
{
    return c->state == CLIENT_HTTP_BODY_LENGTH || c->state == CLIENT_HTTP_BODY_CLOSE ||
           c->state == CLIENT_HTTP_CHUNK_DATA;
}

enum client_http_verdict client_http_feed(struct client_http *c, const char *p, size_t n,
                                          size_t *used_out)
{
    enum client_http_verdict verdict = CLIENT_HTTP_MORE;
    size_t used = 0;

    while (verdict == CLIENT_HTTP_MORE && used < n) {
        size_t step = 0;

        if (is_in_body(c))
            verdict = read_body(c, n - used, &step);
        else
            verdict = read_line(c, p + used, n - used, &step);
        used += step;
    }
    *used_out = used;
    return verdict;
}

enum client_http_verdict client_http_close(struct client_http *c)
{
    return c->state == CLIENT_HTTP_BODY_CLOSE ? CLIENT_HTTP_DONE : CLIENT_HTTP_MORE;
}

bool client_http_is_reusable(const struct client_http *c)
{
    const bool ended_by_close = !c->has_length && !c->is_chunked && !is_bodyless(c);

    return !ended_by_close && !c->says_close && (!c->is_http10 || c->says_keep_alive);
}
