/* SPDX-License-Identifier: MIT */
/*
 * guard - what llhttp lets through and we do not, written once for 8.1 and 9.x.
 *
 * Called:  by parser.c alone: a line at a time before llhttp sees it, a field at a time
 *          as llhttp reports it. The lines of a chunked body are chunk.h's.
 * Fails:   a struct http_refusal with a status; status 0 is "fine".
 */
#ifndef HTTP_GUARD_H
#define HTTP_GUARD_H

#include "common/slice.h"
#include "http/request.h"

#include <stdbool.h>
#include <stddef.h>

/** status 0: accepted. `reason` is static. */
struct http_refusal {
    int status;
    const char *reason;
};

/** A whole request line with its LF: line end, method, target and version are checked
 *  and stored, with offsets from base. */
struct http_refusal http_guard_request_line(struct http_request *req, const char *base,
                                            struct slice line);

/** A whole field line, or the empty one, with its LF, before llhttp reads it. Inline:
 *  it runs for each line of each head. */
static inline struct http_refusal http_guard_field_line(struct slice line)
{
    if (line.n < 2 || line.p[line.n - 2] != '\r')
        return (struct http_refusal){400, "bare LF ends a field line"};
    if (line.p[0] > ':') /* a letter: one comparison for most lines */
        return (struct http_refusal){0, NULL};
    if (line.p[0] == ' ' || line.p[0] == '\t')
        return (struct http_refusal){400, "folded field line"};
    if (line.p[0] == ':')
        return (struct http_refusal){400, "field without a name"};
    return (struct http_refusal){0, NULL};
}

/** What fields must be remembered until the head ends. */
enum http_guard_seen {
    HTTP_SEEN_HOST = 1,
    HTTP_SEEN_LENGTH = 2,
    HTTP_SEEN_CODING = 4,
    HTTP_SEEN_CLOSE = 8,
    HTTP_SEEN_KEEP_ALIVE = 16,
    HTTP_SEEN_UPGRADE = 32
};

/** Might http_guard_field have an opinion on a field of that name, of n > 0 bytes? */
static inline bool http_guard_cares(const char *name, size_t n)
{
    switch (name[0] | 0x20) {
    case 'c':
        return n == 10 || n == 14;
    case 'e':
        return n == 6;
    case 'h':
        return n == 4;
    case 't':
        return n == 17;
    default:
        return false;
    }
}

/** One field whose value is trimmed; *seen collects enum http_guard_seen. */
struct http_refusal http_guard_field(struct http_request *req, const char *base,
                                     const struct http_field *field, uint8_t *seen);

/** At the end of the head: Host, the framing, keep-alive. Fills the rest of *req. */
struct http_refusal http_guard_head(struct http_request *req, uint8_t seen);

#endif
