/* SPDX-License-Identifier: MIT */
/*
 * bench_report - what a load came to, for people and for programs.       [clients]
 *
 * Owns:    nothing.
 * Called:  by bench.c.
 * Fails:   never; the stream keeps its own error.
 */
#ifndef CLI_BENCH_REPORT_H
#define CLI_BENCH_REPORT_H

#include "cli/load.h"

#include <stdio.h>

/** Some lines of text (bench_text.c). */
void bench_report_text(FILE *out, const char *url, const struct load_plan *plan,
                       const struct load_result *result);

/** One object, as docs/BENCH.md describes it (bench_json.c). */
void bench_report_json(FILE *out, const char *url, const struct load_plan *plan,
                       const struct load_result *result);

/** One line while it runs; `out` is the FILE *. A load_second_fn. */
void bench_report_second(void *out, size_t second, const struct load_second *what);

#endif
