/* SPDX-License-Identifier: MIT */
/*
 * answer - one HTTP/1.1 answer, read strictly and compared with what it must be.  [test tool]
 *
 * Bytes in, verdict out, no I/O; any split of the same bytes gives the same verdict. Only
 * 200 with the planned body is right; what a request failed of is the first thing wrong.
 *
 * Owns:    nothing: a plain struct.
 * Called:  by conn.c.
 * Fails:   with a verdict and a text that says what was wrong.
 */
#ifndef WITNESS_ANSWER_H
#define WITNESS_ANSWER_H

#include "tests/chaos/witness/plan.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum { ANSWER_HEAD_MAX = 2048, ANSWER_LINE_MAX = 32 };

enum answer_verdict {
    ANSWER_MORE,
    ANSWER_RIGHT,
    ANSWER_STATUS,   /* not 200; the rest is not read */
    ANSWER_BYTES,    /* 200 with a body that is not the planned one */
    ANSWER_MALFORMED /* no such thing in HTTP/1.1 */
};

enum answer_state {
    ANSWER_HEAD,
    ANSWER_BODY,
    ANSWER_CHUNK_SIZE,
    ANSWER_CHUNK_DATA,
    ANSWER_CHUNK_END,
    ANSWER_LAST_LINE, /* behind the last chunk: no trailers are expected */
    ANSWER_ENDED
};

struct answer {
    enum answer_state state;
    const struct plan_ask *ask;
    unsigned status;
    int worker; /* X-Worker: the pid of who answered; 0 until it is known */
    bool says_close, has_length, is_chunked;
    uint64_t left; /* of the body, or of the chunk */
    uint64_t body_n;
    size_t n; /* of text */
    char text[ANSWER_HEAD_MAX];
    const char *why; /* of a verdict that is not right */
};

void answer_begin(struct answer *a, const struct plan_ask *ask);

/** Reads up to n bytes; *used_out of them belong to this answer. */
enum answer_verdict answer_feed(struct answer *a, const char *p, size_t n,
                                size_t *used_out);

/** Has a byte of it come? */
bool answer_has_begun(const struct answer *a);

#endif
