/* SPDX-License-Identifier: MIT */
/*
 * load - from files, environment and command line to a struct conf.   [master]
 *
 * Owns:    struct conf_errors, until conf_errors_fini.
 * Called:  by main (start, -t, -T) and master/reload.c.
 * Fails:   every mistake is reported in one pass, each with its place; an exit status.
 */
#ifndef CONF_LOAD_H
#define CONF_LOAD_H

#include "conf/conf.h"
#include "conf/retell.h"

#include <stdio.h>

/** What to read. All pointers stay the caller's and are not kept. */
struct conf_source {
    const char *file;    /* NULL: no ini (remuda run x.so) */
    char *const *define; /* -D section.key=value, in order */
    size_t define_count;
    char *const *bind; /* -b ADDR: together they replace listen */
    size_t bind_count;
    char *const *plugin; /* PLUGIN arguments; [plugin BASENAME] each */
    size_t plugin_count;
    char *const *environment; /* as environ; NULL: none */
    const struct conf_told
        *told; /* instead of all of these: a configuration that was loaded
                                     before; its files may be gone (retell.h) */
    size_t told_count;
};

struct conf_errors {
    char **line; /* "file:line: section.key: what is wrong, what is allowed" */
    size_t count;
    int status; /* 66 file missing, 77 permission, 78 config, 71 out of memory */
};

/** 0 and *out, or the exit status (errors->status) with every mistake in errors->line and
 *  *out NULL. The caller always ends with conf_errors_fini. */
int conf_load(const struct conf_source *src, struct conf **out,
              struct conf_errors *errors);

void conf_errors_print(const struct conf_errors *errors, FILE *out);
void conf_errors_fini(struct conf_errors *errors);

#endif
