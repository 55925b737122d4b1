/* SPDX-License-Identifier: MIT */
/*
 * test_conf_types - words of a config file as numbers, and back.
 */
#include "common/check.h"
#include "conf/types.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <string.h>

#include <cmocka.h>

#define LARGE    "is too large"
#define NUMBER   "is not a number"
#define SIZE     "is not a size (a number with k, M, G or nothing)"
#define DURATION "is not a duration (a number with ms, s, m, h or nothing)"

struct row {
    const char *text;
    uint64_t want; /* where wrong is NULL */
    const char *wrong;
};

static void check_reason(const char *text, const char *got, const char *want)
{
    if ((got == NULL) != (want == NULL) || (got != NULL && strcmp(got, want) != 0))
        fail_msg("'%s': %s, not %s", text, got ? got : "good", want ? want : "good");
}

static void test_int(void **state)
{
    static const struct {
        const char *text;
        int64_t want;
        const char *wrong;
    } rows[] = {
        {"0", 0, NULL},
        {"7", 7, NULL},
        {"-7", -7, NULL},
        {"+7", 7, NULL},
        {"007", 7, NULL},
        {"9223372036854775807", INT64_MAX, NULL},
        {"-9223372036854775807", -INT64_MAX, NULL},
        {"9223372036854775808", 0, LARGE},
        {"18446744073709551615", 0, LARGE},
        {"18446744073709551616", 0, LARGE},
        {"99999999999999999999999", 0, LARGE},
        {"", 0, NUMBER},
        {"-", 0, NUMBER},
        {"--1", 0, NUMBER},
        {" 1", 0, NUMBER},
        {"1 ", 0, NUMBER},
        {"0x10", 0, NUMBER},
        {"1k", 0, NUMBER},
        {"1.5", 0, NUMBER},
    };

    (void)state;
    for (size_t i = 0; i < COUNT_OF(rows); i++) {
        int64_t got = 0;

        check_reason(rows[i].text, types_parse_int(rows[i].text, &got), rows[i].wrong);
        assert_int_equal(got, rows[i].want);
    }
}

static void test_size(void **state)
{
    static const struct row rows[] = {
        {"0", 0, NULL},
        {"8192", 8192, NULL},
        {"8k", 8192, NULL},
        {"8K", 8192, NULL},
        {"1M", 1048576, NULL},
        {"1m", 1048576, NULL},
        {"2G", 2147483648u, NULL},
        {"8589934591G", 8589934591ull << 30, NULL},
        {"8589934592G", 0, LARGE},
        {"99999999999999999999", 0, LARGE},
        {"1T", 0, SIZE},
        {"1kB", 0, SIZE},
        {"1 k", 0, SIZE},
        {"k", 0, SIZE},
        {"-1", 0, SIZE},
        {"", 0, SIZE},
    };

    (void)state;
    for (size_t i = 0; i < COUNT_OF(rows); i++) {
        uint64_t got = 0;

        check_reason(rows[i].text, types_parse_size(rows[i].text, &got), rows[i].wrong);
        assert_int_equal(got, rows[i].want);
    }
}

static void test_duration(void **state)
{
    static const struct row rows[] = {
        {"0", 0, NULL},
        {"10", 10000, NULL},
        {"250ms", 250, NULL},
        {"10s", 10000, NULL},
        {"5m", 300000, NULL},
        {"1h", 3600000, NULL},
        {"2562047788015h", 2562047788015ull * 3600000, NULL},
        {"2562047788016h", 0, LARGE},
        {"1M", 0, DURATION},
        {"1S", 0, DURATION},
        {"1d", 0, DURATION},
        {"1h30m", 0, DURATION},
        {"s", 0, DURATION},
        {"-1s", 0, DURATION},
        {"", 0, DURATION},
    };

    (void)state;
    for (size_t i = 0; i < COUNT_OF(rows); i++) {
        uint64_t got = 0;

        check_reason(rows[i].text, types_parse_duration(rows[i].text, &got),
                     rows[i].wrong);
        assert_int_equal(got, rows[i].want);
    }
}

static void test_bool(void **state)
{
    static const char *const on[] = {"on", "yes", "true", "1", "ON", "Yes", "True"};
    static const char *const off[] = {"off", "no", "false", "0", "OFF", "No"};
    static const char *const neither[] = {"", "2", "y", "enable", "on "};
    bool got;

    (void)state;
    for (size_t i = 0; i < COUNT_OF(on); i++) {
        got = false;
        assert_null(types_parse_bool(on[i], &got));
        assert_true(got);
    }
    for (size_t i = 0; i < COUNT_OF(off); i++) {
        got = true;
        assert_null(types_parse_bool(off[i], &got));
        assert_false(got);
    }
    for (size_t i = 0; i < COUNT_OF(neither); i++)
        check_reason(neither[i], types_parse_bool(neither[i], &got),
                     "is neither on nor off (yes, no, true, false)");
}

static void test_mode(void **state)
{
    static const struct row rows[] = {
        {"0", 0, NULL},
        {"22", 022, NULL},
        {"0027", 027, NULL},
        {"777", 0777, NULL},
        {"8", 0, "is not an octal mode"},
        {"", 0, "is not an octal mode"},
        {"00022", 0, "is not an octal mode"},
        {"u+x", 0, "is not an octal mode"},
    };

    (void)state;
    for (size_t i = 0; i < COUNT_OF(rows); i++) {
        int got = 0;

        check_reason(rows[i].text, types_parse_mode(rows[i].text, &got), rows[i].wrong);
        assert_int_equal(got, rows[i].want);
    }
}

/* The shortest text, and the same number when it is read again. */
static void test_format(void **state)
{
    static const struct {
        uint64_t n;
        const char *size, *duration;
    } rows[] = {
        {0, "0", "0"},
        {1, "1", "1ms"},
        {999, "999", "999ms"},
        {1000, "1000", "1s"},
        {1024, "1k", "1024ms"},
        {1500, "1500", "1500ms"},
        {60000, "60000", "1m"},
        {61000, "61000", "61s"},
        {3600000, "3600000", "1h"},
        {1048576, "1M", "1048576ms"},
        {1572864, "1536k", "1572864ms"},
        {86400000, "84375k", "24h"},
        {3221225472u, "3G", "3221225472ms"},
    };

    (void)state;
    for (size_t i = 0; i < COUNT_OF(rows); i++) {
        char text[TYPES_TEXT_MAX];
        uint64_t again = 1;

        types_format_size(rows[i].n, text);
        assert_string_equal(text, rows[i].size);
        assert_null(types_parse_size(text, &again));
        assert_int_equal(again, rows[i].n);
        types_format_duration(rows[i].n, text);
        assert_string_equal(text, rows[i].duration);
        assert_null(types_parse_duration(text, &again));
        assert_int_equal(again, rows[i].n);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_int),      cmocka_unit_test(test_size),
        cmocka_unit_test(test_duration), cmocka_unit_test(test_bool),
        cmocka_unit_test(test_mode),     cmocka_unit_test(test_format),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
