/* SPDX-License-Identifier: MIT */
/*
 * test_master_lag - which look finds a loop blocked, which only a long turn, and whose fault
 * it is.
 */
#include "master/lag.h"

#include "common/check.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <cmocka.h>

enum { LIMIT = 100, LOOKS = 6 };

struct look {
    uint64_t now, awake, running;
    bool is_told;
};

/* Looks at one worker, in order; a row ends with the look at 0. */
static const struct {
    const char *name;
    uint64_t limit, judge_from;
    struct look look[LOOKS];
} rows[] = {
    {"asleep", LIMIT, 0, {{1000, 0, 1, false}, {1050, 0, 1, false}, {9000, 0, 1, false}}},
    {"blocked, told once",
     LIMIT,
     0,
     {{1010, 1000, 1, false},
      {1060, 1000, 1, false},
      {1100, 1000, 1, false},
      {1110, 1000, 1, true},
      {1160, 1000, 1, false},
      {9000, 1000, 1, false}}},
    {"two turns, both blocked",
     LIMIT,
     0,
     {{1010, 1000, 1, false},
      {1110, 1000, 1, true},
      {1160, 1150, 2, false},
      {1260, 1150, 2, true},
      {1310, 1150, 2, false}}},
    {"blocked again by the next handler of the same turn",
     LIMIT,
     0,
     {{1010, 1000, 1, false},
      {1110, 1000, 1, true},
      {1160, 1000, 2, false},
      {1210, 1000, 2, false},
      {1310, 1000, 2, false}}},
    {"many handlers in a long turn",
     LIMIT,
     0,
     {{1010, 1000, 1, false},
      {1060, 1000, 2, false},
      {1110, 1000, 3, false},
      {1160, 1000, 4, false}}},
    {"and then one that blocks",
     LIMIT,
     0,
     {{1060, 1000, 1, false}, {1110, 1000, 2, false}, {1160, 1000, 2, true}}},
    {"turns that begin anew", LIMIT, 0, {{1110, 1005, 1, false}, {1160, 1058, 1, false}}},
    {"seen once only", LIMIT, 0, {{5000, 1000, 1, false}}},
    {"off", 0, 0, {{1010, 1000, 1, false}, {9000, 1000, 1, false}}},
    {"the master was held up",
     LIMIT,
     1500,
     {{1010, 1000, 1, false}, {1500, 1000, 1, false}, {1600, 1000, 1, false}}},
    {"and it is blocked all the same",
     LIMIT,
     1500,
     {{1500, 1000, 1, false}, {1601, 1000, 1, true}}},
    {"a turn after now (another core's clock)",
     LIMIT,
     0,
     {{1000, 1001, 1, false}, {1000, 1001, 1, false}}},
};

static void judges_looks(void **state)
{
    (void)state;
    for (size_t i = 0; i < COUNT_OF(rows); i++) {
        struct lag_seen seen = {.told = 0};

        for (size_t n = 0; n < LOOKS && rows[i].look[n].now != 0; n++) {
            const struct look *look = &rows[i].look[n];
            const struct lag_look words = {look->awake, look->running};

            if (lag_judge(&seen, &words, rows[i].limit, rows[i].judge_from, look->now) !=
                look->is_told)
                fail_msg("%s: look %zu", rows[i].name, n);
        }
    }
}

static void paces_itself(void **state)
{
    (void)state;
    assert_int_equal(lag_period(0), 0);
    assert_int_equal(lag_period(1), LAG_LEAST_MS);
    assert_int_equal(lag_period(50), 25);
    assert_int_equal(lag_period(100), 50);
    assert_int_equal(lag_period(3600000), LAG_MOST_MS);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(judges_looks),
        cmocka_unit_test(paces_itself),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
