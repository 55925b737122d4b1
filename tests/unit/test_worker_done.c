/* SPDX-License-Identifier: MIT */
/*
 * test_worker_done - what threads tell the loop: nothing is lost, nothing comes twice.
 */
#include "worker/done.h"

#include "worker/request.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>

enum { THREADS = 4, EACH = 500, PATIENCE_S = 20 };

static struct {
    struct ev_loop *loop;
    struct done done;
    unsigned seen, ended;
    struct request *last;
} t;

static struct request request[THREADS][EACH];

static void on_request(struct request *req, bool has_ended)
{
    t.seen++;
    t.last = req;
    if (!has_ended)
        return;
    assert_int_equal(req->rc, 0);
    req->rc = 1;
    t.ended++;
}

static int open_state(void **state)
{
    (void)state;
    t.seen = t.ended = 0;
    t.loop = ev_loop_new(EVFLAG_AUTO);
    assert_non_null(t.loop);
    done_init(&t.done, t.loop, on_request);
    memset((void *)request, 0, sizeof request);
    return 0;
}

static int close_state(void **state)
{
    (void)state;
    done_fini(&t.done);
    ev_loop_destroy(t.loop);
    return 0;
}

static void test_once_while_listed(void **state)
{
    (void)state;
    struct request *a = &request[0][0], *b = &request[0][1];
    done_put(&t.done, a, false);
    done_put(&t.done, b, false);
    done_put(&t.done, a, false);
    done_put(&t.done, a, true);
    ev_run(t.loop, EVRUN_NOWAIT);
    assert_int_equal(t.seen, 2);
    assert_int_equal(t.ended, 1);
    assert_ptr_equal(t.last, b);
    done_put(&t.done, b, true);
    ev_run(t.loop, EVRUN_NOWAIT);
    assert_int_equal(t.seen, 3);
    assert_int_equal(t.ended, 2);
}

static void test_more_than_a_batch(void **state)
{
    (void)state;
    for (size_t i = 0; i < EACH; i++)
        done_put(&t.done, &request[0][i], true);
    while (t.ended < EACH)
        ev_run(t.loop, EVRUN_ONCE);
    assert_ptr_equal(t.last, &request[0][EACH - 1]);
}

static void *put_all(void *arg)
{
    struct request *own = arg;
    for (size_t i = 0; i < EACH; i++) {
        done_put(&t.done, &own[i], false);
        done_put(&t.done, &own[i], true);
    }
    return NULL;
}

static void on_patience(struct ev_loop *loop, ev_timer *timer, int events)
{
    (void)timer;
    (void)events;
    ev_break(loop, EVBREAK_ALL);
    fail_msg("%u of %u have ended", t.ended, (unsigned)(THREADS * EACH));
}

static void test_threads(void **state)
{
    (void)state;
    pthread_t thread[THREADS];
    ev_timer patience;
    ev_timer_init(&patience, on_patience, PATIENCE_S, 0.);
    ev_timer_start(t.loop, &patience);
    for (size_t i = 0; i < THREADS; i++)
        assert_int_equal(pthread_create(&thread[i], NULL, put_all, request[i]), 0);
    while (t.ended < THREADS * EACH)
        ev_run(t.loop, EVRUN_ONCE);
    for (size_t i = 0; i < THREADS; i++)
        assert_int_equal(pthread_join(thread[i], NULL), 0);
    ev_timer_stop(t.loop, &patience);
    assert_null(t.done.first);
}

#define TEST(name) cmocka_unit_test_setup_teardown(test_##name, open_state, close_state)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(once_while_listed),
        TEST(more_than_a_batch),
        TEST(threads),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
