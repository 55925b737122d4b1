/* SPDX-License-Identifier: MIT */
/*
 * test_static - which paths the static plugin serves, with openat2 and without. The
 * plugin is included, and called through a table of our own in place of the host's.
 */
#include "plugins/static.c"

#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <cmocka.h>

/* What the handler asked for and answered. */
struct remuda_ctx {
    const char *target, *path, *root;
    void *state;
    int status;
    const char *type;
    char location[256], bytes[64], line[1024];
    char arena[4096];
    size_t used;
};

static const char *fake_get(remuda_ctx *c, int what)
{
    return what == REMUDA_TARGET ? c->target : "";
}

static const char *fake_param(remuda_ctx *c, const char *name)
{
    return strcmp(name, "path") == 0 ? c->path : NULL;
}

static const char *fake_conf(remuda_ctx *c, const char *name)
{
    return strcmp(name, "root") == 0 ? c->root : "index.html";
}

static void *fake_state(remuda_ctx *c)
{
    return c->state;
}

static void *fake_alloc(remuda_ctx *c, size_t n)
{
    c->used += n;
    assert_true(c->used <= sizeof(c->arena));
    return c->arena + c->used - n;
}

static int fake_set(remuda_ctx *c, const char *name, const char *value)
{
    assert_string_equal(name, "Location");
    snprintf(c->location, sizeof(c->location), "%s", value);
    return 0;
}

static int fake_send(remuda_ctx *c, int status, const char *type, const void *p, size_t n,
                     remuda_free_fn own)
{
    (void)type, (void)p, (void)n, (void)own;
    c->status = status;
    return 0;
}

static int fake_file(remuda_ctx *c, int status, const char *type, int fd, uint64_t off,
                     uint64_t n)
{
    assert_int_equal(off, 0);
    assert_true(n < sizeof(c->bytes));
    assert_int_equal(read(fd, c->bytes, n), n);
    close(fd);
    c->status = status;
    c->type = type;
    return 0;
}

static void fake_log(remuda_ctx *c, int level, const char *msg)
{
    (void)level;
    snprintf(c->line, sizeof(c->line), "%s", msg);
}

static const remuda_api fake_api = {
    .size = sizeof(fake_api),
    .get = fake_get,
    .param = fake_param,
    .conf = fake_conf,
    .state = fake_state,
    .alloc = fake_alloc,
    .set = fake_set,
    .send = fake_send,
    .file = fake_file,
    .log = fake_log,
};

/* ---- a directory with traps ---- */

static char top[] = "/tmp/test_static.XXXXXX";

static void put(const char *path, const char *bytes)
{
    char name[256];
    FILE *file;

    snprintf(name, sizeof(name), "%s/%s", top, path);
    file = fopen(name, "we");
    assert_non_null(file);
    fputs(bytes, file);
    fclose(file);
}

static void make(const char *kind, const char *path, const char *to)
{
    char name[256];

    snprintf(name, sizeof(name), "%s/%s", top, path);
    if (strcmp(kind, "link") == 0)
        assert_int_equal(symlink(to, name), 0);
    else if (strcmp(kind, "fifo") == 0)
        assert_int_equal(mkfifo(name, 0600), 0);
    else
        assert_int_equal(mkdir(name, 0700), 0);
}

static int make_tree(void **state)
{
    (void)state;
    remuda_api_ = &fake_api;
    if (mkdtemp(top) == NULL)
        return -1;
    make("directory", "root", NULL);
    make("directory", "root/sub", NULL);
    make("directory", "root/bare", NULL);
    make("directory", "root/.git", NULL);
    make("directory", "root/.well-known", NULL);
    make("directory", "root/trap", NULL);
    make("directory", "root/trap/index.html", NULL);
    put("secret", "secret");
    put("root/index.html", "top");
    put("root/a.txt", "a");
    put("root/UP.PNG", "png");
    put("root/sub/index.html", "sub");
    put("root/.git/config", "hidden");
    put("root/.well-known/x.json", "well");
    make("link", "root/inside", "a.txt");
    make("link", "root/out", "../secret");
    make("link", "root/absolute", "/etc/passwd");
    make("link", "root/up", "..");
    make("link", "root/loop", "loop");
    make("fifo", "root/fifo", NULL);
    return 0;
}

static int remove_tree(void **state)
{
    static const char *const made[] = {
        "root/fifo",
        "root/loop",
        "root/up",
        "root/absolute",
        "root/out",
        "root/inside",
        "root/.well-known/x.json",
        "root/.git/config",
        "root/sub/index.html",
        "root/UP.PNG",
        "root/a.txt",
        "root/index.html",
        "secret",
        "root/trap/index.html",
        "root/trap",
        "root/.well-known",
        "root/.git",
        "root/bare",
        "root/sub",
        "root",
    };
    int root = open(top, O_PATH | O_DIRECTORY | O_CLOEXEC);

    (void)state;
    for (size_t i = 0; i < sizeof(made) / sizeof(made[0]); i++)
        if (unlinkat(root, made[i], 0) < 0)
            unlinkat(root, made[i], AT_REMOVEDIR);
    close(root);
    return rmdir(top);
}

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

static int open_descriptors(void)
{
    int n = 0;

    for (int fd = 0; fd < 256; fd++)
        n += fcntl(fd, F_GETFD) >= 0;
    return n;
}

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

static struct site *start_site(remuda_ctx *c)
{
    char root[256];
    void *state = NULL;

    snprintf(root, sizeof(root), "%s/root", top);
    c->root = root;
    assert_int_equal(start(c, &state), 0);
    return state;
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
        {"/sub?a=1/b", "./sub/"},
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
        assert_string_equal(c.location, targets[i].want);
    }
    stop(&host, site);
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
        cmocka_unit_test(test_start_without_root),
    };

    return cmocka_run_group_tests_name("static", tests, make_tree, remove_tree);
}
