/* SPDX-License-Identifier: MIT */
/*
 * reference - ${NAME}, ${NAME:-default} and ${file:/path} inside a value.   [master]
 *
 * Owns:    nothing; the result lives in the book.
 * Called:  by reader.c. Values of files only: those of the environment and of -D are
 *          taken as they are.
 * Fails:   false, and the mistake is noted.
 */
#ifndef CONF_REFERENCE_H
#define CONF_REFERENCE_H

#include "conf/book.h"

/** Replaces the references of `text`; $$ is a dollar sign, a lone $ too. A default, and
 *  the path of a file, may hold references. *secret_out: a file's content is part of it.
 */
bool reference_expand(struct conf_book *book, const struct place *place, const char *text,
                      const char **out, bool *secret_out);

#endif
