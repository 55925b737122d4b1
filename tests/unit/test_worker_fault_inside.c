/* SPDX-License-Identifier: MIT */
/*
 * test_worker_fault_inside - what can happen to a worker while it says its last words: they end,
 * and it dies of what began them.
 */
#include "tests/unit/fault_fixture.h"

/* What a crash has left may crash the handler: the first signal is what it dies of. */
static void crash_with_bad_request(void)
{
    fault_request = (const struct request *)64;
    worker.loop = NULL;
    raise(SIGBUS);
}

static void test_crash_in_the_handler(void **state)
{
    (void)state;
    assert_died_of(die(crash_with_bad_request), SIGBUS);
}

/* A handler of a plugin's that blocks all signals, and asks ours first. */
static struct sigaction asked;

static void ask_and_leave(int number, siginfo_t *info, void *machine)
{
    asked.sa_sigaction(number, info, machine);
}

static void crash_while_all_is_blocked(void)
{
    struct sigaction action = {.sa_flags = SA_SIGINFO | SA_ONSTACK};

    action.sa_sigaction = ask_and_leave;
    sigfillset(&action.sa_mask);
    CHECK(sigaction(SIGBUS, &action, &asked) == 0);
    crash_with_bad_request();
}

static void test_crash_in_a_handler_that_was_asked(void **state)
{
    (void)state;
    assert_died_of(die(crash_while_all_is_blocked), SIGBUS);
}

/* ---- held up ---- */

/* A log that waits, and nobody reads it. */
static void crash_with_a_full_log(void)
{
    static const char page[4096];
    int ends[2];

    CHECK(pipe2(ends, O_CLOEXEC | O_NONBLOCK) == 0);
    while (write(ends[1], page, sizeof page) > 0)
        continue;
    CHECK(fcntl(ends[1], F_SETFL, 0) == 0);
    log_set_fd(ends[1]);
    crash();
}

static void test_words_have_a_bound(void **state)
{
    (void)state;
    assert_died_of(die(crash_with_a_full_log), SIGSEGV);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_crash_in_the_handler),
        cmocka_unit_test(test_crash_in_a_handler_that_was_asked),
        cmocka_unit_test(test_words_have_a_bound),
    };

    return cmocka_run_group_tests_name("worker_fault_inside", tests, NULL, NULL);
}
