/* SPDX-License-Identifier: MIT */
/*
 * conf_fixture - files of a config under test, in a directory of their own.   [tests]
 *
 * In every text '@' stands for that directory, and in a file \\x02 for a NUL byte. Each
 * test leaves nothing behind.
 */
#ifndef CONF_FIXTURE_H
#define CONF_FIXTURE_H

#include "conf/load.h"

#include <ftw.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

static char fixture_directory[64];

static inline void fixture_open(void)
{
    (void)snprintf(fixture_directory, sizeof(fixture_directory),
                   "/tmp/remuda-conf-XXXXXX");
    assert_non_null(mkdtemp(fixture_directory));
    assert_int_equal(chmod(fixture_directory, 0755), 0);
}

static inline int fixture_remove(const char *path, const struct stat *st, int kind,
                                 struct FTW *where)
{
    (void)st;
    (void)kind;
    (void)where;
    return remove(path);
}

static inline void fixture_close(void)
{
    (void)nftw(fixture_directory, fixture_remove, 16, FTW_DEPTH | FTW_PHYS);
}

/* The text with each '@' replaced; the caller frees it. */
static inline char *fixture_text(const char *text)
{
    char *out = NULL;
    size_t n = 0;
    FILE *stream = open_memstream(&out, &n);

    assert_non_null(stream);
    for (; *text != '\0'; text++) {
        if (*text == '@')
            (void)fputs(fixture_directory, stream);
        else
            (void)fputc(*text, stream);
    }
    (void)fclose(stream);
    return out;
}

static inline void fixture_write_bytes(const char *name, const char *bytes, size_t n)
{
    char path[256];
    FILE *f;

    (void)snprintf(path, sizeof(path), "%s/%s", fixture_directory, name);
    f = fopen(path, "w");
    assert_non_null(f);
    assert_int_equal(fwrite(bytes, 1, n, f), n);
    (void)fclose(f);
    assert_int_equal(chmod(path, 0644), 0);
}

static inline void fixture_write(const char *name, const char *text)
{
    char *filled = fixture_text(text);
    size_t n = strlen(filled);

    for (size_t i = 0; i < n; i++)
        filled[i] = filled[i] == '\x02' ? '\0' : filled[i];
    fixture_write_bytes(name, filled, n);
    free(filled);
}

static inline void fixture_mkdir(const char *name)
{
    char path[256];

    (void)snprintf(path, sizeof(path), "%s/%s", fixture_directory, name);
    assert_int_equal(mkdir(path, 0755), 0);
}

/* main.ini: the text, and behind it a plugin p whose file is there. */
static inline void fixture_main(const char *text)
{
    static const char tail[] = "\n[plugin p]\npath = @/p.so\n";
    size_t size = strlen(text) + sizeof(tail);
    char *with = malloc(size);

    assert_non_null(with);
    (void)snprintf(with, size, "%s%s", text, tail);
    fixture_write("main.ini", with);
    fixture_write("p.so", "");
    free(with);
}

/* Loads main.ini alone; it must be right. */
static inline struct conf *fixture_load(struct conf_source *src)
{
    struct conf_errors errors;
    struct conf *conf;
    char path[256];

    (void)snprintf(path, sizeof(path), "%s/main.ini", fixture_directory);
    src->file = path;
    if (conf_load(src, &conf, &errors) != 0)
        conf_errors_print(&errors, stderr);
    assert_int_equal(errors.status, 0);
    conf_errors_fini(&errors);
    return conf;
}

#endif
