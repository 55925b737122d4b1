/* SPDX-License-Identifier: MIT */
/*
 * words - a command line as people type it, for what parses its words.  [tests]
 */
#ifndef WORDS_H
#define WORDS_H

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

/** Cuts `line`, which must be writable, at its spaces: at most `most` - 1 words, and a
 *  NULL behind them. How many there are. */
static inline int words_cut(char *line, char **words, size_t most)
{
    size_t n = 0;

    while (line != NULL && line[0] != '\0') {
        assert_true(n + 1 < most);
        words[n++] = strsep(&line, " ");
    }
    words[n] = NULL;
    return (int)n;
}

#endif
