/* SPDX-License-Identifier: MIT */
/*
 * lab_result - what an experiment predicted, what it measured, and the verdict.   [lab]
 *
 * Owns:    nothing: one plain struct of fixed size, copied and cleared as one. Pure.
 * Called:  by lab.c, which the experiments call; read by the reports.
 * Fails:   never; more rows or points than there is room for is a bug.
 */
#ifndef CLI_LAB_RESULT_H
#define CLI_LAB_RESULT_H

#include <stdbool.h>
#include <stddef.h>

enum {
    LAB_ROWS = 48,
    LAB_NOTES = 8,
    LAB_SERIES = 4,
    LAB_POINTS = 32,
    LAB_LABEL_MAX = 64,
    LAB_NOTE_MAX = 320,
    LAB_WHY_MAX = 320
};

enum lab_rule {
    LAB_NEAR,     /* within predicted x (1 +- tolerance), or predicted +- band */
    LAB_AT_MOST,  /* up to the upper end of that */
    LAB_AT_LEAST, /* from the lower end of that */
    LAB_SHOWN     /* no verdict: a figure that theory does not give */
};

/* One figure: predicted first, then measured, then judged. */
struct lab_row {
    char label[LAB_LABEL_MAX];
    const char *unit; /* "req/s", "s", "ms", "MiB", "" */
    enum lab_rule rule;
    double predicted; /* with LAB_SHOWN: unused */
    double tolerance; /* a share of predicted */
    double band;      /* in the unit; where above 0 it stands instead of the share */
    double measured;
    bool is_measured;
};

struct lab_point {
    double x, predicted, measured; /* NAN: none */
};

struct lab_series {
    char name[LAB_LABEL_MAX];
    size_t count;
    struct lab_point point[LAB_POINTS];
};

struct lab_plot {
    const char *x_title, *y_title; /* NULL: nothing to plot */
    bool is_log_x, is_log_y;
    size_t count;
    struct lab_series series[LAB_SERIES];
};

struct lab_result {
    size_t row_count, note_count;
    struct lab_row row[LAB_ROWS];
    char note[LAB_NOTES][LAB_NOTE_MAX];
    struct lab_plot plot;
    bool has_failed;       /* requests failed that should not: whatever the rows say */
    char why[LAB_WHY_MAX]; /* why it ended before all was measured; "": it did not */
    double seconds;        /* that it took */
};

enum lab_verdict {
    LAB_AGREES,
    LAB_DISAGREES,
    LAB_NOT_RUN /* a figure is missing; `why` says more */
};

/** The row, to be measured later; it stays where it is. */
struct lab_row *lab_result_predict(struct lab_result *r, const struct lab_row *what,
                                   const char *label);
void lab_result_measure(struct lab_row *row, double measured);

/** The point goes to the series of that name, which is made when there is none, and there
 * behind those with no greater x: a line must not turn back. */
void lab_result_point(struct lab_result *r, const char *series, struct lab_point point);

/** False as long as it is not measured; true for LAB_SHOWN, once measured. */
bool lab_row_agrees(const struct lab_row *row);

/** The deviation from what was predicted, as a share of it; 0 where that makes no sense. */
double lab_row_deviation(const struct lab_row *row);

/** All rows together, and no failed request; an experiment without rows has not run. */
enum lab_verdict lab_result_verdict(const struct lab_result *r);

/** Rows that agree, and rows that are judged at all. */
size_t lab_result_agreeing(const struct lab_result *r, size_t *judged_out);

#endif
