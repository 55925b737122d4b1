/* SPDX-License-Identifier: MIT */
/*
 * clock - reads the two clocks.                              [every process]
 *
 * Owns:    nothing.
 * Called:  from everywhere, any thread.
 * Fails:   never; Linux has both clocks.
 */
#include "common/clock.h"

static uint64_t nanoseconds(clockid_t id)
{
    struct timespec ts;

    clock_gettime(id, &ts);
    return (uint64_t)ts.tv_sec * 1000000000u + (uint64_t)ts.tv_nsec;
}

uint64_t clock_mono_ms(void)
{
    return nanoseconds(CLOCK_MONOTONIC) / 1000000;
}

uint64_t clock_mono_ns(void)
{
    return nanoseconds(CLOCK_MONOTONIC);
}

uint64_t clock_wall_ms(void)
{
    return nanoseconds(CLOCK_REALTIME) / 1000000;
}

/* Digits of v, right-aligned in `width` characters; higher digits are cut. */
static char *put_digits(char *out, unsigned width, unsigned long v, char after)
{
    for (unsigned i = width; i-- > 0; v /= 10)
        out[i] = (char)('0' + v % 10);
    out[width] = after;
    return out + width + 1;
}

void clock_format_iso(uint64_t wall_ms, char out[static 25])
{
    time_t seconds = (time_t)(wall_ms / 1000);
    struct tm tm;

    gmtime_r(&seconds, &tm);
    char *p = put_digits(out, 4, (unsigned long)tm.tm_year + 1900, '-');
    p = put_digits(p, 2, (unsigned long)tm.tm_mon + 1, '-');
    p = put_digits(p, 2, (unsigned long)tm.tm_mday, 'T');
    p = put_digits(p, 2, (unsigned long)tm.tm_hour, ':');
    p = put_digits(p, 2, (unsigned long)tm.tm_min, ':');
    p = put_digits(p, 2, (unsigned long)tm.tm_sec, '.');
    p = put_digits(p, 3, (unsigned long)(wall_ms % 1000), 'Z');
    *p = '\0';
}
