/* SPDX-License-Identifier: MIT */
/*
 * test_common_running - the word of what a loop runs, there and back.
 */
#include "common/running.h"

#include "common/check.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

static const struct {
    const char *name;
    uint32_t count, what, route;
    bool is_handler;
    int slot, flight; /* -1: no such record */
} rows[] = {
    {"never ran anything", 0, RUNNING_NOTHING, 0, false, -1, -1},
    {"nothing, after many", 0xffffffff, RUNNING_NOTHING, 0, false, -1, -1},
    {"first slot", 1, RUNNING_SLOT, 0, true, 0, -1},
    {"last slot", 2, RUNNING_SLOT + BOARD_SLOTS - 1, 5, true, BOARD_SLOTS - 1, -1},
    {"no record", 3, RUNNING_UNRECORDED, 65535, true, -1, -1},
    {"first flight", 4, RUNNING_FLIGHT, 7, true, -1, 0},
    {"last flight", 5, RUNNING_FLIGHT + BOARD_INFLIGHT - 1, 7, true, -1,
     BOARD_INFLIGHT - 1},
    {"past the last", 6, RUNNING_FLIGHT + BOARD_INFLIGHT, 7, true, -1, -1},
};

static void test_there_and_back(void **state)
{
    static struct board_worker w;

    (void)state;
    for (size_t i = 0; i < COUNT_OF(rows); i++) {
        struct running r =
            running_of(&w, running_word(rows[i].count, rows[i].what, rows[i].route));
        struct board_record *want = rows[i].slot >= 0     ? &w.slot[rows[i].slot]
                                    : rows[i].flight >= 0 ? &w.flight[rows[i].flight]
                                                          : NULL;

        if (r.count != rows[i].count || r.route != rows[i].route ||
            r.is_handler != rows[i].is_handler || r.record != want)
            fail_msg("%s", rows[i].name);
    }
}

static void test_a_route_beyond_the_field(void **state)
{
    (void)state;
    assert_int_equal(running_word(9, RUNNING_SLOT, 0x10003),
                     running_word(9, RUNNING_SLOT, 3));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_there_and_back),
        cmocka_unit_test(test_a_route_beyond_the_field),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
