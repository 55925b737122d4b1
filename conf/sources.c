/* SPDX-License-Identifier: MIT */
/*
 * sources - what is said outside of the files.                [master]
 *
 * Owns:    nothing.
 * Called:  by load.c after the files, in the order of precedence; calls assign.c.
 * Fails:   each mistake is noted and names its source.
 *
 * A variable's name knows no case and no '-' or '.', so REMUDA__PLUGIN__MY_APP__PATH is
 * matched with the sections that the files have; of [env] the name is taken as it is.
 */
#include "conf/sources.h"

#include "conf/assign.h"

#include <ctype.h>
#include <stdio.h>
#include <string.h>

static const char prefix[] = "REMUDA__";

static void assign(struct conf_book *book, const struct conf_origin *origin,
                   const char *section, const char *key, const char *text)
{
    struct assignment a = {.origin = *origin,
                           .section = book_copy(book, section),
                           .key = book_copy(book, key),
                           .text = book_copy(book, text)};

    if (assign_section(book, origin, section))
        assign_value(book, &a);
}

/* ---- the environment ---- */

static void take_conventions(struct conf_book *book)
{
    const char *port = book_variable(book, "PORT");
    const char *workers = book_variable(book, "WEB_CONCURRENCY");
    struct conf_origin origin = {CONF_FROM_CONVENTION, "PORT", 0};

    if (port != NULL && *port != '\0')
        assign(book, &origin, "server", "listen", book_join(book, "*:", port, ""));
    origin.name = "WEB_CONCURRENCY";
    if (workers != NULL && *workers != '\0')
        assign(book, &origin, "server", "workers", workers);
}

static const char *fold(struct conf_book *book, const char *p, size_t n)
{
    char *out = book_alloc(book, n + 1);

    if (out == NULL)
        return "";
    for (size_t i = 0; i < n; i++)
        out[i] = p[i] == '-' || p[i] == '.' ? '_' : (char)tolower((unsigned char)p[i]);
    return out;
}

/* "plugin my-app" for "my_app" if there is such a section, else "plugin my_app". */
static const char *plugin_section(struct conf_book *book, const char *folded)
{
    for (size_t i = 0; i < book->plugin_count; i++) {
        const char *name = book->plugin[i]->value.name;

        if (strcmp(fold(book, name, strlen(name)), folded) == 0)
            return book_join(book, "plugin", " ", name);
    }
    return book_join(book, "plugin", " ", folded);
}

/* variable: NAME=value, with the prefix. */
static void take_variable(struct conf_book *book, const char *variable)
{
    size_t n = strcspn(variable, "=");
    const char *name = book_copy_n(book, variable, n);
    struct conf_origin origin = {CONF_FROM_ENVIRONMENT, name, 0};
    struct place place = {.origin = &origin};
    const char *value = variable + n + (variable[n] == '=');
    const char *section = name + strlen(prefix);
    const char *mark = strstr(section, "__");
    const char *where;
    const char *key;

    if (mark == NULL || mark == section || mark[2] == '\0') {
        mistake_add(book->errors, &place, MISTAKE_VARIABLE_FORM, NULL, NULL);
        return;
    }
    where = fold(book, section, (size_t)(mark - section));
    key = mark + 2;
    if (strcmp(where, "plugin") == 0) {
        mark = strstr(key, "__");
        if (mark == NULL || mark == key || mark[2] == '\0') {
            mistake_add(book->errors, &place, MISTAKE_VARIABLE_FORM, NULL, NULL);
            return;
        }
        where = plugin_section(book, fold(book, key, (size_t)(mark - key)));
        key = mark + 2;
    }
    if (strcmp(where, "env") != 0)
        key = fold(book, key, strlen(key));
    assign(book, &origin, where, key, value);
}

void sources_environment(struct conf_book *book)
{
    take_conventions(book);
    for (char *const *v = book->environment; v != NULL && *v != NULL; v++) {
        if (strncmp(*v, prefix, strlen(prefix)) == 0)
            take_variable(book, *v);
    }
}

/* ---- the command line ---- */

static void take_define(struct conf_book *book, const char *text)
{
    struct conf_origin origin = {CONF_FROM_DEFINE, book_copy(book, text), 0};
    struct place place = {.origin = &origin};
    size_t n = strcspn(text, "=");
    const char *name = book_copy_n(book, text, n);
    const char *dot =
        strrchr(name, '.'); /* a plugin's name may hold dots, a key may not */

    if (text[n] != '=' || dot == NULL || dot == name || dot[1] == '\0') {
        mistake_add(book->errors, &place, MISTAKE_DEFINE_FORM, NULL, NULL);
        return;
    }
    origin.name = name; /* the value may be long, or a secret */
    assign(book, &origin, book_copy_n(book, name, (size_t)(dot - name)), dot + 1,
           text + n + 1);
}

void sources_define(struct conf_book *book, const struct conf_source *src)
{
    for (size_t i = 0; i < src->define_count; i++)
        take_define(book, src->define[i]);
}

/* hello for ./hello.so and hello. */
static const char *plugin_basename(struct conf_book *book, const char *path)
{
    const char *slash = strrchr(path, '/');
    const char *name = slash != NULL ? slash + 1 : path;
    size_t n = strlen(name);

    if (n > 3 && strcmp(name + n - 3, ".so") == 0)
        n -= 3;
    return book_copy_n(book, name, n);
}

static void take_plugin(struct conf_book *book, const char *path)
{
    struct conf_origin origin = {CONF_FROM_FLAG, book_copy(book, path), 0};
    struct place place = {.origin = &origin};
    const char *name = plugin_basename(book, path);
    struct book_plugin *known = book_find_plugin(book, name);

    if (known != NULL &&
        known->setting[PLUGIN_OPTION_path].origin.from == CONF_FROM_FLAG) {
        mistake_add(book->errors, &place, MISTAKE_PLUGIN_TWICE, name, NULL);
        return;
    }
    assign(book, &origin, book_join(book, "plugin", " ", name), "path", path);
}

void sources_flags(struct conf_book *book, const struct conf_source *src)
{
    struct conf_origin origin = {CONF_FROM_FLAG, "-b", 0};

    for (size_t i = 0; i < src->bind_count; i++)
        assign(book, &origin, "server", "listen", src->bind[i]);
    for (size_t i = 0; i < src->plugin_count; i++)
        take_plugin(book, src->plugin[i]);
}

/* ---- another process ---- */

/* The name is a new pointer each time: these are no two readings of one file. */
void sources_told(struct conf_book *book, const struct conf_source *src)
{
    for (size_t i = 0; i < src->told_count; i++) {
        const struct conf_told *told = &src->told[i];
        const struct assignment a = {
            .origin = {told->from, book_copy(book, "the running configuration"), 0},
            .section = book_copy(book, told->section),
            .key = book_copy(book, told->key),
            .text = book_copy(book, told->text),
            .secret = told->secret[0] == '\0' ? NULL : book_copy(book, told->secret)};

        if (assign_section(book, &a.origin, a.section))
            assign_value(book, &a);
    }
}
