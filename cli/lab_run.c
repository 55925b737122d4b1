/* SPDX-License-Identifier: MIT */
/*
 * lab_run - predictions, measurements and notes of the experiment under way.      [lab]
 *
 * Called:  by lab.c (lab_run) and by the experiments (all else, declared in lab.h).
 * Fails:   never.
 */
#include "cli/lab_run.h"

#include "common/check.h"
#include "common/clock.h"
#include "conf/cpus.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>

/* Sleeping handlers repeat within half a per cent; the rest is for a busy machine. */
static const double tolerance = 0.05, tolerance_short = 0.10;

bool lab_is_interrupted(const struct lab *lab)
{
    return lab->stop != NULL && *lab->stop != 0;
}

bool lab_has_ended(const struct lab *lab)
{
    return lab->result.why[0] != '\0' || lab_is_interrupted(lab);
}

bool lab_is_short(const struct lab *lab)
{
    return lab->is_short;
}

struct lab_row *lab_predict(struct lab *lab, struct lab_row what, const char *format, ...)
{
    char label[LAB_LABEL_MAX];
    struct lab_row *row;
    va_list args;

    va_start(args, format);
    (void)vsnprintf(label, sizeof(label), format, args);
    va_end(args);
    if (what.rule == LAB_NEAR && what.tolerance <= 0 && what.band <= 0)
        what.tolerance = lab->is_short ? tolerance_short : tolerance;
    row = lab_result_predict(&lab->result, &what, label);
    lab_report_prediction(lab->report, row);
    return row;
}

void lab_measure(struct lab *lab, struct lab_row *row, double measured)
{
    if (lab_has_ended(lab))
        return;
    CHECK(!row->is_measured);
    lab_result_measure(row, measured);
    lab_report_measurement(lab->report, row);
    if (lab->report->out != NULL && ferror(lab->report->out))
        lab_fail(lab, "the report cannot be written");
}

void lab_axes(struct lab *lab, const char *x_title, const char *y_title, bool is_log_x,
              bool is_log_y)
{
    struct lab_plot *plot = &lab->result.plot;

    plot->x_title = x_title;
    plot->y_title = y_title;
    plot->is_log_x = is_log_x;
    plot->is_log_y = is_log_y;
}

void lab_point(struct lab *lab, const char *series, double x, double predicted,
               double measured)
{
    if (!lab_has_ended(lab))
        lab_result_point(&lab->result, series,
                         (struct lab_point){x, predicted, measured});
}

void lab_note(struct lab *lab, const char *format, ...)
{
    struct lab_result *r = &lab->result;
    va_list args;

    if (r->note_count == LAB_NOTES)
        return; /* what matters was said first */
    va_start(args, format);
    (void)vsnprintf(r->note[r->note_count++], LAB_NOTE_MAX, format, args);
    va_end(args);
}

void lab_fail(struct lab *lab, const char *format, ...)
{
    va_list args;

    if (lab->result.why[0] != '\0')
        return;
    if (lab_is_interrupted(lab))
        format = "interrupted"; /* whatever it broke off */
    va_start(args, format);
    (void)vsnprintf(lab->result.why, LAB_WHY_MAX, format, args);
    va_end(args);
}

/* Theory counts on a machine that does nothing else. `load` is of before the experiment,
 * which may well have kept all cores busy itself. */
static void note_other_work(struct lab *lab, double load)
{
    char why[CPUS_WHY];
    const unsigned n = cpus_count_here(why);

    if (load > n / 2.0 && lab_result_verdict(&lab->result) == LAB_DISAGREES)
        lab_note(
            lab,
            "Before this experiment the load average was %.1f on %u processor%s: what "
            "disagrees may be the work of other programs.",
            load, n, n == 1 ? "" : "s");
}

void lab_run(struct lab *lab)
{
    const uint64_t start_ns = clock_mono_ns();
    double load = 0;

    (void)getloadavg(&load, 1);
    lab_report_begin(lab->report, lab->experiment);
    lab->experiment->run(lab);
    if (lab_is_interrupted(lab))
        lab_fail(lab, "interrupted");
    lab_server_clean_up(lab);
    lab->result.seconds = (double)(clock_mono_ns() - start_ns) / 1e9;
    note_other_work(lab, load);
    lab_report_end(lab->report, lab->experiment, &lab->result);
}
