/* SPDX-License-Identifier: MIT */
/* static_tree - a directory with traps, made and removed by a group of tests.  [tests] */
#ifndef STATIC_TREE_H
#define STATIC_TREE_H

#include "tests/unit/static_fixture.h"

/* Nearly; no two neighbours are the same. */
static const char *thousand(void)
{
    static char text[1000];

    for (int i = 0; i < 999; i++)
        text[i] = (char)('!' + i % 89);
    return text;
}

enum kind { DIRECTORY, BYTES, LINK, FIFO };

/* Made in this order, removed in the other. */
static const struct {
    enum kind kind;
    const char *path, *of; /* bytes, or where the link leads */
} tree[] = {
    {DIRECTORY, "root", NULL},
    {DIRECTORY, "root/sub", NULL},
    {DIRECTORY, "root/bare", NULL},
    {DIRECTORY, "root/.git", NULL},
    {DIRECTORY, "root/.well-known", NULL},
    {DIRECTORY, "root/trap", NULL},
    {DIRECTORY, "root/trap/index.html", NULL},
    {BYTES, "secret", "secret"},
    {BYTES, "root/index.html", "top"},
    {BYTES, "root/a.txt", "a"},
    {BYTES, "root/two", "01"},
    {BYTES, "root/UP.PNG", "png"},
    {BYTES, "root/sub/index.html", "sub"},
    {BYTES, "root/.git/config", "hidden"},
    {BYTES, "root/.well-known/x.json", "well"},
    {BYTES, "root/s.js", "not zipped"},
    {BYTES, "root/s.js.gz", "zipped"},
    {BYTES, "root/s.js.br", "broetchen"},
    {BYTES, "root/UP.PNG.gz", ""},
    {BYTES, "root/stale.js", "not zipped"},
    {BYTES, "root/stale.js.gz", "older"},
    {BYTES, "root/long.txt", NULL}, /* a thousand, nearly */
    {LINK, "root/inside", "a.txt"},
    {LINK, "root/out", "../secret"},
    {LINK, "root/absolute", "/etc/passwd"},
    {LINK, "root/up", ".."},
    {LINK, "root/loop", "loop"},
    {FIFO, "root/fifo", NULL},
};

static char top[] = "/tmp/test_static.XXXXXX";

static void put(const char *name, const char *bytes)
{
    FILE *file = fopen(name, "we");

    assert_non_null(file);
    fputs(bytes != NULL ? bytes : thousand(), file);
    fclose(file);
}

static void make(enum kind kind, const char *path, const char *of)
{
    char name[256];

    snprintf(name, sizeof(name), "%s/%s", top, path);
    if (kind == BYTES)
        put(name, of);
    else if (kind == LINK)
        assert_int_equal(symlink(of, name), 0);
    else if (kind == FIFO)
        assert_int_equal(mkfifo(name, 0600), 0);
    else
        assert_int_equal(mkdir(name, 0700), 0);
}

static int make_tree(void **state)
{
    const struct timespec long_ago[2] = {{.tv_sec = 1}, {.tv_sec = 1}};
    char name[256];

    (void)state;
    remuda_api_ = &fake_api;
    if (mkdtemp(top) == NULL)
        return -1;
    for (size_t i = 0; i < sizeof(tree) / sizeof(tree[0]); i++)
        make(tree[i].kind, tree[i].path, tree[i].of);
    snprintf(name, sizeof(name), "%s/root/stale.js.gz", top);
    return utimensat(AT_FDCWD, name, long_ago, 0);
}

static int remove_tree(void **state)
{
    char name[256];

    (void)state;
    for (size_t i = sizeof(tree) / sizeof(tree[0]); i-- > 0;) {
        snprintf(name, sizeof(name), "%s/%s", top, tree[i].path);
        if (remove(name) < 0)
            return -1;
    }
    return rmdir(top);
}

/* What was answered in that field; NULL: nothing. */
static const char *answered(const remuda_ctx *c, const char *name)
{
    for (size_t i = 0; i < c->field_count; i++)
        if (strcmp(c->field[i].name, name) == 0)
            return c->field[i].value;
    return NULL;
}

static int open_descriptors(void)
{
    int n = 0;

    for (int fd = 0; fd < 256; fd++)
        n += fcntl(fd, F_GETFD) >= 0;
    return n;
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

/* One GET of that path; c has what else was asked. */
static int ask(remuda_ctx *c, struct site *site, const char *path)
{
    int rc;

    c->target = "/t";
    c->path = path;
    c->state = site;
    rc = get(c);
    return rc != 0 ? rc : c->status;
}

#endif
