/* SPDX-License-Identifier: MIT */
/*
 * dump_json - the effective configuration for programs.
 *
 * Called:  by dump.c.
 */
#ifndef CONF_DUMP_JSON_H
#define CONF_DUMP_JSON_H

#include "conf/conf.h"

#include <stdio.h>

/** {"server": {"threads": {"value": 8, "origin": "default"}, ...}, "plugin hello": ...}.
 *  Counts and booleans are typed, lists are arrays, all else is text; the value of a
 *  secret is null, with its "reference". */
void dump_json(FILE *out, const struct conf *conf, bool defaults);

#endif
