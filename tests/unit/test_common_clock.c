/* SPDX-License-Identifier: MIT */
/*
 * test_common_clock - clocks, their text, lists, and what a failed CHECK does.
 */
#include "common/clock.h"

#include "common/check.h"
#include "common/list.h"
#include "common/log.h"

#include <fcntl.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cmocka.h>

static void test_clocks(void **state)
{
    uint64_t ns = clock_mono_ns(), ms = clock_mono_ms();

    (void)state;
    assert_true(ms >= ns / 1000000 && clock_mono_ns() >= ns);
    assert_true(clock_wall_ms() / 1000 >= 1700000000u);
    assert_true(clock_wall_ms() / 1000 - (uint64_t)time(NULL) + 2 <= 4);
}

static void test_iso(void **state)
{
    static const struct {
        uint64_t wall_ms;
        const char *want;
    } table[] = {
        {0, "1970-01-01T00:00:00.000Z"},
        {951782399999u, "2000-02-28T23:59:59.999Z"},
        {951782400007u, "2000-02-29T00:00:00.007Z"},
        {1795167503042u, "2026-11-20T09:38:23.042Z"},
        {1709164800000u, "2024-02-29T00:00:00.000Z"},
        {4107542399999u, "2100-02-28T23:59:59.999Z"},
        {4107542400000u, "2100-03-01T00:00:00.000Z"}, /* no leap year */
        {1735689599999u, "2024-12-31T23:59:59.999Z"},
        {1735689600000u, "2025-01-01T00:00:00.000Z"},
        {253402300799999u, "9999-12-31T23:59:59.999Z"},
    };

    (void)state;
    for (size_t i = 0; i < COUNT_OF(table); i++) {
        char text[25];

        clock_format_iso(table[i].wall_ms, text);
        assert_string_equal(text, table[i].want);
    }
}

/* Each day of 500 years, as the C library has it. */
static void test_iso_like_libc(void **state)
{
    (void)state;
    for (uint64_t day = 0; day < 500 * 366; day++) {
        time_t at = (time_t)(day * 86400 + day % 86400);
        struct tm tm;
        char want[32], got[25];

        gmtime_r(&at, &tm);
        strftime(want, sizeof(want), "%Y-%m-%dT%H:%M:%S.000Z", &tm);
        clock_format_iso((uint64_t)at * 1000, got);
        assert_string_equal(got, want);
    }
}

struct item {
    int value;
    struct list link;
};

static void test_list(void **state)
{
    struct item items[5];
    struct list head;
    int sum = 0;

    (void)state;
    list_init(&head);
    assert_null(list_first(&head));
    for (int i = 0; i < 5; i++) {
        items[i].value = i;
        list_append(&head, &items[i].link);
    }
    LIST_FOREACH (it, &head) {
        struct item *item = LIST_ENTRY(it, struct item, link);

        sum = sum * 10 + item->value;
        if (item->value % 2 == 0)
            list_remove(&item->link);
    }
    assert_int_equal(sum, 1234);
    assert_ptr_equal(list_first(&head), &items[1].link);
    list_remove(&items[1].link);
    list_remove(&items[1].link); /* off the list already */
    list_remove(&items[3].link);
    assert_true(list_is_empty(&head));
}

/* The child breaks a promise; we read its last words. */
static void test_check(void **state)
{
    int pipes[2], status;
    char text[256] = "";

    (void)state;
    assert_int_equal(pipe2(pipes, O_CLOEXEC), 0);
    pid_t pid = fork();
    if (pid == 0) {
        struct rlimit no_core = {0, 0};
        unsigned magic = 7;

        setrlimit(RLIMIT_CORE, &no_core);
        sigaction(SIGABRT, &(struct sigaction){.sa_handler = SIG_DFL}, NULL);
        log_set_fd(pipes[1]);
        CHECK(magic == 7);
        CHECK(magic == 8);
        _exit(0);
    }
    close(pipes[1]);
    assert_true(read(pipes[0], text, sizeof(text) - 1) > 0);
    close(pipes[0]);
    assert_int_equal(waitpid(pid, &status, 0), pid);
    assert_true(WIFSIGNALED(status) && WTERMSIG(status) == SIGABRT);
    assert_non_null(
        strstr(text, "error remuda: bug: CHECK(magic == 8) failed in test_check"));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_clocks),        cmocka_unit_test(test_iso),
        cmocka_unit_test(test_iso_like_libc), cmocka_unit_test(test_list),
        cmocka_unit_test(test_check),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
