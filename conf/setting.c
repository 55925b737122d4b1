/* SPDX-License-Identifier: MIT */
/*
 * setting - one key of the table and the value it has.        [master]
 *
 * Owns:    nothing; changes the book and the struct conf being filled.
 * Called:  by assign.c, weakest source first: of a plain value the last one stays; of a
 *          list all values of the strongest source, an empty one starting it anew.
 * Fails:   the mistake is noted, and the value stays as it was.
 */
#include "conf/setting.h"

#include "common/check.h"

#include <stdio.h>
#include <string.h>

/* What may be shown of a value: of a secret only its reference. */
static const char *shown(const struct assignment *a)
{
    return a->secret != NULL ? a->secret : a->text;
}

static struct place place_of(const struct assignment *a)
{
    return (struct place){&a->origin, a->section, a->key};
}

bool setting_is_twice(struct conf_book *book, const struct assignment *a,
                      const struct conf_origin *before)
{
    struct place place = place_of(a);
    char line[16];

    if (a->origin.from != CONF_FROM_FILE || before->name != a->origin.name)
        return false;
    (void)snprintf(line, sizeof(line), "%d", before->line);
    mistake_add(book->errors, &place, MISTAKE_KEY_TWICE, line, NULL);
    return true;
}

static void refuse_value(struct conf_book *book, const struct setting *setting,
                         const struct assignment *a, const char *reason)
{
    struct place place = place_of(a);
    char allowed[OPTION_TEXT_MAX];

    option_format_allowed(setting->option, allowed);
    mistake_add(book->errors, &place, MISTAKE_VALUE, shown(a),
                book_join(book, reason, ", allowed: ", allowed));
}

static void store_plain(struct conf_book *book, struct setting *setting, void *base,
                        const struct assignment *a)
{
    const struct option *option = setting->option;
    const char *text = a->text[0] != '\0' ? a->text : option->fallback;
    const char *wrong = option_store(option, text, base);
    char canonical[OPTION_TEXT_MAX];

    if (wrong != NULL)
        refuse_value(book, setting, a, wrong);
    else
        setting->text = book_copy(book, option_canonical(option, text, canonical));
}

static void add_item(struct conf_book *book, struct setting *setting, const char *item,
                     const struct conf_origin *origin)
{
    const char **items = book_grow(book, setting->item, setting->count, sizeof(*items));
    struct conf_origin *origins =
        book_grow(book, setting->item_origin, setting->count, sizeof(*origins));

    if (items == NULL || origins == NULL)
        return;
    setting->item = items;
    setting->item_origin = origins;
    setting->item_origin[setting->count] = *origin;
    setting->text =
        setting->count == 0 ? item : book_join(book, setting->text, ", ", item);
    setting->item[setting->count++] = item;
}

/* Appends the items of a comma-separated text. False: one of them is empty. */
static bool add_items(struct conf_book *book, struct setting *setting, const char *text,
                      const struct conf_origin *origin)
{
    const char *p = text;

    for (;;) {
        size_t n;
        const char *end;

        p += strspn(p, " \t");
        n = strcspn(p, ",");
        end = p + n;
        while (n > 0 && (p[n - 1] == ' ' || p[n - 1] == '\t'))
            n--;
        if (n == 0)
            return false;
        add_item(book, setting, book_copy_n(book, p, n), origin);
        if (*end == '\0')
            return true;
        p = end + 1;
    }
}

static void clear_items(struct setting *setting)
{
    setting->count = 0;
    setting->text = "";
}

/* The field of a list is a copy of its setting's items; the default when there are none.
 */
static void publish_items(struct conf_book *book, struct setting *setting, void *base)
{
    static const struct conf_origin origin = {CONF_FROM_DEFAULT, NULL, 0};
    struct conf_list *field = (void *)((char *)base + setting->option->offset);

    if (setting->count == 0 && setting->option->fallback[0] != '\0') {
        CHECK(add_items(book, setting, setting->option->fallback, &origin));
        setting->anew = true;
    }
    field->item = setting->item;
    field->count = setting->count;
}

static void store_list(struct conf_book *book, struct setting *setting, void *base,
                       const struct assignment *a)
{
    struct place place = place_of(a);
    const char *wrong = option_store(setting->option, a->text, base);

    if (wrong != NULL) {
        refuse_value(book, setting, a, wrong);
        return;
    }
    if (setting->anew || a->origin.from != setting->origin.from || a->text[0] == '\0')
        clear_items(setting);
    setting->anew = false;
    if (a->text[0] != '\0' && !add_items(book, setting, a->text, &a->origin))
        mistake_add(book->errors, &place, MISTAKE_LIST_EMPTY_ITEM, shown(a), NULL);
    publish_items(book, setting, base);
}

void setting_store(struct conf_book *book, struct setting *setting, void *base,
                   const struct assignment *a)
{
    if (setting->option->type == OPTION_LIST)
        store_list(book, setting, base, a);
    else if (!setting_is_twice(book, a, &setting->origin))
        store_plain(book, setting, base, a);
    setting->origin = a->origin;
    setting->secret = a->secret;
    if (a->origin.from == CONF_FROM_FILE)
        setting->file_text = setting->text;
}

void setting_init(struct conf_book *book, struct setting *setting,
                  const struct option *option, void *base)
{
    char canonical[OPTION_TEXT_MAX];

    *setting = (struct setting){.option = option};
    /* a default that its own type refuses is a mistake of the table, not of the user */
    CHECK(option_store(option, option->fallback, base) == NULL);
    setting->text =
        book_copy(book, option_canonical(option, option->fallback, canonical));
    if (option->type == OPTION_LIST) {
        clear_items(setting);
        publish_items(book, setting, base);
    }
}
