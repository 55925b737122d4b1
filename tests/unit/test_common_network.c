/* SPDX-License-Identifier: MIT */
/*
 * test_common_network - which clients a list of networks means.
 */
#include "common/network.h"

#include "common/check.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>

#include <cmocka.h>

static void test_refused(void **state)
{
    static const char *const rows[] = {
        "",
        "/",
        "10.0.0.0/",
        "10.0.0.0/33",
        "10.0.0.0/-1",
        "10.0.0/8",
        "::1/129",
        "::1/0128",
        "unix:/run/x",
        "localhost",
        "1.2.3.4.5",
        "10.0.0.0/8 ",
        "10.0.0.0//8",
        "fe80::1%eth0",
        "10.0.0.0/+8",
        "01.2.3.4",
        "1:2:3:4::/x",
        "[::1]",
        "*",
        "10.0.0.0/8/8",
    };
    struct network out;

    (void)state;
    for (size_t i = 0; i < COUNT_OF(rows); i++)
        if (network_parse(rows[i], &out))
            fail_msg("'%s' is taken", rows[i]);
}

static void test_who_is_meant(void **state)
{
    static const struct {
        const char *network, *host;
        bool want;
    } rows[] = {
        {"10.0.0.0/8", "10.255.0.1", true},
        {"10.0.0.0/8", "11.0.0.1", false},
        {"10.0.0.7/8", "10.1.1.1", true}, /* bits beyond the prefix */
        {"10.0.0.7", "10.0.0.7", true},
        {"10.0.0.7", "10.0.0.6", false},
        {"0.0.0.0/0", "203.0.113.9", true},
        {"0.0.0.0/0", "2001:db8::1", false},
        {"::/0", "203.0.113.9", true}, /* it holds ::ffff:0:0/96 */
        {"::/0", "2001:db8::1", true},
        {"192.168.128.0/17", "192.168.255.255", true},
        {"192.168.128.0/17", "192.168.127.255", false},
        {"192.0.2.4/31", "192.0.2.5", true},
        {"192.0.2.4/31", "192.0.2.6", false},
        {"::ffff:10.0.0.0/104", "10.3.2.1", true},
        {"10.0.0.0/8", "::ffff:10.3.2.1", true},
        {"2001:db8::/33", "2001:db8:7fff::1", true},
        {"2001:db8::/33", "2001:db8:8000::1", false},
        {"fe80::/10", "fe80::1%eth0", true},
        {"unix:", "unix:", true},
        {"unix:", "127.0.0.1", false},
        {"::/0", "unix:", false},
        {"::/0", "", false},
        {"::/0", "somebody", false},
        {"::/0", "1.2.3.4, 5.6.7.8", false},
    };
    struct network network;

    (void)state;
    for (size_t i = 0; i < COUNT_OF(rows); i++) {
        assert_true(network_parse(rows[i].network, &network));
        if (network_has(&network, 1, rows[i].host) != rows[i].want)
            fail_msg("%s and '%s'", rows[i].network, rows[i].host);
    }
}

static void test_any_of_a_list(void **state)
{
    struct network list[3];

    (void)state;
    assert_true(network_parse("10.0.0.0/8", &list[0]));
    assert_true(network_parse("unix:", &list[1]));
    assert_true(network_parse("::1", &list[2]));
    assert_true(network_has(list, 3, "::1"));
    assert_true(network_has(list, 3, "unix:"));
    assert_false(network_has(list, 2, "::1"));
    assert_false(network_has(list, 0, "10.0.0.1"));
}

int main(void)
{
    static const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_refused),
        cmocka_unit_test(test_who_is_meant),
        cmocka_unit_test(test_any_of_a_list),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
