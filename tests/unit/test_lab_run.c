/* SPDX-License-Identifier: MIT */
/*
 * test_lab_run - why an experiment could not be run.
 */
#include "cli/lab_run.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

static void the_first_reason_stays(void **state)
{
    (void)state;
    struct lab lab = {.stop = NULL};

    assert_false(lab_has_ended(&lab));
    lab_fail(&lab, "no load: %s", "no connection could be made");
    lab_fail(&lab, "a server ended under load");
    assert_true(lab_has_ended(&lab));
    assert_string_equal(lab.result.why, "no load: no connection could be made");
}

/* A Ctrl-C while the connections are being made is not a load that failed. */
static void what_fails_after_an_interruption_was_interrupted(void **state)
{
    (void)state;
    volatile sig_atomic_t stop = 0;
    struct lab lab = {.stop = &stop};

    assert_false(lab_has_ended(&lab));
    stop = 1;
    assert_true(lab_has_ended(&lab));
    lab_fail(&lab, "no load: %s", "interrupted before the first request");
    assert_string_equal(lab.result.why, "interrupted");
}

static void a_reason_from_before_the_interruption_stays(void **state)
{
    (void)state;
    volatile sig_atomic_t stop = 0;
    struct lab lab = {.stop = &stop};

    lab_fail(&lab, "no server: %s", "Too many open files");
    stop = 1;
    lab_fail(&lab, "interrupted");
    assert_string_equal(lab.result.why, "no server: Too many open files");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_first_reason_stays),
        cmocka_unit_test(what_fails_after_an_interruption_was_interrupted),
        cmocka_unit_test(a_reason_from_before_the_interruption_stays),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
