/* SPDX-License-Identifier: MIT */
/*
 * test_bench_url - where a URL leads, and the request that is sent there.
 */
#include "cli/request_text.h"
#include "cli/url.h"
#include "common/check.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>

static const struct {
    const char *text, *unix_path, *address, *host, *target;
} good[] = {
    {"http://127.0.0.1:8000/a?b=c", NULL, "127.0.0.1:8000", "127.0.0.1:8000", "/a?b=c"},
    {"HTTP://127.0.0.1", NULL, "127.0.0.1:80", "127.0.0.1", "/"},
    {"http://[::1]:9/", NULL, "[::1]:9", "[::1]:9", "/"},
    {"http://[::1]/x", NULL, "[::1]:80", "[::1]", "/x"},
    {"http://localhost:81", NULL, "127.0.0.1:81", "localhost:81", "/"},
    {"http+unix:/run/a.sock", NULL, "unix:/run/a.sock", "localhost", "/"},
    {"http+unix:/run/a.sock:", NULL, "unix:/run/a.sock", "localhost", "/"},
    {"http+unix:/run/a.sock:/x?y", NULL, "unix:/run/a.sock", "localhost", "/x?y"},
    {"http://app.example.org/x", "/run/b.sock", "unix:/run/b.sock", "app.example.org",
     "/x"},
};

static void leads_there(void **state)
{
    (void)state;
    for (size_t i = 0; i < COUNT_OF(good); i++) {
        struct url url;
        char text[ADDR_TEXT_MAX];
        const char *why = url_parse(good[i].text, good[i].unix_path, &url);

        print_message("%s\n", good[i].text);
        assert_null(why);
        addr_format((const struct sockaddr *)&url.address.storage, url.address.length,
                    text, sizeof(text));
        assert_string_equal(text, good[i].address);
        assert_true(slice_is(url.host, slice_of(good[i].host)));
        assert_true(slice_is(url.target, slice_of(good[i].target)));
    }
}

static const struct {
    const char *text, *unix_path, *why;
} bad[] = {
    {"", NULL, "must begin"},
    {"localhost:80", NULL, "must begin"},
    {"https://localhost/", NULL, "https"},
    {"http://", NULL, "host"},
    {"http:///x", NULL, "host"},
    {"http://127.0.0.1:0/", NULL, "port 0"},
    {"http://127.0.0.1:x/", NULL, "HOST:PORT"},
    {"http://127.0.0.1:/", NULL, "HOST:PORT"},
    {"http://[::1/", NULL, "such host"},
    {"http://[::g]:80/", NULL, "[V6]"},
    {"http://me@127.0.0.1/", NULL, "Authorization"},
    {"http://127.0.0.1?x", NULL, "query"},
    {"http://127.0.0.1/a b", NULL, "blank"},
    {"http://127.0.0.1/a\r\nX: y", NULL, "control"},
    {"http://127.0.0.1/a#b", NULL, "fragment"},
    {"http+unix:run.sock", NULL, "start with /"},
    {"http+unix:", NULL, "start with /"},
    {"http+unix:/a", "/b", "--unix"},
};

static void says_what_is_wrong(void **state)
{
    (void)state;
    for (size_t i = 0; i < COUNT_OF(bad); i++) {
        struct url url;
        const char *why = url_parse(bad[i].text, bad[i].unix_path, &url);

        if (why == NULL || strstr(why, bad[i].why) == NULL)
            fail_msg("%s: %s", bad[i].text, why == NULL ? "taken" : why);
    }
}

/* ---- the request ---- */

static void writes(const struct request_parts *parts, const char *wanted)
{
    char *text;
    size_t n;

    assert_null(request_text_build(parts, &text, &n));
    assert_string_equal(text, wanted);
    assert_int_equal(n, strlen(wanted));
    free(text);
}

static void is_written(void **state)
{
    char accept[] = "Accept: a/b", host[] = "host: other";
    char *fields[] = {accept, host};
    struct request_parts parts = {.host = SLICE_LIT("h:1"), .target = SLICE_LIT("/x")};

    (void)state;
    writes(&parts, "GET /x HTTP/1.1\r\nHost: h:1\r\nUser-Agent: remuda-bench\r\n\r\n");
    parts.is_last = true;
    parts.field = fields;
    parts.field_count = 2;
    writes(&parts, "GET /x HTTP/1.1\r\nUser-Agent: remuda-bench\r\nAccept: a/b\r\n"
                   "host: other\r\nConnection: close\r\n\r\n");
    parts.field_count = 0;
    parts.is_last = false;
    parts.has_body = true;
    parts.body = SLICE_LIT("abc");
    writes(&parts, "POST /x HTTP/1.1\r\nHost: h:1\r\nUser-Agent: remuda-bench\r\n"
                   "Content-Length: 3\r\n\r\nabc");
    parts.method = "PUT";
    parts.body = SLICE_LIT("");
    writes(&parts, "PUT /x HTTP/1.1\r\nHost: h:1\r\nUser-Agent: remuda-bench\r\n"
                   "Content-Length: 0\r\n\r\n");
}

static void is_one_request_only(void **state)
{
    static const char *const fields[] = {
        "x",
        ": y",
        "a b: c",
        "X: y\r\nZ: w",
        "X: \x7f",
        "",
        "content-length: 3",
        "Transfer-Encoding: chunked",
        "Connection: close",
        "Upgrade: h2c",
    };
    static const char *const methods[] = {"", "GET /x", "G\r\n", "CONNECT"};
    struct request_parts parts = {.host = SLICE_LIT("h"), .target = SLICE_LIT("/")};
    char *text, *field;
    size_t n;

    (void)state;
    for (size_t i = 0; i < COUNT_OF(methods); i++) {
        parts.method = methods[i];
        assert_non_null(request_text_build(&parts, &text, &n));
        assert_null(text);
    }
    parts.method = NULL;
    parts.field = &field;
    parts.field_count = 1;
    for (size_t i = 0; i < COUNT_OF(fields); i++) {
        field = strdup(fields[i]);
        if (request_text_build(&parts, &text, &n) == NULL)
            fail_msg("'%s' was taken", fields[i]);
        assert_null(text);
        free(field);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(leads_there),
        cmocka_unit_test(says_what_is_wrong),
        cmocka_unit_test(is_written),
        cmocka_unit_test(is_one_request_only),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
