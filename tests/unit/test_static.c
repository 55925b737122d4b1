/* SPDX-License-Identifier: MIT */
/*
 * test_static - which paths the static plugin serves, with openat2 and without.
 */
#include "tests/unit/static_tree.h"

/* ---- what is served ---- */

static const struct {
    const char *path; /* the rest of the route, decoded */
    int want;         /* status */
    int want_walking; /* without openat2, where it differs */
    const char *bytes, *type;
} cases[] = {
    {"", 200, 0, "top", "text/html; charset=utf-8"},
    {"a.txt", 200, 0, "a", "text/plain; charset=utf-8"},
    {"UP.PNG", 200, 0, "png", "image/png"},
    {"sub/index.html", 200, 0, "sub", "text/html; charset=utf-8"},
    {"sub/", 200, 0, "sub", "text/html; charset=utf-8"},
    {"sub//index.html", 200, 0, "sub", NULL},
    {"//a.txt", 200, 0, "a", NULL},
    {".well-known/x.json", 200, 0, "well", "application/json"},
    {"sub", 301, 0, "", NULL},
    {"bare/", 404, 0, "", NULL},
    {"trap/", 404, 0, "", NULL},
    {"a.txt/", 404, 0, "", NULL},
    {"a.txt/b", 404, 0, "", NULL},
    {"nothing", 404, 0, "", NULL},
    {"../secret", 404, 0, "", NULL},
    {"sub/../../secret", 404, 0, "", NULL},
    {"sub/../a.txt", 404, 0, "", NULL},
    {"/../secret", 404, 0, "", NULL},
    {"./a.txt", 404, 0, "", NULL},
    {".git/config", 404, 0, "", NULL},
    {".well-known/../../secret", 404, 0, "", NULL},
    {".well-knownish", 404, 0, "", NULL},
    {"inside", 200, 404, "a", "application/octet-stream"},
    {"out", 404, 0, "", NULL},
    {"absolute", 404, 0, "", NULL},
    {"up/secret", 404, 0, "", NULL},
    {"up/root/a.txt", 404, 0, "", NULL},
    {"loop", 404, 0, "", NULL},
    {"fifo", 404, 0, "", NULL},
};

static void serve_all(struct site *site, bool walking)
{
    int before = open_descriptors();

    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        remuda_ctx c = {.target = "/t", .path = cases[i].path, .state = site};
        int want =
            walking && cases[i].want_walking != 0 ? cases[i].want_walking : cases[i].want;
        int rc = get(&c);

        if ((rc != 0 ? rc : c.status) != want)
            fail_msg("%s: %d, want %d", cases[i].path, rc != 0 ? rc : c.status, want);
        if (want == 200)
            assert_string_equal(c.bytes, cases[i].bytes);
        if (want == 200 && cases[i].type != NULL)
            assert_string_equal(c.type, cases[i].type);
        assert_int_equal(open_descriptors(), before);
    }
}

static void test_beneath(void **state)
{
    remuda_ctx c = {.line = ""};
    struct site *site = start_site(&c);

    (void)state;
    if (!site->has_openat2) {
        stop(&c, site);
        skip();
    }
    serve_all(site, false);
    stop(&c, site);
}

static void test_walking(void **state)
{
    remuda_ctx c = {.line = ""};
    struct site *site = start_site(&c);

    (void)state;
    site->has_openat2 = false;
    serve_all(site, true);
    stop(&c, site);
}

static void test_long_name(void **state)
{
    remuda_ctx c = {.line = ""};
    struct site *site = start_site(&c);
    char name[300];

    (void)state;
    memset(name, 'x', sizeof(name));
    name[sizeof(name) - 1] = '\0';
    c.state = site;
    c.path = name;
    assert_int_equal(get(&c), 404);
    stop(&c, site);
}

static void test_redirect_stays_here(void **state)
{
    static const struct {
        const char *target, *want;
    } targets[] = {
        {"/m/sub", "./sub/"},
        {"/sub?a=1/b", "./sub/?a=1/b"},
        {"/sub?", "./sub/?"},
        {"/sub?//example.org", "./sub/?//example.org"},
        {"//example.org/s:b", "./s:b/"},
        {"/\\example.org/sub", "./sub/"},
        {"http://example.org/s%20b", "./s%20b/"},
    };
    remuda_ctx host = {.line = ""};
    struct site *site = start_site(&host);

    (void)state;
    for (size_t i = 0; i < sizeof(targets) / sizeof(targets[0]); i++) {
        remuda_ctx c = {.target = targets[i].target, .path = "sub", .state = site};

        assert_int_equal(get(&c), 0);
        assert_int_equal(c.status, 301);
        assert_string_equal(answered(&c, "Location"), targets[i].want);
    }
    stop(&host, site);
}

static void test_dotfiles(void **state)
{
    static const struct {
        const char *path;
        int want;
    } rows[] = {{".git/config", 200},  {".well-known/x.json", 200},
                {"sub/../a.txt", 404}, {"../secret", 404},
                {"./a.txt", 404},      {".git/../../secret", 404},
                {".git/./config", 404}};
    remuda_ctx host = {.has_dotfiles = true};
    struct site *site = start_site(&host);

    (void)state;
    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        remuda_ctx c = {.line = ""};

        if (ask(&c, site, rows[i].path) != rows[i].want)
            fail_msg("%s: not %d", rows[i].path, rows[i].want);
    }
    stop(&host, site);
}

static void test_check(void **state)
{
    static const struct {
        const char *index, *cache_control;
        int want;
        int64_t multipart;
    } rows[] = {
        {NULL, NULL, 0, 0},
        {"default.htm", "public, max-age=31536000, immutable", 0, 0},
        {"../secret", NULL, -EINVAL, 0},
        {"a/b", NULL, -EINVAL, 0},
        {".hidden", NULL, -EINVAL, 0},
        {"", NULL, -EINVAL, 0},
        {NULL, NULL, 0, 16 << 20},
        {NULL, NULL, -EINVAL, (16 << 20) + 1},
        {NULL, "no-\tcache", -EINVAL, 0},
        {NULL, "\xc3\xa9", -EINVAL, 0},
    };

    (void)state;
    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        remuda_ctx c = {.index = rows[i].index,
                        .cache_control = rows[i].cache_control,
                        .multipart = rows[i].multipart};

        assert_int_equal(check(&c), rows[i].want);
        assert_int_equal(c.line[0] != '\0', rows[i].want != 0);
    }
}

static void test_start_without_root(void **state)
{
    remuda_ctx c = {.root = "/nonexistent/x"};
    void *site = NULL;

    (void)state;
    assert_int_equal(start(&c, &site), -ENOENT);
    assert_null(site);
    assert_string_equal(
        c.line, "static: cannot open root = /nonexistent/x: No such file or directory");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_beneath),
        cmocka_unit_test(test_walking),
        cmocka_unit_test(test_long_name),
        cmocka_unit_test(test_redirect_stays_here),
        cmocka_unit_test(test_dotfiles),
        cmocka_unit_test(test_check),
        cmocka_unit_test(test_start_without_root),
    };

    return cmocka_run_group_tests_name("static", tests, make_tree, remove_tree);
}
