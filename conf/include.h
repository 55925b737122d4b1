/* SPDX-License-Identifier: MIT */
/*
 * include - the files that `include = PATH` and FILE.d bring in.   [master]
 *
 * Owns:    nothing; the stack of files is the reader's, its memory the book's.
 * Called:  by reader.c.
 * Fails:   the mistake is noted at the line that includes; nothing is pushed.
 */
#ifndef CONF_INCLUDE_H
#define CONF_INCLUDE_H

#include "conf/book.h"

#include <sys/types.h>

/** A file that is being read, or waits to be. */
struct reader_file {
    struct reader_file *below;  /* on the stack: who is read after this one */
    struct reader_file *parent; /* who includes it; NULL: nobody */
    struct conf_origin included_at;
    const char *path;
    unsigned depth;
    bool opened;
    dev_t device;
    ino_t inode;
    const char *text, *end; /* what is not read yet; end NULL: nothing to read */
    int line;
    const char *section; /* in force; "" at first */
};

struct reader {
    struct conf_book *book;
    struct reader_file *top;
    unsigned files; /* opened so far */
};

/** Puts a file on top of the stack. NULL when out of memory. */
struct reader_file *include_push(struct reader *reader, const char *path,
                                 struct reader_file *parent);

/** Puts the files that `path` means on top of the stack, the first by name uppermost. */
void include_resolve(struct reader *reader, const char *path);

/** Puts the *.ini of a directory on the stack, if there is such a directory. */
void include_drop_ins(struct reader *reader, const char *directory);

/** Does a file on the way from the main one to this one have the same inode? */
bool include_is_cycle(const struct reader_file *file);

#endif
