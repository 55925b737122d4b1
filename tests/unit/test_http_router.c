/* SPDX-License-Identifier: MIT */
/*
 * test_http_router - what each path finds in one table of routes, and what a table
 * refuses.
 */
#include "http/router.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#define COUNT(array) (sizeof(array) / sizeof((array)[0]))

/* the data of a route is its text here */
static const struct {
    enum http_method method;
    const char *pattern;
} ROUTES[] = {
    {HTTP_METHOD_GET, "/"},
    {HTTP_METHOD_GET, "/hello"},
    {HTTP_METHOD_POST, "/hello"},
    {HTTP_METHOD_GET, "/hello/"},
    {HTTP_METHOD_GET, "/users/:id"},
    {HTTP_METHOD_GET, "/users/me"},
    {HTTP_METHOD_POST, "/users/me/keys"},
    {HTTP_METHOD_GET, "/users/:user/keys/:key"},
    {HTTP_METHOD_DELETE, "/users/:id"},
    {HTTP_METHOD_GET, "/files/*path"},
    {HTTP_METHOD_GET, "/files/special"},
    {HTTP_METHOD_POST, "/posted"},
    {HTTP_METHOD_HEAD, "/headed"},
    {HTTP_METHOD_GET, "/headed"},
    {HTTP_METHOD_GET, "/a b"},
    {HTTP_METHOD_GET, "/x:y*z"},
    {HTTP_METHOD_OPTIONS, "/opt"},
    {HTTP_METHOD_GET, "/deep/:a/:b/end"},
    {HTTP_METHOD_GET, "/deep/x/*rest"},
};

static struct http_router *table(void)
{
    struct http_router *router = http_router_create();

    assert_non_null(router);
    for (size_t i = 0; i < COUNT(ROUTES); i++) {
        void *data = (void *)(uintptr_t)ROUTES[i].pattern;
        const char *problem =
            http_router_add(router, ROUTES[i].method, ROUTES[i].pattern, data);
        if (problem != NULL)
            fail_msg("%s: %s", ROUTES[i].pattern, problem);
    }
    return router;
}

/** "200 /users/:id id=7", "200 / from-get", "404", "405 GET, HEAD, OPTIONS". */
static void describe(const struct http_match *m, char *out, size_t room)
{
    char allow[HTTP_ALLOW_BYTES];
    int n = snprintf(out, room, "%d", m->status);

    if (m->status == 405) {
        size_t allow_n = http_router_allow(m->methods, allow);
        assert_int_equal(strlen(allow), allow_n);
        snprintf(out + n, room - (size_t)n, " %s", allow);
    }
    if (m->status != 200) {
        assert_null(m->data);
        return;
    }
    n += snprintf(out + n, room - (size_t)n, " %s%s", (const char *)m->data,
                  m->head_from_get ? " from-get" : "");
    for (uint32_t i = 0; i < m->param_count; i++)
        n += snprintf(out + n, room - (size_t)n, " %.*s=%.*s", (int)m->param[i].name.n,
                      m->param[i].name.p, (int)m->param[i].value.n, m->param[i].value.p);
}

static void paths_find_their_routes(void **state)
{
    static const struct {
        enum http_method method;
        const char *path, *want;
    } ROWS[] = {
        {HTTP_METHOD_GET, "/", "200 /"},
        {HTTP_METHOD_HEAD, "/", "200 / from-get"},
        {HTTP_METHOD_POST, "/", "405 GET, HEAD, OPTIONS"},
        {HTTP_METHOD_GET, "/hello", "200 /hello"},
        {HTTP_METHOD_POST, "/hello", "200 /hello"},
        {HTTP_METHOD_PUT, "/hello", "405 GET, HEAD, POST, OPTIONS"},
        {HTTP_METHOD_OPTIONS, "/hello", "405 GET, HEAD, POST, OPTIONS"},
        {HTTP_METHOD_GET, "/hello/", "200 /hello/"},
        {HTTP_METHOD_GET, "/hell", "404"},
        {HTTP_METHOD_GET, "/helloo", "404"},
        {HTTP_METHOD_GET, "/Hello", "404"},
        {HTTP_METHOD_GET, "/hello/x", "404"},
        {HTTP_METHOD_GET, "/users/7", "200 /users/:id id=7"},
        {HTTP_METHOD_DELETE, "/users/7", "200 /users/:id id=7"},
        {HTTP_METHOD_GET, "/users/me", "200 /users/me"},
        {HTTP_METHOD_DELETE, "/users/me", "200 /users/:id id=me"},
        {HTTP_METHOD_PUT, "/users/me", "405 GET, HEAD, DELETE, OPTIONS"},
        {HTTP_METHOD_GET, "/users/", "404"},
        {HTTP_METHOD_GET, "/users", "404"},
        {HTTP_METHOD_GET, "/users/a%2Fb", "200 /users/:id id=a%2Fb"},
        {HTTP_METHOD_POST, "/users/me/keys", "200 /users/me/keys"},
        {HTTP_METHOD_GET, "/users/me/keys", "405 POST, OPTIONS"},
        {HTTP_METHOD_GET, "/users/me/keys/2", "200 /users/:user/keys/:key user=me key=2"},
        {HTTP_METHOD_GET, "/files", "404"},
        {HTTP_METHOD_GET, "/files/", "200 /files/*path path="},
        {HTTP_METHOD_GET, "/files/a/b", "200 /files/*path path=a/b"},
        {HTTP_METHOD_GET, "/files/special", "200 /files/special"},
        {HTTP_METHOD_GET, "/files/special/", "200 /files/*path path=special/"},
        {HTTP_METHOD_POST, "/files/special", "405 GET, HEAD, OPTIONS"},
        {HTTP_METHOD_GET, "/posted", "405 POST, OPTIONS"},
        {HTTP_METHOD_HEAD, "/posted", "405 POST, OPTIONS"},
        {HTTP_METHOD_HEAD, "/headed", "200 /headed"},
        {HTTP_METHOD_GET, "/a b", "200 /a b"},
        {HTTP_METHOD_GET, "/x:y*z", "200 /x:y*z"},
        {HTTP_METHOD_OPTIONS, "/opt", "200 /opt"},
        {HTTP_METHOD_GET, "/deep/x/y/end", "200 /deep/x/*rest rest=y/end"},
        {HTTP_METHOD_GET, "/deep/q/y/end", "200 /deep/:a/:b/end a=q b=y"},
        {HTTP_METHOD_GET, "/deep/q/y", "404"},
        {HTTP_METHOD_GET, "", "404"},
        {HTTP_METHOD_OPTIONS, "*", "404"},
        {HTTP_METHOD_GET, "hello", "404"},
    };
    struct http_router *router = table();
    char got[256];

    (void)state;
    for (size_t i = 0; i < COUNT(ROWS); i++) {
        struct http_match match;
        size_t n = strlen(ROWS[i].path);
        char *path = malloc(n > 0 ? n : 1); /* its exact size: reading on is seen */
        memcpy(path, ROWS[i].path, n);
        http_router_find(router, ROWS[i].method, (struct slice){path, n}, &match);
        describe(&match, got, sizeof(got));
        if (strcmp(got, ROWS[i].want) != 0)
            fail_msg("%s: want %s, got %s", ROWS[i].path, ROWS[i].want, got);
        free(path);
    }
    http_router_destroy(&router);
    assert_null(router);
    http_router_destroy(&router);
}

static void a_table_refuses_nonsense(void **state)
{
    static const struct {
        enum http_method method;
        const char *pattern, *want;
    } ROWS[] = {
        {HTTP_METHOD_GET, "/hello", "the path is taken"},
        {HTTP_METHOD_GET, "/users/:other", "the path is taken"},
        {HTTP_METHOD_GET, "/files/*other", "the path is taken"},
        {HTTP_METHOD_NONE, "/x", "unknown method"},
        {HTTP_METHOD_GET, "", "a path must begin with '/'"},
        {HTTP_METHOD_GET, "x", "a path must begin with '/'"},
        {HTTP_METHOD_GET, "/a//b", "two slashes in a row"},
        {HTTP_METHOD_GET, "//", "two slashes in a row"},
        {HTTP_METHOD_GET, "/a/./b", "a dot segment is never requested"},
        {HTTP_METHOD_GET, "/a/..", "a dot segment is never requested"},
        {HTTP_METHOD_GET, "/a/:", "':' and '*' need a name"},
        {HTTP_METHOD_GET, "/*", "':' and '*' need a name"},
        {HTTP_METHOD_GET, "/*a/b", "'*' must be the last segment"},
        {HTTP_METHOD_GET, "/:a/:a", "two parameters of one name"},
        {HTTP_METHOD_GET, "/a%20b",
         "a path is written decoded, without '%', '?', '#' and control bytes"},
        {HTTP_METHOD_GET, "/:1/:2/:3/:4/:5/:6/:7/:8/:9/:a/:b/:c/:d/:e/:f/:g/:h",
         "more than 16 parameters"},
        {HTTP_METHOD_PUT, "/:1/:2/:3/:4/:5/:6/:7/:8/:9/:a/:b/:c/:d/:e/:f/:g", NULL},
        {HTTP_METHOD_PUT, "/hello", NULL},
        {HTTP_METHOD_GET, "/hello/:x/y", NULL},
    };
    struct http_router *router = table();

    (void)state;
    for (size_t i = 0; i < COUNT(ROWS); i++) {
        const char *got = http_router_add(router, ROWS[i].method, ROWS[i].pattern, NULL);
        if (ROWS[i].want == NULL ? got != NULL
                                 : got == NULL || strcmp(got, ROWS[i].want) != 0)
            fail_msg("%s: want %s, got %s", ROWS[i].pattern, ROWS[i].want, got);
    }
    struct http_match match;
    http_router_find(router, HTTP_METHOD_PUT,
                     SLICE_LIT("/1/2/3/4/5/6/7/8/9/a/b/c/d/e/f/g"), &match);
    assert_int_equal(match.status, 200);
    assert_int_equal(match.param_count, 16);
    http_router_destroy(&router);
}

/** Bisection finds each of many, in whatever order they came. */
static void many_routes(void **state)
{
    enum { MANY = 1000 };
    struct http_router *router = http_router_create();
    char path[32];

    (void)state;
    for (unsigned i = 0; i < MANY; i++) {
        unsigned k = i * 7919 % MANY;
        snprintf(path, sizeof(path), "/r%u/x", k);
        assert_null(
            http_router_add(router, HTTP_METHOD_GET, path, (void *)(uintptr_t)(k + 1)));
    }
    for (unsigned k = 0; k < MANY; k++) {
        struct http_match match;
        int n = snprintf(path, sizeof(path), "/r%u/x", k);
        http_router_find(router, HTTP_METHOD_GET, (struct slice){path, (size_t)n},
                         &match);
        assert_int_equal((uintptr_t)match.data, k + 1);
    }
    http_router_destroy(&router);
}

static void allow_has_room_for_all(void **state)
{
    char out[HTTP_ALLOW_BYTES];

    (void)state;
    size_t n = http_router_allow(UINT32_MAX, out);
    assert_int_equal(strlen(out), n);
    assert_int_equal(http_router_allow(0, out), 7);
    assert_string_equal(out, "OPTIONS");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(paths_find_their_routes),
        cmocka_unit_test(a_table_refuses_nonsense),
        cmocka_unit_test(many_routes),
        cmocka_unit_test(allow_has_room_for_all),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
