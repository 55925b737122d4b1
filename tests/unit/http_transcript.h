/* SPDX-License-Identifier: MIT */
/*
 * http_transcript - what http/parser.h makes of some bytes, as text, for any way of
 * splitting them. Used by the unit tests and the fuzzer: equal bytes must give equal
 * transcripts.
 */
#ifndef TESTS_HTTP_TRANSCRIPT_H
#define TESTS_HTTP_TRANSCRIPT_H

#include "http/parser.h"

#include <stddef.h>
#include <stdint.h>

/** How the bytes arrive: up to `first`, then in steps of 1..step_max from `seed`;
 *  step_max 0: all that is left. */
struct split {
    size_t first;
    size_t step_max;
    uint32_t seed;
};

/** 8 KiB, 16 KiB, 100 fields, 16 KiB, 1 MiB. */
extern const struct http_limits TRANSCRIPT_LIMITS;

/** Every message in the bytes, its body and where it ends; then "error 400 why", "more"
 *  when one is not complete, or nothing. The caller frees the text. */
char *transcript_of(const char *bytes, size_t n, struct split split,
                    const struct http_limits *limits);

#endif
