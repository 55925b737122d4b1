/* SPDX-License-Identifier: MIT */
/*
 * fuzz_http_target - a canonical path stays inside its root, whatever was asked for.
 *
 * The input is a target for each method's form, a path, a query and a host at once.
 */
#include "tests/fuzz/must.h"

#include "http/router.h"
#include "http/target.h"

#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

/** No segment of a path may be "." or "..", or empty but for the last. */
static void check_segments(const char *path, bool empty_allowed)
{
    must(path[0] == '/', "a path begins with a slash");
    for (const char *at = path + 1; at != NULL;) {
        const char *slash = strchr(at, '/');
        size_t n = slash != NULL ? (size_t)(slash - at) : strlen(at);
        must(!(n == 1 && at[0] == '.'), "a dot segment");
        must(!(n == 2 && at[0] == '.' && at[1] == '.'), "a dot-dot segment");
        must(n > 0 || slash == NULL || empty_allowed, "an empty segment");
        at = slash != NULL ? slash + 1 : NULL;
    }
}

static bool has_control(struct slice text)
{
    for (size_t i = 0; i < text.n; i++)
        if ((unsigned char)text.p[i] < 0x20 || text.p[i] == 0x7f)
            return true;
    return false;
}

static void check_path(struct slice path)
{
    size_t room = path.n + 1 > 2 ? path.n + 1 : 2, n = 0;
    char *out = malloc(room), *final = malloc(room);

    must(out != NULL && final != NULL, "memory");
    bool good = http_target_decode(path, out, room, &n);
    must(good || !http_target_is_plain(path) || path.p[0] != '/',
         "a plain path was refused");
    if (good && !slice_is(path, SLICE_LIT("*"))) {
        must(strlen(out) == n && n < room, "the length of a path");
        check_segments(out, false);
        if (http_target_is_plain(path))
            must(slice_is(path, (struct slice){out, n}), "a plain path was changed");
        must(http_target_unescape((struct slice){out, n}, final) == strlen(final),
             "a NUL in a path");
        check_segments(final, true);
    }
    free(out);
    free(final);
}

static void check_query(struct slice query)
{
    char *out = malloc(query.n + 1);

    must(out != NULL, "memory");
    long n = http_query_find(query, SLICE_LIT("a"), out, query.n + 1);
    must(n == -1 || ((size_t)n <= query.n && out[n] == '\0'), "the length of a value");
    char small[4];
    must(http_query_find(query, SLICE_LIT("a"), small, sizeof(small)) == n,
         "room matters");
    free(out);
}

static void check_router(struct slice path)
{
    static struct http_router *router;
    struct http_match match;

    if (router == NULL) { /* lives as long as the fuzzer */
        router = http_router_create();
        http_router_add(router, HTTP_METHOD_GET, "/a/:b/c", NULL);
        http_router_add(router, HTTP_METHOD_GET, "/a/b/*rest", NULL);
        http_router_add(router, HTTP_METHOD_POST, "/:x", NULL);
    }
    http_router_find(router, HTTP_METHOD_GET, path, &match);
    for (uint32_t i = 0; i < match.param_count; i++)
        must(match.param[i].value.p >= path.p &&
                 match.param[i].value.p + match.param[i].value.n <= path.p + path.n,
             "a parameter inside the path");
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    char *exact = malloc(size > 0 ? size : 1);
    struct slice text = {exact, size};
    struct http_target parts;

    must(exact != NULL, "memory");
    memcpy(exact, data, size);
    if (!has_control(text)) /* what http_target_split has let through */
        check_path(text);
    check_query(text);
    check_router(text);
    (void)http_target_host_is_valid(text);
    if (http_target_split(text, HTTP_METHOD_GET, &parts)) {
        must(parts.path.n + parts.query.n + parts.authority.n <= size,
             "parts of a target");
        check_path(parts.path);
        check_query(parts.query);
    }
    free(exact);
    return 0;
}
