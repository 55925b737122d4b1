/* SPDX-License-Identifier: MIT */
/*
 * test_master_obituary - what is said of each way to die, and how much of a storm.
 */
#include "common/check.h"
#include "master/flood.h"
#include "master/obituary.h"

#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>
#include <sys/wait.h>

#include <cmocka.h>

static const struct {
    struct death death;
    const char *want;
} deaths[] = {
    {{.wait_status = W_EXITCODE(0, SIGSEGV), .age_ms = 12399, .requests = 45, .lost = 2},
     "died: signal 11 (SEGV), after 12.3 s, 45 requests, 2 of them lost"},
    {{.wait_status = W_EXITCODE(0, SIGABRT) | WCOREFLAG, .rss_bytes = 6815744},
     "died: signal 6 (ABRT), core dumped, after 0.0 s, 0 requests, 0 of them lost, rss "
     "6.5 MiB"},
    {{.wait_status = W_EXITCODE(3, 0), .requests = 20000, .lost = 16384, .unrecorded = 5},
     "died: exit status 3, after 0.0 s, 20000 requests, 16384 of them lost and 5 without "
     "a "
     "record"},
    {{.is_expected = true, .age_ms = 1000, .requests = 7},
     "left: drained, after 1.0 s, 7 requests, 0 of them lost"},
    {{.wait_status = W_EXITCODE(0, SIGKILL), .is_memory_known = true},
     "died: signal 9 (KILL), sent by somebody else, after 0.0 s, 0 requests, 0 of them "
     "lost"},
    {{.wait_status = W_EXITCODE(0, SIGKILL)},
     "died: signal 9 (KILL), sent by somebody else, or out of memory, after 0.0 s, 0 "
     "requests, "
     "0 of them lost"},
    {{.wait_status = W_EXITCODE(0, SIGKILL), .is_memory_known = true, .is_memory = true},
     "died: signal 9 (KILL), by the kernel: out of memory, after 0.0 s, 0 requests, 0 of "
     "them "
     "lost"},
    {{.wait_status = W_EXITCODE(0, SIGKILL),
      .is_memory_known = true,
      .doom = "quick stop"},
     "died: signal 9 (KILL), by the master: quick stop, after 0.0 s, 0 requests, 0 of "
     "them lost"},
    {{.wait_status = W_EXITCODE(0, SIGSEGV), .doom = "quick stop"},
     "died: signal 11 (SEGV), while the master was ending it: quick stop, after 0.0 s, 0 "
     "requests, 0 of them lost"},
};

static void test_text(void **state)
{
    char text[512];

    (void)state;
    for (size_t i = 0; i < COUNT_OF(deaths); i++) {
        obituary_format(&deaths[i].death, text, sizeof(text));
        assert_string_equal(text, deaths[i].want);
    }
}

static void test_few_deaths_are_told_whole(void **state)
{
    struct flood flood = {.deaths = 0}, told;

    (void)state;
    for (uint64_t i = 1; i <= 100; i++) {
        assert_int_equal(flood_on_death(&flood, 3, i * FLOOD_WINDOW_MS), FLOOD_TELL_ALL);
        assert_true(flood_end(&flood, (i + 1) * FLOOD_WINDOW_MS, &told));
        assert_int_equal(told.untold, 0);
    }
}

static void test_storm_is_counted(void **state)
{
    struct flood flood = {.deaths = 0}, told;
    unsigned seen[FLOOD_COUNT + 1] = {0};

    (void)state;
    assert_false(flood_end(&flood, 5000, &told));
    for (unsigned i = 0; i < 1000; i++)
        seen[flood_on_death(&flood, 2, 5000 + i)]++;
    assert_int_equal(seen[FLOOD_TELL_ALL], FLOOD_WHOLE);
    assert_int_equal(seen[FLOOD_TELL_LINE], FLOOD_LINES - FLOOD_WHOLE);
    assert_int_equal(seen[FLOOD_COUNT], 1000 - FLOOD_LINES);
    assert_false(flood_end(&flood, 5000 + FLOOD_WINDOW_MS - 1, &told));
    assert_true(flood_end(&flood, 5000 + FLOOD_WINDOW_MS, &told));
    assert_int_equal(told.deaths, 1000);
    assert_int_equal(told.untold, 1000 - FLOOD_LINES);
    assert_int_equal(told.untold_requests, 2 * (1000 - FLOOD_LINES));
    assert_int_equal(flood_on_death(&flood, 2, 30000), FLOOD_TELL_ALL); /* anew */
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_text),
        cmocka_unit_test(test_few_deaths_are_told_whole),
        cmocka_unit_test(test_storm_is_counted),
    };

    return cmocka_run_group_tests_name("master_obituary", tests, NULL, NULL);
}
