/* SPDX-License-Identifier: MIT */
/*
 * test_master_watchdog - who is late, and whose fault it is.
 */
#include "common/check.h"
#include "master/watchdog.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <cmocka.h>

static const struct {
    const char *name;
    uint64_t tick, judge_from, limit, now;
    bool late;
} heartbeats[] = {
    {"never ticked yet", 0, 0, 10000, 90000, false},
    {"no limit", 1000, 0, 0, 90000, false},
    {"fresh", 80000, 0, 10000, 90000, false},
    {"late by one", 79999, 0, 10000, 90000, true},
    {"the master was away", 1000, 85000, 10000, 90000, false},
    {"and then late again", 1000, 79999, 10000, 90000, true},
    {"a tick after now (another core's clock)", 90001, 0, 10000, 90000, false},
};

static void judges_heartbeats(void **state)
{
    (void)state;
    for (size_t i = 0; i < COUNT_OF(heartbeats); i++)
        if (watchdog_is_late(heartbeats[i].tick, heartbeats[i].judge_from,
                             heartbeats[i].limit,
                             heartbeats[i].now) != heartbeats[i].late)
            fail_msg("%s", heartbeats[i].name);
}

static void is_alive_when_it_has_ticked(void **state)
{
    (void)state;
    assert_true(watchdog_is_alive(80000, 0));
    assert_true(watchdog_is_alive(85001, 85000));
    assert_false(watchdog_is_alive(85000, 85000)); /* forgiven, and silent since */
    assert_false(watchdog_is_alive(80000, 85000));
}

static void measures_its_own_delay(void **state)
{
    (void)state;
    assert_int_equal(watchdog_delay(1000, 2000), 0);
    assert_int_equal(watchdog_delay(1000, 2000 + WATCHDOG_LATE_MS), 0);
    assert_int_equal(watchdog_delay(1000, 12000), 10000);
    assert_int_equal(watchdog_delay(1000, 900), 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(judges_heartbeats),
        cmocka_unit_test(is_alive_when_it_has_ticked),
        cmocka_unit_test(measures_its_own_delay),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
