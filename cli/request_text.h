/* SPDX-License-Identifier: MIT */
/*
 * request_text - the bytes of one request, made once and sent many times.   [clients]
 *
 * Owns:    nothing; the bytes are the caller's.
 * Called:  by bench.c.
 * Fails:   with what is wrong, as a static text.
 */
#ifndef CLI_REQUEST_TEXT_H
#define CLI_REQUEST_TEXT_H

#include "common/slice.h"

struct request_parts {
    const char *method; /* NULL: GET, or POST with a body */
    struct slice host, target;
    char *const *field; /* "Name: value"; Host and User-Agent replace ours */
    size_t field_count;
    struct slice body;
    bool has_body; /* even an empty one is announced */
    bool is_last;  /* asks the server to close */
};

/** *out is one allocation, to be freed. */
const char *request_text_build(const struct request_parts *parts, char **out,
                               size_t *size_out);

#endif
