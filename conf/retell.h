/* SPDX-License-Identifier: MIT */
/*
 * retell - a configuration told to another process, which has it then as it is here.
 *
 * A dump is for people: secrets are references in it, and it is read with today's files. This
 * carries what runs, whatever has become of the files since.
 */
#ifndef CONF_RETELL_H
#define CONF_RETELL_H

#include "conf/conf.h"

/** One value; its texts are the teller's, until the next one is told. */
struct conf_told {
    const char *section, *key, *text;
    const char *secret; /* what to show instead of text; "": text itself */
    enum conf_from from;
};

typedef void conf_tell_fn(void *arg, const struct conf_told *told);

/** Every value that is not a default, in an order that conf_load() takes as
 *  conf_source.told. */
void conf_retell(const struct conf *conf, conf_tell_fn *fn, void *arg);

#endif
