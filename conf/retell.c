/* SPDX-License-Identifier: MIT */
/*
 * retell - a configuration told to another process.          [master]
 *
 * Owns:    nothing.
 * Called:  by the master before an upgrade; sources_told() takes it in.
 * Fails:   never.
 */
#include "conf/retell.h"

#include "conf/option.h"
#include "conf/walk.h"

#include <string.h>

struct telling {
    conf_tell_fn *fn;
    void *arg;
};

static void tell(const struct telling *telling, const struct entry *entry,
                 enum conf_from from, const char *text)
{
    const struct conf_told told = {.section = entry->section,
                                   .key = entry->key,
                                   .text = text,
                                   .secret = entry->secret == NULL ? "" : entry->secret,
                                   .from = from};

    telling->fn(telling->arg, &told);
}

/* What env_file brought is told value by value: the file may say something else by now. What a
 * stronger source hides of the files is told too, for the next reload to compare. */
static void tell_entry(void *arg, const struct entry *entry)
{
    const struct telling *telling = arg;
    const struct setting *setting = entry->setting;
    const enum conf_from from = entry->origin->from;

    if (from == CONF_FROM_DEFAULT ||
        (strcmp(entry->section, "server") == 0 && strcmp(entry->key, "env_file") == 0))
        return;
    if (from > CONF_FROM_FILE && setting != NULL && setting->file_text != NULL)
        tell(telling, entry, CONF_FROM_FILE, setting->file_text);
    tell(telling, entry, from, entry->text);
}

void conf_retell(const struct conf *conf, conf_tell_fn *fn, void *arg)
{
    struct telling telling = {fn, arg};

    walk_conf(conf, tell_entry, &telling);
}
