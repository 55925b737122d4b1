/* SPDX-License-Identifier: MIT */
/*
 * axis - the scale of one side of a plot.                                       [lab]
 *
 * Owns:    nothing.
 * Called:  see axis.h.
 * Fails:   never.
 */
#include "cli/axis.h"

#include "common/check.h"

#include <math.h>

/* Distance between ticks: a fifth of the range, more or less. With more than this many
 * decades, only powers of ten are ticks. */
enum { STEPS = 5, FINE_DECADES = 3 };

/* A value that is a tick but for its last bits is that tick. */
static const double slack = 1e-9;

void axis_init(struct axis *axis, bool is_log)
{
    *axis = (struct axis){.is_log = is_log};
}

bool axis_takes(const struct axis *axis, double value)
{
    return isfinite(value) && (!axis->is_log || value > 0);
}

void axis_add(struct axis *axis, double value)
{
    if (!axis_takes(axis, value))
        return;
    if (!axis->has_value || value < axis->low)
        axis->low = value;
    if (!axis->has_value || value > axis->high)
        axis->high = value;
    axis->has_value = true;
}

static void add_tick(struct axis *axis, double value)
{
    CHECK(axis->tick_count < AXIS_TICKS);
    axis->tick[axis->tick_count++] = value;
}

/* ---- linear ---- */

/* The nearest of 1, 2, 5, 10 times a power of ten, upward. */
static double round_step(double step)
{
    const double power = pow(10, floor(log10(step)));
    const double digit = step / power;

    return power * (digit <= 1 + slack ? 1 : digit <= 2 ? 2 : digit <= 5 ? 5 : 10);
}

static void settle_linear(struct axis *axis)
{
    if (axis->low > 0)
        axis->low = 0;
    if (axis->high < 0)
        axis->high = 0;
    if (!(axis->high > axis->low))
        axis->high = axis->low + 1;
    const double step = round_step((axis->high - axis->low) / STEPS);
    const double first = floor(axis->low / step + slack);
    const double last = ceil(axis->high / step - slack);

    for (long i = 0; i <= (long)(last - first); i++)
        add_tick(axis, (first + (double)i) * step);
    axis->low = first * step;
    axis->high = last * step;
}

/* ---- logarithmic: the ticks are 1, 2, 5 times powers of ten, in order: number 0 is 1 ---- */

static double tick_at(long number)
{
    static const double digit[] = {1, 2, 5};
    const long decade = (long)floor((double)number / 3);

    return digit[number - decade * 3] * pow(10, (double)decade);
}

static void settle_log(struct axis *axis)
{
    long first = 3 * (long)floor(log10(axis->low));
    long last = 3 * (long)ceil(log10(axis->high));

    while (tick_at(first + 1) <= axis->low * (1 + slack))
        first++;
    while (tick_at(last - 1) >= axis->high * (1 - slack))
        last--;
    if (first >= last)
        last = first + 1;
    axis->low = tick_at(first);
    axis->high = tick_at(last);
    const bool is_fine = last - first <= 3 * FINE_DECADES;
    for (long i = first; i <= last; i++)
        if (axis->tick_count < AXIS_TICKS && (is_fine || i % 3 == 0))
            add_tick(axis, tick_at(i));
}

/* ---- both ---- */

void axis_settle(struct axis *axis)
{
    axis->tick_count = 0;
    if (!axis->has_value) {
        axis->low = axis->is_log ? 1 : 0;
        axis->high = axis->is_log ? 10 : 1;
    }
    if (axis->is_log)
        settle_log(axis);
    else
        settle_linear(axis);
}

double axis_place(const struct axis *axis, double value)
{
    if (axis->is_log)
        return (log(value) - log(axis->low)) / (log(axis->high) - log(axis->low));
    return (value - axis->low) / (axis->high - axis->low);
}
