/* SPDX-License-Identifier: MIT */
/*
 * sources - what is said outside of the files.                [master]
 *
 * Owns:    nothing.
 * Called:  by load.c after the files, in the order below; calls assign.c.
 * Fails:   each mistake is noted and names its source.
 */
#ifndef CONF_SOURCES_H
#define CONF_SOURCES_H

#include "conf/book.h"

/** PORT, WEB_CONCURRENCY; then REMUDA__SECTION__KEY. Values are taken as they are. */
void sources_environment(struct conf_book *book);

/** -D section.key=value, in order. */
void sources_define(struct conf_book *book, const struct conf_source *src);

/** -b ADDR, and PLUGIN arguments as [plugin BASENAME] with this path. */
void sources_flags(struct conf_book *book, const struct conf_source *src);

/** What conf_retell() told: alone, without any of the others. */
void sources_told(struct conf_book *book, const struct conf_source *src);

#endif
