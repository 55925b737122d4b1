/* SPDX-License-Identifier: MIT */
/*
 * lab_text - the report of an experiment for a person who learns what capacity is.  [lab]
 *
 * Called:  by lab_run.c.
 * Fails:   never.
 */
#include "cli/lab_report.h"

#include <math.h>
#include <stdarg.h>
#include <string.h>

enum { COLUMNS = 78, FIGURE_MAX = 32 };

/* ---- pieces ---- */

/* Breaks at blanks; the first line stands behind `head`, the others below it. */
static void write_wrapped(FILE *out, const char *head, const char *text)
{
    const size_t indent = strlen(head);
    size_t column = indent;

    fputs(head, out);
    while (*text != '\0') {
        const size_t n = strcspn(text, " ");

        if (column > indent && column + 1 + n > COLUMNS) {
            fprintf(out, "\n%*s", (int)indent, "");
            column = indent;
        } else if (column > indent) {
            fputc(' ', out);
            column++;
        }
        fwrite(text, 1, n, out);
        column += n;
        text += n + (text[n] == ' ');
    }
    fputc('\n', out);
}

/* Four digits that mean something, and no zeros behind them. */
static const char *write_figure(char *out, double x, const char *unit)
{
    const double size = fabs(x);
    const int decimals = size >= 1000 ? 0 : size >= 100 ? 1 : size >= 10 ? 2 : 3;
    int n = snprintf(out, FIGURE_MAX, "%.*f", decimals, x);

    if (memchr(out, '.', (size_t)n) != NULL) {
        while (out[n - 1] == '0')
            n--;
        n -= out[n - 1] == '.';
    }
    (void)snprintf(out + n, FIGURE_MAX - (size_t)n, "%s%s", unit[0] == '\0' ? "" : " ",
                   unit);
    return out;
}

/* "+-5 %", "at most", "at most (+1 ms)", "at least (-5 %)" */
static void write_rule(FILE *out, const struct lab_row *row)
{
    static const char *const signs[] = {
        [LAB_NEAR] = "+-",
        [LAB_AT_MOST] = " (+",
        [LAB_AT_LEAST] = " (-",
    };
    char figure[FIGURE_MAX];

    if (row->rule != LAB_NEAR)
        fputs(row->rule == LAB_AT_MOST ? "at most" : "at least", out);
    if (row->band <= 0 && row->tolerance <= 0)
        return;
    fputs(signs[row->rule], out);
    if (row->band > 0)
        fputs(write_figure(figure, row->band, row->unit), out);
    else
        fprintf(out, "%g %%", row->tolerance * 100);
    if (row->rule != LAB_NEAR)
        fputc(')', out);
}

static void erase_progress(struct lab_report *report)
{
    if (report->has_progress)
        fputs("\r\033[K", report->terminal);
    report->has_progress = false;
}

/* ---- while it runs ---- */

void lab_report_begin(struct lab_report *report, const struct lab_experiment *experiment)
{
    report->has_heading = false;
    if (report->out == NULL)
        return;
    fprintf(report->out, "%u  %s\n\n", experiment->number, experiment->title);
    write_wrapped(report->out, "   set-up  ", experiment->setup);
    write_wrapped(report->out, "   law     ", experiment->law);
    fputs("\n   prediction\n", report->out);
}

void lab_report_prediction(struct lab_report *report, const struct lab_row *row)
{
    char figure[FIGURE_MAX];

    if (report->out == NULL)
        return;
    fprintf(report->out, "     %-34s ", row->label);
    if (row->rule == LAB_SHOWN) {
        fprintf(report->out, "%14s\n", "?");
        return;
    }
    fprintf(report->out, "%14s   ", write_figure(figure, row->predicted, row->unit));
    write_rule(report->out, row);
    fputc('\n', report->out);
}

void lab_report_measurement(struct lab_report *report, const struct lab_row *row)
{
    char figure[FIGURE_MAX];

    if (report->out == NULL)
        return;
    erase_progress(report);
    if (!report->has_heading)
        fputs("\n   measurement\n", report->out);
    report->has_heading = true;
    fprintf(report->out, "     %-34s %14s", row->label,
            write_figure(figure, row->measured, row->unit));
    if (row->rule == LAB_NEAR && row->predicted > 0 && row->band <= 0)
        fprintf(report->out, "   %+6.1f %%", lab_row_deviation(row) * 100);
    else if (row->rule != LAB_SHOWN)
        fprintf(report->out, "   %8s", "");
    if (row->rule != LAB_SHOWN)
        fprintf(report->out, "  %s", lab_row_agrees(row) ? "agrees" : "DISAGREES");
    fputc('\n', report->out);
    fflush(report->out);
}

void lab_report_progress(struct lab_report *report, const char *format, ...)
{
    va_list args;

    if (report->out != NULL)
        fflush(report->out); /* what is predicted stands there first */
    if (report->terminal == NULL)
        return;
    fputs("\r\033[K     ", report->terminal);
    va_start(args, format);
    vfprintf(report->terminal, format, args);
    va_end(args);
    fflush(report->terminal);
    report->has_progress = true;
}

/* ---- the verdict ---- */

const char *lab_verdict_name(enum lab_verdict verdict)
{
    static const char *const names[] = {
        [LAB_AGREES] = "agrees",
        [LAB_DISAGREES] = "disagrees",
        [LAB_NOT_RUN] = "not run",
    };

    return names[verdict];
}

static void write_verdict(FILE *out, const struct lab_result *result)
{
    const enum lab_verdict verdict = lab_result_verdict(result);
    size_t judged;
    const size_t agreeing = lab_result_agreeing(result, &judged);

    fprintf(out, "   verdict  %s", lab_verdict_name(verdict));
    if (result->why[0] != '\0')
        fprintf(out, ": %s\n\n", result->why);
    else
        fprintf(out, ": %zu of %zu figures%s, in %.0f s\n\n", agreeing, judged,
                result->has_failed ? ", but requests failed" : "", result->seconds);
}

void lab_report_end(struct lab_report *report, const struct lab_experiment *experiment,
                    const struct lab_result *result)
{
    const bool is_behind =
        experiment->missing != NULL && lab_result_verdict(result) == LAB_DISAGREES;

    erase_progress(report);
    if (report->out == NULL)
        return;
    fputc('\n', report->out);
    for (size_t i = 0; i < result->note_count; i++)
        write_wrapped(report->out, "   note     ", result->note[i]);
    if (is_behind)
        write_wrapped(report->out, "   missing  ", experiment->missing);
    write_verdict(report->out, result);
    fflush(report->out);
}

void lab_report_list(FILE *out)
{
    fputs("Experiments (remuda lab N..., or all):\n", out);
    for (const struct lab_experiment *const *e = lab_table; *e != NULL; e++)
        fprintf(out, "  %2u  %-14s %s\n", (*e)->number, (*e)->name, (*e)->title);
    fputc('\n', out);
}
