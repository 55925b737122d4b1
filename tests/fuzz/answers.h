/* SPDX-License-Identifier: MIT */
/*
 * answers - what a client must get for the bytes it has sent.     [tests]
 *
 * The requests are read by http/parser in one piece; the answers by a reader of our own that
 * knows RFC 9112 6.3 and nothing of the server.
 */
#ifndef ANSWERS_H
#define ANSWERS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum { ANSWERS_MOST = 256 };

struct asked {
    bool is_complete, is_head, is_continue;
    bool is_to_stay;       /* the client does not expect an end */
    uint32_t target, body; /* answers_hash() */
};

struct asking {
    size_t count;     /* requests whose head is good */
    size_t complete;  /* those whose body is, too; no later one is */
    bool is_refused;  /* what is behind them is no HTTP */
    bool is_too_much; /* more than ANSWERS_MOST */
    struct asked asked[ANSWERS_MOST];
};

struct given {
    size_t count;    /* whole final responses */
    bool is_partial; /* and a part of one more */
    bool is_last;    /* the last of them says that the connection ends, or ends by it */
    int status;      /* of the last */
};

uint32_t answers_hash(const void *bytes, size_t n);

/** What these bytes ask for. */
void answers_asked(const uint8_t *bytes, size_t n, struct asking *out);

/** Reads responses; each must be well-formed and fit its request: the fields X-Target and
 *  X-Body, where there are any, say which request it is for. Aborts where it does not.
 *  `is_over`: no more will come, so a body until the end is whole. */
void answers_given(const uint8_t *bytes, size_t n, const struct asking *asking,
                   bool is_over, struct given *out);

#endif
