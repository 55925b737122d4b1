/* SPDX-License-Identifier: MIT */
/*
 * test_http_sse - events as text: whatever the data, one event, and its lines are data.
 */
#include "http/sse.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

static const struct {
    const char *name, *data, *want;
} ROWS[] = {
    {"", "", "data: \n\n"},
    {"", "x", "data: x\n\n"},
    {"time", "x", "event: time\ndata: x\n\n"},
    {"", "a\nb", "data: a\ndata: b\n\n"},
    {"", "a\rb", "data: a\ndata: b\n\n"},
    {"", "a\r\nb", "data: a\ndata: b\n\n"},
    {"", "a\n\rb", "data: a\ndata: \ndata: b\n\n"},
    {"", "a\r\rb", "data: a\ndata: \ndata: b\n\n"},
    {"", "a\n", "data: a\ndata: \n\n"},
    {"", "a\r\n", "data: a\ndata: \n\n"},
    {"", "a\r", "data: a\ndata: \n\n"},
    {"", "\n", "data: \ndata: \n\n"},
    {"", "x\n\ndata: y", "data: x\ndata: \ndata: data: y\n\n"},
    {"", "x\n\nevent: forged\ndata: y\n\n",
     "data: x\ndata: \ndata: event: forged\ndata: data: y\ndata: \ndata: \n\n"},
    {"", "x\rid: 7\rretry: 1", "data: x\ndata: id: 7\ndata: retry: 1\n\n"},
    {"", " x", "data:  x\n\n"},
    {"", ": no comment", "data: : no comment\n\n"},
};

static void an_event_is_what_is_meant(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof ROWS / sizeof *ROWS; i++) {
        struct slice name = slice_of(ROWS[i].name), data = slice_of(ROWS[i].data);
        size_t n = http_sse_size(name, data);
        char *text = malloc(n); /* to the byte: a sanitizer sees one too many */
        assert_non_null(text);
        assert_ptr_equal(http_sse_put(text, name, data), text + n);
        assert_int_equal(n, strlen(ROWS[i].want));
        assert_memory_equal(text, ROWS[i].want, n);
        free(text);
    }
}

static void data_may_have_a_nul(void **state)
{
    (void)state;
    char text[64];
    struct slice data = {"a\0b", 3};
    assert_int_equal(http_sse_size((struct slice){"", 0}, data), 11);
    http_sse_put(text, (struct slice){"", 0}, data);
    assert_memory_equal(text, "data: a\0b\n\n", 11);
}

static void a_name_is_one_line(void **state)
{
    (void)state;
    assert_true(http_sse_name_is_valid(slice_of("")));
    assert_true(http_sse_name_is_valid(slice_of("a b: c")));
    assert_false(http_sse_name_is_valid(slice_of("a\nb")));
    assert_false(http_sse_name_is_valid(slice_of("a\r")));
    assert_false(http_sse_name_is_valid(slice_of("\n")));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(an_event_is_what_is_meant),
        cmocka_unit_test(data_may_have_a_nul),
        cmocka_unit_test(a_name_is_one_line),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
