/* SPDX-License-Identifier: MIT */
/*
 * request - the head of one request, as offsets into the bytes it came in.
 *
 * Owns:    the table of fields (32 inline, more in one block of the parser's).
 * Rule:    offsets count from `base`, the first byte of the message, because the caller
 *          may move the bytes; nothing here points at them.
 * Life:    filled by http/parser.c; sealed once by the worker before a handler reads it.
 */
#ifndef HTTP_REQUEST_H
#define HTTP_REQUEST_H

#include "common/slice.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/** Every method this server knows; any other is answered 501. The order is that of the
 *  table in request.c. */
enum http_method {
    HTTP_METHOD_NONE,
    HTTP_METHOD_GET,
    HTTP_METHOD_HEAD,
    HTTP_METHOD_POST,
    HTTP_METHOD_PUT,
    HTTP_METHOD_DELETE,
    HTTP_METHOD_PATCH,
    HTTP_METHOD_OPTIONS,
    HTTP_METHOD_TRACE,
    HTTP_METHOD_CONNECT,
    HTTP_METHOD_PROPFIND,
    HTTP_METHOD_PROPPATCH,
    HTTP_METHOD_MKCOL,
    HTTP_METHOD_COPY,
    HTTP_METHOD_MOVE,
    HTTP_METHOD_LOCK,
    HTTP_METHOD_UNLOCK,
    HTTP_METHOD_SEARCH,
    HTTP_METHOD_REPORT,
    HTTP_METHODS
};

enum { HTTP_METHOD_BYTES = 16 }; /* of a name, with its NULs: a copy of known length */

enum http_body_kind {
    HTTP_BODY_NONE,   /* the message ends with its head */
    HTTP_BODY_LENGTH, /* content_length bytes follow, at least one */
    HTTP_BODY_CHUNKED
};

/** A part of the head: `n` bytes from base + at. */
struct http_span {
    uint32_t at, n;
};

struct http_field {
    struct http_span name, value; /* the value without blanks around it */
};

enum { HTTP_FIELDS_INLINE = 32 };

struct http_request {
    enum http_method method;
    enum http_body_kind body_kind;
    uint64_t content_length; /* with HTTP_BODY_LENGTH */
    uint32_t head_bytes; /* from base to behind the empty line, leading CRLFs included */

    struct http_span method_text;
    struct http_span target; /* as sent */
    struct http_span
        path; /* inside target: "/..." or "*"; n 0: "http://host", read "/" */
    struct http_span query; /* inside target, behind '?'; n 0 when there is none */
    struct http_span host;  /* value of Host, or the authority of an absolute target */

    uint8_t minor;        /* HTTP/1.minor: 0 or 1 */
    bool keep_alive;      /* RFC 9112 9.3; the server may still close */
    bool expect_continue; /* wants 100 before it sends its body */
    bool upgrade_offered; /* Connection: upgrade; we go on in HTTP/1.1 */
    bool has_query;       /* a '?' was there, even with nothing behind it */
    bool sealed;

    uint32_t field_count, field_room;
    struct http_field *field; /* field_inline or a heap block */
    struct http_field field_inline[HTTP_FIELDS_INLINE];
};

static inline struct slice http_span_slice(struct http_span span, const char *base)
{
    return (struct slice){base + span.at, span.n};
}

/** HTTP_METHOD_NONE when unknown. Case matters. */
enum http_method http_method_of(struct slice text);

/** "GET"; a static string in HTTP_METHOD_BYTES bytes. "" for HTTP_METHOD_NONE. */
const char *http_method_name(enum http_method method);

/** Writes a NUL behind the method, the target, each name and each value: into the SP,
 *  ':', blank or CR that stands there, never outside the head. Once; only after
 *  HTTP_EVENT_HEAD, and not while the parser still needs the bytes of the head (it does
 *  not after that event). Path and query end where the target's parts end: copy a path
 *  in front of a query. */
void http_request_seal(struct http_request *req, char *base);

/** The first field of that name, any case; NULL if absent. *n_out may be NULL. The text
 *  ends with a NUL only when the request is sealed. */
const char *http_request_field(const struct http_request *req, const char *base,
                               struct slice name, size_t *n_out);

/** How many fields have that name. */
uint32_t http_request_field_repeats(const struct http_request *req, const char *base,
                                    struct slice name);

/** All values of that name joined by ", " (RFC 9110 5.3), and a NUL if room > 0.
 *  Returns the length of the joined text whatever the room (as snprintf does); -1 if
 *  absent. */
long http_request_field_join(const struct http_request *req, const char *base,
                             struct slice name, char *out, size_t room);

#endif
