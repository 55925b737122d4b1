/* SPDX-License-Identifier: MIT */
/* static_fixture - the static plugin, called through a table of our own.      [tests] */
#ifndef STATIC_FIXTURE_H
#define STATIC_FIXTURE_H

#include "plugins/static/static.c"

#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <strings.h>

#include <cmocka.h>

struct pair {
    const char *name, *value;
};

enum { FIELDS_MOST = 12 };

/* What the handler asked for and answered. */
struct remuda_ctx {
    const char *method; /* NULL: GET */
    const char *target, *path, *root;
    const char *index, *cache_control; /* NULL: the fallbacks */
    bool has_dotfiles, is_precompressed;
    int64_t multipart;
    const struct pair *asked; /* request fields, ended by {NULL, NULL} */
    void *state;
    int status;
    const char *type;
    size_t field_count;
    struct pair field[FIELDS_MOST];
    char bytes[4096], line[1024];
    char arena[4096];
    size_t used;
};

static const char *fake_get(remuda_ctx *c, int what)
{
    if (what == REMUDA_METHOD)
        return c->method != NULL ? c->method : "GET";
    return what == REMUDA_TARGET ? c->target : "";
}

static const char *fake_header(remuda_ctx *c, const char *name)
{
    for (const struct pair *p = c->asked; p != NULL && p->name != NULL; p++)
        if (strcasecmp(p->name, name) == 0)
            return p->value;
    return NULL;
}

static const char *fake_param(remuda_ctx *c, const char *name)
{
    return strcmp(name, "path") == 0 ? c->path : NULL;
}

static const char *fake_conf(remuda_ctx *c, const char *name)
{
    if (strcmp(name, "root") == 0)
        return c->root;
    if (strcmp(name, "index") == 0)
        return c->index != NULL ? c->index : "index.html";
    assert_string_equal(name, "cache_control");
    return c->cache_control != NULL ? c->cache_control : "";
}

static int64_t fake_conf_num(remuda_ctx *c, const char *name)
{
    if (strcmp(name, "multipart") == 0)
        return c->multipart;
    return strcmp(name, "dotfiles") == 0 ? c->has_dotfiles : c->is_precompressed;
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
    size_t n = strlen(value) + 1;

    assert_true(c->field_count < FIELDS_MOST);
    c->field[c->field_count++] = (struct pair){name, memcpy(fake_alloc(c, n), value, n)};
    return 0;
}

static int fake_send(remuda_ctx *c, int status, const char *type, const void *p, size_t n,
                     remuda_free_fn own)
{
    union {
        const void *in;
        void *out;
    } bytes = {p};

    assert_true(n < sizeof(c->bytes));
    c->status = status;
    c->type = type;
    if (own != REMUDA_STATIC) {
        memcpy(c->bytes, p, n);
        own(bytes.out);
    }
    return 0;
}

static int fake_file(remuda_ctx *c, int status, const char *type, int fd, uint64_t off,
                     uint64_t n)
{
    assert_true(n < sizeof(c->bytes));
    assert_int_equal(pread(fd, c->bytes, n, (off_t)off), n);
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
    .header = fake_header,
    .param = fake_param,
    .conf = fake_conf,
    .conf_num = fake_conf_num,
    .state = fake_state,
    .alloc = fake_alloc,
    .set = fake_set,
    .send = fake_send,
    .file = fake_file,
    .log = fake_log,
};

#endif
