/* SPDX-License-Identifier: MIT */
/*
 * textfile - a small file, whole, in memory.                  [master]
 *
 * Owns:    nothing; the text lives in the book.
 * Called:  by reader.c (the ini), reference.c (${file:}), env.c (env_file).
 * Fails:   with the sentence that says why.
 */
#ifndef CONF_TEXTFILE_H
#define CONF_TEXTFILE_H

#include "conf/book.h"

#include <sys/types.h>

enum { TEXTFILE_MOST = 64 * 1024 };

struct textfile {
    const char *text; /* n bytes and a NUL; may hold NUL bytes */
    size_t n;
    dev_t device; /* the two say which file it is */
    ino_t inode;
    char detail[64]; /* fills the %s of the sentence, if it has one */
};

/** Reads a regular file of at most TEXTFILE_MOST bytes. `guarded`: as root, refuse one
 *  that others may write. MISTAKE_NONE, or why not. */
enum mistake textfile_read(struct conf_book *book, const char *path, bool guarded,
                           struct textfile *out);

#endif
