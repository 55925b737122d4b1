/* SPDX-License-Identifier: MIT */
/*
 * plugin_options - the keys of a [plugin NAME] section that are the plugin's own.  [worker]
 *
 * Owns:    the table of values in struct plugin.
 * Called:  by plugin.c after plugin_open.
 * Fails:   one line for each mistake, with file and line where there is one.
 */
#include "worker/plugin_options.h"

#include "common/check.h"
#include "conf/conf.h"
#include "conf/option.h"
#include "conf/types.h"
#include "worker/plugin.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { LINE_BYTES = 512 };

static const remuda_option *declared_at(const remuda_plugin *d, size_t i)
{
    const remuda_option *o =
        (const void *)((const char *)d->options + i * d->option_size);
    return o->name != NULL ? o : NULL;
}

static size_t declared_count(const remuda_plugin *d)
{
    size_t n = 0;
    while (d->options != NULL && declared_at(d, n) != NULL)
        n++;
    return n;
}

static const struct conf_pair *pair_of(const struct plugin *p, const char *name)
{
    for (size_t i = 0; i < p->conf->options.count; i++) {
        const struct conf_pair *pair = &p->conf->options.item[i];
        if (strcmp(pair->key, name) == 0)
            return pair;
    }
    return NULL;
}

static const char *to_number(uint32_t type, const char *text, int64_t *out)
{
    uint64_t u = 0;
    bool b = false;
    const char *wrong = NULL;
    switch (type) {
    case REMUDA_STRING:
        return NULL;
    case REMUDA_INT:
        return types_parse_int(text, out);
    case REMUDA_BOOL:
        wrong = types_parse_bool(text, &b);
        u = b;
        break;
    case REMUDA_SIZE:
        wrong = types_parse_size(text, &u);
        break;
    case REMUDA_DURATION:
        wrong = types_parse_duration(text, &u);
        break;
    default:
        return "has a type that this remuda does not know";
    }
    if (wrong == NULL && u > INT64_MAX)
        wrong = "is too large";
    if (wrong == NULL)
        *out = (int64_t)u;
    return wrong;
}

static int complain_at(const struct plugin *p, const struct conf_pair *pair,
                       const char *name, const char *what,
                       void (*complain)(const char *line))
{
    char where[LINE_BYTES / 2], line[LINE_BYTES * 2];
    conf_origin_format(pair != NULL ? &pair->origin : &p->conf->origin, where,
                       sizeof where);
    snprintf(line, sizeof line, "%s: plugin %s: %s: %s", where, p->name, name, what);
    complain(line);
    return 1;
}

static int load_one(struct plugin *p, const remuda_option *o, struct plugin_option *out,
                    void (*complain)(const char *line))
{
    CHECK(o != NULL); /* it was counted */
    if (option_find("plugin", o->name) != NULL)
        return complain_at(p, NULL, o->name,
                           "the plugin declares a key that is remuda's own", complain);
    const struct conf_pair *pair = pair_of(p, o->name);
    const char *text = pair != NULL ? pair->value : o->fallback;
    if (text == NULL)
        return complain_at(p, NULL, o->name, "is missing, and the plugin requires it",
                           complain);
    *out = (struct plugin_option){.name = o->name, .text = text};
    const char *wrong = to_number(o->type, text, &out->number);
    if (wrong == NULL)
        return 0;
    char what[LINE_BYTES / 2];
    if (pair != NULL && pair->secret != NULL)
        text = pair->secret; /* the reference: what it stands for is not for the log */
    snprintf(what, sizeof what, "\"%s\" %s", text, wrong);
    return complain_at(p, pair, o->name, what, complain);
}

static int refuse_unknown(struct plugin *p, void (*complain)(const char *line))
{
    int mistakes = 0;
    for (size_t i = 0; i < p->conf->options.count; i++) {
        const struct conf_pair *pair = &p->conf->options.item[i];
        bool is_known = false;
        for (size_t d = 0; p->declared->options != NULL && !is_known; d++) {
            const remuda_option *o = declared_at(p->declared, d);
            if (o == NULL)
                break;
            is_known = strcmp(o->name, pair->key) == 0;
        }
        if (!is_known)
            mistakes += complain_at(p, pair, pair->key,
                                    "the plugin declares no such option", complain);
    }
    return mistakes;
}

int plugin_options_load(struct plugin *p, void (*complain)(const char *line))
{
    size_t count = declared_count(p->declared);
    p->options = plugin_memory(calloc(count + 1, sizeof *p->options));
    int mistakes = 0;
    for (size_t i = 0; i < count; i++)
        mistakes += load_one(p, declared_at(p->declared, i), &p->options[i], complain);
    p->option_count = mistakes == 0 ? count : 0;
    return mistakes + refuse_unknown(p, complain);
}
