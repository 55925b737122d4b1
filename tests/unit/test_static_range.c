/* SPDX-License-Identifier: MIT */
/*
 * test_static_range - which bytes a Range field asks for, as a table.
 */
#include "plugins/static/static.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#define COUNT(array) (sizeof(array) / sizeof((array)[0]))

/* "0-4,9-9"; of no range "none" or "outside". */
static const char *told(const char *field, uint64_t size, char out[static 512])
{
    struct range_set set;
    size_t n = 0;

    switch (range_parse(field, size, &set)) {
    case RANGE_NONE:
        return "none";
    case RANGE_OUTSIDE:
        return "outside";
    default:
        break;
    }
    for (size_t i = 0; i < set.count; i++) {
        struct span s = set.span[i];

        assert_true(s.count > 0 && s.first < size && s.count <= size - s.first);
        n += (size_t)snprintf(out + n, 512 - n, "%s%llu-%llu", i > 0 ? "," : "",
                              (unsigned long long)s.first,
                              (unsigned long long)(s.first + s.count - 1));
        assert_true(n < 512);
    }
    return out;
}

struct row {
    const char *field;
    uint64_t size;
    const char *want;
};

static void judge(const struct row *rows, size_t count)
{
    char text[512];

    for (size_t i = 0; i < count; i++) {
        const char *got = told(rows[i].field, rows[i].size, text);

        if (strcmp(got, rows[i].want) != 0)
            fail_msg("%s of %llu: %s, want %s", rows[i].field,
                     (unsigned long long)rows[i].size, got, rows[i].want);
    }
}

static void test_one(void **state)
{
    static const struct row rows[] = {
        {"bytes=0-0", 10, "0-0"},
        {"bytes=0-9", 10, "0-9"},
        {"bytes=9-9", 10, "9-9"},
        {"bytes=0-10", 10, "0-9"},
        {"bytes=3-5", 10, "3-5"},
        {"bytes=3-", 10, "3-9"},
        {"bytes=0-", 10, "0-9"},
        {"bytes=9-", 10, "9-9"},
        {"bytes=-1", 10, "9-9"},
        {"bytes=-10", 10, "0-9"},
        {"bytes=-11", 10, "0-9"},
        {"BYTES=1-2", 10, "1-2"},
        {"bytes= 1-2", 10, "1-2"},
        {"bytes=007-008", 10, "7-8"},
        {"bytes=0-18446744073709551615", 10, "0-9"},
        {"bytes=0-99999999999999999999999", 10, "0-9"},
        {"bytes=-99999999999999999999999", 10, "0-9"},
        {"bytes=4294967296-4294967297", 5368709120, "4294967296-4294967297"},
        {"bytes=-1", UINT64_MAX, "18446744073709551614-18446744073709551614"},
        {"bytes=0-18446744073709551615", UINT64_MAX, "0-18446744073709551614"},
    };

    (void)state;
    judge(rows, COUNT(rows));
}

static void test_outside(void **state)
{
    static const struct row rows[] = {
        {"bytes=10-", 10, "outside"},
        {"bytes=10-10", 10, "outside"},
        {"bytes=10-20,30-", 10, "outside"},
        {"bytes=-0", 10, "outside"},
        {"bytes=18446744073709551615-", 10, "outside"},
        {"bytes=99999999999999999999999-", 10, "outside"},
        {"bytes=0-", 0, "outside"},
        {"bytes=0-0", 0, "outside"},
        {"bytes=-0", 0, "outside"},
        {"bytes=-5", 0, "none"}, /* it is satisfiable: the whole, which is empty */
        {"bytes=10-,0-0", 10, "0-0"},
    };

    (void)state;
    judge(rows, COUNT(rows));
}

static void test_malformed(void **state)
{
    static const struct row rows[] = {
        {NULL, 10, "none"},
        {"", 10, "none"},
        {"bytes", 10, "none"},
        {"bytes=", 10, "none"},
        {"bytes=,", 10, "none"},
        {"bytes =0-1", 10, "none"},
        {"bytes:0-1", 10, "none"},
        {"bytes=-", 10, "none"},
        {"bytes=--1", 10, "none"},
        {"bytes=1", 10, "none"},
        {"bytes=1--2", 10, "none"},
        {"bytes=2-1", 10, "none"},
        {"bytes=0-0,2-1", 10, "none"},
        {"bytes=0-0,x", 10, "none"},
        {"bytes=0-0 1-1", 10, "none"},
        {"bytes=0-0;1-1", 10, "none"},
        {"bytes=a-b", 10, "none"},
        {"bytes=0x0-1", 10, "none"},
        {"bytes=+0-1", 10, "none"},
        {"bytes=0-+1", 10, "none"},
        {"bytes=0 - 1", 10, "none"},
        {"bytes=0-1.5", 10, "none"},
        {"bytes=0-1, bytes=2-3", 10, "none"},
        {"bytes=20-10", 10, "none"},
        {"lines=0-1", 10, "none"},
        {"bytess=0-1", 10, "none"},
        {"items=0-1,bytes=0-1", 10, "none"},
    };

    (void)state;
    judge(rows, COUNT(rows));
}

static void test_several(void **state)
{
    static const struct row rows[] = {
        {"bytes=0-0,200-200", 1000, "0-0,200-200"},
        {"bytes=0-0 , 200-200", 1000, "0-0,200-200"},
        {"bytes=,0-0,,200-200,", 1000, "0-0,200-200"},
        {"bytes=900-, 0-0", 1000, "900-999,0-0"},
        {"bytes=-1,0-0", 1000, "999-999,0-0"},
        {"bytes=0-0,1000-,500-501", 1000, "0-0,500-501"},
        /* what overlaps, touches or is near becomes one, where the first of them stood */
        {"bytes=0-5,3-9", 1000, "0-9"},
        {"bytes=0-4,5-9", 1000, "0-9"},
        {"bytes=5-9,0-4", 1000, "0-9"},
        {"bytes=0-,0-,0-", 1000, "0-999"},
        {"bytes=0-0,129-129", 1000, "0-129"},
        {"bytes=0-0,130-130", 1000, "0-0,130-130"},
        {"bytes=500-501,0-0,502-503", 1000, "500-503,0-0"},
        {"bytes=0-0,300-300,600-600,200-400", 1000, "0-0,200-400,600-600"},
        {"bytes=300-300,0-0,600-600,0-999", 1000, "0-999"},
        {"bytes=600-600,0-0,300-300,100-500", 1000, "0-600"},
    };

    (void)state;
    judge(rows, COUNT(rows));
}

/* `count` ranges of a byte, `step` apart. */
static void test_bounds(void **state)
{
    static const struct {
        int count, step;
        bool is_obeyed;
    } rows[] = {
        {RANGES_MOST, 1000, true},
        {RANGES_MOST + 1, 1000, false},
        {RANGE_SPECS_MOST, 1, true},
        {RANGE_SPECS_MOST + 1, 1, false},
    };
    char field[4096];
    struct range_set set;

    (void)state;
    for (size_t i = 0; i < COUNT(rows); i++) {
        size_t n = (size_t)snprintf(field, sizeof(field), "bytes=");

        for (int k = 0; k < rows[i].count; k++)
            n += (size_t)snprintf(field + n, sizeof(field) - n, "%d-%d,",
                                  k * rows[i].step, k * rows[i].step);
        assert_int_equal(range_parse(field, 1000000, &set),
                         rows[i].is_obeyed ? RANGE_SOME : RANGE_NONE);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_one),       cmocka_unit_test(test_outside),
        cmocka_unit_test(test_malformed), cmocka_unit_test(test_several),
        cmocka_unit_test(test_bounds),
    };

    return cmocka_run_group_tests_name("static range", tests, NULL, NULL);
}
