/* SPDX-License-Identifier: MIT */
/*
 * access_format - one request as one line of the access log.
 *
 * The format is `combined`, `common`, `json`, or a pattern:
 *
 *   %h  client's host (- for a unix socket)  %t  [20/Nov/2026:10:05:00 +0000], its start
 *   %l  always -                             %r  request line as received
 *   %u  user                                 %s %>s  status; 000: none was sent
 *   %m  method                               %U  path without query
 *   %b %B  body bytes sent; 0 is - in %b     %q  query with its ?, or nothing
 *   %D %T  microseconds, seconds, waiting included
 *   %H  HTTP/1.1                             %P  pid of the worker
 *   %X  + kept alive, - closed, X cut short  %%  a percent sign
 *   %{Name}i  a request header
 *   %{queue}x %{service}x  microseconds waiting for a slot, and from then to the end
 *   %{worker}x %{slot}x %{route}x %{id}x %{note}x   ours; id is the request id
 *
 * What is missing reads "-". In values " and \ are written \" and \\, all bytes but
 * printable ASCII \xNN. In json every value is typed, what is missing is null, and bytes
 * that are not UTF-8 become U+FFFD. Of a value at most ACCESS_CUT bytes are shown.
 */
#ifndef COMMON_ACCESS_FORMAT_H
#define COMMON_ACCESS_FORMAT_H

#include "common/slice.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum { ACCESS_CUT = 8192 };

/** A request that has ended, however it ended. Slices may be empty: unknown or not sent.
 */
struct access_entry {
    struct slice method, target; /* as received */
    int minor;                   /* HTTP/1.minor; -1 unknown */
    int status;                  /* 0: none was sent */
    bool keep_alive;             /* the connection went on */
    bool aborted;                /* it ended before the answer did */
    uint64_t body_bytes;         /* of the answer, without chunk framing */
    struct slice peer;           /* host without port */
    struct slice referer, user_agent, user, request_id, route;
    struct slice note; /* one word: departed, killed, or the mark of a limit (limit.h) */
    int worker;        /* index */
    int pid;
    int slot; /* -1: took none */
    uint64_t queue_us, service_us;
    uint64_t wall_ms; /* when it began */
    /* other headers, for %{Name}i; NULL: all missing */
    struct slice (*header)(const void *request, struct slice name);
    const void *request;
};

struct access_format;

/** Compiles; the text is copied. NULL, and what is wrong in error_out. */
struct access_format *access_format_create(const char *text, char *error_out,
                                           size_t size);
void access_format_destroy(struct access_format **format);

/** The line with its newline, in the format's own memory: good until the next call. One
 *  thread. Never fails. */
struct slice access_format_line(struct access_format *format,
                                const struct access_entry *e);

#endif
