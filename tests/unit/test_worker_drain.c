/* SPDX-License-Identifier: MIT */
/*
 * test_worker_drain - what becomes of connections and requests while their worker drains, when
 * nobody takes them over.
 */
#include "tests/unit/worker_handlers.h"

#include "worker/api.h"
#include "worker/drain.h"
#include "worker/request.h"

#include <errno.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#define BODY_TO_COME "POST /echo HTTP/1.1\r\nHost: x\r\nContent-Length: 9\r\n\r\nhalf"

static void drain(struct fixture *f)
{
    f->worker.phase = WORKER_DRAINING;
    atomic_store(&f->worker.is_draining, true);
    LIST_FOREACH (link, &f->worker.conns)
        drain_idle(LIST_ENTRY(link, struct conn, link));
    fixture_turn(f);
}

/* ---- idle ---- */

static void test_an_idle_one_is_served_once_more(void **state)
{
    struct fixture *f = *state;
    fixture_send(f, GET("/async"));
    (void)worker_answer(f);
    drain(f);
    fixture_send(f, GET("/async"));
    (void)worker_answer(f);
    assert_int_equal(fixture_count(f, "Connection: close\r\n"), 1);
    fixture_pass(f, CONN_LINGER_MS);
    assert_int_equal(f->worker.conn_count, 0);
}

/* Told that it was the last, orderly; and gone when 1 s is over, whatever the client does. */
static void test_an_idle_one_is_ended(void **state)
{
    struct fixture *f = *state;
    fixture_send(f, GET("/async"));
    (void)worker_answer(f);
    drain(f);
    fixture_pass(f, CONN_LAST_MS - 1);
    assert_false(fixture_is_closed(f));
    fixture_pass(f, 1);
    assert_true(fixture_is_closed(f));
    assert_int_equal(fixture_conn(f)->state, CONN_LINGER);
    fixture_send(f, GET("/async"));
    fixture_pass(f, CONN_LINGER_MS - CONN_LAST_MS - 1);
    assert_int_equal(f->worker.conn_count, 1);
    fixture_pass(f, 1);
    assert_int_equal(f->worker.conn_count, 0);
}

/* It has come, and the loop has not seen it when the time is over. */
static void test_the_last_read(void **state)
{
    struct fixture *f = *state;
    static const char text[] = GET("/async");
    drain(f);
    assert_int_equal(send(f->client, text, sizeof text - 1, 0), sizeof text - 1);
    fixture_pass(f, CONN_LAST_MS);
    (void)worker_answer(f);
    assert_int_equal(fixture_count(f, "hello"), 1);
    assert_int_equal(fixture_count(f, "Connection: close\r\n"), 1);
}

/* Its answer said keep-alive before the drain, and is still being written. */
static void test_one_that_writes(void **state)
{
    struct fixture *f = *state;
    fixture_send(f, GET("/big"));
    fixture_until(f, worker_is_idle);
    drain(f);
    assert_int_equal(fixture_conn(f)->state, CONN_WRITE);
    (void)fixture_read(f);
    assert_true(f->got_bytes > BIG);
    assert_int_equal(fixture_conn(f)->state, CONN_LAST);
}

/* ---- at graceful_timeout ---- */

static void give_up(struct fixture *f)
{
    LIST_FOREACH (link, &f->worker.conns)
        drain_give_up(LIST_ENTRY(link, struct conn, link));
    fixture_turn(f);
}

static void test_one_that_waits_has_503(void **state)
{
    struct fixture *f = *state;
    int first = f->client;
    fixture_send(f, GET("/hold"));
    int second = fixture_connect(f);
    fixture_send(f, GET("/async") GET("/async"));
    assert_int_equal(fixture_waiting(f), 1);
    drain(f);
    give_up(f);
    assert_int_equal(fixture_waiting(f), 0);
    (void)fixture_read(f);
    assert_int_equal(fixture_count(f, " 503 "), 1);
    assert_int_equal(fixture_count(f, "Connection: close\r\n"), 1);
    assert_true(fixture_is_closed(f));
    close(second);
    f->client = first;
    assert_int_equal(api_cancelled(worker_held), -ECANCELED);
    (void)worker_finish_held(NULL);
    assert_non_null(strstr(worker_answer(f), "hello"));
}

static void test_one_that_runs_has_503(void **state)
{
    struct fixture *f = *state;
    fixture_send(f, GET("/doze"));
    drain(f);
    give_up(f);
    assert_non_null(strstr(worker_answer(f), " 503 "));
    assert_int_equal(worker_last_rc, -ECANCELED);
}

static void test_one_that_has_not_come_in_whole_has_503(void **state)
{
    struct fixture *f = *state;
    fixture_send(f, BODY_TO_COME);
    drain(f);
    give_up(f);
    assert_non_null(strstr(fixture_read(f), " 503 "));
    assert_true(fixture_is_closed(f));
}

/* ---- at the end ---- */

static void cut(struct fixture *f)
{
    LIST_FOREACH (link, &f->worker.conns)
        drain_cut(LIST_ENTRY(link, struct conn, link));
}

/* Its handler will not end: the client hears of it, and what it says later is nobody's. */
static void test_one_that_will_not_end_has_503(void **state)
{
    struct fixture *f = *state;
    fixture_send(f, GET("/hold"));
    drain(f);
    give_up(f);
    cut(f);
    assert_non_null(strstr(fixture_read(f), " 503 "));
    assert_true(fixture_is_closed(f));
    assert_int_equal(f->worker.entry->counters.responses[5], 1);
    (void)worker_finish_held(NULL);
    fixture_until(f, worker_is_alone);
}

/* It has said all, and goes on with something else. */
static void test_one_that_has_answered_has_its_answer(void **state)
{
    struct fixture *f = *state;
    fixture_send(f, GET("/hold"));
    assert_int_equal(api_send(worker_held, 200, NULL, "said", 4, REMUDA_STATIC), 0);
    cut(f);
    assert_non_null(strstr(fixture_read(f), "\r\n\r\nsaid"));
    assert_true(fixture_is_closed(f));
    assert_int_equal(f->worker.entry->counters.responses[2], 1);
    api_finish(worker_held, 0);
    fixture_until(f, worker_is_alone);
}

static bool has_ended_writing(struct fixture *f)
{
    (void)f;
    return worker_last_rc < 0;
}

/* After the -ESHUTDOWN of a drain a stream may go on; not after its client has gone. */
static void test_a_long_stream_loses_its_client_in_a_drain(void **state)
{
    struct fixture *f = *state;
    fixture_send(f, GET("/endless"));
    struct conn *c = fixture_conn(f);
    drain(f);
    ctx_cancel(&c->request->ctx, -ESHUTDOWN);
    fixture_turn(f);
    assert_true(worker_last_rc >= 0);
    close(f->client);
    f->client = -1;
    fixture_until(f, has_ended_writing);
    assert_int_equal(worker_last_rc, -ECANCELED);
    fixture_until(f, worker_is_alone);
}

/* ---- the whole server is about to stop ---- */

static void test_every_answer_closes(void **state)
{
    struct fixture *f = *state;
    board_set32(&f->heritage.board->closing, BOARD_CLOSING);
    fixture_send(f, GET("/event") GET("/async"));
    (void)worker_answer(f);
    assert_int_equal(fixture_count(f, "hello"), 2);
    assert_int_equal(fixture_count(f, "Connection: close\r\n"), 1);
    assert_true(fixture_is_closed(f));
    board_set32(&f->heritage.board->closing, BOARD_OPEN);
    close(f->client);
    fixture_connect(f);
    fixture_send(f, GET("/async"));
    (void)worker_answer(f);
    assert_int_equal(fixture_count(f, "Connection: close\r\n"), 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        WORKER_TEST(an_idle_one_is_served_once_more),
        WORKER_TEST(an_idle_one_is_ended),
        WORKER_TEST(the_last_read),
        WORKER_TEST(one_that_writes),
        WORKER_TEST(one_that_waits_has_503),
        WORKER_TEST(one_that_runs_has_503),
        WORKER_TEST(one_that_has_not_come_in_whole_has_503),
        WORKER_TEST(one_that_will_not_end_has_503),
        WORKER_TEST(one_that_has_answered_has_its_answer),
        WORKER_TEST(a_long_stream_loses_its_client_in_a_drain),
        WORKER_TEST(every_answer_closes),
    };
    return WORKER_RUN(tests);
}
