/* SPDX-License-Identifier: MIT */
/*
 * test_static_date - HTTP-date in its three forms, and what is none.
 */
#include "plugins/static/static.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <time.h>

#include <cmocka.h>

#define COUNT(array) (sizeof(array) / sizeof((array)[0]))

enum { NONE = INT32_MIN };

static const int64_t now_s = 1795996800; /* 2026-11-30 00:00:00 */

static void test_parse(void **state)
{
    static const struct {
        const char *text;
        int64_t want;
    } rows[] = {
        {"Sun, 06 Nov 1994 08:49:37 GMT", 784111777},
        {"Sunday, 06-Nov-94 08:49:37 GMT", 784111777},
        {"Sun Nov  6 08:49:37 1994", 784111777},
        {"Thu, 01 Jan 1970 00:00:00 GMT", 0},
        {"Wed, 31 Dec 1969 23:59:59 GMT", -1},
        {"Thu, 29 Feb 2024 12:00:00 GMT", 1709208000},
        {"Tue, 29 Feb 2000 00:00:00 GMT", 951782400},
        {"Wed Nov 16 08:49:37 1994", 784975777},
        {"Fri, 31 Dec 9999 23:59:59 GMT", 253402300799},
        {"Sat, 31 Dec 2016 23:59:60 GMT", 1483228800}, /* a leap second */
        {"Mon, 06 Nov 1994 08:49:37 GMT", 784111777},  /* not a Monday: nobody minds */
        /* two digits: at most fifty years ahead */
        {"Monday, 30-Nov-76 00:00:00 GMT", 3373920000},
        {"Monday, 30-Nov-76 00:00:01 GMT", 218160001},
        {"Tuesday, 01-Jan-80 00:00:00 GMT", 315532800},
        {"Wednesday, 01-Jan-25 00:00:00 GMT", 1735689600},
        {"", NONE},
        {"0", NONE},
        {"784111777", NONE},
        {"Sun, 06 Nov 1994 08:49:37 UTC", NONE},
        {"Sun, 06 Nov 1994 08:49:37 +0000", NONE},
        {"Sun, 06 Nov 1994 08:49:37", NONE},
        {"Sun, 06 Nov 1994 08:49:37 GMT ", NONE},
        {"Sun, 06 Nov 1994 08:49:37 GMT, Sun, 06 Nov 1994 08:49:37 GMT", NONE},
        {"Sun, 6 Nov 1994 08:49:37 GMT", NONE},
        {"sun, 06 nov 1994 08:49:37 gmt", NONE},
        {"Sun, 06 Nov 94 08:49:37 GMT", NONE},
        {"Sun, 06-Nov-1994 08:49:37 GMT", NONE},
        {"Sun,  06 Nov 1994 08:49:37 GMT", NONE},
        {"Sun, 06 Nov 1994 8:49:37 GMT", NONE},
        {"Sun, 06 Nov 1994 08:49 GMT", NONE},
        {"Sun, 06 Nov 1994 24:00:00 GMT", NONE},
        {"Sun, 06 Nov 1994 08:60:00 GMT", NONE},
        {"Sun, 06 Nov 1994 08:49:61 GMT", NONE},
        {"Sun, 00 Nov 1994 08:49:37 GMT", NONE},
        {"Sun, 31 Nov 1994 08:49:37 GMT", NONE},
        {"Sun, 29 Feb 2023 00:00:00 GMT", NONE},
        {"Sun, 29 Feb 1900 00:00:00 GMT", NONE},
        {"Sun, 06 Foo 1994 08:49:37 GMT", NONE},
        {"Foo, 06 Nov 1994 08:49:37 GMT", NONE},
        {"Sunday, 06-Nov-1994 08:49:37 GMT", NONE},
        {"Sunday, 06 Nov 1994 08:49:37 GMT", NONE},
        {"Sun Nov 06 08:49:37 94", NONE},
        {"Sun Nov  6 08:49:37 1994 GMT", NONE},
        {"Sun Nov 6 08:49:37 1994", NONE},
        {"Sund, 06 Nov 1994 08:49:37 GMT", NONE},
        {"Sun", NONE},
        {"Sun,", NONE},
        {"Sun, ", NONE},
    };

    (void)state;
    for (size_t i = 0; i < COUNT(rows); i++) {
        int64_t got;

        if (!date_parse(rows[i].text, now_s, &got))
            got = NONE;
        if (got != rows[i].want)
            fail_msg("%s: %lld, want %lld", rows[i].text, (long long)got,
                     (long long)rows[i].want);
    }
}

/* Two digits in a century that is nearly over. */
static void test_next_century(void **state)
{
    int64_t now_2099 = 4070908800 + 5, got;

    (void)state;
    assert_true(date_parse("Friday, 01-Jan-05 00:00:00 GMT", now_2099, &got));
    assert_int_equal(got, 4260211200); /* 2105 */
    assert_true(date_parse("Friday, 01-Jan-60 00:00:00 GMT", now_2099, &got));
    assert_int_equal(got, 2840140800); /* 2060 */
}

/* There and back, a day and some seconds at a time; the C library agrees. */
static void test_format(void **state)
{
    char text[DATE_BYTES], want[64];
    int64_t got;

    (void)state;
    for (int64_t at = -2208988800; at < 8000000000; at += 86400 * 13 + 3671) {
        time_t seconds = (time_t)at;
        struct tm tm;

        date_format(at, text);
        assert_non_null(gmtime_r(&seconds, &tm));
        assert_true(strftime(want, sizeof(want), "%a, %d %b %Y %T GMT", &tm) > 0);
        assert_string_equal(text, want);
        assert_true(date_parse(text, now_s, &got));
        assert_int_equal(got, at);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_parse),
        cmocka_unit_test(test_next_century),
        cmocka_unit_test(test_format),
    };

    return cmocka_run_group_tests_name("static date", tests, NULL, NULL);
}
