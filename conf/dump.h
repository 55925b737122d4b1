/* SPDX-License-Identifier: MIT */
/*
 * dump - the configuration for people to read, and two of them compared.
 *
 * Called:  by main (-T, explain) and master/reload.c (diff). Reads, never changes.
 */
#ifndef CONF_DUMP_H
#define CONF_DUMP_H

#include "conf/conf.h"

#include <stdio.h>

enum conf_dump_mode { CONF_DUMP_INI, CONF_DUMP_JSON };

/** The effective values, each with its origin; the INI form can be loaded again. Secrets
 *  show their reference. `defaults`: also what nobody has set. */
void conf_dump(FILE *out, const struct conf *conf, enum conf_dump_mode mode,
               bool defaults);

/** One option's documentation; `key` is "section.key", a bare key, or NULL for the list
 *  of all. False: no such key, and `err` got one line with the nearest name. */
bool conf_explain(FILE *out, FILE *err, const char *key);

enum conf_effect { CONF_RELOAD, CONF_RESTART };

/** "section.key", and its text in either configuration. */
typedef void conf_diff_fn(void *arg, const char *key, const char *running,
                          const char *wanted);

/** Calls fn for every changed key that takes effect by `effect`. How many. */
size_t conf_diff(const struct conf *running, const struct conf *wanted,
                 enum conf_effect effect, conf_diff_fn *fn, void *arg);

/** Calls fn for every key whose text in the *file* has changed while a stronger source
 *  still hides it; `running` is the value that stays, `wanted` what the file now says. */
size_t conf_diff_masked(const struct conf *running, const struct conf *wanted,
                        conf_diff_fn *fn, void *arg);

#endif
