/* SPDX-License-Identifier: MIT */
/*
 * test_common_addr - addresses from text and back.
 */
#include "common/addr.h"

#include "common/check.h"

#include <arpa/inet.h>
#include <netinet/in.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <sys/un.h>

#include <cmocka.h>

static const struct {
    const char *text;
    enum addr_kind kind;
    const char *want, *host; /* as printed */
    unsigned port;
} good[] = {
    {"127.0.0.1:80", ADDR_INET, "127.0.0.1:80", "127.0.0.1", 80},
    {"0.0.0.0:0", ADDR_INET, "0.0.0.0:0", "0.0.0.0", 0},
    {"10.1.2.3:65535", ADDR_INET, "10.1.2.3:65535", "10.1.2.3", 65535},
    {"localhost:8000", ADDR_INET, "127.0.0.1:8000", "127.0.0.1", 8000},
    {"[::1]:80", ADDR_INET6, "[::1]:80", "::1", 80},
    {"[::]:0", ADDR_INET6, "[::]:0", "::", 0},
    {"[2001:DB8:0::1]:443", ADDR_INET6, "[2001:db8::1]:443", "2001:db8::1", 443},
    {"[fe80::1%lo]:80", ADDR_INET6, "[fe80::1%lo]:80", "fe80::1%lo", 80},
    {"[fe80::1%1]:80", ADDR_INET6, "[fe80::1%lo]:80", "fe80::1%lo", 80},
    {"[fe80::1%4000000000]:80", ADDR_INET6, "[fe80::1%4000000000]:80",
     "fe80::1%4000000000", 80},
    {"[::ffff:192.0.2.7]:81", ADDR_INET6, "192.0.2.7:81", "192.0.2.7", 81},
    {"unix:/run/a.sock", ADDR_UNIX, "unix:/run/a.sock", "", 0},
    {"unix:/with:colon and space", ADDR_UNIX, "unix:/with:colon and space", "", 0},
};

static void test_good(void **state)
{
    (void)state;
    for (size_t i = 0; i < COUNT_OF(good); i++) {
        struct addr a;
        char text[ADDR_TEXT_MAX], host[ADDR_TEXT_MAX];
        const char *error = addr_parse(good[i].text, &a);

        if (error != NULL)
            fail_msg("%s: %s", good[i].text, error);
        const struct sockaddr *sa = (const struct sockaddr *)&a.storage;
        addr_format(sa, a.length, text, sizeof(text));
        addr_format_host(sa, a.length, host, sizeof(host));
        assert_string_equal(text, good[i].want);
        assert_string_equal(host, good[i].host);
        assert_int_equal(a.kind, good[i].kind);
        assert_int_equal(addr_port(sa), good[i].port);
    }
}

static const struct {
    const char *text, *want; /* a part of the complaint */
} bad[] = {
    {"", "port is missing"},
    {"127.0.0.1", "port is missing"},
    {"[::1]", "port is missing"},
    {"[::1]80", "port is missing"},
    {"[", "port is missing"},
    {"[:80", "port is missing"},
    {":", "port must be"},
    {"127.0.0.1:", "port must be"},
    {"127.0.0.1:-1", "port must be"},
    {"127.0.0.1:+80", "port must be"},
    {"127.0.0.1:80 ", "port must be"},
    {"127.0.0.1:65536", "port must be"},
    {"127.0.0.1:000080", "port must be"},
    {":80", "numeric IPv4"},
    {"*:80", "numeric IPv4"},
    {"example.org:80", "not resolved"},
    {"127.1:80", "numeric IPv4"},
    {"127.0.0.256:80", "numeric IPv4"},
    {"[]:80", "numeric IPv6"},
    {"[127.0.0.1]:80", "numeric IPv6"},
    {"[::g]:80", "numeric IPv6"},
    {"[::1]]:80", "numeric IPv6"},
    {"::1:80", "brackets"},
    {"[fe80::1%]:80", "interface"},
    {"[fe80::1%no-such-if0]:80", "interface"},
    {"[fe80::1%99999999999]:80", "interface"},
    {"unix:", "start with /"},
    {"unix:relative", "start with /"},
    {"unix:@abstract", "start with /"},
};

static void test_bad(void **state)
{
    (void)state;
    for (size_t i = 0; i < COUNT_OF(bad); i++) {
        struct addr a;
        const char *error = addr_parse(bad[i].text, &a);

        if (error == NULL || strstr(error, bad[i].want) == NULL)
            fail_msg("%s: %s", bad[i].text, error == NULL ? "accepted" : error);
    }
}

static void test_longest(void **state)
{
    char text[256], back[ADDR_TEXT_MAX];
    struct addr a;

    (void)state;
    snprintf(text, sizeof(text), "unix:/%0106d", 0); /* 107 bytes of path */
    assert_null(addr_parse(text, &a));
    addr_format((const struct sockaddr *)&a.storage, a.length, back, sizeof(back));
    assert_string_equal(back, text);
    snprintf(text, sizeof(text), "unix:/%0107d", 0);
    assert_non_null(addr_parse(text, &a));
    snprintf(text, sizeof(text), "%0200d:80", 0);
    assert_non_null(addr_parse(text, &a));
}

/* What the kernel can hand us as a peer and addr_parse never makes. */
static void test_foreign(void **state)
{
    struct sockaddr_un sun = {.sun_family = AF_UNIX};
    struct sockaddr_in sin = {.sin_family = AF_INET, .sin_port = htons(8)};
    char text[ADDR_TEXT_MAX], tiny[6];
    const socklen_t before = offsetof(struct sockaddr_un, sun_path);

    (void)state;
    addr_format((const struct sockaddr *)&sun, before, text, sizeof(text));
    assert_string_equal(text, "unix:"); /* unnamed */
    memcpy(sun.sun_path, "\0name", 5);
    addr_format((const struct sockaddr *)&sun, before + 5, text, sizeof(text));
    assert_string_equal(text, "unix:@name");
    memset(sun.sun_path, 'x', sizeof(sun.sun_path)); /* no NUL anywhere */
    addr_format((const struct sockaddr *)&sun, sizeof(sun), text, sizeof(text));
    assert_int_equal(strlen(text), 5 + sizeof(sun.sun_path));
    addr_format((const struct sockaddr *)&sin, sizeof(sin), tiny, sizeof(tiny));
    assert_string_equal(tiny, "0.0.0"); /* cut, terminated */
    addr_format((const struct sockaddr *)&sin, sizeof(sin) - 1, text, sizeof(text));
    assert_string_equal(text, "?:8"); /* too short to be what it says */
    sin.sin_family = AF_UNSPEC;
    addr_format((const struct sockaddr *)&sin, sizeof(sin), text, sizeof(text));
    assert_string_equal(text, "?:0");
}

/* In the least room there may be: an address is whole, its scope is cut. */
static void test_narrow(void **state)
{
    char text[INET6_ADDRSTRLEN + 1];
    struct addr a;

    (void)state;
    assert_null(
        addr_parse("[fe80:1111:2222:3333:4444:5555:6666:7777%4000000000]:80", &a));
    memset(text, '!', sizeof(text));
    addr_format_host((const struct sockaddr *)&a.storage, a.length, text,
                     INET6_ADDRSTRLEN);
    assert_string_equal(text, "fe80:1111:2222:3333:4444:5555:6666:7777%40000");
    assert_int_equal(text[INET6_ADDRSTRLEN], '!');
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_good),    cmocka_unit_test(test_bad),
        cmocka_unit_test(test_longest), cmocka_unit_test(test_foreign),
        cmocka_unit_test(test_narrow),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
