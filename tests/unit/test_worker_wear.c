/* SPDX-License-Identifier: MIT */
/*
 * test_worker_wear - a worker asks to be replaced once, for the right reason.
 */
#include "tests/unit/worker_handlers.h"

#include "common/fd.h"
#include "common/message.h"
#include "worker/wear.h"

#include <errno.h>
#include <string.h>

enum { REQUESTS = 3, RSS = 1 << 20 };

static int master = -1;

static int open_state(void **state)
{
    int ends[2];
    if (worker_open_state(state) != 0 || fd_pair(ends) < 0)
        return -1;
    struct fixture *f = *state;
    master = ends[0];
    f->heritage.channel = ends[1];
    return 0;
}

static int close_state(void **state)
{
    struct fixture *f = *state;
    fd_close(&master);
    fd_close(&f->heritage.channel);
    return worker_close_state(state);
}

static void ask(struct fixture *f, int count)
{
    for (int i = 0; i < count; i++)
        fixture_send(f, GET("/event"));
    (void)worker_answer(f);
}

static void assert_asked(const char *why)
{
    struct message m;
    int fd;
    assert_int_equal(message_recv(master, &m, &fd), 1);
    assert_int_equal(m.type, MESSAGE_RETIRE);
    assert_int_equal(m.arg, MESSAGE_RETIRE_WORN);
    assert_string_equal(m.text, why);
}

static void assert_silent(void)
{
    struct message m;
    int fd;
    assert_int_equal(message_recv(master, &m, &fd), -1);
    assert_int_equal(errno, EAGAIN);
}

static void test_by_requests(void **state)
{
    struct fixture *f = *state;
    f->conf.worker.max_requests = REQUESTS;
    wear_init(&f->worker);
    ask(f, REQUESTS - 1);
    assert_silent();
    ask(f, 1);
    assert_asked("3 requests (max_requests)");
    ask(f, REQUESTS);
    wear_on_rss(&f->worker, 0);
    assert_silent();
}

/* Between max_requests and max_requests + jitter, both included. */
static void test_the_jitter_is_bounded(void **state)
{
    struct fixture *f = *state;
    unsigned seen = 0;
    f->conf.worker.max_requests = 10;
    f->conf.worker.max_requests_jitter = REQUESTS;
    for (int i = 0; i < 1000; i++) {
        wear_init(&f->worker);
        assert_in_range(f->worker.wear.at, 10, 10 + REQUESTS);
        seen |= 1u << (f->worker.wear.at - 10);
    }
    assert_int_equal(seen, (1u << (REQUESTS + 1)) - 1);
}

static void test_never(void **state)
{
    struct fixture *f = *state;
    f->conf.worker.max_requests_jitter = REQUESTS;
    wear_init(&f->worker);
    ask(f, REQUESTS);
    wear_on_rss(&f->worker, UINT64_MAX);
    assert_silent();
}

static void test_by_memory(void **state)
{
    struct fixture *f = *state;
    f->conf.worker.max_rss_bytes = RSS;
    wear_init(&f->worker);
    ask(f, 1);
    wear_on_rss(&f->worker, RSS);
    assert_silent();
    wear_on_rss(&f->worker, RSS + 1);
    assert_asked("1 MiB resident (max_rss)");
    wear_on_rss(&f->worker, RSS + 1);
    assert_silent();
}

/* Its successor would be as large. */
static void test_not_if_it_was_born_so(void **state)
{
    struct fixture *f = *state;
    f->conf.worker.max_rss_bytes = RSS;
    wear_init(&f->worker);
    wear_on_rss(&f->worker, RSS + 1);
    ask(f, 1);
    wear_on_rss(&f->worker, 2 * RSS);
    assert_silent();
}

/* The master does not hear it now: in the next second. */
static void test_asks_again_if_it_was_not_heard(void **state)
{
    struct fixture *f = *state;
    int channel = f->heritage.channel;
    f->conf.worker.max_requests = 1;
    wear_init(&f->worker);
    f->heritage.channel = -1;
    ask(f, 1);
    f->heritage.channel = channel;
    assert_silent();
    wear_on_rss(&f->worker, 0);
    assert_asked("1 requests (max_requests)");
}

#define TEST(name) cmocka_unit_test_setup_teardown(test_##name, open_state, close_state)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(by_requests),
        TEST(the_jitter_is_bounded),
        TEST(never),
        TEST(by_memory),
        TEST(not_if_it_was_born_so),
        TEST(asks_again_if_it_was_not_heard),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
