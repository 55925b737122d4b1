/* SPDX-License-Identifier: MIT */
/*
 * response - the head of one response, and the framing of its body.
 *
 * Owns:    nothing; writes into the caller's buffer from prebuilt pieces.
 * Called:  by the worker's loop and by its pool threads; calls status.c and date.c.
 * Fails:   http_response_head gives 0 when the room is too small.
 */
#include "http/response.h"

#include "common/check.h"
#include "http/chars.h"
#include "http/date.h"
#include "http/status.h"

#include <stdio.h>

/* every piece but status line, type and fields, each at its longest */
enum { FIXED_ROOM = 256 };

/** A status after which no content may come: RFC 9110 6.4.1. */
static bool status_is_bare(int status)
{
    return status < 200 || status == 204 || status == 304;
}

bool http_response_has_body(const struct http_response *r)
{
    return !r->head_only && !status_is_bare(r->status) && r->status != 205;
}

void http_response_plan(struct http_response *r)
{
    bool unknown = r->length == HTTP_LENGTH_UNKNOWN && !status_is_bare(r->status);

    if (r->status == 205) { /* RFC 9110 15.3.6: nothing follows, and it says so */
        r->length = 0;
        unknown = false;
    }
    r->chunked = unknown && r->minor >= 1;
    if (unknown && !r->chunked && http_response_has_body(r))
        r->keep_alive = false;
}

size_t http_response_head_room(const struct http_response *r)
{
    return FIXED_ROOM + r->type.n + r->fields.n;
}

static inline char *put(char *at, const char *text, size_t n)
{
    memcpy(at, text, n);
    return at + n;
}

#define PUT(at, literal) put((at), (literal), sizeof(literal) - 1)

static inline char *put_decimal(char *at, uint64_t n)
{
    char digits[20];
    char *first = digits + sizeof(digits);

    do {
        *--first = (char)('0' + n % 10);
        n /= 10;
    } while (n > 0);
    return put(at, first, (size_t)(digits + sizeof(digits) - first));
}

static char *put_status(char *at, int status)
{
    struct slice line = http_status_line(status);

    if (line.n > 0)
        return put(at, line.p, line.n);
    struct slice reason = http_status_reason(status);
    at = PUT(at, "HTTP/1.1 ");
    at = put_decimal(at, (uint64_t)status);
    at = PUT(at, " ");
    at = put(at, reason.p, reason.n);
    return PUT(at, "\r\n");
}

/** Content-Type, then what says where the body ends. */
static char *put_framing(char *at, const struct http_response *r)
{
    if (status_is_bare(r->status))
        return at;
    if (r->type.n > 0) {
        at = PUT(at, "Content-Type: ");
        at = put(at, r->type.p, r->type.n);
        at = PUT(at, "\r\n");
    }
    if (r->chunked)
        return PUT(at, "Transfer-Encoding: chunked\r\n");
    if (r->length == HTTP_LENGTH_UNKNOWN)
        return at;
    at = PUT(at, "Content-Length: ");
    at = put_decimal(at, r->length);
    return PUT(at, "\r\n");
}

static char *put_connection(char *at, const struct http_response *r)
{
    if (!r->keep_alive)
        return PUT(at, "Connection: close\r\n");
    if (r->minor == 0)
        return PUT(at, "Connection: keep-alive\r\n");
    return at;
}

size_t http_response_head(char *out, size_t room, const struct http_response *r)
{
    char *at = out;

    CHECK(r->status >= 100 && r->status <= 599);
    if (room < http_response_head_room(r))
        return 0;
    at = put_status(at, r->status);
    at = put(at, http_date_block(), HTTP_DATE_BLOCK_BYTES);
    at = put_framing(at, r);
    at = put_connection(at, r);
    if (r->fields.n > 0)
        at = put(at, r->fields.p, r->fields.n);
    at = PUT(at, "\r\n");
    return (size_t)(at - out);
}

size_t http_response_chunk_head(char out[static HTTP_CHUNK_HEAD_BYTES], uint64_t n)
{
    unsigned shift = 0;
    char *at = out;

    CHECK(n > 0);
    while (shift < 60 && n >> (shift + 4) != 0)
        shift += 4;
    for (;; shift -= 4) {
        *at++ = "0123456789abcdef"[n >> shift & 15];
        if (shift == 0)
            break;
    }
    at = PUT(at, "\r\n");
    return (size_t)(at - out);
}

size_t http_response_error_page(int status, char out[static HTTP_ERROR_PAGE_BYTES])
{
    int n = snprintf(out, HTTP_ERROR_PAGE_BYTES, "%d %s\n", status,
                     http_status_reason(status).p);

    CHECK(n > 0 && n < HTTP_ERROR_PAGE_BYTES);
    return (size_t)n;
}

bool http_field_is_valid(struct slice name, struct slice value)
{
    return name.n > 0 && http_chars_are(name, HTTP_CHAR_TOKEN) &&
           http_field_value_is_valid(value);
}

bool http_field_value_is_valid(struct slice value)
{
    if (value.n > 0 &&
        (http_char_is_blank(value.p[0]) || http_char_is_blank(value.p[value.n - 1])))
        return false;
    return http_chars_are(value, HTTP_CHAR_VALUE);
}

bool http_field_is_hosts_own(struct slice name)
{
    static const struct slice OWN[] = {
        SLICE_LIT("Connection"),
        SLICE_LIT("Content-Length"),
        SLICE_LIT("Date"),
        SLICE_LIT("Keep-Alive"),
        SLICE_LIT("Proxy-Connection"),
        SLICE_LIT("Server"),
        SLICE_LIT("TE"),
        SLICE_LIT("Trailer"),
        SLICE_LIT("Transfer-Encoding"),
        SLICE_LIT("Upgrade"),
    };

    for (size_t i = 0; i < COUNT_OF(OWN); i++)
        if (slice_is_nocase(OWN[i], name))
            return true;
    return false;
}
