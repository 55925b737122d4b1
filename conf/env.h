/* SPDX-License-Identifier: MIT */
/*
 * env - the environment that workers get: env_file, then [env].
 *
 * Owns:    nothing; the pairs live in the book.
 * Called:  by load.c and assign.c; conf_env_apply (conf.h) by worker/.
 * Fails:   the mistake is noted, each with its line.
 */
#ifndef CONF_ENV_H
#define CONF_ENV_H

#include "conf/book.h"

/** Letters, digits and '_', not beginning with a digit. */
bool env_is_name(const char *name);

/** Fills conf->env from the file that server.env_file names and from [env]. */
void env_collect(struct conf_book *book);

#endif
