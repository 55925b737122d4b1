/* SPDX-License-Identifier: MIT */
/*
 * plan - what request number i is: the same in every run of a seed.       [test tool]
 *
 * Pure: a number in, bytes out. The bytes of every answer are known beforehand, so that
 * whoever reads them compares each.
 *
 * Owns:    the noise that bodies are cut from.
 * Called:  by conn.c, answer.c, record.c.
 * Fails:   never.
 */
#ifndef WITNESS_PLAN_H
#define WITNESS_PLAN_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum {
    PLAN_BODY_MAX = 40000,
    PLAN_BYTES_MAX = PLAN_BODY_MAX + 1024, /* of a whole request */
    PLAN_PIECE = 1024,                     /* of a stream */
    PLAN_CUTS = 3                          /* a split request has up to so many pauses */
};

enum plan_kind { PLAN_WAIT, PLAN_STREAM, PLAN_ECHO };
enum plan_mode { PLAN_SYNC, PLAN_ASYNC, PLAN_EVENT };
enum plan_group { PLAN_KEEP, PLAN_IDLE, PLAN_CLOSE, PLAN_GROUPS };

/* Shares of all requests, in millionths; what is left waits 0 ms. */
struct plan_mix {
    uint64_t seed;
    uint32_t wait5, wait100, stream, echo;
    uint32_t idle, close; /* of the connections; what is left is PLAN_KEEP */
    uint32_t split, pair;
    uint32_t stream_pieces, stream_pause_ms;
    uint32_t extra; /* is sent to extra_path, which answers as a wait of 0 ms does */
    const char *extra_path;
    bool is_loop_free; /* nothing that runs on the loop: sync handlers only */
};

struct plan_ask {
    uint64_t id;
    enum plan_kind kind;
    enum plan_mode mode;
    enum plan_group group;
    uint32_t ms;     /* that its handler takes */
    uint32_t pieces; /* of a stream */
    uint32_t body_n; /* of an echo */
    const char *body;
    bool is_chunked, is_split, is_extra;
    bool is_pair; /* the next one is sent with it */
};

void plan_init(uint64_t seed);
void plan_ask(const struct plan_mix *mix, uint64_t id, struct plan_ask *out);

/** Writes the request, at most PLAN_BYTES_MAX; its length. */
size_t plan_write(const struct plan_mix *mix, const struct plan_ask *ask, char *out);

/** Where a split request of n bytes is cut, in order; how many cuts. */
unsigned plan_cut(const struct plan_mix *mix, const struct plan_ask *ask, size_t n,
                  size_t cut[static PLAN_CUTS]);

/** How long the body of the answer is, and whether these bytes stand there in it. */
uint64_t plan_length(const struct plan_ask *ask);
bool plan_matches(const struct plan_ask *ask, uint64_t offset, const char *p, size_t n);

const char *plan_kind_name(enum plan_kind kind);
const char *plan_mode_name(enum plan_mode mode);
const char *plan_group_name(enum plan_group group);

#endif
