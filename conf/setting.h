/* SPDX-License-Identifier: MIT */
/*
 * setting - one key of the table and the value it has.        [master]
 *
 * Owns:    nothing; struct setting is part of the book.
 * Called:  by assign.c, load.c, book.c.
 * Fails:   the mistake is noted, and the value stays as it was.
 */
#ifndef CONF_SETTING_H
#define CONF_SETTING_H

#include "conf/book.h"

/** Gives a setting its option, and the field of base (struct conf or conf_plugin) its
 *  default. */
void setting_init(struct conf_book *book, struct setting *setting,
                  const struct option *option, void *base);

/** Stores a value; an empty one is the default. */
void setting_store(struct conf_book *book, struct setting *setting, void *base,
                   const struct assignment *a);

/** Is this the second assignment of a key in one file? Then a mistake is noted. `before`
 *  is the origin of the value it has. */
bool setting_is_twice(struct conf_book *book, const struct assignment *a,
                      const struct conf_origin *before);

#endif
