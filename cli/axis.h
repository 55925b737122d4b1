/* SPDX-License-Identifier: MIT */
/*
 * axis - the scale of one side of a plot: round ends, round ticks, from value to place.
 *
 * Owns:    nothing. Pure.
 * Called:  by svg.c, for x and y.
 * Fails:   never; an axis without values is 0 to 1, or 1 to 10.
 */
#ifndef CLI_AXIS_H
#define CLI_AXIS_H

#include <stdbool.h>
#include <stddef.h>

enum { AXIS_TICKS = 24 };

struct axis {
    bool is_log;
    bool has_value;
    double low, high; /* ends; before axis_settle the least and the greatest value */
    double tick[AXIS_TICKS];
    size_t tick_count;
};

void axis_init(struct axis *axis, bool is_log);

/** Can it be shown? Not NAN or infinite; on a logarithmic axis more than 0. */
bool axis_takes(const struct axis *axis, double value);

/** Widens the axis to the value; does nothing for one that it does not take. */
void axis_add(struct axis *axis, double value);

/** After the last value: rounds the ends outward and sets the ticks. A linear axis begins
 * at 0 unless there is something below. */
void axis_settle(struct axis *axis);

/** Where a value stands: 0 at the low end, 1 at the high one. */
double axis_place(const struct axis *axis, double value);

#endif
