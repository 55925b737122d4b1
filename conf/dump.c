/* SPDX-License-Identifier: MIT */
/*
 * dump - the effective configuration as an ini that can be loaded again.
 *
 * Owns:    nothing.
 * Called:  by main (-T); the JSON form is in dump_json.c.
 * Fails:   never; the caller looks at ferror(out). A value longer than a line of an ini
 *          may be (from -D or the environment) is shown all the same.
 */
#include "conf/dump.h"

#include "conf/dump_json.h"
#include "conf/line.h"
#include "conf/walk.h"

#include <stdlib.h>
#include <string.h>

enum { LINE_MOST = 190 }; /* a line with its comment; a longer one gets it before */

struct dump {
    FILE *out;
    const struct conf *conf;
    bool defaults;
    char section[64];
};

/* The text as an ini says it: $ doubled, in quotes where it needs them. On the heap. */
static char *encode(const char *text, bool is_reference)
{
    size_t n = strlen(text);
    char *doubled = malloc(2 * n + 1);
    char *encoded = malloc(4 * n + 3);
    char *to = doubled;

    if (doubled == NULL || encoded == NULL) {
        free(doubled);
        free(encoded);
        return NULL;
    }
    for (; *text != '\0'; text++) {
        if (*text == '$' && !is_reference)
            *to++ = '$';
        *to++ = *text;
    }
    *to = '\0';
    line_quote(doubled, encoded, 4 * n + 3);
    free(doubled);
    return encoded;
}

static void put_line(const struct dump *dump, const char *key, const char *text,
                     const char *comment, bool is_reference)
{
    char *value = encode(text, is_reference);

    if (value == NULL)
        return;
    if (strlen(key) + strlen(value) + strlen(comment) + 7 <= LINE_MOST)
        (void)fprintf(dump->out, "%s = %s  ; %s\n", key, value, comment);
    else
        (void)fprintf(dump->out, "; %s\n%s = %s\n", comment, key, value);
    free(value);
}

static void enter_section(struct dump *dump, const char *section)
{
    if (strcmp(dump->section, section) == 0)
        return;
    (void)fprintf(dump->out, "%s[%s]\n", dump->section[0] != '\0' ? "\n" : "", section);
    (void)snprintf(dump->section, sizeof(dump->section), "%s", section);
}

/* The origin; of workers = auto also what came of it. */
static void format_comment(const struct dump *dump, const struct entry *entry, char *out,
                           size_t size)
{
    const struct conf_server *server = &dump->conf->server;
    char origin[512];

    conf_origin_format(entry->origin, origin, sizeof(origin));
    if (entry->setting == &dump->conf->book->setting[OPTION_server_workers] &&
        strcmp(entry->text, "auto") == 0)
        (void)snprintf(out, size, "%s; %u: %s", origin, server->workers,
                       server->workers_why);
    else
        (void)snprintf(out, size, "%s%s", origin,
                       entry->secret != NULL ? " (content not shown)" : "");
}

static void dump_entry(void *arg, const struct entry *entry)
{
    struct dump *dump = arg;
    const struct setting *setting = entry->setting;
    char comment[700];

    if (entry->origin->from == CONF_FROM_DEFAULT && !dump->defaults)
        return;
    enter_section(dump, entry->section);
    format_comment(dump, entry, comment, sizeof(comment));
    if (entry->of_env_file) {
        (void)fprintf(dump->out, "; %s is set by %s\n", entry->key, comment);
    } else if (entry->secret != NULL) {
        put_line(dump, entry->key, entry->secret, comment, true);
    } else if (setting != NULL && setting->count > 1) {
        for (size_t i = 0; i < setting->count; i++) {
            conf_origin_format(&setting->item_origin[i], comment, sizeof(comment));
            put_line(dump, entry->key, setting->item[i], comment, false);
        }
    } else {
        put_line(dump, entry->key, entry->text, comment, false);
    }
}

void conf_dump(FILE *out, const struct conf *conf, enum conf_dump_mode mode,
               bool defaults)
{
    struct dump dump = {.out = out, .conf = conf, .defaults = defaults};

    if (mode == CONF_DUMP_JSON)
        dump_json(out, conf, defaults);
    else
        walk_conf(conf, dump_entry, &dump);
}
