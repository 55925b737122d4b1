/* SPDX-License-Identifier: MIT */
/*
 * bench_args - the flags of `remuda bench`, as one table.                [clients]
 *
 * Owns:    the list of headers; the texts are argv's.
 * Called:  by bench.c.
 * Fails:   with what is wrong, the nearest name, one line of usage, and 64.
 */
#ifndef CLI_BENCH_ARGS_H
#define CLI_BENCH_ARGS_H

#include "cli/cli.h"
#include "cli/load.h"

#include <stdbool.h>
#include <stdio.h>

struct bench_args {
    const char *url;
    const char *unix_path, *method, *body_file; /* NULL: not given */
    struct cli_texts header;
    bool has_body_size;
    uint64_t body_size;
    bool is_json, wants_help;
    struct load_plan plan; /* but for address and request */
};

/** `words`: what follows the verb, NULL-terminated. 0, or CLI_USAGE_ERROR after one or two
 * lines on `err`. Always end with bench_args_fini. */
int bench_args_parse(struct bench_args *args, char **words, FILE *err);
void bench_args_fini(struct bench_args *args);

#endif
