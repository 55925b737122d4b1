/* SPDX-License-Identifier: MIT */
/*
 * test_http_response - heads byte for byte, framing by status, version and length; status
 * lines, dates, chunk heads, and which fields a handler may set.
 */
#include "http/date.h"
#include "http/response.h"
#include "http/status.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#define COUNT(array) (sizeof(array) / sizeof((array)[0]))
#define SHARED       "Server: remuda\r\nDate: Fri, 20 Nov 2026 09:38:23 GMT\r\n"
#define UNKNOWN      HTTP_LENGTH_UNKNOWN

static void heads_are_golden(void **state)
{
    static const struct {
        struct http_response r;
        const char *want;
        bool body; /* may follow */
    } ROWS[] = {
        {{.status = 200,
          .minor = 1,
          .keep_alive = true,
          .length = 13,
          .type = SLICE_LIT("text/plain")},
         "HTTP/1.1 200 OK\r\n" SHARED
         "Content-Type: text/plain\r\nContent-Length: 13\r\n\r\n",
         true},
        {{.status = 200, .minor = 1, .length = 0},
         "HTTP/1.1 200 OK\r\n" SHARED "Content-Length: 0\r\nConnection: close\r\n\r\n",
         true},
        {{.status = 200, .minor = 0, .keep_alive = true, .length = 1234567890123u},
         "HTTP/1.1 200 OK\r\n" SHARED
         "Content-Length: 1234567890123\r\nConnection: keep-alive\r\n\r\n",
         true},
        {{.status = 200, .minor = 1, .keep_alive = true, .length = UNKNOWN},
         "HTTP/1.1 200 OK\r\n" SHARED "Transfer-Encoding: chunked\r\n\r\n",
         true},
        {{.status = 200, .minor = 0, .keep_alive = true, .length = UNKNOWN},
         "HTTP/1.1 200 OK\r\n" SHARED "Connection: close\r\n\r\n",
         true},
        {{.status = 200, .minor = 1, .keep_alive = true, .head_only = true, .length = 5},
         "HTTP/1.1 200 OK\r\n" SHARED "Content-Length: 5\r\n\r\n",
         false},
        {{.status = 200,
          .minor = 1,
          .keep_alive = true,
          .head_only = true,
          .length = UNKNOWN},
         "HTTP/1.1 200 OK\r\n" SHARED "Transfer-Encoding: chunked\r\n\r\n",
         false},
        {{.status = 200,
          .minor = 0,
          .keep_alive = true,
          .head_only = true,
          .length = UNKNOWN},
         "HTTP/1.1 200 OK\r\n" SHARED "Connection: keep-alive\r\n\r\n",
         false},
        {{.status = 204,
          .minor = 1,
          .keep_alive = true,
          .length = 5,
          .type = SLICE_LIT("x/y")},
         "HTTP/1.1 204 No Content\r\n" SHARED "\r\n",
         false},
        {{.status = 304, .minor = 1, .keep_alive = true, .length = UNKNOWN},
         "HTTP/1.1 304 Not Modified\r\n" SHARED "\r\n",
         false},
        {{.status = 304, .minor = 0, .keep_alive = true, .length = UNKNOWN},
         "HTTP/1.1 304 Not Modified\r\n" SHARED "Connection: keep-alive\r\n\r\n",
         false},
        {{.status = 205, .minor = 1, .keep_alive = true, .length = 9},
         "HTTP/1.1 205 Reset Content\r\n" SHARED "Content-Length: 0\r\n\r\n",
         false},
        {{.status = 404,
          .minor = 1,
          .keep_alive = true,
          .length = 0,
          .fields = SLICE_LIT("Set-Cookie: a\r\nSet-Cookie: b\r\n")},
         "HTTP/1.1 404 Not Found\r\n" SHARED
         "Content-Length: 0\r\nSet-Cookie: a\r\nSet-Cookie: b\r\n\r\n",
         true},
        {{.status = 299, .minor = 1, .keep_alive = true, .length = 0},
         "HTTP/1.1 299 Successful\r\n" SHARED "Content-Length: 0\r\n\r\n",
         true},
        {{.status = 599, .minor = 1, .keep_alive = true, .length = UINT64_MAX - 1},
         "HTTP/1.1 599 Server Error\r\n" SHARED
         "Content-Length: 18446744073709551614\r\n\r\n",
         true},
    };

    (void)state;
    http_date_refresh(1795167503);
    for (size_t i = 0; i < COUNT(ROWS); i++) {
        struct http_response r = ROWS[i].r;
        http_response_plan(&r);
        size_t room = http_response_head_room(&r);
        char *out = malloc(room);
        assert_int_equal(http_response_head(out, room - 1, &r), 0);
        size_t n = http_response_head(out, room, &r);
        if (n != strlen(ROWS[i].want) || memcmp(out, ROWS[i].want, n) != 0)
            fail_msg("row %zu:\n%.*s", i, (int)n, out);
        assert_int_equal(http_response_has_body(&r), ROWS[i].body);
        free(out);
    }
}

/** The room holds for every status, at the longest of everything. */
static void room_is_enough_for_all(void **state)
{
    (void)state;
    for (int status = 100; status < 600; status++) {
        for (int minor = 0; minor < 2; minor++) {
            struct http_response r = {.status = status,
                                      .minor = (uint8_t)minor,
                                      .keep_alive = minor == 0,
                                      .length = UINT64_MAX - 1};
            http_response_plan(&r);
            size_t room = http_response_head_room(&r);
            char *out = malloc(room);
            size_t n = http_response_head(out, room, &r);
            assert_true(n > 4 && n <= room);
            assert_memory_equal(out + n - 4, "\r\n\r\n", 4);
            free(out);
        }
    }
}

static void status_lines(void **state)
{
    static const struct {
        int status;
        const char *line, *reason;
    } ROWS[] = {
        {200, "HTTP/1.1 200 OK\r\n", "OK"},
        {100, "HTTP/1.1 100 Continue\r\n", "Continue"},
        {511, "HTTP/1.1 511 Network Authentication Required\r\n",
         "Network Authentication Required"},
        {418, "HTTP/1.1 418 I'm a Teapot\r\n", "I'm a Teapot"},
        {420, "", "Client Error"},
        {199, "", "Informational"},
        {299, "", "Successful"},
        {399, "", "Redirection"},
        {599, "", "Server Error"},
        {99, "", "Unknown"},
        {600, "", "Unknown"},
        {0, "", "Unknown"},
        {-1, "", "Unknown"},
    };

    (void)state;
    for (size_t i = 0; i < COUNT(ROWS); i++) {
        struct slice line = http_status_line(ROWS[i].status);
        struct slice reason = http_status_reason(ROWS[i].status);
        assert_true(slice_is(line, slice_of(ROWS[i].line)));
        assert_true(slice_is(reason, slice_of(ROWS[i].reason)));
    }
}

static void dates(void **state)
{
    static const struct {
        time_t when;
        const char *want;
    } ROWS[] = {
        {0, "Thu, 01 Jan 1970 00:00:00 GMT"},
        {784111777, "Sun, 06 Nov 1994 08:49:37 GMT"}, /* the one of RFC 9110 */
        {951826154, "Tue, 29 Feb 2000 12:09:14 GMT"},
        {4102444799, "Thu, 31 Dec 2099 23:59:59 GMT"},
    };
    char out[HTTP_DATE_BYTES + 1];

    (void)state;
    for (size_t i = 0; i < COUNT(ROWS); i++) {
        http_date_format(ROWS[i].when, out);
        assert_string_equal(out, ROWS[i].want);
    }
}

/** A reader that got its block just before a refresh may still copy it. */
static void a_block_outlives_one_refresh(void **state)
{
    (void)state;
    http_date_refresh(784111777);
    const char *block = http_date_block();
    assert_int_equal(strlen(block), HTTP_DATE_BLOCK_BYTES);
    assert_non_null(strstr(block, "08:49:37"));
    http_date_refresh(784111777);
    assert_ptr_equal(block, http_date_block());
    http_date_refresh(784111778);
    assert_non_null(strstr(block, "08:49:37"));
    assert_non_null(strstr(http_date_block(), "08:49:38"));
}

static void chunk_heads(void **state)
{
    static const struct {
        uint64_t n;
        const char *want;
    } ROWS[] = {
        {1, "1\r\n"},
        {15, "f\r\n"},
        {16, "10\r\n"},
        {255, "ff\r\n"},
        {8000, "1f40\r\n"},
        {65536, "10000\r\n"},
        {UINT64_MAX, "ffffffffffffffff\r\n"},
    };
    char out[HTTP_CHUNK_HEAD_BYTES];

    (void)state;
    for (size_t i = 0; i < COUNT(ROWS); i++) {
        size_t n = http_response_chunk_head(out, ROWS[i].n);
        assert_int_equal(n, strlen(ROWS[i].want));
        assert_memory_equal(out, ROWS[i].want, n);
    }
}

static void error_pages(void **state)
{
    char out[HTTP_ERROR_PAGE_BYTES];

    (void)state;
    assert_int_equal(http_response_error_page(404, out), 14);
    assert_string_equal(out, "404 Not Found\n");
    for (int status = 100; status < 600; status++) {
        size_t n = http_response_error_page(status, out);
        assert_int_equal(strlen(out), n);
    }
}

static void fields_of_a_handler(void **state)
{
    static const struct {
        const char *name, *value;
        bool good;
    } ROWS[] = {
        {"X-A", "b", true},
        {"a", "", true},
        {"A", "b\tc d", true},
        {"A", "\xc3\xa4", true},
        {"!#$%&'*+-.^_`|~", "", true},
        {"", "b", false},
        {"a b", "c", false},
        {"a:", "c", false},
        {"a\r", "c", false},
        {"\xc3\xa4", "c", false},
        {"(a)", "c", false},
        {"A", "b\r", false},
        {"A", "b\nc", false},
        {"A", "b\r\nC: d", false},
        {"A", "\x01", false},
        {"A", "\x7f", false},
        {"A", " b", false},
        {"A", "b ", false},
        {"A", "\tb", false},
    };

    (void)state;
    for (size_t i = 0; i < COUNT(ROWS); i++)
        if (http_field_is_valid(slice_of(ROWS[i].name), slice_of(ROWS[i].value)) !=
            ROWS[i].good)
            fail_msg("%s: %s", ROWS[i].name, ROWS[i].value);
    assert_false(http_field_is_valid(SLICE_LIT("A"), (struct slice){"b\0c", 3}));
    assert_false(http_field_is_valid((struct slice){"A\0", 2}, SLICE_LIT("b")));
}

static void fields_of_the_host(void **state)
{
    static const char *const OWN[] = {
        "Content-Length", "transfer-encoding", "CONNECTION", "Date",
        "Server",         "Keep-Alive",        "Upgrade",    "TE",
        "Trailer",        "Proxy-Connection"};
    static const char *const FREE[] = {
        "Content-Type",  "Set-Cookie",      "Location", "X",
        "Content-Lengt", "Content-Lengths", ""};

    (void)state;
    for (size_t i = 0; i < COUNT(OWN); i++)
        assert_true(http_field_is_hosts_own(slice_of(OWN[i])));
    for (size_t i = 0; i < COUNT(FREE); i++)
        assert_false(http_field_is_hosts_own(slice_of(FREE[i])));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(heads_are_golden),
        cmocka_unit_test(room_is_enough_for_all),
        cmocka_unit_test(status_lines),
        cmocka_unit_test(dates),
        cmocka_unit_test(a_block_outlives_one_refresh),
        cmocka_unit_test(chunk_heads),
        cmocka_unit_test(error_pages),
        cmocka_unit_test(fields_of_a_handler),
        cmocka_unit_test(fields_of_the_host),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
