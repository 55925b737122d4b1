/* SPDX-License-Identifier: MIT */
/*
 * test_static_condition - preconditions in their order, and If-Range, as tables.
 */
#include "plugins/static/static.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#define COUNT(array)  (sizeof(array) / sizeof((array)[0]))
#define ITS_DATE      "Sun, 06 Nov 1994 08:49:37 GMT"
#define SECOND_BEFORE "Sun, 06 Nov 1994 08:49:36 GMT"
#define SECOND_AFTER  "Sun, 06 Nov 1994 08:49:38 GMT"

static const struct validators file = {
    .etag = "\"a,b\"",
    .modified_s = 784111777,
    .now_s = 1795996800,
    .is_date_strong = true,
};

static void test_lists(void **state)
{
    static const struct {
        const char *list;
        bool strongly, weakly; /* does it have "a,b" ? */
    } rows[] = {
        {"*", true, true},
        {"\"a,b\"", true, true},
        {"W/\"a,b\"", false, true},
        {"\"x\", \"a,b\"", true, true},
        {"\"x\",\"a,b\",\"y\"", true, true},
        {", ,\"x\"\t,\t\"a,b\",", true, true},
        {"W/\"x\", W/\"a,b\"", false, true},
        {"W/\"a,b\", \"a,b\"", true, true},
        {"\"a\"", false, false},
        {"\"a,b", false, false},
        {"\"b\"", false, false},
        {"a,b", false, false},
        {"\"\"", false, false},
        {"w/\"a,b\"", false, false},
        {"W/ \"a,b\"", false, false},
        {"\"A,B\"", false, false},
        {"\"x\" \"a,b\"", false, false},
        {"\"x\"; \"a,b\"", false, false},
        {"\"x y\", \"a,b\"", false, false},
        {"\"a,b\" x", false, false},
        {"*, \"x\"", false, false},
        {"\"x\", *", false, false},
        {"", false, false},
        {"\"\xc3\xa9\", \"a,b\"", true, true},
    };

    (void)state;
    for (size_t i = 0; i < COUNT(rows); i++) {
        struct conditions match = {.match = rows[i].list};
        struct conditions none = {.none_match = rows[i].list};

        if (condition_check(&match, &file) != (rows[i].strongly ? 0 : 412))
            fail_msg("If-Match: %s", rows[i].list);
        if (condition_check(&none, &file) != (rows[i].weakly ? 304 : 0))
            fail_msg("If-None-Match: %s", rows[i].list);
    }
}

static void test_order(void **state)
{
    static const char *const ours = "\"a,b\"", *const other = "\"x\"";
    const struct {
        const char *match, *unmodified_since, *none_match, *modified_since;
        int want;
    } rows[] = {
        {NULL, NULL, NULL, NULL, 0},
        {NULL, NULL, NULL, ITS_DATE, 304},
        {NULL, NULL, NULL, SECOND_AFTER, 304},
        {NULL, NULL, NULL, SECOND_BEFORE, 0},
        {NULL, NULL, NULL, "Sunday, 06-Nov-94 08:49:37 GMT", 304},
        {NULL, NULL, NULL, "Sun Nov  6 08:49:37 1994", 304},
        {NULL, NULL, NULL, "Sun Nov  6 08:49:36 1994", 0},
        {NULL, NULL, NULL, "yesterday", 0},
        {NULL, NULL, NULL, "", 0},
        {NULL, ITS_DATE, NULL, NULL, 0},
        {NULL, SECOND_AFTER, NULL, NULL, 0},
        {NULL, SECOND_BEFORE, NULL, NULL, 412},
        {NULL, "yesterday", NULL, NULL, 0},
        /* the tag goes before the date, whatever the date says */
        {NULL, NULL, ours, SECOND_BEFORE, 304},
        {NULL, NULL, other, ITS_DATE, 0},
        {NULL, NULL, "no tag", ITS_DATE, 0},
        {ours, SECOND_BEFORE, NULL, NULL, 0},
        {other, ITS_DATE, NULL, NULL, 412},
        /* and a lost update before "you have it" */
        {other, NULL, ours, NULL, 412},
        {NULL, SECOND_BEFORE, ours, NULL, 412},
        {NULL, SECOND_BEFORE, NULL, ITS_DATE, 412},
        {ours, NULL, ours, NULL, 304},
        {ours, NULL, other, NULL, 0},
        {ours, SECOND_BEFORE, NULL, ITS_DATE, 304},
        {"*", NULL, "*", NULL, 304},
    };

    (void)state;
    for (size_t i = 0; i < COUNT(rows); i++) {
        struct conditions asked = {
            .match = rows[i].match,
            .unmodified_since = rows[i].unmodified_since,
            .none_match = rows[i].none_match,
            .modified_since = rows[i].modified_since,
        };
        int got = condition_check(&asked, &file);

        if (got != rows[i].want)
            fail_msg("row %zu: %d, want %d", i, got, rows[i].want);
    }
}

static void test_range(void **state)
{
    static const struct {
        const char *field;
        bool want, want_weak; /* where the date is not strong */
    } rows[] = {
        {NULL, true, true},
        {"\"a,b\"", true, true},
        {"W/\"a,b\"", false, false},
        {"\"x\"", false, false},
        {"\"a,b\", \"x\"", false, false},
        {"*", false, false},
        {ITS_DATE, true, false},
        {"Sunday, 06-Nov-94 08:49:37 GMT", true, false},
        {"Sun Nov  6 08:49:37 1994", true, false},
        {SECOND_BEFORE, false, false},
        {SECOND_AFTER, false, false},
        {"W", false, false},
        {"Wed", false, false},
        {"", false, false},
        {"a,b", false, false},
    };

    (void)state;
    for (size_t i = 0; i < COUNT(rows); i++) {
        struct conditions asked = {.range = rows[i].field};
        struct validators changing = file;

        changing.is_date_strong = false;
        if (condition_holds_range(&asked, &file) != rows[i].want)
            fail_msg("If-Range: %s", rows[i].field);
        if (condition_holds_range(&asked, &changing) != rows[i].want_weak)
            fail_msg("If-Range: %s, just changed", rows[i].field);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_lists),
        cmocka_unit_test(test_order),
        cmocka_unit_test(test_range),
    };

    return cmocka_run_group_tests_name("static condition", tests, NULL, NULL);
}
