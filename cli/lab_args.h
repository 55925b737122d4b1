/* SPDX-License-Identifier: MIT */
/*
 * lab_args - the words behind `remuda lab`.                                 [lab]
 *
 * Owns:    nothing.
 * Called:  by lab.c.
 * Fails:   64, after a line that says what is allowed.
 */
#ifndef CLI_LAB_ARGS_H
#define CLI_LAB_ARGS_H

#include "cli/lab.h"

#include <stdio.h>

enum { LAB_CHOSEN_MAX = 32, LAB_HEADLINE = 2 };

struct lab_args {
    const struct lab_experiment *chosen[LAB_CHOSEN_MAX]; /* in the order asked for */
    size_t count;
    bool is_json, is_short, is_list; /* is_list: none was named, the headline is chosen */
    bool wants_help;
    const char *svg; /* NULL: no plot */
};

/** `words` end with NULL; `table` is lab_table, or a test's own. 0, or 64. */
int lab_args_parse(struct lab_args *args, char **words,
                   const struct lab_experiment *const *table, FILE *err);

#endif
