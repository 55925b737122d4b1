/* SPDX-License-Identifier: MIT */
/*
 * walk - every key of a configuration, one after the other.   [master]
 *
 * Owns:    nothing.
 * Called:  by dump.c, dump_json.c, diff.c.
 * Fails:   never.
 */
#include "conf/walk.h"

#include <stdio.h>

static void visit_setting(const struct setting *setting, const char *section, walk_fn *fn,
                          void *arg)
{
    struct entry entry = {.section = section,
                          .key = setting->option->key,
                          .text = setting->text,
                          .secret = setting->secret,
                          .origin = &setting->origin,
                          .setting = setting};

    fn(arg, &entry);
}

static void visit_pairs(const struct conf_pairs *pairs, const char *section, walk_fn *fn,
                        void *arg)
{
    for (size_t i = 0; i < pairs->count; i++) {
        const struct conf_pair *pair = &pairs->item[i];
        struct entry entry = {.section = section,
                              .key = pair->key,
                              .text = pair->value,
                              .secret = pair->secret,
                              .origin = &pair->origin,
                              .of_env_file = pair->secret == pair->origin.name};

        fn(arg, &entry);
    }
}

void walk_conf(const struct conf *conf, walk_fn *fn, void *arg)
{
    const struct conf_book *book = conf->book;
    char section[64];

    for (size_t i = 0; i < OPTION_ROWS; i++)
        visit_setting(&book->setting[i], option_table[i].section, fn, arg);
    visit_pairs(&conf->env, "env", fn, arg);
    for (size_t i = 0; i < book->plugin_count; i++) {
        const struct book_plugin *plugin = book->plugin[i];

        (void)snprintf(section, sizeof(section), "plugin %s", plugin->value.name);
        for (size_t k = 0; k < PLUGIN_OPTION_ROWS; k++)
            visit_setting(&plugin->setting[k], section, fn, arg);
        visit_pairs(&plugin->value.options, section, fn, arg);
    }
}
