/* SPDX-License-Identifier: MIT */
/*
 * mistakes - what conf/ says about a wrong configuration, collected.   [master]
 *
 * Owns:    nothing; struct conf_errors belongs to the caller of conf_load.
 * Called:  by all of conf/. The sentences are in mistakes.def, and nowhere else.
 * Fails:   never; what memory does not suffice for is lost, the status remains.
 */
#ifndef CONF_MISTAKES_H
#define CONF_MISTAKES_H

#include "conf/load.h"

enum mistake {
    MISTAKE_NONE,
#define MISTAKE(id, status, text) MISTAKE_##id,
#include "conf/mistakes.def"
    MISTAKE_COUNT
};

enum reason {
#define REASON(id, text) REASON_##id,
#include "conf/mistakes.def"
    REASON_COUNT
};

/** Where a mistake is. Any part may be NULL. */
struct place {
    const struct conf_origin *origin;
    const char *section, *key;
};

/** Appends "origin: section.key: sentence". a and b fill its %s and may be NULL. */
void mistake_add(struct conf_errors *errors, const struct place *place,
                 enum mistake mistake, const char *a, const char *b);

/** The sentence alone, its one %s filled. Always ends. */
void mistake_format(enum mistake mistake, const char *a, char *out, size_t size);

/** The static text of a reason. */
const char *mistake_reason(enum reason reason);

/** The sentence with its %s, and its exit status. */
const char *mistake_text(enum mistake mistake);
int mistake_status(enum mistake mistake);

#endif
