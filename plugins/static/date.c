/* SPDX-License-Identifier: MIT */
/*
 * date - HTTP-date in its three forms: RFC 9110 5.6.7.
 *
 * Owns:    nothing. Not strptime and strftime: they follow the locale, and forgive.
 * Called:  by condition.c and static.c.
 * Fails:   date_parse: false for what is no date of the calendar.
 */
#include "static.h"

#include <stdio.h>
#include <string.h>

enum { DAY_S = 86400, HOUR_S = 3600, MINUTE_S = 60 };

static const char *const DAYS[] = {"Sunday",   "Monday", "Tuesday", "Wednesday",
                                   "Thursday", "Friday", "Saturday"};
static const char MONTHS[] = "JanFebMarAprMayJunJulAugSepOctNovDec";

struct moment {
    int64_t year;
    int month, day, hour, minute, second; /* month from 1 */
};

/* ---- reading: each moves *at on, and says whether it could ---- */

static bool read_text(const char **at, const char *text)
{
    size_t n = strlen(text);
    bool is_there = strncmp(*at, text, n) == 0;

    *at += is_there ? n : 0;
    return is_there;
}

static bool read_digits(const char **at, int n, int *out)
{
    *out = 0;
    for (; n > 0; n--, ++*at) {
        if (**at < '0' || **at > '9')
            return false;
        *out = *out * 10 + (**at - '0');
    }
    return true;
}

static bool read_month(const char **at, int *out)
{
    for (*out = 1; *out <= 12; ++*out)
        if (strncmp(*at, MONTHS + (*out - 1) * 3, 3) == 0) {
            *at += 3;
            return true;
        }
    return false;
}

static bool read_time(const char **at, struct moment *m)
{
    return read_digits(at, 2, &m->hour) && read_text(at, ":") &&
           read_digits(at, 2, &m->minute) && read_text(at, ":") &&
           read_digits(at, 2, &m->second);
}

static bool read_year(const char **at, int digits, struct moment *m)
{
    int year;
    bool is_there = read_digits(at, digits, &year);

    m->year = year;
    return is_there;
}

/* "Sun" or "Sunday". That it is the right one nobody has to check. */
static bool read_day_name(const char **at, bool *is_long_out)
{
    for (size_t i = 0; i < sizeof(DAYS) / sizeof(DAYS[0]); i++) {
        if (strncmp(*at, DAYS[i], 3) != 0)
            continue;
        *is_long_out = read_text(at, DAYS[i]);
        *at += *is_long_out ? 0 : 3;
        return true;
    }
    return false;
}

static bool read_fixdate(const char *at, struct moment *m)
{
    return read_text(&at, ", ") && read_digits(&at, 2, &m->day) && read_text(&at, " ") &&
           read_month(&at, &m->month) && read_text(&at, " ") && read_year(&at, 4, m) &&
           read_text(&at, " ") && read_time(&at, m) && strcmp(at, " GMT") == 0;
}

static bool read_rfc850(const char *at, struct moment *m)
{
    return read_text(&at, ", ") && read_digits(&at, 2, &m->day) && read_text(&at, "-") &&
           read_month(&at, &m->month) && read_text(&at, "-") && read_year(&at, 2, m) &&
           read_text(&at, " ") && read_time(&at, m) && strcmp(at, " GMT") == 0;
}

static bool read_asctime(const char *at, struct moment *m)
{
    int digits = 2;

    if (!read_text(&at, " ") || !read_month(&at, &m->month) || !read_text(&at, " "))
        return false;
    if (read_text(&at, " "))
        digits = 1;
    return read_digits(&at, digits, &m->day) && read_text(&at, " ") &&
           read_time(&at, m) && read_text(&at, " ") && read_year(&at, 4, m) &&
           *at == '\0';
}

/* ---- the calendar ---- */

static bool is_leap(int64_t year)
{
    return year % 4 == 0 && (year % 100 != 0 || year % 400 == 0);
}

static bool is_in_calendar(const struct moment *m)
{
    static const int LENGTHS[] = {31, 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31};
    int length = LENGTHS[m->month - 1] + (m->month == 2 && is_leap(m->year));

    return m->day >= 1 && m->day <= length && m->hour < 24 && m->minute < 60 &&
           m->second <= 60; /* a leap second */
}

/* Days from 1970-01-01; the year is taken to begin in March, so its leap day is its last. */
static int64_t days_before(int64_t year, int month, int day)
{
    int64_t y = month <= 2 ? year - 1 : year;
    int64_t era = (y >= 0 ? y : y - 399) / 400;
    int64_t of_era = y - era * 400;
    int64_t of_year = (153 * (month + (month > 2 ? -3 : 9)) + 2) / 5 + day - 1;

    return era * 146097 + of_era * 365 + of_era / 4 - of_era / 100 + of_year - 719468;
}

static void split_days(int64_t days, struct moment *m)
{
    int64_t shifted = days + 719468;
    int64_t era = (shifted >= 0 ? shifted : shifted - 146096) / 146097;
    int64_t of_era = shifted - era * 146097;
    int64_t year = (of_era - of_era / 1460 + of_era / 36524 - of_era / 146096) / 365;
    int64_t of_year = of_era - (365 * year + year / 4 - year / 100);
    int64_t month = (5 * of_year + 2) / 153;

    m->day = (int)(of_year - (153 * month + 2) / 5 + 1);
    m->month = (int)(month < 10 ? month + 3 : month - 9);
    m->year = year + era * 400 + (m->month <= 2);
}

static int64_t seconds_of(const struct moment *m)
{
    return days_before(m->year, m->month, m->day) * DAY_S + m->hour * HOUR_S +
           m->minute * MINUTE_S + m->second;
}

static struct moment moment_of(int64_t at_s)
{
    int64_t days = at_s / DAY_S - (at_s % DAY_S < 0);
    int of_day = (int)(at_s - days * DAY_S);
    struct moment m = {
        .hour = of_day / HOUR_S, .minute = of_day / MINUTE_S % 60, .second = of_day % 60};

    split_days(days, &m);
    return m;
}

/* More than 50 years ahead is the past: RFC 9110 5.6.7. */
static void choose_century(struct moment *m, int64_t now_s)
{
    struct moment most = moment_of(now_s);

    m->year += most.year / 100 * 100;
    if (m->year + 50 < most.year)
        m->year += 100;
    most.year += 50;
    if (seconds_of(m) > seconds_of(&most))
        m->year -= 100;
}

bool date_parse(const char *text, int64_t now_s, int64_t *out)
{
    struct moment m = {0};
    bool is_long, is_read;

    if (!read_day_name(&text, &is_long))
        return false;
    if (is_long)
        is_read = read_rfc850(text, &m);
    else
        is_read = *text == ',' ? read_fixdate(text, &m) : read_asctime(text, &m);
    if (!is_read)
        return false;
    if (is_long)
        choose_century(&m, now_s);
    *out = seconds_of(&m);
    return is_in_calendar(&m);
}

void date_format(int64_t at_s, char out[static DATE_BYTES])
{
    int64_t days = at_s / DAY_S - (at_s % DAY_S < 0);
    int week_day = (int)((days % 7 + 11) % 7); /* 1970 began on a Thursday */
    struct moment m = moment_of(at_s);
    char text[96];

    snprintf(text, sizeof(text), "%.3s, %02d %.3s %04d %02d:%02d:%02d GMT",
             DAYS[week_day], m.day, MONTHS + (m.month - 1) * 3, (int)m.year, m.hour,
             m.minute, m.second);
    memcpy(out, text, DATE_BYTES - 1);
    out[DATE_BYTES - 1] = '\0';
}
