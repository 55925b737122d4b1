/* SPDX-License-Identifier: MIT */
/*
 * parser - one HTTP/1.1 request message: bytes in, events out.
 *
 * Owns:    struct http_parser: llhttp's state, the request being filled, every limit.
 * Called:  by the connection with whatever bytes it has; calls guard.c and llhttp.
 * Rule:    the same bytes give the same events and offsets however they are split.
 * Fails:   HTTP_EVENT_ERROR with the status to answer; answer it once, close, and never
 *          feed this parser again before a reset. No I/O, no clock.
 */
#ifndef HTTP_PARSER_H
#define HTTP_PARSER_H

#include "common/limit.h"
#include "common/slice.h"
#include "http/request.h"

#include <llhttp.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* Our prefix is HTTP_EVENT_: llhttp.h already has HTTP_HEAD, its method. */
enum http_event {
    HTTP_EVENT_MORE, /* give me more bytes */
    HTTP_EVENT_HEAD, /* p->request is complete */
    HTTP_EVENT_BODY, /* p->piece is the next part of the body */
    HTTP_EVENT_DONE, /* the message ends here */
    HTTP_EVENT_ERROR /* p->status and p->reason say why */
};

/** All in bytes, but header_fields. Every limit is the largest value allowed. */
struct http_limits {
    uint32_t request_line_bytes; /* with its CRLF; else 414 */
    uint32_t header_bytes;  /* all field lines and the empty line, with CRLFs; else 431 */
    uint32_t header_fields; /* else 431 */
    uint32_t framing_bytes; /* of a chunked body that are not data: sizes, extensions,
                               trailers; else 413 */
    uint64_t body_bytes;    /* first value of p->body_limit; else 413 */
};

/** Leading CRLFs that are skipped before a request line, RFC 9112 2.2; else 400. */
enum { HTTP_LEADING_BYTES = 8 };

struct http_parser {
    /* kept over a reset */
    const struct http_limits *limits;
    llhttp_t behind_line; /* llhttp as it is behind any request line */

    llhttp_t llhttp;
    const char *base; /* of the running call alone */

    uint32_t line_at;   /* first byte of the line that is not complete yet */
    uint32_t scanned;   /* no LF between line_at and here */
    uint32_t fed;       /* llhttp has the bytes before this */
    uint32_t fields_at; /* first byte behind the request line; 0: not reached */

    uint64_t body_limit; /* may be changed after HTTP_EVENT_HEAD */
    uint64_t body_seen;  /* bytes of data so far */
    uint64_t chunk_left; /* data of this chunk still to come */
    uint32_t framing_seen;
    uint8_t chunk_state; /* enum http_chunk_state */

    uint8_t seen;            /* enum http_guard_seen */
    uint8_t trailer_matched; /* bytes of this trailer's name that spell Content-Length */
    bool value_due;          /* a field has a name and no value yet */
    bool blank_ends_line;    /* the last line before line_at, which llhttp has not yet */
    bool head_complete, message_complete, chunk_header;
    int status;         /* with HTTP_EVENT_ERROR: 400 413 414 417 431 501 503 505 */
    enum limit limit;   /* the one that was met; LIMIT_NONE: it is malformed */
    const char *reason; /* short and static, for the log: "two Host fields" */
    struct slice piece; /* with HTTP_EVENT_BODY: inside the bytes given */

    struct http_request request; /* last: its table of fields is the big part */
};

/** `limits` must outlive the parser. */
void http_parser_init(struct http_parser *p, const struct http_limits *limits);

/** Before each further message; cheap. Keeps the limits and the block of fields. */
void http_parser_reset(struct http_parser *p);

/** Frees the block of fields, if there is one. */
void http_parser_fini(struct http_parser *p);

/** `have` bytes of this message stand at `base`, those of all calls before included;
 *  base may have moved. MORE, HEAD (request.head_bytes used; what follows is untouched)
 *  or ERROR. With HTTP_BODY_NONE the message is complete: the next one starts there,
 *  after a reset. */
enum http_event http_parser_head(struct http_parser *p, const char *base, size_t have);

/** After HEAD with a body: the bytes that follow, each once. BODY: call again with what
 *  is behind *used_out, even if that is nothing. DONE: *used_out ends exactly at the
 *  message's end. MORE: all n are used. ERROR. A declared content_length is compared
 *  with body_limit by the worker (it knows the route's limit); a chunked body is held
 *  to it here: 413. */
enum http_event http_parser_body(struct http_parser *p, const char *bytes, size_t n,
                                 size_t *used_out);

/** Is no byte of a message there yet? A close now is a quiet one, and no 408 is due. */
bool http_parser_is_idle(const struct http_parser *p);

#endif
