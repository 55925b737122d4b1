/* SPDX-License-Identifier: MIT */
/*
 * http_transcript - drives http/parser.h as a connection does, and writes its words down.
 *
 * Each piece is handed over in a block of its own and of its exact size, so that a
 * sanitizer sees a read behind it, and so that the base of a head moves with every call.
 */
/*
 * http_transcript - drives http/parser.h as a connection does, and writes down what it
 * says.
 *
 * Each piece is handed over in a block of its own and of its exact size, so that a
 * sanitizer sees a read behind it, and so that the base of a head moves with every call.
 */
#include "tests/unit/http_transcript.h"

#include <inttypes.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

struct transcript {
    char *text;
    size_t n, room;
};

const struct http_limits TRANSCRIPT_LIMITS = {.request_line_bytes = 8192,
                                              .header_bytes = 16384,
                                              .header_fields = 100,
                                              .framing_bytes = 16384,
                                              .body_bytes = 1 << 20};

static void add(struct transcript *t, const char *bytes, size_t n)
{
    if (t->n + n + 1 > t->room) {
        t->room = 2 * (t->n + n + 1);
        t->text = realloc(t->text, t->room);
        if (t->text == NULL)
            abort();
    }
    if (n > 0)
        memcpy(t->text + t->n, bytes, n);
    t->n += n;
    t->text[t->n] = '\0';
}

__attribute__((format(printf, 2, 3))) static void print(struct transcript *t,
                                                        const char *format, ...)
{
    char line[256];
    va_list args;

    va_start(args, format);
    int n = vsnprintf(line, sizeof(line), format, args);
    va_end(args);
    add(t, line, n < (int)sizeof(line) ? (size_t)n : sizeof(line) - 1);
}

static void print_span(struct transcript *t, const char *label, const char *base,
                       struct http_span span)
{
    print(t, " %s@%u:", label, span.at);
    add(t, base + span.at, span.n);
}

static void print_head(struct transcript *t, const struct http_request *r,
                       const char *base)
{
    print(t, "head %u method %d minor %d %s%s%s kind %d length %" PRIu64, r->head_bytes,
          r->method, r->minor, r->keep_alive ? "keep" : "close",
          r->expect_continue ? " continue" : "", r->upgrade_offered ? " upgrade" : "",
          r->body_kind, r->content_length);
    print_span(t, "method", base, r->method_text);
    print_span(t, "target", base, r->target);
    print_span(t, "path", base, r->path);
    if (r->has_query)
        print_span(t, "query", base, r->query);
    print_span(t, "host", base, r->host);
    for (uint32_t i = 0; i < r->field_count; i++) {
        print_span(t, "name", base, r->field[i].name);
        print_span(t, "value", base, r->field[i].value);
    }
    add(t, "\n", 1);
}

struct run {
    struct http_parser p;
    struct transcript out;
    const char *bytes;
    size_t start; /* of the message */
    size_t at;    /* of what the body has not used */
    size_t avail; /* arrived */
    bool in_body;
};

/** An exact copy, which a sanitizer can watch. */
static char *copy_of(const char *bytes, size_t n)
{
    char *copy = malloc(n > 0 ? n : 1);

    if (copy == NULL)
        abort();
    if (n > 0)
        memcpy(copy, bytes, n);
    return copy;
}

static void end_message(struct run *run, size_t end)
{
    print(&run->out, "\nend %zu\n", end);
    run->start = end;
    run->in_body = false;
    http_parser_reset(&run->p);
}

static enum http_event step_head(struct run *run)
{
    size_t have = run->avail - run->start;
    char *copy = copy_of(run->bytes + run->start, have);
    enum http_event event = http_parser_head(&run->p, copy, have);

    if (event == HTTP_EVENT_HEAD) {
        print_head(&run->out, &run->p.request, copy);
        run->at = run->start + run->p.request.head_bytes;
        run->in_body = run->p.request.body_kind != HTTP_BODY_NONE;
        http_request_seal(&run->p.request, copy); /* must stay inside the block */
        if (!run->in_body)
            end_message(run, run->at);
    }
    free(copy);
    return event;
}

static enum http_event step_body(struct run *run)
{
    size_t n = run->avail - run->at, used = 0;
    char *copy = copy_of(run->bytes + run->at, n);
    enum http_event event = http_parser_body(&run->p, copy, n, &used);

    if (event == HTTP_EVENT_BODY) {
        if (run->p.piece.p < copy || run->p.piece.p + run->p.piece.n > copy + used)
            abort();
        add(&run->out, run->p.piece.p, run->p.piece.n);
    }
    run->at += used;
    if (event == HTTP_EVENT_MORE && used != n)
        abort();
    if (event == HTTP_EVENT_DONE)
        end_message(run, run->at);
    free(copy);
    return event;
}

static size_t arrive(const struct split *split, uint32_t *seed, size_t avail, size_t n)
{
    size_t step = n - avail;

    if (avail < split->first)
        step = split->first - avail;
    else if (split->step_max > 0) {
        *seed = *seed * 1664525u + 1013904223u;
        step = 1 + (*seed >> 8) % split->step_max;
    }
    return step < n - avail ? avail + step : n;
}

char *transcript_of(const char *bytes, size_t n, struct split split,
                    const struct http_limits *limits)
{
    struct run *run = calloc(1, sizeof(*run));
    enum http_event event = HTTP_EVENT_MORE;
    uint32_t seed = split.seed;

    if (run == NULL)
        abort();
    run->bytes = bytes;
    http_parser_init(&run->p, limits);
    while (event != HTTP_EVENT_ERROR && run->avail < n) {
        run->avail = arrive(&split, &seed, run->avail, n);
        do {
            event = run->in_body ? step_body(run) : step_head(run);
        } while (event != HTTP_EVENT_ERROR && event != HTTP_EVENT_MORE);
    }
    if (event == HTTP_EVENT_ERROR)
        print(&run->out, "\nerror %d %s\n", run->p.status, run->p.reason);
    else if (run->in_body || !http_parser_is_idle(&run->p))
        print(&run->out, "\nmore\n");
    http_parser_fini(&run->p);
    add(&run->out, "", 0);
    char *text = run->out.text;
    free(run);
    return text;
}
