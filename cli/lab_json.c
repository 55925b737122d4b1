/* SPDX-License-Identifier: MIT */
/*
 * lab_json - experiments for programs: one object, every figure.            [lab]
 *
 * All keys are always there; one that does not apply is null. JSON has no NaN and no
 * infinity: those are null too.
 *
 * Called:  by lab.c.
 * Fails:   never.
 */
#include "cli/lab_report.h"

#include "common/version.h"

#include <math.h>

/* ---- values ---- */

/* Our texts are UTF-8; only what JSON reserves is escaped. */
static void write_string(FILE *out, const char *text)
{
    fputc('"', out);
    for (; *text != '\0'; text++) {
        const unsigned char c = (unsigned char)*text;

        if (c == '"' || c == '\\')
            fprintf(out, "\\%c", c);
        else if (c < ' ' || c == 0x7f)
            fprintf(out, "\\u%04x", c);
        else
            fputc(c, out);
    }
    fputc('"', out);
}

static void write_text(FILE *out, const char *key, const char *text)
{
    fprintf(out, "\"%s\": ", key);
    if (text == NULL || text[0] == '\0')
        fputs("null", out);
    else
        write_string(out, text);
    fputs(", ", out);
}

static void write_number(FILE *out, double x)
{
    if (isfinite(x))
        fprintf(out, "%.9g", x);
    else
        fputs("null", out);
}

static void write_key_number(FILE *out, const char *key, double x)
{
    fprintf(out, "\"%s\": ", key);
    write_number(out, x);
    fputs(", ", out);
}

static const char *bool_text(bool is_true)
{
    return is_true ? "true" : "false";
}

/* ---- rows, plot, notes ---- */

static void write_row(FILE *out, const struct lab_row *row)
{
    static const char *const rules[] = {
        [LAB_NEAR] = "near",
        [LAB_AT_MOST] = "at most",
        [LAB_AT_LEAST] = "at least",
        [LAB_SHOWN] = "shown",
    };
    const bool is_judged = row->rule != LAB_SHOWN;

    fputs("\n      {", out);
    write_text(out, "label", row->label);
    write_text(out, "unit", row->unit);
    write_text(out, "rule", rules[row->rule]);
    write_key_number(out, "predicted", is_judged ? row->predicted : NAN);
    write_key_number(out, "tolerance", is_judged ? row->tolerance : NAN);
    write_key_number(out, "band", is_judged && row->band > 0 ? row->band : NAN);
    write_key_number(out, "measured", row->is_measured ? row->measured : NAN);
    write_key_number(out, "deviation",
                     row->is_measured && is_judged ? lab_row_deviation(row) : NAN);
    fprintf(out, "\"agrees\": %s}",
            row->is_measured && is_judged ? bool_text(lab_row_agrees(row)) : "null");
}

static void write_series(FILE *out, const struct lab_series *series)
{
    fputs("\n      {", out);
    write_text(out, "name", series->name);
    fputs("\"points\": [", out);
    for (size_t i = 0; i < series->count; i++) {
        const struct lab_point *point = &series->point[i];

        fprintf(out, "%s{", i == 0 ? "" : ", ");
        write_key_number(out, "x", point->x);
        write_key_number(out, "predicted", point->predicted);
        fputs("\"measured\": ", out);
        write_number(out, point->measured);
        fputc('}', out);
    }
    fputs("]}", out);
}

static void write_plot(FILE *out, const struct lab_plot *plot)
{
    fputs("    \"plot\": ", out);
    if (plot->x_title == NULL) {
        fputs("null,\n", out);
        return;
    }
    fputc('{', out);
    write_text(out, "x", plot->x_title);
    write_text(out, "y", plot->y_title);
    fprintf(out, "\"log_x\": %s, \"log_y\": %s, \"series\": [", bool_text(plot->is_log_x),
            bool_text(plot->is_log_y));
    for (size_t i = 0; i < plot->count; i++) {
        fputs(i == 0 ? "" : ",", out);
        write_series(out, &plot->series[i]);
    }
    fputs("]},\n", out);
}

static void write_list(FILE *out, const struct lab_result *result)
{
    fputs("    \"rows\": [", out);
    for (size_t i = 0; i < result->row_count; i++) {
        fputs(i == 0 ? "" : ",", out);
        write_row(out, &result->row[i]);
    }
    fputs("],\n", out);
    write_plot(out, &result->plot);
    fputs("    \"notes\": [", out);
    for (size_t i = 0; i < result->note_count; i++) {
        fputs(i == 0 ? "" : ", ", out);
        write_string(out, result->note[i]);
    }
    fputs("]}", out);
}

/* ---- the document ---- */

void lab_json_begin(FILE *out, bool is_short)
{
    fprintf(out, "{\"version\": \"%s\", \"short\": %s, \"experiments\": [",
            REMUDA_VERSION, bool_text(is_short));
}

void lab_json_experiment(FILE *out, const struct lab_experiment *experiment,
                         const struct lab_result *result, bool is_first)
{
    fprintf(out, "%s\n  {\"number\": %u,\n    ", is_first ? "" : ",", experiment->number);
    write_text(out, "name", experiment->name);
    write_text(out, "title", experiment->title);
    fputs("\n    ", out);
    write_text(out, "setup", experiment->setup);
    fputs("\n    ", out);
    write_text(out, "law", experiment->law);
    fputs("\n    ", out);
    write_text(out, "missing", experiment->missing);
    write_text(out, "verdict", lab_verdict_name(lab_result_verdict(result)));
    write_text(out, "why", result->why);
    write_key_number(out, "seconds", result->seconds);
    fputc('\n', out);
    write_list(out, result);
}

void lab_json_end(FILE *out, unsigned agree, unsigned of)
{
    fprintf(out, "\n], \"agree\": %u, \"of\": %u}\n", agree, of);
}
