/* SPDX-License-Identifier: MIT */
/*
 * book - all that is known of a configuration besides its values: texts, origins,
 * secrets; and the memory of it all.                            [master]
 *
 * Owns:    every byte of struct conf, in one arena; freed by conf_destroy.
 * Called:  by load.c, which fills it, with reader.c, sources.c, assign.c; dump.c and
 *          diff.c read it.
 * Fails:   out of memory is remembered and reported once, at the end of loading.
 */
#ifndef CONF_BOOK_H
#define CONF_BOOK_H

#include "common/arena.h"
#include "conf/conf.h"
#include "conf/mistakes.h"
#include "conf/option.h"

#include <stdbool.h>
#include <stddef.h>

enum {
    BOOK_LISTENERS = 64, /* as many as the heritage carries */
    BOOK_PLUGINS = 64
};

/** One key, and what was said about it. */
struct setting {
    const struct option *option;
    const char *text; /* effective, canonical; list items joined by ", " */
    struct conf_origin origin;
    const char *secret;    /* as written, when it came from ${file:}; else NULL */
    const char *file_text; /* what the files alone say; NULL: nothing */

    /* a list's items and their origins, in growing memory; its field is a copy */
    const char **item;
    struct conf_origin *item_origin;
    size_t count;
    bool anew; /* they are the default: the next item starts the list anew */
};

/** Pairs in growing memory. */
struct pair_list {
    struct conf_pair *item;
    size_t count;
};

struct book_plugin {
    struct conf_plugin value;
    struct setting setting[PLUGIN_OPTION_ROWS];
    struct pair_list own; /* keys of the plugin's own */
};

struct conf_book {
    struct arena arena;
    struct conf *conf;          /* while loading: the one being filled */
    struct conf_errors *errors; /* while loading */
    char *const *environment;   /* while loading; may be NULL */
    bool out_of_memory;
    bool is_retold; /* it was loaded before, and all its files were there */

    struct setting setting[OPTION_ROWS];
    struct book_plugin **plugin; /* in order of appearance */
    size_t plugin_count;
    struct pair_list env;    /* [env] */
    struct pair_list opened; /* sections, and where each began last; while loading */
};

/** One assignment on its way in. Two from one reading of a file have the same pointer in
 *  origin.name. */
struct assignment {
    struct conf_origin origin;
    const char *section, *key; /* "server", "plugin hello" */
    const char *text;          /* unquoted, references replaced; lives in the book */
    const char *secret;
};

/** Zeroed. NULL, remembered, when out of memory. */
void *book_alloc(struct conf_book *book, size_t n);

/** A copy; "" , remembered, when out of memory. Never NULL. */
const char *book_copy(struct conf_book *book, const char *text);
const char *book_copy_n(struct conf_book *book, const char *bytes, size_t n);
const char *book_join(struct conf_book *book, const char *a, const char *between,
                      const char *b);

/** Room for one more item of `size` bytes behind `count` of them; the array may move.
 *  NULL when out of memory. */
void *book_grow(struct conf_book *book, void *array, size_t count, size_t size);

/** The environment's value of a variable, or NULL. */
const char *book_variable(const struct conf_book *book, const char *name);

struct book_plugin *book_find_plugin(const struct conf_book *book, const char *name);

/** The section of [plugin NAME], made when it is new. NULL when out of memory. */
struct book_plugin *book_open_plugin(struct conf_book *book, const char *name,
                                     const struct conf_origin *origin);

/** NAME of "plugin NAME"; NULL for any other section. */
const char *book_plugin_name(const char *section);

/** Appends, or replaces the pair with this key. */
void book_set_pair(struct conf_book *book, struct pair_list *list,
                   const struct conf_pair *pair);

#endif
