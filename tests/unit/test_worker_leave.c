/* SPDX-License-Identifier: MIT */
/*
 * test_worker_leave - clients that leave while something waits or runs.
 */
#include "tests/unit/worker_handlers.h"

#include "common/check.h"
#include "worker/api.h"
#include "worker/request.h"

#include <errno.h>
#include <pthread.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

/* ---- clients that leave ---- */

static bool is_running(struct fixture *f)
{
    return fixture_conn(f)->state == CONN_RUN;
}

static void test_leaves_while_it_runs(void **state)
{
    struct fixture *f = *state;
    fixture_send(f, GET("/doze"));
    assert_true(is_running(f));
    worker_client_leaves(f);
    assert_int_equal(f->worker.entry->counters.departed, 1);
}

static void test_leaves_while_it_waits(void **state)
{
    struct fixture *f = *state;
    int first = f->client;
    fixture_send(f, GET("/hold"));
    fixture_connect(f);
    fixture_send(f, GET("/async") GET("/event"));
    assert_int_equal(fixture_waiting(f), 1);
    assert_int_equal(f->worker.entry->inflight, 1);
    close(f->client);
    f->client = first;
    fixture_turn(f);
    assert_int_equal(fixture_waiting(f), 0);
    assert_int_equal(f->worker.conn_count, 1);
    assert_int_equal(f->worker.entry->counters.responses[0], 1);
    (void)worker_finish_held(NULL);
    assert_non_null(strstr(worker_answer(f), "hello"));
}

/* A request for the path, padded to n bytes, and `behind` more that begin another. */
static void send_padded(struct fixture *f, const char *path, size_t n, size_t behind)
{
    static char text[4 * BLOCK_SMALL_BYTES];
    int at = snprintf(text, sizeof text, "GET %s HTTP/1.1\r\nHost: x\r\nPad: ", path);
    memset(text + at, 'p', n - (size_t)at - 4);
    memcpy(text + n - 4, "\r\n\r\n", 4);
    fixture_send_bytes(f, text, n);
    memset(text, 'G', behind);
    fixture_send_bytes(f, text, behind);
}

/* Whatever fills the input, the close behind it is heard. */
static void test_leaves_behind_a_full_block(void **state)
{
    struct fixture *f = *state;
    static const size_t behind[] = {0, 1, BLOCK_SMALL_BYTES / 2, 2 * BLOCK_SMALL_BYTES};
    for (size_t n = BLOCK_SMALL_BYTES - 2; n <= BLOCK_SMALL_BYTES + 2; n++) {
        for (size_t i = 0; i < COUNT_OF(behind); i++) {
            worker_last_rc = 1;
            send_padded(f, "/doze", i < 2 ? n : n / 2, behind[i]);
            assert_true(is_running(f));
            worker_client_leaves(f);
            fixture_connect(f);
        }
    }
}

static void test_leaves_the_queue_behind_a_full_block(void **state)
{
    struct fixture *f = *state;
    int first = f->client;
    fixture_send(f, GET("/hold"));
    fixture_connect(f);
    send_padded(f, "/async", BLOCK_SMALL_BYTES / 2, 2 * BLOCK_SMALL_BYTES);
    assert_int_equal(fixture_waiting(f), 1);
    close(f->client);
    f->client = first;
    fixture_turn(f);
    assert_int_equal(fixture_waiting(f), 0);
    (void)worker_finish_held(NULL);
    assert_non_null(strstr(worker_answer(f), "hello"));
}

/* Its strings and body stay where they are, and what is behind it is answered. */
static void test_much_behind_one_that_runs(void **state)
{
    struct fixture *f = *state;
    fixture_send(f, "POST /hold HTTP/1.1\r\nHost: x\r\nContent-Length: 4\r\n\r\nbody");
    const char *host = api_header(worker_held, "Host");
    for (int i = 0; i < 60; i++)
        fixture_send(f, GET("/event"));
    assert_string_equal(host, "x");
    remuda_bytes body;
    assert_int_equal(api_body(worker_held, &body), 0);
    assert_int_equal(body.n, 4);
    assert_memory_equal(body.p, "body", 4);
    (void)worker_finish_held(NULL);
    (void)worker_answer(f);
    assert_int_equal(fixture_count(f, "hello"), 61);
}

/* Half-closed, with a second request that would have to wait: the first is answered, the
 * second dropped. */
static void test_half_close_while_it_waits(void **state)
{
    struct fixture *f = *state;
    int other = f->client;
    fixture_send(f, GET("/hold"));
    remuda_ctx *of_other = worker_held;
    fixture_connect(f);
    fixture_send(f, GET("/none") GET("/async"));
    fixture_end_client(f);
    assert_non_null(strstr(fixture_read(f), " 404 "));
    assert_true(fixture_is_closed(f));
    assert_int_equal(fixture_waiting(f), 0);
    close(f->client);
    f->client = other;
    worker_held = of_other;
    (void)worker_finish_held(NULL);
    assert_non_null(strstr(worker_answer(f), "hello"));
}

/* An answer that it has not read: its close is a reset. */
static void test_an_event_ends_after_its_client(void **state)
{
    struct fixture *f = *state;
    fixture_send(f, GET("/none") GET("/hold"));
    close(f->client);
    f->client = -1;
    fixture_turn(f);
    assert_int_equal(f->worker.conn_count, 0);
    assert_int_equal(api_cancelled(worker_held), -ECANCELED);
    pthread_t thread;
    assert_int_equal(pthread_create(&thread, NULL, worker_finish_held, NULL), 0);
    fixture_until(f, worker_is_alone);
    assert_int_equal(pthread_join(thread, NULL), 0);
}

static void test_many_wait(void **state)
{
    struct fixture *f = *state;
    enum { WAITING = 50 };
    int client[WAITING];
    int first = f->client;
    fixture_send(f, GET("/hold"));
    for (int i = 0; i < WAITING; i++) {
        client[i] = fixture_connect(f);
        fixture_send(f, i % 2 ? GET("/event") : GET("/async") GET("/event"));
    }
    assert_int_equal(fixture_waiting(f), WAITING);
    (void)worker_finish_held(NULL);
    fixture_until(f, worker_is_idle);
    for (int i = 0; i < WAITING; i++) {
        f->client = client[i];
        (void)fixture_read(f);
        assert_int_equal(fixture_count(f, "hello"), i % 2 ? 1 : 2);
        close(client[i]);
    }
    f->client = first;
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        WORKER_TEST(leaves_while_it_runs),
        WORKER_TEST(leaves_while_it_waits),
        WORKER_TEST(leaves_behind_a_full_block),
        WORKER_TEST(leaves_the_queue_behind_a_full_block),
        WORKER_TEST(much_behind_one_that_runs),
        WORKER_TEST(half_close_while_it_waits),
        WORKER_TEST(an_event_ends_after_its_client),
        WORKER_TEST(many_wait),
    };
    return WORKER_RUN(tests);
}
