/* SPDX-License-Identifier: MIT */
/*
 * lab_result - rows, points and the verdict over them.                      [lab]
 *
 * Called:  by lab.c and the reports.
 * Fails:   never.
 */
#include "cli/lab_result.h"

#include "common/check.h"

#include <stdio.h>
#include <string.h>

struct lab_row *lab_result_predict(struct lab_result *r, const struct lab_row *what,
                                   const char *label)
{
    struct lab_row *row;

    CHECK(r->row_count < LAB_ROWS);
    row = &r->row[r->row_count++];
    *row = *what;
    row->is_measured = false;
    (void)snprintf(row->label, sizeof(row->label), "%s", label);
    return row;
}

void lab_result_measure(struct lab_row *row, double measured)
{
    row->measured = measured;
    row->is_measured = true;
}

static struct lab_series *find_series(struct lab_plot *plot, const char *name)
{
    struct lab_series *series;

    for (size_t i = 0; i < plot->count; i++)
        if (strcmp(plot->series[i].name, name) == 0)
            return &plot->series[i];
    CHECK(plot->count < LAB_SERIES);
    series = &plot->series[plot->count++];
    (void)snprintf(series->name, sizeof(series->name), "%s", name);
    return series;
}

void lab_result_point(struct lab_result *r, const char *name, struct lab_point point)
{
    struct lab_series *series = find_series(&r->plot, name);
    size_t i = series->count;

    CHECK(series->count < LAB_POINTS);
    for (; i > 0 && series->point[i - 1].x > point.x; i--)
        series->point[i] = series->point[i - 1];
    series->point[i] = point;
    series->count++;
}

bool lab_row_agrees(const struct lab_row *row)
{
    const double room = row->band > 0 ? row->band : row->predicted * row->tolerance;
    const bool is_below = row->measured <= row->predicted + room;
    const bool is_above = row->measured >= row->predicted - room;

    if (!row->is_measured)
        return false;
    switch (row->rule) {
    case LAB_NEAR:
        return is_below && is_above;
    case LAB_AT_MOST:
        return is_below;
    case LAB_AT_LEAST:
        return is_above;
    case LAB_SHOWN:
        break;
    }
    return true;
}

double lab_row_deviation(const struct lab_row *row)
{
    if (!row->is_measured || row->rule == LAB_SHOWN || row->predicted <= 0)
        return 0;
    return row->measured / row->predicted - 1;
}

enum lab_verdict lab_result_verdict(const struct lab_result *r)
{
    enum lab_verdict verdict = r->has_failed ? LAB_DISAGREES : LAB_AGREES;

    if (r->row_count == 0 || r->why[0] != '\0')
        return LAB_NOT_RUN;
    for (size_t i = 0; i < r->row_count; i++) {
        if (!r->row[i].is_measured)
            return LAB_NOT_RUN;
        if (!lab_row_agrees(&r->row[i]))
            verdict = LAB_DISAGREES;
    }
    return verdict;
}

size_t lab_result_agreeing(const struct lab_result *r, size_t *judged_out)
{
    size_t agreeing = 0;

    *judged_out = 0;
    for (size_t i = 0; i < r->row_count; i++) {
        if (r->row[i].rule == LAB_SHOWN)
            continue;
        ++*judged_out;
        agreeing += lab_row_agrees(&r->row[i]);
    }
    return agreeing;
}
