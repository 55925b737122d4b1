/* SPDX-License-Identifier: MIT */
/*
 * client_http - one HTTP/1.1 response after the other, read strictly.    [clients]
 *
 * Bytes in, verdict out, no I/O; any split of the same bytes gives the same verdict.
 * Strict, because it judges a server: what two readers could understand differently
 * (bare LF, folded lines, both framings at once) is malformed.
 *
 * Owns:    nothing: a plain struct.
 * Called:  by client.c.
 * Fails:   with CLIENT_HTTP_BAD and a static text; then the connection is of no more use.
 */
#ifndef CLI_CLIENT_HTTP_H
#define CLI_CLIENT_HTTP_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum {
    CLIENT_HTTP_LINE_KEPT = 256,    /* of a line that arrives in pieces */
    CLIENT_HTTP_HEAD_MAX = 64 << 10 /* all 1xx heads and trailers included */
};

enum client_http_verdict { CLIENT_HTTP_MORE, CLIENT_HTTP_DONE, CLIENT_HTTP_BAD };

enum client_http_state {
    CLIENT_HTTP_STATUS_LINE,
    CLIENT_HTTP_FIELDS,
    CLIENT_HTTP_BODY_LENGTH, /* `left` bytes to come */
    CLIENT_HTTP_BODY_CLOSE,  /* until the server closes */
    CLIENT_HTTP_CHUNK_SIZE,
    CLIENT_HTTP_CHUNK_DATA, /* `left` bytes to come */
    CLIENT_HTTP_CHUNK_END,  /* the CRLF behind the data */
    CLIENT_HTTP_TRAILERS,
    CLIENT_HTTP_ENDED
};

struct client_http {
    enum client_http_state state;
    bool is_head;    /* the request was HEAD: no body follows */
    bool has_length; /* Content-Length: `left` */
    bool is_chunked;
    bool is_http10;
    bool says_close, says_keep_alive; /* the Connection field */
    bool has_retry_after;
    unsigned status; /* 0 until the status line is there */
    uint64_t left;
    uint64_t body_bytes;
    size_t head_bytes;
    size_t line_n; /* bytes of the unfinished line, of which the first few stay: */
    char line[CLIENT_HTTP_LINE_KEPT];
    char last;       /* the last byte of the unfinished line */
    const char *why; /* of CLIENT_HTTP_BAD */
};

/** Before each response. */
void client_http_begin(struct client_http *c, bool is_head);

/** Reads up to n bytes; *used_out of them belong to this response. */
enum client_http_verdict client_http_feed(struct client_http *c, const char *p, size_t n,
                                          size_t *used_out);

/** The server has closed: DONE where that is the end of the body, else MORE (it is cut).
 */
enum client_http_verdict client_http_close(struct client_http *c);

/** After DONE: may the connection carry another request? */
bool client_http_is_reusable(const struct client_http *c);

#endif
