/* SPDX-License-Identifier: MIT */
/*
 * test_http_parser - what a good message becomes: the parts of struct http_request,
 * bodies, several messages in one read, and each limit at its edge.
 */
#include "tests/unit/http_transcript.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#define H "Host: a\r\n"

/** Parses one head that must be good; the caller has http_parser_init-ed. */
static const struct http_request *head_of(struct http_parser *p, const char *bytes)
{
    enum http_event event = http_parser_head(p, bytes, strlen(bytes));

    if (event != HTTP_EVENT_HEAD)
        fail_msg("%s: event %d, status %d %s", bytes, event, p->status, p->reason);
    return &p->request;
}

static void connection_follows_9112(void **state)
{
    static const struct {
        const char *bytes;
        bool keep, upgrade;
    } ROWS[] = {
        {"GET / HTTP/1.1\r\n" H "\r\n", true, false},
        {"GET / HTTP/1.1\r\n" H "Connection: close\r\n\r\n", false, false},
        {"GET / HTTP/1.1\r\n" H "Connection: Close\r\n\r\n", false, false},
        {"GET / HTTP/1.1\r\n" H "Connection: x, close ,y\r\n\r\n", false, false},
        {"GET / HTTP/1.1\r\n" H "Connection: x\r\nconnection: close\r\n\r\n", false,
         false},
        {"GET / HTTP/1.1\r\n" H "Connection: closed\r\n\r\n", true, false},
        {"GET / HTTP/1.1\r\n" H "Connection:\r\n\r\n", true, false},
        {"GET / HTTP/1.1\r\n" H "Connection: keep-alive, close\r\n\r\n", false, false},
        {"GET / HTTP/1.0\r\n\r\n", false, false},
        {"GET / HTTP/1.0\r\nConnection: keep-alive\r\n\r\n", true, false},
        {"GET / HTTP/1.0\r\nConnection: Keep-Alive, TE\r\n\r\n", true, false},
        {"GET / HTTP/1.0\r\nConnection: keep-alive, close\r\n\r\n", false, false},
        {"GET / HTTP/1.1\r\n" H "Connection: Upgrade\r\nUpgrade: h2c\r\n\r\n", true,
         true},
    };
    struct http_parser p;

    (void)state;
    http_parser_init(&p, &TRANSCRIPT_LIMITS);
    for (size_t i = 0; i < sizeof(ROWS) / sizeof(ROWS[0]); i++) {
        const struct http_request *r = head_of(&p, ROWS[i].bytes);
        if (r->keep_alive != ROWS[i].keep || r->upgrade_offered != ROWS[i].upgrade)
            fail_msg("%s: keep %d upgrade %d", ROWS[i].bytes, r->keep_alive,
                     r->upgrade_offered);
        http_parser_reset(&p);
    }
    http_parser_fini(&p);
}

static void body_kind_and_expectation(void **state)
{
    static const struct {
        const char *bytes;
        enum http_body_kind kind;
        uint64_t length;
        bool expects;
    } ROWS[] = {
        {"POST / HTTP/1.1\r\n" H "\r\n", HTTP_BODY_NONE, 0, false},
        {"POST / HTTP/1.1\r\n" H "Content-Length: 0\r\n\r\n", HTTP_BODY_NONE, 0, false},
        {"GET / HTTP/1.1\r\n" H "content-length: 12\r\n\r\n", HTTP_BODY_LENGTH, 12,
         false},
        {"PUT / HTTP/1.1\r\n" H "Content-Length: 18446744073709551615\r\n\r\n",
         HTTP_BODY_LENGTH, UINT64_MAX, false},
        {"PUT / HTTP/1.1\r\n" H "Content-Length: 9223372036854775808\r\n\r\n",
         HTTP_BODY_LENGTH, 9223372036854775808u, false},
        {"PUT / HTTP/1.1\r\n" H "transfer-ENCODING: Chunked\r\n\r\n", HTTP_BODY_CHUNKED,
         0, false},
        {"PUT / HTTP/1.1\r\n" H "Expect: 100-continue\r\nContent-Length: 1\r\n\r\n",
         HTTP_BODY_LENGTH, 1, true},
        {"PUT / HTTP/1.1\r\n" H "Expect: 100-continue\r\n\r\n", HTTP_BODY_NONE, 0, false},
        {"PUT / HTTP/1.0\r\nExpect: 100-continue\r\nContent-Length: 1\r\n\r\n",
         HTTP_BODY_LENGTH, 1, false},
    };
    struct http_parser p;

    (void)state;
    http_parser_init(&p, &TRANSCRIPT_LIMITS);
    for (size_t i = 0; i < sizeof(ROWS) / sizeof(ROWS[0]); i++) {
        const struct http_request *r = head_of(&p, ROWS[i].bytes);
        if (r->body_kind != ROWS[i].kind || r->content_length != ROWS[i].length ||
            r->expect_continue != ROWS[i].expects)
            fail_msg("%s: kind %d", ROWS[i].bytes, r->body_kind);
        http_parser_reset(&p);
    }
    http_parser_fini(&p);
}

static void assert_span(const char *base, struct http_span span, const char *want)
{
    if (span.n != strlen(want) || memcmp(base + span.at, want, span.n) != 0)
        fail_msg("%.*s is not %s", (int)span.n, base + span.at, want);
}

static void target_is_taken_apart(void **state)
{
    static const struct {
        const char *line, *path, *query, *host;
        bool has_query;
    } ROWS[] = {
        {"GET / HTTP/1.1", "/", "", "a", false},
        {"GET /x/y?b=c?d HTTP/1.1", "/x/y", "b=c?d", "a", true},
        {"GET /? HTTP/1.1", "/", "", "a", true},
        {"OPTIONS * HTTP/1.1", "*", "", "a", false},
        {"GET http://h:80/x?y HTTP/1.1", "/x", "y", "h:80", true},
        {"GET HTTPS://[::1]:80/x HTTP/1.1", "/x", "", "[::1]:80", false},
        {"GET http://h HTTP/1.1", "", "", "h", false},
        {"GET http://h?q HTTP/1.1", "", "q", "h", true},
        {"GET //h/x HTTP/1.1", "//h/x", "", "a", false},
    };
    struct http_parser p;
    char head[256];

    (void)state;
    http_parser_init(&p, &TRANSCRIPT_LIMITS);
    for (size_t i = 0; i < sizeof(ROWS) / sizeof(ROWS[0]); i++) {
        snprintf(head, sizeof(head), "%s\r\n" H "\r\n", ROWS[i].line);
        const struct http_request *r = head_of(&p, head);
        assert_span(head, r->path, ROWS[i].path);
        assert_span(head, r->query, ROWS[i].query);
        assert_span(head, r->host, ROWS[i].host);
        assert_int_equal(r->has_query, ROWS[i].has_query);
        http_parser_reset(&p);
    }
    http_parser_fini(&p);
}

static void assert_transcript(const char *bytes, size_t n, struct split split,
                              const char *want)
{
    char *text = transcript_of(bytes, n, split, &TRANSCRIPT_LIMITS);

    assert_string_equal(text, want);
    free(text);
}

/** Four messages of every kind in one read, and in every other way. */
static void pipelined_messages_keep_their_order(void **state)
{
    static const char BYTES[] =
        "GET /1 HTTP/1.1\r\nHost: a\r\nX:\r\n\r\n"
        "POST /2 HTTP/1.1\r\nHost: a\r\nContent-Length: 5\r\n\r\nhello"
        "\r\nPOST /3 HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n"
        "3;x=y\r\nabc\r\n2\r\nde\r\n0\r\nT: 1\r\n\r\n"
        "HEAD /4 HTTP/1.0\r\n\r\n"
        "GET /5";
    static const char WANT[] =
        "head 32 method 1 minor 1 keep kind 0 length 0 method@0:GET target@4:/1 "
        "path@4:/1 host@23:a name@17:Host value@23:a name@26:X value@28:\n\nend 32\n"
        "head 48 method 3 minor 1 keep kind 1 length 5 method@0:POST target@5:/2 "
        "path@5:/2 host@24:a name@18:Host value@24:a name@27:Content-Length "
        "value@43:5\nhello\nend 85\n"
        "head 59 method 3 minor 1 keep kind 2 length 0 method@2:POST target@7:/3 "
        "path@7:/3 host@26:a name@20:Host value@26:a name@29:Transfer-Encoding "
        "value@48:chunked\nabcde\nend 174\n"
        "head 20 method 2 minor 0 close kind 0 length 0 method@0:HEAD target@5:/4 "
        "path@5:/4 host@0:\n\nend 194\n"
        "\nmore\n";
    size_t n = sizeof(BYTES) - 1;

    (void)state;
    assert_transcript(BYTES, n, (struct split){0}, WANT);
    assert_transcript(BYTES, n, (struct split){.step_max = 1}, WANT);
    for (size_t at = 1; at < n; at++)
        assert_transcript(BYTES, n, (struct split){.first = at}, WANT);
    for (uint32_t seed = 0; seed < 200; seed++)
        assert_transcript(BYTES, n, (struct split){.step_max = 9, .seed = seed}, WANT);
}

static void idle_until_a_method_begins(void **state)
{
    struct http_parser p;

    (void)state;
    http_parser_init(&p, &TRANSCRIPT_LIMITS);
    assert_true(http_parser_is_idle(&p));
    assert_int_equal(http_parser_head(&p, "", 0), HTTP_EVENT_MORE);
    assert_int_equal(http_parser_head(&p, "\r\n\r", 3), HTTP_EVENT_MORE);
    assert_true(http_parser_is_idle(&p));
    assert_int_equal(http_parser_head(&p, "\r\n\r\nG", 5), HTTP_EVENT_MORE);
    assert_false(http_parser_is_idle(&p));
    http_parser_fini(&p);
}

/* ---- limits ---- */

/** "" when the bytes are whole messages, else "414" and so on. */
static void assert_status(const char *bytes, const struct http_limits *limits,
                          const char *want)
{
    size_t n = strlen(bytes);
    char *whole = transcript_of(bytes, n, (struct split){0}, limits);
    char *each = transcript_of(bytes, n, (struct split){.step_max = 1}, limits);
    const char *error = strstr(whole, "\nerror ");
    char got[4] = "";

    if (error != NULL)
        memcpy(got, error + 7, 3);
    assert_string_equal(got, want);
    assert_string_equal(whole, each);
    free(whole);
    free(each);
}

static void each_limit_at_its_edge(void **state)
{
    struct http_limits limits = {.request_line_bytes = 20, /* GET /12345 HTTP/1.1 */
                                 .header_bytes = 24,       /* 9 + 13 + 2 */
                                 .header_fields = 2,
                                 .framing_bytes = 14, /* 3 + 2 + 3 + 2 + 3 + ... */
                                 .body_bytes = 6};
    struct http_limits wide = limits;

    (void)state;
    wide.header_bytes = 1000;
    assert_status("GET /234 HTTP/1.1\r\nHost: a\r\n\r\n", &limits, "");
    assert_status("GET /2345 HTTP/1.1\r\nHost: a\r\n\r\n", &limits, "");
    assert_status("GET /23456 HTTP/1.1\r\nHost: a\r\n\r\n", &limits, "414");

    assert_status("GET / HTTP/1.1\r\nHost: a\r\nX: 4567890\r\n\r\n", &limits, "");
    assert_status("GET / HTTP/1.1\r\nHost: a\r\nX: 45678901\r\n\r\n", &limits, "");
    assert_status("GET / HTTP/1.1\r\nHost: a\r\nX: 456789012\r\n\r\n", &limits, "431");

    assert_status("GET / HTTP/1.1\r\nHost: a\r\n\r\n", &wide, "");
    assert_status("GET / HTTP/1.1\r\nHost: a\r\nX: 1\r\n\r\n", &wide, "");
    assert_status("GET / HTTP/1.1\r\nHost: a\r\nX: 1\r\nX:\r\n\r\n", &wide, "431");

#define CHUNKS "POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n"
    limits.framing_bytes = wide.framing_bytes = 10;
    assert_status(CHUNKS "5\r\nhello\r\n0\r\n\r\n", &wide, "");
    assert_status(CHUNKS "6\r\nhello!\r\n0\r\n\r\n", &wide, "");
    assert_status(CHUNKS "7\r\nhello!!\r\n0\r\n\r\n", &wide, "413");
    assert_status(CHUNKS "07\r\nhello\r\n0\r\n\r\n", &wide, "413");
    assert_status(CHUNKS "05\r\nhello\r\n0\r\n\r\n", &wide, "413"); /* the 11th byte */
    wide.framing_bytes = 11;
    assert_status(CHUNKS "05\r\nhello\r\n0\r\n\r\n", &wide, "");
    wide.framing_bytes = 30;
    assert_status(CHUNKS "3\r\nabc\r\n3\r\ndef\r\n0\r\n\r\n", &wide, "");
    assert_status(CHUNKS "3\r\nabc\r\n4\r\ndefg\r\n0\r\n\r\n", &wide, "413");
    assert_status(CHUNKS "3\r\nabc\r\n4\r\n", &wide, "413"); /* before its data */
}

/** More fields than fit inline: one block, kept for the next message. */
static void many_fields_grow_once(void **state)
{
    struct http_parser p;
    char head[4096];
    int n = snprintf(head, sizeof(head), "GET / HTTP/1.1\r\nHost: a\r\n");

    (void)state;
    for (int i = 1; i < 100; i++)
        n += snprintf(head + n, sizeof(head) - (size_t)n, "X-%d: %d\r\n", i, i * i);
    snprintf(head + n, sizeof(head) - (size_t)n, "\r\n");
    http_parser_init(&p, &TRANSCRIPT_LIMITS);
    const struct http_field *block = NULL;
    for (int round = 0; round < 2; round++) {
        const struct http_request *r = head_of(&p, head);
        assert_int_equal(r->field_count, 100);
        assert_span(head, r->field[99].name, "X-99");
        assert_span(head, r->field[99].value, "9801");
        assert_span(head, r->field[0].value, "a");
        if (round == 1)
            assert_ptr_equal(r->field, block);
        block = r->field;
        http_parser_reset(&p);
    }
    http_parser_fini(&p);
}

/** The worker's own limit, set between head and body. */
static void body_limit_may_change_after_the_head(void **state)
{
    static const char HEAD[] = CHUNKS;
    struct http_parser p;
    size_t used = 0;

    (void)state;
    http_parser_init(&p, &TRANSCRIPT_LIMITS);
    head_of(&p, HEAD);
    p.body_limit = 4;
    assert_int_equal(http_parser_body(&p, "5\r\nhello", 8, &used), HTTP_EVENT_ERROR);
    assert_int_equal(p.status, 413);
    http_parser_fini(&p);
}

static void counted_body_ends_exactly(void **state)
{
    struct http_parser p;
    size_t used = 0;

    (void)state;
    http_parser_init(&p, &TRANSCRIPT_LIMITS);
    head_of(&p, "POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 5\r\n\r\n");
    assert_int_equal(http_parser_body(&p, "", 0, &used), HTTP_EVENT_MORE);
    assert_int_equal(http_parser_body(&p, "he", 2, &used), HTTP_EVENT_BODY);
    assert_int_equal(used, 2);
    assert_int_equal(http_parser_body(&p, "lloGET", 6, &used), HTTP_EVENT_BODY);
    assert_int_equal(used, 3);
    assert_int_equal(p.piece.n, 3);
    assert_int_equal(http_parser_body(&p, "GET", 3, &used), HTTP_EVENT_DONE);
    assert_int_equal(used, 0);
    http_parser_fini(&p);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(connection_follows_9112),
        cmocka_unit_test(body_kind_and_expectation),
        cmocka_unit_test(target_is_taken_apart),
        cmocka_unit_test(pipelined_messages_keep_their_order),
        cmocka_unit_test(idle_until_a_method_begins),
        cmocka_unit_test(each_limit_at_its_edge),
        cmocka_unit_test(many_fields_grow_once),
        cmocka_unit_test(body_limit_may_change_after_the_head),
        cmocka_unit_test(counted_body_ends_exactly),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
