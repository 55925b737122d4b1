/* SPDX-License-Identifier: MIT */
/*
 * option - the rows of options.def, and what each type of value does.   [master]
 *
 * Owns:    the tables, constant.
 * Called:  by assign.c (store), load.c (defaults), dump.c, explain.c.
 * Fails:   option_store says why a text is refused.
 */
#ifndef CONF_OPTION_H
#define CONF_OPTION_H

#include "conf/conf.h"
#include "conf/dump.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum option_type {
    OPTION_COUNT,     /* unsigned */
    OPTION_AUTO,      /* unsigned; "auto" is 0 until it is resolved */
    OPTION_SIZE,      /* uint64_t bytes */
    OPTION_DURATION,  /* uint64_t milliseconds */
    OPTION_BOOL,      /* bool */
    OPTION_WORD,      /* an enum: the value of one of `words` */
    OPTION_MODE,      /* int; -1 when not set */
    OPTION_TEXT,      /* const char * from here on */
    OPTION_PATH,      /* begins with a slash */
    OPTION_MOUNT,     /* begins with a slash, does not end with one */
    OPTION_LOG,       /* off, - or a path */
    OPTION_ERROR_LOG, /* - or a path */
    OPTION_FORMAT,    /* combined, json or a pattern */
    OPTION_LIST       /* struct conf_list; comma-separated */
};

struct option_word {
    const char *word;
    unsigned value;
};

struct option {
    const char *section, *key;
    enum option_type type;
    size_t offset; /* of the field in struct conf, or in struct conf_plugin */
    const char *fallback;
    int64_t least, most;
    const struct option_word *words; /* ends with a NULL word */
    enum conf_effect effect;
    const char *help;
};

enum {
#define OPTION(section, key, ...) OPTION_##section##_##key,
#include "conf/options.def"
    OPTION_ROWS
};

enum {
#define PLUGIN_OPTION(key, ...) PLUGIN_OPTION_##key,
#include "conf/options.def"
    PLUGIN_OPTION_ROWS
};

extern const struct option option_table[OPTION_ROWS];
extern const struct option option_plugin_table[PLUGIN_OPTION_ROWS]; /* section "plugin" */

/** NULL when the section has no such key. `plugin` is the section of [plugin NAME]. */
const struct option *option_find(const char *section, const char *key);

/** Is it a section of the table, or env? [plugin NAME] is not. */
bool option_is_section(const char *name);

enum { OPTION_TEXT_MAX = 160 }; /* of what is allowed, with its NUL */

/** "1 to 1024", "event, thread or sync", "on or off". Always ends. */
void option_format_allowed(const struct option *option, char out[static OPTION_TEXT_MAX]);

/** Writes the value of `text` into its field of `base` (struct conf or conf_plugin),
 *  unless it is a list. A text field keeps the pointer. NULL, or why it is refused. */
const char *option_store(const struct option *option, const char *text, void *base);

/** The shortest text that means the same, in `out` or `text` itself where there is no
 *  shorter. Only after option_store took it. */
const char *option_canonical(const struct option *option, const char *text,
                             char out[static OPTION_TEXT_MAX]);

#endif
