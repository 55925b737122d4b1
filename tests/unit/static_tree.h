/* SPDX-License-Identifier: MIT */
/*
 * static_tree - a directory with traps, made and removed by a group of tests. [tests]
 */
#ifndef STATIC_TREE_H
#define STATIC_TREE_H

#include "tests/unit/static_fixture.h"

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
    put("root/two", "01");
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
        "root/two",
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
