/* SPDX-License-Identifier: MIT */
/*
 * response - the head of one response, and the framing of its body.
 *
 * Called:  by the worker, which says what it knows; what stands on the wire is decided
 *          here (RFC 9112 6: length, chunks, or the end of the connection).
 * Fails:   0 when the room is too small.
 */
#ifndef HTTP_RESPONSE_H
#define HTTP_RESPONSE_H

#include "common/slice.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define HTTP_LENGTH_UNKNOWN UINT64_MAX

struct http_response {
    int status;          /* 100..599; 200 in all but odd cases */
    uint8_t minor;       /* of the request: 0 or 1 */
    bool head_only;      /* the request was HEAD: the head of GET, no body */
    bool keep_alive;     /* as wanted; http_response_plan may take it away */
    bool chunked;        /* set by http_response_plan */
    uint64_t length;     /* of the body, or HTTP_LENGTH_UNKNOWN */
    struct slice type;   /* Content-Type; n 0: none */
    struct slice fields; /* further lines, each with its CRLF, already checked */
};

/** Decides chunked and keep_alive from status, minor and length. An unknown length is
 *  chunked to 1.1, and ends with the connection to 1.0. Call it once, before
 *  http_response_head. */
void http_response_plan(struct http_response *r);

/** May a body follow on the wire? Not for HEAD, 1xx, 204, 205, 304. */
bool http_response_has_body(const struct http_response *r);

/** Upper bound of the head's size. */
size_t http_response_head_room(const struct http_response *r);

/** Status line, Server, Date, Content-Type, Content-Length or Transfer-Encoding,
 *  Connection where it is needed, fields, empty line. Returns its size; 0, and nothing
 *  written, when room is less than http_response_head_room. The loop's thread refreshes
 *  the Date (http/date.h); any thread may call this. */
size_t http_response_head(char *out, size_t room, const struct http_response *r);

/** What stands between the pieces of a chunked body. */
enum { HTTP_CHUNK_HEAD_BYTES = 18 };
#define HTTP_CHUNK_END  "\r\n"
#define HTTP_CHUNK_LAST "0\r\n\r\n"

/** "1f40\r\n"; n > 0, for 0 would end the body. Returns the size. */
size_t http_response_chunk_head(char out[static HTTP_CHUNK_HEAD_BYTES], uint64_t n);

/** The interim response of Expect: 100-continue. */
#define HTTP_CONTINUE "HTTP/1.1 100 Continue\r\n\r\n"

/** Body of the standard error page, "404 Not Found\n", and a NUL. Returns its length;
 *  its type is HTTP_ERROR_PAGE_TYPE. */
enum { HTTP_ERROR_PAGE_BYTES = 64 };
#define HTTP_ERROR_PAGE_TYPE "text/plain; charset=utf-8"
size_t http_response_error_page(int status, char out[static HTTP_ERROR_PAGE_BYTES]);

/** Is the name a token, and the value free of control bytes (a tab may stand inside)
 *  and of blanks at its ends? */
bool http_field_is_valid(struct slice name, struct slice value);
bool http_field_value_is_valid(struct slice value);

/** Fields that a handler may not set: they frame the message or belong to the
 *  connection. */
bool http_field_is_hosts_own(struct slice name);

#endif
