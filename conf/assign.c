/* SPDX-License-Identifier: MIT */
/*
 * assign - one key = value arrives, and finds its place.      [master]
 *
 * Owns:    nothing; changes the book and the struct conf being filled.
 * Called:  by reader.c and sources.c, weakest source first; calls setting.c.
 * Fails:   the mistake is noted, and the value stays as it was.
 */
#include "conf/assign.h"

#include "conf/env.h"
#include "conf/near.h"
#include "conf/setting.h"

#include <stdio.h>
#include <string.h>

enum { PLUGIN_NAME_MOST = 40 };

/* ---- sections ---- */

static bool is_plugin_name(const char *name)
{
    static const char allowed[] = "abcdefghijklmnopqrstuvwxyz"
                                  "ABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789_-.";
    size_t n = strlen(name);

    return n >= 1 && n <= PLUGIN_NAME_MOST && strspn(name, allowed) == n;
}

static void refuse_section(struct conf_book *book, const struct place *place,
                           const char *section)
{
    struct near near;

    near_init(&near, section);
    near_offer(&near, "env", "env");
    near_offer(&near, "plugin", "plugin NAME");
    for (size_t i = 0; i < OPTION_ROWS; i++)
        near_offer(&near, option_table[i].section, option_table[i].section);
    if (near.best != NULL)
        mistake_add(book->errors, place, MISTAKE_SECTION_HINT, section, near.best);
    else
        mistake_add(book->errors, place, MISTAKE_SECTION_UNKNOWN, section,
                    "server, limits, worker, env, log, admin, plugin NAME");
}

/* A file opens a section once; another file may add to it. */
static bool open_once(struct conf_book *book, const struct place *place,
                      const char *section)
{
    struct conf_pair opened = {book_copy(book, section), "", *place->origin, NULL};
    const struct pair_list *list = &book->opened;
    char line[16];

    if (place->origin->from != CONF_FROM_FILE)
        return true;
    for (size_t i = 0; i < list->count; i++) {
        const struct conf_origin *before = &list->item[i].origin;

        if (strcmp(list->item[i].key, section) != 0 || before->name != opened.origin.name)
            continue;
        (void)snprintf(line, sizeof(line), "%d", before->line);
        mistake_add(book->errors, place, MISTAKE_SECTION_TWICE, section, line);
        return false;
    }
    book_set_pair(book, &book->opened, &opened);
    return true;
}

bool assign_section(struct conf_book *book, const struct conf_origin *origin,
                    const char *section)
{
    struct place place = {.origin = origin};
    const char *name = book_plugin_name(section);

    if (name != NULL && !is_plugin_name(name)) {
        mistake_add(book->errors, &place, MISTAKE_PLUGIN_NAME, name, NULL);
        return false;
    }
    if (name == NULL && !option_is_section(section)) {
        refuse_section(book, &place, section);
        return false;
    }
    if (!open_once(book, &place, section))
        return false;
    return name == NULL || book_open_plugin(book, name, origin) != NULL;
}

/* ---- keys ---- */

static struct place place_of(const struct assignment *a)
{
    return (struct place){&a->origin, a->section, a->key};
}

static void refuse_key(struct conf_book *book, const struct assignment *a)
{
    struct place place = place_of(a);
    const char *all = "";
    struct near near;

    near_init(&near, a->key);
    for (size_t i = 0; i < OPTION_ROWS; i++) {
        const struct option *o = &option_table[i];

        if (strcmp(o->section, a->section) == 0) {
            near_offer(&near, o->key, o->key);
            all = *all == '\0' ? o->key : book_join(book, all, ", ", o->key);
        }
    }
    for (size_t i = 0; i < OPTION_ROWS; i++) {
        if (strcmp(option_table[i].key, a->key) == 0) {
            mistake_add(book->errors, &place, MISTAKE_KEY_ELSEWHERE,
                        option_table[i].section, NULL);
            return;
        }
    }
    if (near.best != NULL)
        mistake_add(book->errors, &place, MISTAKE_KEY_HINT, near.best, NULL);
    else
        mistake_add(book->errors, &place, MISTAKE_KEY_UNKNOWN, all, NULL);
}

static void store_pair(struct conf_book *book, struct pair_list *list,
                       const struct assignment *a)
{
    struct conf_pair pair = {a->key, a->text, a->origin, a->secret};

    for (size_t i = 0; i < list->count; i++) {
        if (strcmp(list->item[i].key, a->key) == 0 &&
            setting_is_twice(book, a, &list->item[i].origin))
            return;
    }
    book_set_pair(book, list, &pair);
}

static void assign_env(struct conf_book *book, const struct assignment *a)
{
    struct place place = place_of(a);

    if (env_is_name(a->key))
        store_pair(book, &book->env, a);
    else
        mistake_add(book->errors, &place, MISTAKE_ENV_NAME, a->key, NULL);
}

static void assign_plugin(struct conf_book *book, const struct assignment *a,
                          struct book_plugin *plugin)
{
    const struct option *option = option_find("plugin", a->key);

    if (option == NULL)
        store_pair(book, &plugin->own, a);
    else
        setting_store(book, &plugin->setting[option - option_plugin_table],
                      &plugin->value, a);
}

void assign_value(struct conf_book *book, const struct assignment *a)
{
    const char *name = book_plugin_name(a->section);
    struct book_plugin *plugin = name != NULL ? book_find_plugin(book, name) : NULL;
    const struct option *option;

    if (plugin != NULL) {
        assign_plugin(book, a, plugin);
        return;
    }
    if (strcmp(a->section, "env") == 0) {
        assign_env(book, a);
        return;
    }
    option = option_find(a->section, a->key);
    if (option != NULL)
        setting_store(book, &book->setting[option - option_table], book->conf, a);
    else
        refuse_key(book, a);
}
