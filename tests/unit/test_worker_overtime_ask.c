/* SPDX-License-Identifier: MIT */
/*
 * test_worker_overtime_ask - a late handler that does not end: the master is asked for another
 * worker, once.
 */
#include "tests/unit/overtime_fixture.h"

#include "common/fd.h"
#include "common/message.h"
#include "worker/api.h"

#include <poll.h>
#include <string.h>

static int block_for_long(remuda_ctx *c)
{
    block();
    return api_cancelled(c);
}

static const struct fixture_route routes[] = {
    {"/block", block_for_long, REMUDA_SYNC},
    {NULL, NULL, 0},
};

static int open_state(void **state)
{
    return overtime_open_routes(state, routes);
}

static bool has_asked(int fd, struct message *out)
{
    int passed = -1;
    struct pollfd polled = {.fd = fd, .events = POLLIN};
    return poll(&polled, 1, 0) == 1 && message_recv(fd, out, &passed) == 1;
}

static void test_a_successor_is_asked_for_once(void **state)
{
    struct fixture *f = *state;
    int pair[2];
    struct message m;
    assert_int_equal(fd_pair(pair), 0);
    f->heritage.channel = pair[1];
    run_over_time(f, GET("/block"));
    fixture_pass(f, FIXTURE_LIMIT_MS - 1);
    assert_false(has_asked(pair[0], &m));
    fixture_pass(f, 1);
    assert_true(has_asked(pair[0], &m));
    assert_int_equal(m.type, MESSAGE_RETIRE);
    assert_int_equal(m.arg, MESSAGE_RETIRE_LATE);
    assert_non_null(strstr(m.text, "/block of plugin fixture does not end"));
    fixture_pass(f, 10 * FIXTURE_LIMIT_MS);
    assert_false(has_asked(pair[0], &m));
    let_it_end(f);
    fd_close(&pair[0]);
    fd_close(&pair[1]);
}

static void test_none_is_asked_for_in_a_drain(void **state)
{
    struct fixture *f = *state;
    int pair[2];
    struct message m;
    assert_int_equal(fd_pair(pair), 0);
    f->heritage.channel = pair[1];
    run_over_time(f, GET("/block"));
    f->worker.phase = WORKER_DRAINING;
    fixture_pass(f, FIXTURE_LIMIT_MS);
    assert_false(has_asked(pair[0], &m));
    let_it_end(f);
    fd_close(&pair[0]);
    fd_close(&pair[1]);
}

/* A short limit: it has OVERTIME_LEAST_MS all the same. */
static void test_time_to_end(void **state)
{
    struct fixture *f = *state;
    static const struct {
        uint64_t limit_ms, second_ms;
    } table[] = {{1, OVERTIME_LEAST_MS},
                 {OVERTIME_LEAST_MS, OVERTIME_LEAST_MS},
                 {OVERTIME_LEAST_MS + 1, OVERTIME_LEAST_MS + 1}};
    for (size_t i = 0; i < COUNT_OF(table); i++) {
        struct overtime o;
        overtime_init(&o, &f->worker, table[i].limit_ms);
        assert_int_equal(o.first.length_ms, table[i].limit_ms);
        assert_int_equal(o.second.length_ms, table[i].second_ms);
        overtime_fini(&o);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(test_a_successor_is_asked_for_once, open_state,
                                        overtime_close),
        cmocka_unit_test_setup_teardown(test_none_is_asked_for_in_a_drain, open_state,
                                        overtime_close),
        cmocka_unit_test_setup_teardown(test_time_to_end, open_state, overtime_close),
    };
    return WORKER_RUN(tests);
}
