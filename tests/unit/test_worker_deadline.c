/* SPDX-License-Identifier: MIT */
/*
 * test_worker_deadline - many equal time-outs on one timer; time is injected.
 */
#include "worker/deadline.h"

#include <fcntl.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <time.h>
#include <unistd.h>
#include <cmocka.h>

enum { LENGTH_MS = 1000, MANY = 4 };

static struct {
    struct ev_loop *loop;
    uint64_t now_ms;
    struct deadlines all;
    struct deadline one[MANY];
    int expired[MANY]; /* how often */
    int again;         /* the one that is set anew when it expires; -1 */
} t;

static void on_expiry(struct deadline *d)
{
    int i = (int)(d - t.one);
    assert_true(list_is_empty(&d->link));
    t.expired[i]++;
    if (i == t.again)
        deadline_set(&t.all, d);
}

static void open_with(uint64_t length_ms)
{
    t.loop = ev_loop_new(EVFLAG_AUTO);
    assert_non_null(t.loop);
    t.now_ms = 5000;
    t.again = -1;
    deadlines_init(&t.all, t.loop, &t.now_ms, length_ms, on_expiry);
    for (size_t i = 0; i < MANY; i++) {
        t.expired[i] = 0;
        deadline_init(&t.one[i]);
    }
}

static int open_state(void **state)
{
    (void)state;
    open_with(LENGTH_MS);
    return 0;
}

static int close_state(void **state)
{
    (void)state;
    deadlines_fini(&t.all);
    ev_loop_destroy(t.loop);
    return 0;
}

static void pass(uint64_t ms)
{
    t.now_ms += ms;
    ev_feed_event(t.loop, &t.all.timer, EV_TIMER);
    ev_invoke_pending(t.loop);
}

static void assert_expired(int a, int b, int c, int d)
{
    const int want[MANY] = {a, b, c, d};
    for (size_t i = 0; i < MANY; i++)
        assert_int_equal(t.expired[i], want[i]);
}

static void test_in_order(void **state)
{
    (void)state;
    for (size_t i = 0; i < MANY; i++) {
        deadline_set(&t.all, &t.one[i]);
        t.now_ms += 10;
    }
    pass(LENGTH_MS - 41);
    assert_expired(0, 0, 0, 0);
    pass(1);
    assert_expired(1, 0, 0, 0);
    pass(20);
    assert_expired(1, 1, 1, 0);
    assert_true(ev_is_active(&t.all.timer));
    pass(10);
    assert_expired(1, 1, 1, 1);
}

static void test_set_anew_and_cleared(void **state)
{
    (void)state;
    for (size_t i = 0; i < MANY; i++)
        deadline_set(&t.all, &t.one[i]);
    t.now_ms += LENGTH_MS - 1;
    deadline_set(&t.all, &t.one[0]);
    deadline_clear(&t.one[1]);
    deadline_clear(&t.one[1]);
    pass(1);
    assert_expired(0, 0, 1, 1);
    pass(LENGTH_MS);
    assert_expired(1, 0, 1, 1);
}

static void test_set_in_its_own_expiry(void **state)
{
    (void)state;
    t.again = 0;
    deadline_set(&t.all, &t.one[0]);
    for (int i = 1; i <= 3; i++) {
        pass(LENGTH_MS);
        assert_expired(i, 0, 0, 0);
        assert_true(ev_is_active(&t.all.timer));
    }
}

/* Set in the order 0 1 2 3, they have begun in the order 2 0 3 1. */
static void test_since(void **state)
{
    (void)state;
    static const uint64_t since_ms[MANY] = {4400, 5000, 4100, 4900};
    for (size_t i = 0; i < MANY; i++)
        deadline_set_since(&t.all, &t.one[i], since_ms[i]);
    pass(99);
    assert_expired(0, 0, 0, 0);
    pass(1);
    assert_expired(0, 0, 1, 0);
    pass(300);
    assert_expired(1, 0, 1, 0);
    deadline_set_since(&t.all, &t.one[0], 4000); /* over already */
    pass(0);
    assert_expired(2, 0, 1, 0);
    pass(500);
    assert_expired(2, 0, 1, 1);
    pass(100);
    assert_expired(2, 1, 1, 1);
}

/* One of before, two of this turn: they stay in order. */
static void test_held_back(void **state)
{
    (void)state;
    deadline_set(&t.all, &t.one[0]);
    t.now_ms += 10;
    deadline_set(&t.all, &t.one[1]);
    deadline_set(&t.all, &t.one[2]);
    deadlines_hold_back(&t.all, 500);
    t.now_ms += 500;
    deadline_set(&t.all, &t.one[3]);
    pass(LENGTH_MS - 510);
    assert_expired(1, 0, 0, 0);
    pass(509);
    assert_expired(1, 0, 0, 0);
    pass(1);
    assert_expired(1, 1, 1, 1);
}

/* A byte that has come while the loop stood still is heard before its time-out. */
static void on_byte(struct ev_loop *loop, ev_io *io, int events)
{
    (void)loop;
    (void)events;
    ev_io_stop(loop, io);
    deadline_clear(&t.one[0]);
}

static void test_what_has_come_is_heard_first(void **state)
{
    int ends[2];
    ev_io io;
    (void)state;
    assert_int_equal(pipe2(ends, O_CLOEXEC), 0);
    assert_int_equal(write(ends[1], "x", 1), 1);
    ev_io_init(&io, on_byte, ends[0], EV_READ);
    ev_io_start(t.loop, &io);
    deadline_set_since(&t.all, &t.one[0], 0); /* over already: both in the next turn */
    (void)nanosleep(&(struct timespec){.tv_nsec = 10000000}, NULL);
    while (ev_is_active(&t.all.timer))
        ev_run(t.loop, EVRUN_ONCE | EVRUN_NOWAIT);
    assert_expired(0, 0, 0, 0);
    close(ends[0]);
    close(ends[1]);
}

static void test_two_lists(void **state)
{
    (void)state;
    struct deadlines other;
    deadlines_init(&other, t.loop, &t.now_ms, 10, on_expiry);
    deadline_set(&other, &t.one[0]);
    deadline_set(&t.all, &t.one[0]);
    t.now_ms += 10;
    ev_feed_event(t.loop, &other.timer, EV_TIMER);
    ev_invoke_pending(t.loop);
    assert_expired(0, 0, 0, 0);
    pass(LENGTH_MS);
    assert_expired(1, 0, 0, 0);
    deadlines_fini(&other);
}

static void test_never(void **state)
{
    (void)state;
    deadlines_fini(&t.all);
    ev_loop_destroy(t.loop);
    open_with(0);
    deadline_set(&t.all, &t.one[0]);
    pass(UINT32_MAX);
    assert_expired(0, 0, 0, 0);
    assert_false(ev_is_active(&t.all.timer));
}

#define TEST(name) cmocka_unit_test_setup_teardown(test_##name, open_state, close_state)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(in_order),
        TEST(set_anew_and_cleared),
        TEST(set_in_its_own_expiry),
        TEST(since),
        TEST(held_back),
        TEST(what_has_come_is_heard_first),
        TEST(two_lists),
        TEST(never),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
