/* SPDX-License-Identifier: MIT */
/*
 * test_loop_order - in which order libev does what is ready in one turn of the loop.
 *
 * docs/CAPACITY.md tells it to users, and worker/ counts on it: what a callback makes ready
 * runs in the same turn, before what was there already. That the clock is read before all of
 * them: test_worker_turn.c.
 */
#include <ev.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>
#include <unistd.h>
#include <cmocka.h>

static char order[32];

static void note(const void *name)
{
    strncat(order, name, sizeof(order) - strlen(order) - 1);
}

static void on_async(struct ev_loop *loop, ev_async *w, int events)
{
    (void)loop;
    (void)events;
    note(w->data);
}

static ev_timer fed;

static void on_timer(struct ev_loop *loop, ev_timer *w, int events)
{
    (void)events;
    note(w->data);
    if (strcmp(w->data, "t") == 0)
        ev_feed_event(loop, &fed, EV_TIMER);
}

static void on_io(struct ev_loop *loop, ev_io *w, int events)
{
    (void)loop;
    (void)events;
    note(w->data);
}

/* Everything is ready before the turn begins: a(sync) from another thread, t and T(imers) in
 * the order in which they are due, f(ed) by t, i(nput) of two pipes. */
static void one_turn(void **state)
{
    static char a[] = "a", t[] = "t", late[] = "T", f[] = "f", i[] = "i";
    struct ev_loop *loop = ev_loop_new(EVBACKEND_EPOLL | EVFLAG_NOENV);
    ev_async async;
    ev_timer timer[2];
    ev_io io[2];
    int pipes[2][2];

    (void)state;
    assert_non_null(loop);
    for (int n = 0; n < 2; n++) {
        assert_int_equal(pipe(pipes[n]), 0);
        assert_int_equal(write(pipes[n][1], "", 1), 1);
        ev_io_init(&io[n], on_io, pipes[n][0], EV_READ);
        io[n].data = i;
        ev_io_start(loop, &io[n]);
        /* the later one first */
        ev_timer_init(&timer[n], on_timer, n == 0 ? 0.002 : 0.001, 0.);
        timer[n].data = n == 0 ? late : t;
        ev_timer_start(loop, &timer[n]);
    }
    ev_timer_init(&fed, on_timer, 10., 0.);
    fed.data = f;
    ev_async_init(&async, on_async);
    async.data = a;
    ev_async_start(loop, &async);
    ev_async_send(loop, &async);
    usleep(5000);

    order[0] = '\0';
    ev_run(loop, EVRUN_ONCE);
    assert_string_equal(order, "atfTii");
    for (int n = 0; n < 2; n++) {
        close(pipes[n][0]);
        close(pipes[n][1]);
    }
    ev_loop_destroy(loop);
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(one_turn)};

    return cmocka_run_group_tests(tests, NULL, NULL);
}
