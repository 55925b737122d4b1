/* SPDX-License-Identifier: MIT */
/*
 * clock - reads the two clocks.                              [every process]
 *
 * Owns:    nothing.
 * Called:  from everywhere, any thread.
 * Fails:   never; Linux has both clocks.
 */
#include "common/clock.h"

enum { MS_PER_DAY = 86400000 };

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

struct date {
    unsigned year, month, day;
};

static uint64_t take(uint64_t *days, unsigned length, unsigned most)
{
    uint64_t n = *days / length < most ? *days / length : most;

    *days -= n * length;
    return n;
}

/* Counted from 1 March 1600: then a leap day ends its year, its 4 and its 400 years. */
static struct date date_of(uint64_t days_since_1970)
{
    static const unsigned char length[] = {31, 30, 31, 30, 31, 31,
                                           30, 31, 30, 31, 31, 29};
    uint64_t days = days_since_1970 + 135080;
    uint64_t year = 1600 + 400 * take(&days, 146097, UINT32_MAX);
    unsigned month = 0;

    year += 100 * take(&days, 36524, 3);
    year += 4 * take(&days, 1461, 24);
    year += take(&days, 365, 3);
    while (days >= length[month])
        days -= length[month++];
    year += month >= 10; /* January and February are of the next one */
    return (struct date){(unsigned)year, (month + 2) % 12 + 1, (unsigned)days + 1};
}

/* By hand: gmtime_r takes a lock, and a signal handler writes log lines too. */
void clock_format_iso(uint64_t wall_ms, char out[static 25])
{
    struct date date = date_of(wall_ms / MS_PER_DAY);
    unsigned long second = (unsigned long)(wall_ms % MS_PER_DAY / 1000);
    char *p = put_digits(out, 4, date.year, '-');
    p = put_digits(p, 2, date.month, '-');
    p = put_digits(p, 2, date.day, 'T');
    p = put_digits(p, 2, second / 3600, ':');
    p = put_digits(p, 2, second / 60 % 60, ':');
    p = put_digits(p, 2, second % 60, '.');
    p = put_digits(p, 3, (unsigned long)(wall_ms % 1000), 'Z');
    *p = '\0';
}
