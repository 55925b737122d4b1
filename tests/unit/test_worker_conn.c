/* SPDX-License-Identifier: MIT */
/*
 * test_worker_conn - one connection in every state, over a socketpair, in both classes.
 */
#include "tests/unit/worker_handlers.h"

#include "common/check.h"
#include "worker/request.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

/* ---- requests ---- */

static void test_answers(void **state)
{
    struct fixture *f = *state;
    static const struct {
        const char *request, *status, *end;
    } table[] = {
        {GET("/sync"), "200 OK", "\r\n\r\nhello"},
        {GET("/async"), "200 OK", "\r\n\r\nhello"},
        {GET("/event"), "200 OK", "\r\n\r\nhello"},
        {GET("/early"), "200 OK", "\r\n\r\nhello"},
        {GET("/wrong"), "200 OK", "\r\n\r\nhello"},
        {GET("/nap"), "200 OK", "\r\n\r\nhello"},
        {GET("/peer"), "200 OK", "Content-Length: 0\r\n\r\n"},
        {GET("/none"), "404 Not Found", "404 Not Found\n"},
        {GET("/three/sync"), "200 OK", "\r\n0\r\n\r\n"},
        {GET("/three/async"), "200 OK", "\r\n0\r\n\r\n"},
        {GET("/three/event"), "200 OK", "\r\n0\r\n\r\n"},
        {"DELETE /sync HTTP/1.1\r\nHost: x\r\n\r\n", "405 ", "\n"},
    };
    for (size_t i = 0; i < COUNT_OF(table); i++) {
        fixture_send(f, table[i].request);
        const char *got = worker_answer(f);
        assert_int_equal(
            strncmp(got + strlen("HTTP/1.1 "), table[i].status, strlen(table[i].status)),
            0);
        assert_true(f->got_bytes > strlen(table[i].end));
        assert_string_equal(got + f->got_bytes - strlen(table[i].end), table[i].end);
        assert_int_equal(fixture_conn(f)->state, CONN_IDLE);
    }
    assert_int_equal(f->worker.request_number, COUNT_OF(table));
}

/* An event that streams and finishes inside its callback must not stay on the list of
 * what other threads have to say: the next request has the same memory. */
static void test_event_streams_in_a_row(void **state)
{
    struct fixture *f = *state;
    fixture_send(f, GET("/three/event") GET("/early"));
    (void)worker_answer(f);
    assert_int_equal(fixture_count(f, "abc"), 3);
    assert_int_equal(fixture_count(f, "hello"), 1);
    fixture_send(f, GET("/three/event") GET("/three/event") GET("/three/sync"));
    (void)worker_answer(f);
    assert_int_equal(fixture_count(f, "abc"), 9);
    assert_null(f->worker.done.first);
}

static void test_any_split(void **state)
{
    struct fixture *f = *state;
    static const char text[] =
        GET("/async") "POST /echo HTTP/1.1\r\nHost: x\r\n"
                      "Content-Length: 4\r\n\r\nbodyGET /event HTTP/1.1\r\n"
                      "Host: x\r\n\r\n";
    for (size_t cut = 1; cut < sizeof text - 1; cut++) {
        fixture_send_bytes(f, text, cut);
        fixture_send(f, text + cut);
        (void)worker_answer(f);
        assert_int_equal(fixture_count(f, "HTTP/1.1 200 OK"), 3);
        assert_int_equal(fixture_count(f, "\r\n\r\nbody"), 1);
    }
}

static void test_eof_at_every_byte(void **state)
{
    struct fixture *f = *state;
    static const char text[] = GET("/async") GET("/sync") GET("/event");
    const size_t one = strlen(GET("/async")), two = one + strlen(GET("/sync"));
    for (size_t cut = 0; cut < sizeof text; cut++) {
        unsigned whole = cut >= sizeof text - 1 ? 3 : cut >= two ? 2 : cut >= one ? 1 : 0;
        fixture_send_bytes(f, text, cut);
        fixture_end_client(f);
        (void)worker_answer(f);
        assert_int_equal(fixture_count(f, "hello"), whole);
        fixture_until(f, worker_is_alone);
        close(f->client);
        fixture_connect(f);
    }
}

/* Heads around the size of the small block, with the next request behind them, in one piece
 * and in two. Whatever its length, there is room to hear that the client leaves. */
static void test_head_at_the_small_block(void **state)
{
    struct fixture *f = *state;
    char text[BLOCK_SMALL_BYTES + 200];
    const char begin[] = "GET /async HTTP/1.1\r\nHost: x\r\nPad: ";
    for (size_t n = BLOCK_SMALL_BYTES - 70; n < BLOCK_SMALL_BYTES + 20; n++) {
        int pad = (int)(n - strlen(begin) - 4);
        snprintf(text, sizeof text, "%s%0*d\r\n\r\n%s", begin, pad, 7, GET("/event"));
        for (size_t cut = 0; cut <= n; cut += n / 2) {
            fixture_send_bytes(f, text, cut);
            fixture_send(f, text + cut);
            assert_int_equal(strlen(text), n + strlen(GET("/event")));
            (void)worker_answer(f);
            assert_int_equal(fixture_count(f, "HTTP/1.1 200 OK"), 2);
            assert_int_equal(fixture_conn(f)->state, CONN_IDLE);
        }
    }
    assert_null(fixture_conn(f)->in.data);
}

/* Head and body around the size of the input's block, and the next request behind them. */
static void test_body_at_the_block(void **state)
{
    struct fixture *f = *state;
    static char body[2 * BLOCK_BYTES];
    memset(body, 'x', sizeof body);
    char head[256], want[64];
    for (size_t n = BLOCK_BYTES - 100; n < BLOCK_BYTES + 20; n++) {
        snprintf(head, sizeof head,
                 "POST /echo HTTP/1.1\r\nHost: x\r\nContent-Length: %zu\r\n\r\n", n);
        char *text = NULL;
        assert_true(asprintf(&text, "%s%.*s%s", head, (int)n, body, GET("/async")) > 0);
        fixture_send(f, text);
        free(text);
        (void)worker_answer(f);
        snprintf(want, sizeof want, "Content-Length: %zu\r\n", n);
        assert_int_equal(fixture_count(f, want), 1);
        assert_int_equal(fixture_count(f, "hello"), 1);
        assert_int_equal(fixture_conn(f)->state, CONN_IDLE);
    }
    assert_null(fixture_conn(f)->in.data);
}

static void test_tiny_chunks(void **state)
{
    struct fixture *f = *state;
    enum { CHUNKS = 3000 };
    fixture_send(f,
                 "POST /echo HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\n");
    for (int i = 0; i < CHUNKS; i++)
        fixture_send(f, "1\r\nz\r\n");
    fixture_send(f, "0\r\n\r\n" GET("/async"));
    (void)worker_answer(f);
    assert_int_equal(fixture_count(f, "Content-Length: 3000\r\n"), 1);
    assert_int_equal(fixture_count(f, "hello"), 1);
}

/* ---- time ---- */

static void test_a_silent_client(void **state)
{
    struct fixture *f = *state;
    fixture_pass(f, f->conf.limits.head_timeout_ms - 1);
    assert_false(fixture_is_closed(f));
    fixture_pass(f, 1);
    assert_string_equal(fixture_read(f), "");
    assert_true(fixture_is_closed(f));
}

static void test_an_idle_client(void **state)
{
    struct fixture *f = *state;
    fixture_send(f, GET("/async"));
    (void)worker_answer(f);
    fixture_pass(f, f->conf.limits.keepalive_ms / 2);
    fixture_send(f, GET("/async"));
    assert_non_null(strstr(worker_answer(f), "hello"));
    fixture_pass(f, f->conf.limits.keepalive_ms - 1);
    assert_false(fixture_is_closed(f));
    fixture_pass(f, 1);
    assert_true(fixture_is_closed(f));
}

static void test_half_a_head(void **state)
{
    struct fixture *f = *state;
    fixture_send(f, "GET / HT");
    fixture_pass(f, f->conf.limits.head_timeout_ms - 1);
    fixture_send(f, "TP");
    fixture_pass(f, 1);
    assert_non_null(strstr(fixture_read(f), " 408 "));
    assert_int_equal(fixture_conn(f)->state, CONN_LINGER);
    fixture_pass(f, CONN_LINGER_MS);
    assert_int_equal(f->worker.conn_count, 0);
}

static void test_half_a_body(void **state)
{
    struct fixture *f = *state;
    fixture_send(f, "POST /echo HTTP/1.1\r\nHost: x\r\nContent-Length: 9\r\n\r\nbod");
    assert_int_equal(fixture_conn(f)->state, CONN_BODY);
    fixture_pass(f, f->conf.limits.body_timeout_ms - 1);
    assert_string_equal(fixture_read(f), "");
    fixture_pass(f, 1001); /* it looks once a second */
    assert_non_null(strstr(fixture_read(f), " 408 "));
}

static void test_a_client_that_does_not_read(void **state)
{
    struct fixture *f = *state;
    fixture_send(f, GET("/big"));
    fixture_until(f, worker_is_idle);
    assert_int_equal(fixture_conn(f)->state, CONN_WRITE);
    fixture_pass(f, f->conf.limits.write_timeout_ms);
    assert_int_equal(f->worker.conn_count, 0);
}

static void test_a_client_that_reads_late(void **state)
{
    struct fixture *f = *state;
    fixture_send(f, GET("/big") GET("/event"));
    fixture_until(f, worker_is_idle);
    const char *got = worker_answer(f);
    assert_true(f->got_bytes > BIG);
    assert_string_equal(got + f->got_bytes - strlen("hello"), "hello");
    assert_int_equal(fixture_conn(f)->state, CONN_IDLE);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        WORKER_TEST(answers),
        WORKER_TEST(event_streams_in_a_row),
        WORKER_TEST(any_split),
        WORKER_TEST(eof_at_every_byte),
        WORKER_TEST(head_at_the_small_block),
        WORKER_TEST(body_at_the_block),
        WORKER_TEST(tiny_chunks),
        WORKER_TEST(a_silent_client),
        WORKER_TEST(an_idle_client),
        WORKER_TEST(half_a_head),
        WORKER_TEST(half_a_body),
        WORKER_TEST(a_client_that_does_not_read),
        WORKER_TEST(a_client_that_reads_late),
    };
    return WORKER_RUN(tests);
}
