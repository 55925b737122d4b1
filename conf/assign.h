/* SPDX-License-Identifier: MIT */
/*
 * assign - one key = value arrives: checked, typed, stored.   [master]
 *
 * Owns:    nothing; changes the book and the struct conf being filled.
 * Called:  by reader.c and sources.c, weakest source first.
 * Fails:   the mistake is noted, and the value stays as it was.
 */
#ifndef CONF_ASSIGN_H
#define CONF_ASSIGN_H

#include "conf/book.h"

/** A section header. False, and a mistake noted, when there is no such section: its keys
 *  are then to be skipped. */
bool assign_section(struct conf_book *book, const struct conf_origin *origin,
                    const char *section);

/** The strings live in the book. */
void assign_value(struct conf_book *book, const struct assignment *a);

#endif
