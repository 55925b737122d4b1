/* SPDX-License-Identifier: MIT */
/*
 * test_http_proxy_header - the PROXY protocol, whole and cut at every byte.
 */
#include "http/proxy_header.h"

#include "common/addr.h"
#include "common/check.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#define V2     "\r\n\r\n\0\r\nQUIT\n"
#define SIX    "\x20\x01\x0d\xb8\0\0\0\0\0\0\0\0\0\0\0\1"
#define UNIX8  "unixunix"
#define UNIX72 UNIX8 UNIX8 UNIX8 UNIX8 UNIX8 UNIX8 UNIX8 UNIX8 UNIX8
#define ROW(bytes, verdict, source)                                                      \
    {                                                                                    \
        bytes, sizeof(bytes) - 1, verdict, source                                        \
    }

/* source: "host:port"; "-": the connection's own stands. NULL where there is none to have */
static const struct {
    const char *bytes;
    size_t n;
    enum proxy_verdict want;
    const char *source;
} rows[] = {
    ROW("PROXY TCP4 203.0.113.7 192.0.2.1 56324 443\r\n", PROXY_DONE,
        "203.0.113.7:56324"),
    ROW("PROXY TCP4 0.0.0.0 255.255.255.255 0 65535\r\n", PROXY_DONE, "0.0.0.0:0"),
    ROW("PROXY TCP6 2001:db8::1 ::1 1 2\r\n", PROXY_DONE, "[2001:db8::1]:1"),
    ROW("PROXY TCP6 ::ffff:10.0.0.1 ::1 1 2\r\n", PROXY_DONE, "10.0.0.1:1"),
    ROW("PROXY UNKNOWN\r\n", PROXY_DONE, "-"),
    ROW("PROXY UNKNOWN ffff:f...f:ffff ffff:f...f:ffff 65535 65535\r\n", PROXY_DONE, "-"),
    ROW("PROXY UNKNOWN a b c d e f g h\r\n", PROXY_DONE, "-"),
    ROW("PROXY TCP4 203.0.113.7 192.0.2.1 56324\r\n", PROXY_BAD, NULL),
    ROW("PROXY TCP4 203.0.113.7 192.0.2.1 56324 443 1\r\n", PROXY_BAD, NULL),
    ROW("PROXY TCP4 203.0.113.7 192.0.2.1 56324 443 \r\n", PROXY_BAD, NULL),
    ROW("PROXY TCP4  203.0.113.7 192.0.2.1 56324 443\r\n", PROXY_BAD, NULL),
    ROW("PROXY TCP4 203.0.113.7 192.0.2.1 56324 65536\r\n", PROXY_BAD, NULL),
    ROW("PROXY TCP4 203.0.113.7 192.0.2.1 065 443\r\n", PROXY_BAD, NULL),
    ROW("PROXY TCP4 203.0.113.7 192.0.2.1 -1 443\r\n", PROXY_BAD, NULL),
    ROW("PROXY TCP4 203.0.113.07 192.0.2.1 1 443\r\n", PROXY_BAD, NULL),
    ROW("PROXY TCP4 203.0.113.7 192.0.2 1 443\r\n", PROXY_BAD, NULL),
    ROW("PROXY TCP4 2001:db8::1 192.0.2.1 1 443\r\n", PROXY_BAD, NULL),
    ROW("PROXY TCP6 203.0.113.7 ::1 1 443\r\n", PROXY_BAD, NULL),
    ROW("PROXY TCP6 fe80::1%lo ::1 1 443\r\n", PROXY_BAD, NULL),
    ROW("PROXY TCP4 203.0.113.7\0 192.0.2.1 1 443\r\n", PROXY_BAD, NULL),
    ROW("PROXY TCP5 203.0.113.7 192.0.2.1 1 443\r\n", PROXY_BAD, NULL),
    ROW("PROXY tcp4 203.0.113.7 192.0.2.1 1 443\r\n", PROXY_BAD, NULL),
    ROW("PROXY \r\n", PROXY_BAD, NULL),
    ROW("PROXY TCP4 203.0.113.7 192.0.2.1 1 443\n", PROXY_BAD, NULL),
    ROW("PROXY UNKNOWN "
        "0123456789012345678901234567890123456789012345678901234567890123456789"
        "0123456789012345678901\r\n",
        PROXY_BAD, NULL), /* 108 bytes */
    ROW("PROXY UNKNOWN "
        "0123456789012345678901234567890123456789012345678901234567890123456789"
        "012345678901234567890\r\n",
        PROXY_DONE, "-"), /* 107 */
    ROW(V2 "\x21\x11\0\x0c\xcb\0\x71\7\xc0\0\2\1\xdc\4\1\xbb", PROXY_DONE,
        "203.0.113.7:56324"),
    ROW(V2 "\x21\x21\0\x24" SIX SIX "\xdc\4\1\xbb", PROXY_DONE, "[2001:db8::1]:56324"),
    ROW(V2 "\x21\x31\0\xd8" UNIX72 UNIX72 UNIX72, PROXY_DONE, "unix:"),
    ROW(V2 "\x21\x11\0\x12\xcb\0\x71\7\xc0\0\2\1\xdc\4\1\xbb\4\0\3abc", PROXY_DONE,
        "203.0.113.7:56324"), /* a TLV */
    ROW(V2 "\x20\0\0\0", PROXY_DONE, "-"),
    ROW(V2 "\x20\x11\0\x0c\xcb\0\x71\7\xc0\0\2\1\xdc\4\1\xbb", PROXY_DONE, "-"),
    ROW(V2 "\x21\0\0\3xyz", PROXY_DONE, "-"),
    ROW(V2 "\x21\x11\0\x0b\xcb\0\x71\7\xc0\0\2\1\xdc\4\1", PROXY_BAD, NULL),
    ROW(V2 "\x21\x21\0\x0c\xcb\0\x71\7\xc0\0\2\1\xdc\4\1\xbb", PROXY_BAD, NULL),
    ROW(V2 "\x21\x31\0\x0c\xcb\0\x71\7\xc0\0\2\1\xdc\4\1\xbb", PROXY_BAD, NULL),
    ROW(V2 "\x21\x12\0\x0c\xcb\0\x71\7\xc0\0\2\1\xdc\4\1\xbb", PROXY_BAD, NULL), /* UDP */
    ROW(V2 "\x21\x41\0\x0c\xcb\0\x71\7\xc0\0\2\1\xdc\4\1\xbb", PROXY_BAD, NULL),
    ROW(V2 "\x22\x11\0\x0c\xcb\0\x71\7\xc0\0\2\1\xdc\4\1\xbb", PROXY_BAD, NULL),
    ROW(V2 "\x11\x11\0\x0c\xcb\0\x71\7\xc0\0\2\1\xdc\4\1\xbb", PROXY_BAD, NULL),
    ROW(V2 "\x21\x11\x0f\xf1", PROXY_BAD, NULL),  /* 4,097 bytes */
    ROW(V2 "\x21\x11\x0f\xf0", PROXY_MORE, NULL), /* 4,096 */
    ROW("GET / HTTP/1.1\r\n", PROXY_ABSENT, NULL),
    ROW("PROXYGET / HTTP/1.1\r\n", PROXY_ABSENT, NULL),
    ROW("proxy TCP4", PROXY_ABSENT, NULL),
    ROW("\r\nGET / HTTP/1.1\r\n", PROXY_ABSENT, NULL),
    ROW("\r\n\r\n\0\r\nQUIX", PROXY_ABSENT, NULL),
    ROW("", PROXY_MORE, NULL),
};

static void compare(size_t i, const struct proxy_header *header)
{
    char text[ADDR_TEXT_MAX] = "-";

    if (header->source.ss_family != AF_UNSPEC)
        addr_format((const struct sockaddr *)&header->source, header->length, text,
                    sizeof text);
    if (strcmp(text, rows[i].source) != 0)
        fail_msg("row %zu: source %s, not %s", i, text, rows[i].source);
}

static void test_whole(void **state)
{
    (void)state;
    for (size_t i = 0; i < COUNT_OF(rows); i++) {
        struct proxy_header header;
        enum proxy_verdict got = proxy_header_parse(rows[i].bytes, rows[i].n, &header);

        if (got != rows[i].want)
            fail_msg("row %zu: verdict %d, not %d", i, (int)got, (int)rows[i].want);
        if (got != PROXY_DONE)
            continue;
        assert_int_equal(header.bytes, rows[i].n);
        compare(i, &header);
    }
}

/* Nothing is decided too early, nor changed by what comes behind. */
static void test_cut_anywhere(void **state)
{
    char bytes[512];

    (void)state;
    for (size_t i = 0; i < COUNT_OF(rows); i++) {
        struct proxy_header header;

        for (size_t n = 0; n < rows[i].n; n++) {
            enum proxy_verdict got = proxy_header_parse(rows[i].bytes, n, &header);
            if (got != PROXY_MORE && (got != rows[i].want || got == PROXY_DONE))
                fail_msg("row %zu: verdict %d after %zu bytes", i, (int)got, n);
        }
        if (rows[i].want != PROXY_DONE)
            continue;
        memcpy(bytes, rows[i].bytes, rows[i].n);
        memcpy(bytes + rows[i].n, "GET /\r\n", 7);
        assert_int_equal(proxy_header_parse(bytes, rows[i].n + 7, &header), PROXY_DONE);
        assert_int_equal(header.bytes, rows[i].n);
    }
}

int main(void)
{
    static const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_whole),
        cmocka_unit_test(test_cut_anywhere),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
