/* SPDX-License-Identifier: MIT */
/*
 * response_head - what the lines of a response say.                      [clients]
 *
 * Owns:    nothing. Pure.
 * Called:  by client_http.c with one line, its CRLF cut off.
 * Fails:   with a static text; NULL: the line is right.
 */
#ifndef CLI_RESPONSE_HEAD_H
#define CLI_RESPONSE_HEAD_H

#include "cli/client_http.h"
#include "common/slice.h"

struct response_line {
    struct slice text; /* its beginning, if it came in pieces and is long */
    size_t n;          /* what it has in all */
};

/** Sets version and status, and clears what the fields will say. */
const char *response_head_status(const struct response_line *line, struct client_http *c);
const char *response_head_field(const struct response_line *line, struct client_http *c);
const char *response_head_trailer(const struct response_line *line);
const char *response_head_chunk_size(const struct response_line *line, uint64_t *out);

#endif
