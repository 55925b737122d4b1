/* SPDX-License-Identifier: MIT */
/*
 * book - all that is known of a configuration besides its values.   [master]
 *
 * Owns:    the arena.
 * Called:  by all of conf/.
 * Fails:   out of memory is remembered in the book.
 */
#include "conf/book.h"

#include "conf/setting.h"

#include <string.h>

void *book_alloc(struct conf_book *book, size_t n)
{
    void *p = arena_alloc(&book->arena, n);

    if (p == NULL) {
        book->out_of_memory = true;
        return NULL;
    }
    return memset(p, 0, n);
}

const char *book_copy_n(struct conf_book *book, const char *bytes, size_t n)
{
    const char *copy = arena_copy(&book->arena, bytes, n);

    if (copy != NULL)
        return copy;
    book->out_of_memory = true;
    return "";
}

const char *book_copy(struct conf_book *book, const char *text)
{
    return book_copy_n(book, text, strlen(text));
}

const char *book_join(struct conf_book *book, const char *a, const char *between,
                      const char *b)
{
    size_t a_n = strlen(a);
    size_t between_n = strlen(between);
    size_t b_n = strlen(b);
    char *out = book_alloc(book, a_n + between_n + b_n + 1);

    if (out == NULL)
        return "";
    memcpy(out, a, a_n);
    memcpy(out + a_n, between, between_n);
    memcpy(out + a_n + between_n, b, b_n);
    return out;
}

void *book_grow(struct conf_book *book, void *array, size_t count, size_t size)
{
    void *grown;

    /* capacities are powers of two, so the count alone says when the array is full */
    if (count != 0 && (count & (count - 1)) != 0)
        return array;
    grown = book_alloc(book, (count == 0 ? 1 : 2 * count) * size);
    if (grown != NULL && count != 0)
        memcpy(grown, array, count * size);
    return grown;
}

const char *book_variable(const struct conf_book *book, const char *name)
{
    size_t n = strlen(name);

    for (char *const *v = book->environment; v != NULL && *v != NULL; v++) {
        if (strncmp(*v, name, n) == 0 && (*v)[n] == '=')
            return *v + n + 1;
    }
    return NULL;
}

const char *book_plugin_name(const char *section)
{
    return strncmp(section, "plugin ", 7) == 0 ? section + 7 : NULL;
}

struct book_plugin *book_find_plugin(const struct conf_book *book, const char *name)
{
    for (size_t i = 0; i < book->plugin_count; i++) {
        if (strcmp(book->plugin[i]->value.name, name) == 0)
            return book->plugin[i];
    }
    return NULL;
}

struct book_plugin *book_open_plugin(struct conf_book *book, const char *name,
                                     const struct conf_origin *origin)
{
    struct book_plugin *plugin = book_find_plugin(book, name);
    struct book_plugin **grown;

    if (plugin != NULL)
        return plugin;
    plugin = book_alloc(book, sizeof(*plugin));
    grown = book_grow(book, book->plugin, book->plugin_count, sizeof(*grown));
    if (plugin == NULL || grown == NULL)
        return NULL;
    for (size_t i = 0; i < PLUGIN_OPTION_ROWS; i++)
        setting_init(book, &plugin->setting[i], &option_plugin_table[i], &plugin->value);
    plugin->value.name = book_copy(book, name);
    plugin->value.origin = *origin;
    book->plugin = grown;
    book->plugin[book->plugin_count++] = plugin;
    return plugin;
}

void book_set_pair(struct conf_book *book, struct pair_list *list,
                   const struct conf_pair *pair)
{
    struct conf_pair *grown;

    for (size_t i = 0; i < list->count; i++) {
        if (strcmp(list->item[i].key, pair->key) == 0) {
            list->item[i] = *pair;
            return;
        }
    }
    grown = book_grow(book, list->item, list->count, sizeof(*grown));
    if (grown == NULL)
        return;
    list->item = grown;
    list->item[list->count++] = *pair;
}
