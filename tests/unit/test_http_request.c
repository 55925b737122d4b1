/* SPDX-License-Identifier: MIT */
/*
 * test_http_request - methods by name, look-ups in the fields, joined values, the seal.
 */
#include "http/parser.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

static const char HEAD[] = "GET /p?q HTTP/1.1\r\n"
                           "Host: a\r\n"
                           "Accept: x \t\r\n"
                           "Empty:\r\n"
                           "Blank: \t \r\n"
                           "accept:y, z\r\n"
                           "Cookie: a=b; c=d\r\n"
                           "ACCEPT: w\r\n"
                           "\r\n";

static const struct http_limits LIMITS = {8192, 16384, 100, 16384, 1 << 20};

static struct http_parser parser;

static struct http_request *parsed(const char *head, size_t n)
{
    http_parser_init(&parser, &LIMITS);
    assert_int_equal(http_parser_head(&parser, head, n), HTTP_EVENT_HEAD);
    assert_int_equal(parser.request.head_bytes, n);
    return &parser.request;
}

static void methods_have_one_name(void **state)
{
    (void)state;
    for (unsigned m = HTTP_METHOD_GET; m < HTTP_METHODS; m++) {
        const char *name = http_method_name((enum http_method)m);
        assert_true(strlen(name) > 2);
        assert_int_equal(http_method_of(slice_of(name)), m);
    }
    static const char *const NONE[] = {"", "get", "GE", "GETS", "Post", "PRI", "QUERY"};
    for (size_t i = 0; i < sizeof(NONE) / sizeof(NONE[0]); i++)
        assert_int_equal(http_method_of(slice_of(NONE[i])), HTTP_METHOD_NONE);
}

static void fields_are_found_by_name(void **state)
{
    static const struct {
        const char *name, *first; /* NULL: absent */
        uint32_t repeats;
        const char *joined;
    } ROWS[] = {
        {"host", "a", 1, "a"},
        {"HOST", "a", 1, "a"},
        {"accept", "x", 3, "x, y, z, w"},
        {"empty", "", 1, ""},
        {"blank", "", 1, ""},
        {"Cookie", "a=b; c=d", 1, "a=b; c=d"},
        {"cooki", NULL, 0, NULL},
        {"cookies", NULL, 0, NULL},
        {"", NULL, 0, NULL},
    };
    const struct http_request *r = parsed(HEAD, sizeof(HEAD) - 1);
    char out[32];

    (void)state;
    for (size_t i = 0; i < sizeof(ROWS) / sizeof(ROWS[0]); i++) {
        struct slice name = slice_of(ROWS[i].name);
        size_t n = 99;
        const char *value = http_request_field(r, HEAD, name, &n);
        assert_int_equal(http_request_field_repeats(r, HEAD, name), ROWS[i].repeats);
        long joined = http_request_field_join(r, HEAD, name, out, sizeof(out));
        if (ROWS[i].first == NULL) {
            assert_null(value);
            assert_int_equal(joined, -1);
            continue;
        }
        assert_int_equal(n, strlen(ROWS[i].first));
        assert_memory_equal(value, ROWS[i].first, n);
        assert_int_equal(joined, strlen(ROWS[i].joined));
        assert_string_equal(out, ROWS[i].joined);
    }
}

/** The size is told whatever the room, and nothing is written behind it. */
static void joining_into_any_room(void **state)
{
    static const char WHOLE[] = "x, y, z, w";
    const struct http_request *r = parsed(HEAD, sizeof(HEAD) - 1);

    (void)state;
    for (size_t room = 0; room <= sizeof(WHOLE); room++) {
        char *out = malloc(room > 0 ? room : 1);
        long n = http_request_field_join(r, HEAD, SLICE_LIT("Accept"), out, room);
        assert_int_equal(n, sizeof(WHOLE) - 1);
        if (room > 0) {
            assert_int_equal(strlen(out), room - 1);
            assert_memory_equal(out, WHOLE, room - 1);
        }
        free(out);
    }
}

/** Sealed parts are strings, and the byte behind the head is not touched. */
static void the_seal_ends_every_part(void **state)
{
    char *head = malloc(sizeof(HEAD)); /* with room for one byte of the next message */

    (void)state;
    assert_non_null(head);
    memcpy(head, HEAD, sizeof(HEAD) - 1);
    head[sizeof(HEAD) - 1] = '!';
    struct http_request *r = parsed(head, sizeof(HEAD) - 1);
    http_request_seal(r, head);
    assert_string_equal(head + r->method_text.at, "GET");
    assert_string_equal(head + r->target.at, "/p?q");
    assert_string_equal(http_request_field(r, head, SLICE_LIT("Host"), NULL), "a");
    assert_string_equal(http_request_field(r, head, SLICE_LIT("accept"), NULL), "x");
    assert_string_equal(http_request_field(r, head, SLICE_LIT("Empty"), NULL), "");
    assert_string_equal(http_request_field(r, head, SLICE_LIT("Blank"), NULL), "");
    assert_string_equal(head + r->field[6].name.at, "ACCEPT");
    assert_string_equal(head + r->field[6].value.at, "w");
    assert_int_equal(head[sizeof(HEAD) - 1], '!');
    free(head);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(methods_have_one_name),
        cmocka_unit_test(fields_are_found_by_name),
        cmocka_unit_test(joining_into_any_room),
        cmocka_unit_test(the_seal_ends_every_part),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
