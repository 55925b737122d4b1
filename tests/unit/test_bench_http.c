/* SPDX-License-Identifier: MIT */
/*
 * test_bench_http - the client's response reader: strict, and the same for every split.
 */
#include "cli/client_http.h"
#include "common/check.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <cmocka.h>

#define OK      "HTTP/1.1 200 OK\r\n"
#define LONG64  "xxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxx"
#define LONG320 LONG64 LONG64 LONG64 LONG64 LONG64

/* `reusable`: may the connection go on? `left`: bytes behind the response. */
static const struct {
    const char *name, *input;
    unsigned status;
    unsigned body;
    bool reusable;
    unsigned left;
} good[] = {
    {"length", OK "Content-Length: 5\r\n\r\nhello", 200, 5, true, 0},
    {"nothing", OK "Content-Length: 0\r\n\r\n", 200, 0, true, 0},
    {"the same length twice", OK "Content-Length: 1\r\nContent-Length: 1\r\n\r\nx", 200,
     1, true, 0},
    {"bytes behind", OK "Content-Length: 1\r\n\r\nxyz", 200, 1, true, 2},
    {"chunked",
     OK "Transfer-Encoding: chunked\r\n\r\n3\r\nabc\r\nA;x=y\r\n0123456789\r\n0\r\n\r\n",
     200, 13, true, 0},
    {"chunked, any case", OK "transfer-encoding:\tCHUNKED \r\n\r\n0\r\n\r\n", 200, 0,
     true, 0},
    {"trailers",
     OK "Transfer-Encoding: chunked\r\n\r\n1\r\na\r\n0\r\nX: y\r\nZ: \r\n\r\n", 200, 1,
     true, 0},
    {"close", OK "Connection: close\r\nContent-Length: 1\r\n\r\nx", 200, 1, false, 0},
    {"close in a list", OK "Connection: foo, Close\r\nContent-Length: 0\r\n\r\n", 200, 0,
     false, 0},
    {"1.0", "HTTP/1.0 200 OK\r\nContent-Length: 1\r\n\r\nx", 200, 1, false, 0},
    {"1.0 kept",
     "HTTP/1.0 200 OK\r\nConnection: keep-alive\r\nContent-Length: 1\r\n\r\nx", 200, 1,
     true, 0},
    {"204", "HTTP/1.1 204 No Content\r\n\r\n", 204, 0, true, 0},
    {"304 with a length", "HTTP/1.1 304 x\r\nContent-Length: 9\r\n\r\n", 304, 0, true, 0},
    {"100 first", "HTTP/1.1 100 Continue\r\n\r\n" OK "Content-Length: 1\r\n\r\nx", 200, 1,
     true, 0},
    {"hints twice",
     "HTTP/1.1 103 x\r\nLink: </a>\r\n\r\nHTTP/1.1 103 x\r\n\r\n" OK
     "Content-Length: 0\r\n\r\n",
     200, 0, true, 0},
    {"no reason", "HTTP/1.1 404\r\nContent-Length: 0\r\n\r\n", 404, 0, true, 0},
    {"8 bit reason", "HTTP/1.1 404 \xe9\r\nContent-Length: 0\r\n\r\n", 404, 0, true, 0},
    {"a long field", OK "X: " LONG320 "\r\nContent-Length: 1\r\n\r\nx", 200, 1, true, 0},
};

static const struct {
    const char *name, *input, *why;
} bad[] = {
    {"no HTTP", "SSH-2.0-x\r\n", "status line"},
    {"HTTP/2", "HTTP/2.0 200 OK\r\n", "status line"},
    {"short", "HTTP/1.1 20\r\n", "status line"},
    {"four digits", "HTTP/1.1 2000\r\n", "status code"},
    {"600", "HTTP/1.1 600 x\r\n", "status code"},
    {"letters", "HTTP/1.1 2x0 x\r\n", "status code"},
    {"101", "HTTP/1.1 101 x\r\n", "Upgrade"},
    {"bare LF", "HTTP/1.1 200 OK\n", "CRLF"},
    {"empty line with LF", OK "Content-Length: 0\r\n\n", "CRLF"},
    {"CR CR LF", OK "X: y\r\r\n", "header field"},
    {"folded", OK "X: a\r\n b\r\n", "header field"},
    {"blank before the colon", OK "X : a\r\n", "header field"},
    {"no name", OK ": a\r\n", "header field"},
    {"no colon", OK "abc\r\n", "header field"},
    {"a control byte", OK "X: a\x01\r\n", "header field"},
    {"empty length", OK "Content-Length: \r\n", "empty"},
    {"negative", OK "Content-Length: -1\r\n", "no number"},
    {"plus", OK "Content-Length: +1\r\n", "no number"},
    {"list", OK "Content-Length: 1, 1\r\n", "no number"},
    {"too large", OK "Content-Length: 18446744073709551616\r\n", "does not fit"},
    {"two lengths", OK "Content-Length: 1\r\nContent-Length: 2\r\n", "differ"},
    {"both", OK "Content-Length: 1\r\nTransfer-Encoding: chunked\r\n\r\n", "both"},
    {"gzip", OK "Transfer-Encoding: gzip, chunked\r\n", "Transfer-Encoding"},
    {"chunked twice", OK "Transfer-Encoding: chunked\r\nTransfer-Encoding: chunked\r\n",
     "Transfer-Encoding"},
    {"chunked in 1.0", "HTTP/1.0 200 OK\r\nTransfer-Encoding: chunked\r\n",
     "Transfer-Encoding"},
    {"long framing", OK "Connection: close, " LONG320 "\r\n", "hundred"},
    {"no size", OK "Transfer-Encoding: chunked\r\n\r\n\r\n", "size"},
    {"size in words", OK "Transfer-Encoding: chunked\r\n\r\nxyz\r\n", "size"},
    {"size with 0x", OK "Transfer-Encoding: chunked\r\n\r\n0x1\r\n", "size"},
    {"size of 17 digits", OK "Transfer-Encoding: chunked\r\n\r\n10000000000000000\r\n",
     "fit"},
    {"no CRLF behind a chunk", OK "Transfer-Encoding: chunked\r\n\r\n1\r\nab\r\n",
     "chunk"},
    {"a bad trailer", OK "Transfer-Encoding: chunked\r\n\r\n0\r\nx y\r\n", "trailer"},
};

/* Feeds `input` cut at `at`; what is left behind the response in *left_out. */
static enum client_http_verdict read_cut(struct client_http *c, const char *input,
                                         size_t at, size_t *left_out)
{
    const size_t n = strlen(input);
    enum client_http_verdict verdict = CLIENT_HTTP_MORE;
    size_t used = 0;

    if (at > 0)
        verdict = client_http_feed(c, input, at, &used);
    *left_out = n - used;
    if (verdict != CLIENT_HTTP_MORE)
        return verdict;
    assert_int_equal(used, at);
    verdict = client_http_feed(c, input + at, n - at, &used);
    *left_out = n - at - used;
    return verdict;
}

static enum client_http_verdict read_bytes(struct client_http *c, const char *input)
{
    enum client_http_verdict verdict = CLIENT_HTTP_MORE;
    size_t used;

    for (; *input != '\0' && verdict == CLIENT_HTTP_MORE; input++)
        verdict = client_http_feed(c, input, 1, &used);
    return verdict;
}

static void reads_at_every_split(void **state)
{
    (void)state;
    for (size_t i = 0; i < COUNT_OF(good); i++) {
        print_message("%s\n", good[i].name);
        for (size_t at = 0; at < strlen(good[i].input); at++) {
            struct client_http c = {0};
            size_t left;

            client_http_begin(&c, false);
            assert_int_equal(read_cut(&c, good[i].input, at, &left), CLIENT_HTTP_DONE);
            assert_int_equal(c.status, good[i].status);
            assert_int_equal(c.body_bytes, good[i].body);
            assert_int_equal(client_http_is_reusable(&c), good[i].reusable);
            assert_int_equal(left, good[i].left);
        }
    }
}

static void refuses_at_every_split(void **state)
{
    (void)state;
    for (size_t i = 0; i < COUNT_OF(bad); i++) {
        struct client_http c = {0};

        print_message("%s\n", bad[i].name);
        for (size_t at = 0; at < strlen(bad[i].input); at++) {
            size_t left;

            client_http_begin(&c, false);
            assert_int_equal(read_cut(&c, bad[i].input, at, &left), CLIENT_HTTP_BAD);
            if (strstr(c.why, bad[i].why) == NULL)
                fail_msg("%s, cut at %zu: %s", bad[i].name, at, c.why);
        }
        client_http_begin(&c, false);
        assert_int_equal(read_bytes(&c, bad[i].input), CLIENT_HTTP_BAD);
    }
}

/* One reader, as a connection has it: nothing of a response may stay for the next. */
static void forgets_the_response_before(void **state)
{
    struct client_http c = {0};

    (void)state;
    for (size_t i = 0; i < COUNT_OF(good); i++) {
        client_http_begin(&c, false);
        assert_int_equal(read_bytes(&c, good[i].input), CLIENT_HTTP_DONE);
        assert_int_equal(client_http_is_reusable(&c), good[i].reusable);
        assert_int_equal(c.body_bytes, good[i].body);
        client_http_begin(&c, false);
        read_bytes(&c, bad[i].input);
    }
}

static void reads_until_close(void **state)
{
    struct client_http c = {0};

    (void)state;
    client_http_begin(&c, false);
    assert_int_equal(read_bytes(&c, OK "\r\nabc"), CLIENT_HTTP_MORE);
    assert_int_equal(client_http_close(&c), CLIENT_HTTP_DONE);
    assert_int_equal(c.body_bytes, 3);
    assert_false(client_http_is_reusable(&c));
}

static void knows_what_is_cut(void **state)
{
    static const char *const cut[] = {
        "",
        "HTTP/1.1 2",
        OK "Content-Le",
        OK "Content-Length: 3\r\n\r\nab",
        OK "Transfer-Encoding: chunked\r\n\r\n",
        OK "Transfer-Encoding: chunked\r\n\r\n3\r\nabc\r\n0\r\n",
    };

    (void)state;
    for (size_t i = 0; i < COUNT_OF(cut); i++) {
        struct client_http c = {0};

        client_http_begin(&c, false);
        assert_int_equal(read_bytes(&c, cut[i]), CLIENT_HTTP_MORE);
        assert_int_equal(client_http_close(&c), CLIENT_HTTP_MORE);
    }
}

static void head_has_no_body(void **state)
{
    struct client_http c = {0};

    (void)state;
    client_http_begin(&c, true);
    assert_int_equal(read_bytes(&c, OK "Content-Length: 5\r\n\r\n"), CLIENT_HTTP_DONE);
    assert_true(client_http_is_reusable(&c));
    assert_int_equal(c.body_bytes, 0);
}

static void sees_retry_after(void **state)
{
    struct client_http c = {0};

    (void)state;
    client_http_begin(&c, false);
    read_bytes(&c, "HTTP/1.1 503 x\r\nRetry-After: 1\r\nContent-Length: 0\r\n\r\n");
    assert_true(c.has_retry_after);
    client_http_begin(&c, false);
    read_bytes(&c, OK "Content-Length: 0\r\n\r\n");
    assert_false(c.has_retry_after);
}

static void ends_a_head_without_end(void **state)
{
    struct client_http c = {0};
    enum client_http_verdict verdict = CLIENT_HTTP_MORE;
    size_t used, sent = 0;

    (void)state;
    client_http_begin(&c, false);
    read_bytes(&c, OK);
    for (; verdict == CLIENT_HTTP_MORE && sent < 1 << 20; sent += 6)
        verdict = client_http_feed(&c, "X: y\r\n", 6, &used);
    assert_int_equal(verdict, CLIENT_HTTP_BAD);
    assert_in_range(sent, CLIENT_HTTP_HEAD_MAX / 2, CLIENT_HTTP_HEAD_MAX * 2);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(reads_at_every_split),
        cmocka_unit_test(refuses_at_every_split),
        cmocka_unit_test(forgets_the_response_before),
        cmocka_unit_test(reads_until_close),
        cmocka_unit_test(knows_what_is_cut),
        cmocka_unit_test(head_has_no_body),
        cmocka_unit_test(sees_retry_after),
        cmocka_unit_test(ends_a_head_without_end),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
