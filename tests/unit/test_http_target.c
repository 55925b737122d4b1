/* SPDX-License-Identifier: MIT */
/*
 * test_http_target - target forms, canonical paths, queries, hosts; and the table of byte
 * classes against the sets of the RFCs.
 */
#include "http/chars.h"
#include "http/target.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#define COUNT(array) (sizeof(array) / sizeof((array)[0]))

/** The path canonical, in a block of its exact size; NULL: refused. The caller frees. */
static char *canonical(const char *path)
{
    size_t n = strlen(path), room = n + 1 > 2 ? n + 1 : 2, got = 0;
    char *out = malloc(room);

    assert_non_null(out);
    if (!http_target_decode((struct slice){path, n}, out, room, &got)) {
        free(out);
        return NULL;
    }
    assert_int_equal(strlen(out), got);
    return out;
}

static void paths_become_canonical(void **state)
{
    static const struct {
        const char *path, *want; /* NULL: refused */
    } ROWS[] = {
        {"", "/"},
        {"*", "*"},
        {"/", "/"},
        {"/a", "/a"},
        {"/a/", "/a/"},
        {"/a/b", "/a/b"},
        {"//", "/"},
        {"//a", "/a"},
        {"/a//b///c", "/a/b/c"},
        {"/a//", "/a/"},
        {"/.", "/"},
        {"/./", "/"},
        {"/a/.", "/a/"},
        {"/a/./b", "/a/b"},
        {"/a/..", "/"},
        {"/a/b/..", "/a/"},
        {"/a/b/../", "/a/"},
        {"/a/b/../c", "/a/c"},
        {"/a/b/../../c", "/c"},
        {"/..", NULL},
        {"/../a", NULL},
        {"/a/../..", NULL},
        {"/a/../../a", NULL},
        {"/%2e%2e/a", NULL},
        {"/%2E./a", NULL},
        {"/a/%2e%2E/b", "/b"},
        {"/%2e", "/"},
        {"/...", "/..."},
        {"/.a", "/.a"},
        {"/a.", "/a."},
        {"/..a", "/..a"},
        {"/.well-known/x", "/.well-known/x"},
        {"/h%65llo", "/hello"},
        {"/%7Ea", "/~a"},
        {"/a%20b", "/a b"},
        {"/a+b", "/a+b"},
        {"/%c3%a4", "/\xc3\xa4"},
        {"/a%2fb", "/a%2Fb"},
        {"/a%2Fb/c", "/a%2Fb/c"},
        {"/%2f", "/%2F"},
        {"/a%25b", "/a%25b"},
        {"/%252e%252e", "/%252e%252e"},
        {"/%252fx", "/%252fx"},
        {"/a%2f..%2fb", NULL},
        {"/..%2fb", NULL},
        {"/a%2f%2e%2e", NULL},
        {"/a%2f.", NULL},
        {"/a%2f...", "/a%2F..."},
        {"/%00", NULL},
        {"/a%00b", NULL},
        {"/a%0d%0a", NULL},
        {"/a%7f", NULL},
        {"/%", NULL},
        {"/%4", NULL},
        {"/%4g", NULL},
        {"/%zz", NULL},
        {"/a%", NULL},
        {"/%4/1", NULL},
        {"a/b", NULL},
        {"/a?b", "/a?b"}, /* not ours to judge: split before */
    };

    (void)state;
    for (size_t i = 0; i < COUNT(ROWS); i++) {
        char *got = canonical(ROWS[i].path);
        if ((got == NULL) != (ROWS[i].want == NULL) ||
            (got != NULL && strcmp(got, ROWS[i].want) != 0))
            fail_msg("%s: want %s, got %s", ROWS[i].path, ROWS[i].want, got);
        free(got);
    }
}

/** Plain means that decoding changes nothing; and a canonical path stays what it is. */
static void plain_paths_need_no_copy(void **state)
{
    static const struct {
        const char *path;
        bool plain;
    } ROWS[] = {
        {"/", true},      {"/a/b/", true}, {"*", true},    {"/a.b", true},
        {"", false},      {"//", false},   {"/.", false},  {"/a/../b", false},
        {"/a%41", false}, {"/a//", false}, {"/.a", false},
    };

    (void)state;
    for (size_t i = 0; i < COUNT(ROWS); i++) {
        if (http_target_is_plain(slice_of(ROWS[i].path)) != ROWS[i].plain)
            fail_msg("%s", ROWS[i].path);
        if (!ROWS[i].plain)
            continue;
        char *got = canonical(ROWS[i].path);
        assert_string_equal(got, ROWS[i].path);
        free(got);
    }
}

static void unescape_takes_the_last_two(void **state)
{
    static const struct {
        const char *text, *want;
    } ROWS[] = {
        {"", ""},         {"a", "a"},           {"a%2Fb", "a/b"}, {"%25", "%"},
        {"%252e", "%2e"}, {"%2F%25%2F", "/%/"}, {"a%25", "a%"},
    };

    (void)state;
    for (size_t i = 0; i < COUNT(ROWS); i++) {
        size_t n = strlen(ROWS[i].text);
        char *out = strdup(ROWS[i].text); /* in place */
        assert_int_equal(http_target_unescape((struct slice){out, n}, out),
                         strlen(ROWS[i].want));
        assert_string_equal(out, ROWS[i].want);
        free(out);
    }
}

static void each_method_has_its_forms(void **state)
{
    static const struct {
        const char *target;
        enum http_method method;
        bool good;
    } ROWS[] = {
        {"/", HTTP_METHOD_GET, true},
        {"/a|b[c]", HTTP_METHOD_GET, true},
        {"/a?{b}|^`\\[]", HTTP_METHOD_GET, true},
        {"/a?b/c?d", HTTP_METHOD_GET, true},
        {"*", HTTP_METHOD_OPTIONS, true},
        {"http://a", HTTP_METHOD_GET, true},
        {"https://a:443/b?c", HTTP_METHOD_GET, true},
        {"hTTp://a/", HTTP_METHOD_OPTIONS, true},
        {"", HTTP_METHOD_GET, false},
        {"*", HTTP_METHOD_GET, false},
        {"**", HTTP_METHOD_OPTIONS, false},
        {"*/", HTTP_METHOD_OPTIONS, false},
        {"a", HTTP_METHOD_GET, false},
        {"a:80", HTTP_METHOD_GET, false},
        {"ftp://a/", HTTP_METHOD_GET, false},
        {"http:/a", HTTP_METHOD_GET, false},
        {"http://", HTTP_METHOD_GET, false},
        {"http:///a", HTTP_METHOD_GET, false},
        {"http://u@h/", HTTP_METHOD_GET, false},
        {"http://a#b", HTTP_METHOD_GET, false},
        {"/#", HTTP_METHOD_GET, false},
        {"/?#", HTTP_METHOD_GET, false},
        {"/a b", HTTP_METHOD_GET, false},
        {"/a\tb", HTTP_METHOD_GET, false},
        {"/a\\b", HTTP_METHOD_GET, false},
        {"/<a>", HTTP_METHOD_GET, false},
        {"/?\"", HTTP_METHOD_GET, false},
        {"/{a}", HTTP_METHOD_GET, false},
        {"/\x7f", HTTP_METHOD_GET, false},
        {"/?\x80", HTTP_METHOD_GET, false},
    };
    struct http_target parts;

    (void)state;
    for (size_t i = 0; i < COUNT(ROWS); i++)
        if (http_target_split(slice_of(ROWS[i].target), ROWS[i].method, &parts) !=
            ROWS[i].good)
            fail_msg("%s", ROWS[i].target);
}

static void hosts(void **state)
{
    static const char *const GOOD[] = {
        "a",
        "a.b.c",
        "localhost:8000",
        "127.0.0.1",
        "a:",
        "[::1]",
        "[::1]:80",
        "a_b",
        "a-b",
        "xn--a",
        "a%41",
        "a:65535",
        "[::ffff:127.0.0.1]",
        "a~!$&'()*+;=",
    };
    static const char *const BAD[] = {
        "",
        ":80",
        "a b",
        "a/b",
        "a@b",
        "a:b",
        "a:80:80",
        "a:123456",
        "[::1",
        "::1",
        "[]",
        "[x]",
        "[::1]a",
        "[::1]:x",
        "a%4",
        "a%zz",
        "[::1%25eth0]",
        "a?b",
        "a#b",
        "a\\b",
        "\x80",
        "a%41:x",
        "[1:2:3:4:5:6:7:8:9:a:b:c:d:e:f:0:1:2:3:4:5:6]",
    };

    (void)state;
    for (size_t i = 0; i < COUNT(GOOD); i++)
        if (!http_target_host_is_valid(slice_of(GOOD[i])))
            fail_msg("%s is good", GOOD[i]);
    for (size_t i = 0; i < COUNT(BAD); i++)
        if (http_target_host_is_valid(slice_of(BAD[i])))
            fail_msg("%s is bad", BAD[i]);
    assert_false(http_target_host_is_valid((struct slice){"[::1\0]", 6}));
    assert_false(http_target_host_is_valid((struct slice){"a\0", 2}));
}

static void queries(void **state)
{
    static const struct {
        const char *query, *name, *want; /* NULL: absent */
    } ROWS[] = {
        {"", "a", NULL},       {"a=1", "a", "1"},           {"a=1&b=2", "b", "2"},
        {"a=1&a=2", "a", "1"}, {"ab=1&a=2", "a", "2"},      {"a", "a", ""},
        {"a=", "a", ""},       {"a&b=1", "a", ""},          {"a==b", "a", "=b"},
        {"&&a=1&", "a", "1"},  {"a=x+y%20z", "a", "x y z"}, {"%61=1", "a", "1"},
        {"a+b=1", "a b", "1"}, {"a=%", "a", "%"},           {"a=%4", "a", "%4"},
        {"a=%zz", "a", "%zz"}, {"a=%26", "a", "&"},         {"a%3d=1", "a=", "1"},
        {"A=1", "a", NULL},    {"a=1", "", NULL},           {"=1", "", "1"},
        {"a=1?b", "a", "1?b"},
    };
    char out[32];

    (void)state;
    for (size_t i = 0; i < COUNT(ROWS); i++) {
        struct slice query = slice_of(ROWS[i].query), name = slice_of(ROWS[i].name);
        long n = http_query_find(query, name, out, query.n + 1);
        if (ROWS[i].want == NULL
                ? n != -1
                : n != (long)strlen(ROWS[i].want) || strcmp(out, ROWS[i].want) != 0)
            fail_msg("%s, %s: %ld", ROWS[i].query, ROWS[i].name, n);
    }
}

static void a_short_room_cuts_and_tells(void **state)
{
    char out[4] = "xyz";

    (void)state;
    assert_int_equal(http_query_find(SLICE_LIT("a=hello"), SLICE_LIT("a"), out, 3), 5);
    assert_string_equal(out, "he");
    assert_int_equal(http_query_find(SLICE_LIT("a=hello"), SLICE_LIT("a"), NULL, 0), 5);
    assert_int_equal(http_query_find(SLICE_LIT("a=x%00y"), SLICE_LIT("a"), out, 4), 3);
    assert_memory_equal(out, "x\0y", 4);
    assert_int_equal(http_query_find((struct slice){NULL, 0}, SLICE_LIT("a"), out, 4),
                     -1);
}

/** The table again, from the grammar. */
static void classes_are_those_of_the_rfcs(void **state)
{
    static const char ALNUM[] =
        "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789";

    (void)state;
    for (int c = 0; c < 256; c++) {
        bool alnum = c != 0 && strchr(ALNUM, c) != NULL;
        bool token = alnum || (c != 0 && strchr("!#$%&'*+-.^_`|~", c) != NULL);
        bool host = alnum || (c != 0 && strchr("-._~!$&'()*+;=", c) != NULL);
        bool path = host || (c != 0 && strchr(",:@/%|[]", c) != NULL);
        bool query = c > 0x20 && c < 0x7f && strchr("\"<>#", c) == NULL;
        bool value = c == '\t' || (c >= 0x20 && c != 0x7f);
        int want = token * HTTP_CHAR_TOKEN + path * HTTP_CHAR_PATH +
                   query * HTTP_CHAR_QUERY + host * HTTP_CHAR_HOST +
                   value * HTTP_CHAR_VALUE;
        if (http_chars[c] != want)
            fail_msg("byte 0x%02x: %d is not %d", (unsigned)c, http_chars[c], want);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(paths_become_canonical),
        cmocka_unit_test(plain_paths_need_no_copy),
        cmocka_unit_test(unescape_takes_the_last_two),
        cmocka_unit_test(each_method_has_its_forms),
        cmocka_unit_test(hosts),
        cmocka_unit_test(queries),
        cmocka_unit_test(a_short_room_cuts_and_tells),
        cmocka_unit_test(classes_are_those_of_the_rfcs),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
