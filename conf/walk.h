/* SPDX-License-Identifier: MIT */
/*
 * walk - every key of a configuration, one after the other.   [master]
 *
 * Owns:    nothing.
 * Called:  by dump.c, dump_json.c, diff.c.
 * Fails:   never.
 */
#ifndef CONF_WALK_H
#define CONF_WALK_H

#include "conf/book.h"

struct entry {
    const char *section; /* "server", "env", "plugin hello" */
    const char *key;
    const char *text;
    const char *secret; /* what to show instead of text, or NULL */
    const struct conf_origin *origin;
    const struct setting
        *setting;     /* NULL: a variable, or an option of the plugin's own */
    bool of_env_file; /* a variable that env_file brings */
};

typedef void walk_fn(void *arg, const struct entry *entry);

/** In the order of the table; then the environment; then each plugin. */
void walk_conf(const struct conf *conf, walk_fn *fn, void *arg);

#endif
