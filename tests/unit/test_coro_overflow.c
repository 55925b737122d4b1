/* SPDX-License-Identifier: MIT */
/*
 * test_coro_overflow - whose guard an address is in, and that misuse aborts, in a child. What
 * is said of an overflow: test_worker_fault.
 */
#include "worker/coro.h"

#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stdint.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>
#include <cmocka.h>

enum { STACK = 256 * 1024 };

/* A coroutine that waits. */
struct waiting {
    struct coro *self;
    uintptr_t at; /* an address in its stack */
};

static void stay(void *arg)
{
    struct waiting *w = arg;

    w->self = coro_current();
    /* not the address of a variable: ASan may keep those elsewhere */
    w->at = (uintptr_t)__builtin_frame_address(0);
    coro_suspend();
}

/* Returns only so that no compiler calls it endless. */
__attribute__((noinline)) static unsigned dig(unsigned depth)
{
    volatile char frame[400];

    frame[0] = (char)depth;
    if (depth == 0)
        return 0;
    return dig(depth - 1) + (unsigned)frame[0];
}

static void dig_deep_enough(void *arg)
{
    *(unsigned *)arg = dig(100) + 1;
}

struct death {
    int status;
    char text[512];
};

/* What fn says on its standard error, and how it ends. */
static struct death run_child(void (*fn)(void))
{
    struct death d = {.text = ""};
    size_t have = 0;
    ssize_t n;
    int ends[2];
    pid_t pid;

    assert_int_equal(pipe(ends), 0);
    pid = fork();
    assert_true(pid >= 0);
    if (pid == 0) {
        struct rlimit none = {.rlim_cur = 0};

        setrlimit(RLIMIT_CORE, &none);
        dup2(ends[1], 2);
        fn();
        _exit(0);
    }
    close(ends[1]);
    while (have < sizeof(d.text) - 1 &&
           (n = read(ends[0], d.text + have, sizeof(d.text) - 1 - have)) > 0)
        have += (size_t)n;
    close(ends[0]);
    assert_int_equal(waitpid(pid, &d.status, 0), pid);
    return d;
}

static void test_deep_but_not_too_deep(void **state)
{
    struct coro_pool *pool = coro_pool_create(STACK, 1, 1);
    unsigned result = 0;

    (void)state;
    coro_start(pool, dig_deep_enough, &result, NULL);
    assert_int_not_equal(result, 0);
    coro_pool_destroy(&pool);
}

static void test_guard_belongs_to_its_coroutine(void **state)
{
    struct coro_pool *pool = coro_pool_create(STACK, 2, 2);
    struct waiting p, q;
    uintptr_t at;

    (void)state;
    coro_start(pool, stay, &p, "GET /p");
    coro_start(pool, stay, &q, "GET /q");
    coro_set_label(q.self, "GET /renamed");
    assert_null(coro_fault_address((void *)q.at));
    for (at = q.at; coro_fault_address((void *)at) == NULL; at -= 4096)
        assert_true(q.at - at <= STACK);
    assert_ptr_equal(coro_fault_address((void *)at), q.self);
    assert_string_equal(coro_label(q.self), "GET /renamed");
    assert_string_equal(coro_label(p.self), "GET /p");
    coro_resume(p.self);
    coro_resume(q.self);
    coro_pool_destroy(&pool);
    assert_null(coro_fault_address((void *)at));
}

/* ---- misuse is a bug and aborts ---- */

static void resume_self(void *arg)
{
    (void)arg;
    coro_resume(coro_current());
}

static void do_nothing(void *arg)
{
    (void)arg;
}

static void start_inside(void *arg)
{
    coro_start(arg, do_nothing, NULL, NULL);
}

static void misuse_resume(void)
{
    struct coro_pool *pool = coro_pool_create(STACK, 1, 4);

    coro_start(pool, resume_self, NULL, NULL);
}

static void misuse_start(void)
{
    struct coro_pool *pool = coro_pool_create(STACK, 1, 4);

    coro_start(pool, start_inside, pool, NULL);
}

static void test_misuse_aborts(void **state)
{
    static void (*const misuses[])(void) = {misuse_resume, misuse_start, coro_suspend};

    (void)state;
    for (size_t i = 0; i < 3; i++) {
        struct death d = run_child(misuses[i]);

        assert_true(WIFSIGNALED(d.status));
        assert_int_equal(WTERMSIG(d.status), SIGABRT);
        assert_non_null(strstr(d.text, "CHECK"));
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_deep_but_not_too_deep),
        cmocka_unit_test(test_guard_belongs_to_its_coroutine),
        cmocka_unit_test(test_misuse_aborts),
    };

    return cmocka_run_group_tests_name("coro_overflow", tests, NULL, NULL);
}
