/* SPDX-License-Identifier: MIT */
/*
 * test_http_forwarded - the list that proxies write, read from the right.
 */
#include "http/forwarded.h"

#include "common/check.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

/* Proxies: 10.0.0.0/8 as text, and fd00::1. */
static bool is_trusted(const void *arg, const char *host)
{
    (void)arg;
    return strncmp(host, "10.", 3) == 0 || strcmp(host, "fd00::1") == 0;
}

static const struct {
    enum forwarded_form form;
    const char *list;
    const char *client, *proto, *host;
} rows[] = {
    {FORWARDED_X, "203.0.113.7", "203.0.113.7", "", ""},
    {FORWARDED_X, " 203.0.113.7\t", "203.0.113.7", "", ""},
    {FORWARDED_X, "203.0.113.7, 10.0.0.1", "203.0.113.7", "", ""},
    {FORWARDED_X, "203.0.113.7,10.0.0.1,10.0.0.2", "203.0.113.7", "", ""},
    /* whoever stands left of an untrusted one is a claim of theirs */
    {FORWARDED_X, "1.2.3.4, 203.0.113.7", "203.0.113.7", "", ""},
    {FORWARDED_X, "10.9.9.9, 203.0.113.7, 10.0.0.1", "203.0.113.7", "", ""},
    {FORWARDED_X, "10.0.0.3, 10.0.0.1", "10.0.0.3", "", ""},
    {FORWARDED_X, "203.0.113.7:4711", "203.0.113.7", "", ""},
    {FORWARDED_X, "2001:DB8::1", "2001:db8::1", "", ""},
    {FORWARDED_X, "[2001:db8::1]", "2001:db8::1", "", ""},
    {FORWARDED_X, "[2001:db8::1]:4711", "2001:db8::1", "", ""},
    {FORWARDED_X, "::ffff:203.0.113.7", "203.0.113.7", "", ""},
    {FORWARDED_X, "203.0.113.7, fd00::1", "203.0.113.7", "", ""},
    {FORWARDED_X, "", "", "", ""},
    {FORWARDED_X, "unknown", "", "", ""},
    {FORWARDED_X, "203.0.113.7,", "", "", ""},
    {FORWARDED_X, "1.2.3.4, unknown, 10.0.0.1", "10.0.0.1", "", ""},
    {FORWARDED_X, "1.2.3.4, , 10.0.0.1", "10.0.0.1", "", ""},
    {FORWARDED_X, "1.2.3.4 5.6.7.8", "", "", ""},
    {FORWARDED_X, "203.0.113.7:", "", "", ""},
    {FORWARDED_X, "203.0.113.256", "", "", ""},
    {FORWARDED_X, "[2001:db8::1", "", "", ""},
    {FORWARDED_X, "[2001:db8::1]4711", "", "", ""},
    {FORWARDED_X, "fe80::1%eth0", "", "", ""},
    {FORWARDED_X, "\"1.2.3.4, 203.0.113.7", "203.0.113.7", "", ""},
    {FORWARDED_X, "for=1.2.3.4", "", "", ""},
    {FORWARDED_RFC7239, "for=203.0.113.7", "203.0.113.7", "", ""},
    {FORWARDED_RFC7239, "For=203.0.113.7;Proto=https;by=10.0.0.1", "203.0.113.7", "https",
     ""},
    {FORWARDED_RFC7239, "for=203.0.113.7; proto=https ; host=a.example", "203.0.113.7",
     "https", "a.example"},
    {FORWARDED_RFC7239, "for=203.0.113.7;host=\"a.example:8443\"", "203.0.113.7", "",
     "a.example:8443"},
    {FORWARDED_RFC7239, "for=\"203.0.113.7:4711\"", "203.0.113.7", "", ""},
    {FORWARDED_RFC7239, "for=\"[2001:db8:cafe::17]:4711\"", "2001:db8:cafe::17", "", ""},
    {FORWARDED_RFC7239, "for=\"203.0.113.7:_port\"", "203.0.113.7", "", ""},
    {FORWARDED_RFC7239, "for=1.2.3.4;proto=https, for=203.0.113.7;proto=http",
     "203.0.113.7", "http", ""},
    {FORWARDED_RFC7239, "for=203.0.113.7;proto=https, for=10.0.0.1;proto=http",
     "203.0.113.7", "https", ""},
    {FORWARDED_RFC7239, "for=_hidden, for=10.0.0.1;proto=https", "10.0.0.1", "https", ""},
    {FORWARDED_RFC7239, "for=unknown", "", "", ""},
    {FORWARDED_RFC7239, "proto=https", "", "", ""},
    {FORWARDED_RFC7239, "203.0.113.7", "", "", ""},
    {FORWARDED_RFC7239, "for=203.0.113.7;for=1.2.3.4", "", "", ""},
    {FORWARDED_RFC7239, "for =203.0.113.7", "", "", ""},
    {FORWARDED_RFC7239, "for=203.0.113.7;", "", "", ""},
    {FORWARDED_RFC7239, "for=\"203.0.113.7", "", "", ""},
    {FORWARDED_RFC7239, "for=\"20\\3.0.113.7\"", "", "", ""},
    {FORWARDED_RFC7239, "for=", "", "", ""},
    {FORWARDED_RFC7239, "for=[2001:db8::1]", "", "", ""}, /* must be quoted: no token */
    /* a quote left open hides nobody but the one who opened it */
    {FORWARDED_RFC7239, "for=\"1.2.3.4, for=203.0.113.7", "203.0.113.7", "", ""},
    {FORWARDED_RFC7239, "for=\"1.2.3.4, for=203.0.113.7, for=10.0.0.1", "203.0.113.7", "",
     ""},
    {FORWARDED_RFC7239, "for=1.2.3.4;x=\"a,b\", for=10.0.0.1", "1.2.3.4", "", ""},
};

static void same(size_t i, const char *what, struct slice got, const char *want)
{
    if (!slice_is(got, slice_of(want)))
        fail_msg("'%s': %s is '%.*s', not '%s'", rows[i].list, what, (int)got.n, got.p,
                 want);
}

static void test_rows(void **state)
{
    (void)state;
    for (size_t i = 0; i < COUNT_OF(rows); i++) {
        struct forwarded said;

        forwarded_read(slice_of(rows[i].list), rows[i].form, is_trusted, NULL, &said);
        same(i, "client", slice_of(said.client), rows[i].client);
        same(i, "proto", said.proto, rows[i].proto);
        same(i, "host", said.host, rows[i].host);
    }
}

/* No more than that many hops, however long the list. */
static void test_hops(void **state)
{
    static const char HOP[] = ",10.0.0.1";
    char list[16 + sizeof(HOP) * FORWARDED_HOPS_MOST] = "10.0.0.2";
    char *end = list + strlen(list);
    struct forwarded said;

    (void)state;
    for (int i = 1; i < FORWARDED_HOPS_MOST; i++)
        end = (char *)mempcpy(end, HOP, sizeof(HOP)) - 1;
    forwarded_read(slice_of(list), FORWARDED_X, is_trusted, NULL, &said);
    assert_string_equal(said.client, "10.0.0.2");
    memcpy(end, HOP, sizeof(HOP));
    forwarded_read(slice_of(list), FORWARDED_X, is_trusted, NULL, &said);
    assert_string_equal(said.client, "10.0.0.1");
}

static void test_last(void **state)
{
    static const char *const words[][2] = {
        {"https", "https"},
        {"http, https", "https"},
        {" https ", "https"},
        {"https,", ""},
        {"", ""},
        {"\"a,b\"", "b\""},
    };

    (void)state;
    for (size_t i = 0; i < COUNT_OF(words); i++) {
        struct slice got = forwarded_last(slice_of(words[i][0]));
        assert_int_equal(got.n, strlen(words[i][1]));
        assert_memory_equal(got.p, words[i][1], got.n);
    }
}

int main(void)
{
    static const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_rows),
        cmocka_unit_test(test_hops),
        cmocka_unit_test(test_last),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
