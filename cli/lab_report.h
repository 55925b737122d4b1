/* SPDX-License-Identifier: MIT */
/*
 * lab_report - an experiment for a person to read, while it runs, and for programs.  [lab]
 *
 * Owns:    nothing.
 * Called:  by lab_run.c as things happen; lab_json_* by lab.c, after each experiment.
 * Fails:   never: main.c notices when stdout could not take it.
 */
#ifndef CLI_LAB_REPORT_H
#define CLI_LAB_REPORT_H

#include "cli/lab.h"

#include <stdio.h>

struct lab_report {
    FILE *out;      /* the text; NULL: none, somebody wants JSON */
    FILE *terminal; /* progress, one line that is written anew; NULL: none */
    bool has_progress, has_heading;
};

void lab_report_list(FILE *out);
void lab_report_begin(struct lab_report *report, const struct lab_experiment *experiment);
void lab_report_prediction(struct lab_report *report, const struct lab_row *row);
void lab_report_measurement(struct lab_report *report, const struct lab_row *row);
void lab_report_progress(struct lab_report *report, const char *format, ...)
    __attribute__((format(printf, 2, 3)));
void lab_report_end(struct lab_report *report, const struct lab_experiment *experiment,
                    const struct lab_result *result);

/** One object: begin, each experiment, end. docs/LAB.md has the keys. */
void lab_json_begin(FILE *out, bool is_short);
void lab_json_experiment(FILE *out, const struct lab_experiment *experiment,
                         const struct lab_result *result, bool is_first);
void lab_json_end(FILE *out, unsigned agree, unsigned of);

/** "agrees", "disagrees", "not run". */
const char *lab_verdict_name(enum lab_verdict verdict);

#endif
