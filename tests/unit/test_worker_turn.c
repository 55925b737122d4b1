/* SPDX-License-Identifier: MIT */
/*
 * test_worker_turn - since when a turn lasts, how long the longest was, and when that is
 * forgotten. The clock is ours.
 */
#include "worker/turn.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>

enum { BLOCK_MS = 20, LONG_MS = 30, LONGER_MS = 60, DUE_MS = 5000, NS_PER_MS = 1000000 };

uint64_t __wrap_clock_mono_ns(void);

static uint64_t now_ms = 1000;

uint64_t __wrap_clock_mono_ns(void)
{
    return now_ms * NS_PER_MS;
}

struct turns {
    struct worker worker;
    struct conf conf;
    ev_timer timer;
    struct overtime overtime;
    struct deadline head, run; /* set when the timer's callback ends */
    uint64_t hold_ms;          /* what it takes */
    unsigned count;
};

static int open_state(void **state)
{
    struct turns *t = calloc(1, sizeof *t);
    struct worker *w = &t->worker;
    *state = t;
    w->conf = &t->conf;
    t->conf.worker.loop_block_ms = BLOCK_MS;
    w->entry = aligned_alloc(ATOMICS_LINE, sizeof *w->entry);
    if (w->entry == NULL)
        return -1;
    memset((void *)w->entry, 0, sizeof *w->entry);
    w->loop = ev_loop_new(EVBACKEND_EPOLL | EVFLAG_NOENV);
    for (int kind = 0; kind < DEADLINE_KINDS; kind++)
        deadlines_init(&w->deadlines[kind], w->loop, &w->now_ms, DUE_MS, NULL);
    overtime_init(&t->overtime, w, DUE_MS);
    deadline_init(&t->head);
    deadline_init(&t->run);
    return w->loop != NULL ? 0 : -1;
}

static int close_state(void **state)
{
    struct turns *t = *state;
    ev_loop_destroy(t->worker.loop);
    free(t->worker.entry);
    free(t);
    return 0;
}

static void on_timer(struct ev_loop *loop, ev_timer *timer, int events)
{
    struct turns *t = timer->data;
    const struct worker *w = &t->worker;
    (void)loop;
    (void)events;
    t->count++;
    /* the time was taken before any callback of this turn */
    assert_int_equal(w->now_ms, now_ms);
    assert_int_equal(w->entry->awake_since_ms, w->now_ms);
    assert_int_equal(w->entry->tick_ms, w->now_ms);
    assert_int_equal(w->now_ns / NS_PER_MS, w->now_ms);
    now_ms += t->hold_ms;
    deadline_set(&t->worker.deadlines[DEADLINE_HEAD], &t->head);
    deadline_set(&t->overtime.first, &t->run);
}

/* One turn with the timer in it, and the poll after that. */
static void turn(struct turns *t, uint64_t hold_ms, int flags)
{
    struct worker *w = &t->worker;
    unsigned before = t->count;
    t->hold_ms = hold_ms;
    now_ms++;
    ev_timer_init(&t->timer, on_timer, 0., 0.);
    t->timer.data = t;
    ev_timer_start(w->loop, &t->timer);
    ev_run(w->loop, flags);
    assert_int_equal(t->count, before + 1);
    assert_int_not_equal(w->entry->awake_since_ms, 0); /* it has not polled since */
    ev_run(w->loop, EVRUN_NOWAIT);
}

static uint64_t lag_ms(const struct turns *t)
{
    return t->worker.entry->loop_lag_us / 1000;
}

static void test_lag(void **state)
{
    struct turns *t = *state;
    struct board_worker *entry = t->worker.entry;
    turn_start(&t->worker);
    turn(t, 0, EVRUN_NOWAIT);
    turn(t, LONGER_MS, EVRUN_ONCE);
    assert_int_equal(lag_ms(t), LONGER_MS);
    assert_int_equal(entry->counters.loop_blocks, 1);
    turn(t, LONG_MS, EVRUN_NOWAIT); /* shorter, but blocked as well */
    assert_int_equal(entry->counters.loop_blocks, 2);
    assert_int_equal(lag_ms(t), LONGER_MS);
    turn_each_second(&t->worker);
    assert_int_equal(lag_ms(t), LONGER_MS);
    turn(t, LONG_MS, EVRUN_ONCE);
    turn_each_second(&t->worker);
    assert_int_equal(lag_ms(t), LONG_MS); /* the other was more than a second ago */
    turn_each_second(&t->worker);
    assert_int_equal(entry->loop_lag_us, 0);
}

static void test_off(void **state)
{
    struct turns *t = *state;
    t->conf.worker.loop_block_ms = 0;
    turn_start(&t->worker);
    turn(t, LONG_MS, EVRUN_ONCE);
    assert_int_equal(lag_ms(t), LONG_MS);
    assert_int_equal(t->worker.entry->counters.loop_blocks, 0);
}

/* What has begun behind a handler that has blocked the loop is not late on its account. */
static void test_deadlines_of_a_long_turn(void **state)
{
    struct turns *t = *state;
    turn_start(&t->worker);
    turn(t, DUE_MS, EVRUN_ONCE);
    assert_int_equal(t->head.at_ms, now_ms + DUE_MS);
    assert_int_equal(t->run.at_ms, now_ms + DUE_MS);
}

/* What was before the first turn is none, and after the last nothing lasts. */
static void test_start_and_stop(void **state)
{
    struct turns *t = *state;
    struct worker *w = &t->worker;
    now_ms += LONGER_MS;
    turn_start(w);
    ev_run(w->loop, EVRUN_NOWAIT);
    assert_int_equal(lag_ms(t), 0);
    assert_int_not_equal(w->entry->awake_since_ms, 0);
    turn_stop(w);
    assert_int_equal(w->entry->awake_since_ms, 0);
    ev_run(w->loop, EVRUN_NOWAIT);
    assert_int_equal(w->entry->awake_since_ms, 0);
}

static void test_what_runs(void **state)
{
    struct turns *t = *state;
    struct worker *w = &t->worker;
    static struct request req;
    struct route route = {.index = 12};
    req.route = &route;
    req.lane = &w->flights;
    req.record = 3;
    turn_begin_run(w, &req);
    uint64_t first = w->entry->running;
    struct running r = running_of(w->entry, first);
    assert_ptr_equal(r.record, &w->entry->flight[3]);
    assert_int_equal(r.route, 12);
    turn_end_run(w);
    assert_false(running_of(w->entry, w->entry->running).is_handler);
    assert_int_equal(running_of(w->entry, w->entry->running).count, r.count);
    turn_begin_run(w, &req); /* the same handler again is not the same piece */
    assert_true(w->entry->running != first);
    req.record = LANE_NO_RECORD;
    turn_begin_run(w, &req);
    r = running_of(w->entry, w->entry->running);
    assert_true(r.is_handler && r.record == NULL && r.route == 12);
    req.lane = &w->slots;
    req.record = 0;
    turn_begin_run(w, &req);
    assert_ptr_equal(running_of(w->entry, w->entry->running).record, &w->entry->slot[0]);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(test_lag, open_state, close_state),
        cmocka_unit_test_setup_teardown(test_off, open_state, close_state),
        cmocka_unit_test_setup_teardown(test_deadlines_of_a_long_turn, open_state,
                                        close_state),
        cmocka_unit_test_setup_teardown(test_start_and_stop, open_state, close_state),
        cmocka_unit_test_setup_teardown(test_what_runs, open_state, close_state),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
