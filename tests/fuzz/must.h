/* SPDX-License-Identifier: MIT */
/*
 * must - what a fuzzer asserts: its end, and on stderr what is broken.  [tests]
 */
#ifndef MUST_H
#define MUST_H

#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>

static inline void must(bool good, const char *what)
{
    if (!good) {
        fprintf(stderr, "broken: %s\n", what);
        abort();
    }
}

#endif
