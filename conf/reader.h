/* SPDX-License-Identifier: MIT */
/*
 * reader - the ini files, line by line, through inih.         [master]
 *
 * Owns:    the files while they are read.
 * Called:  by load.c; calls assign.c.
 * Fails:   every mistake is noted; reading goes on with the next line.
 *
 * The dialect. A line is [section], key = value, or begins with ; or #. It starts at the
 * margin: there are no continuation lines. A comment inside a line is a blank and a ';'.
 * A value in double quotes keeps blanks and ';'; in it \" is a quote and \\ a backslash.
 * include = PATH, anywhere, reads a file, the *.ini of a directory, or a pattern's files,
 * in name order; a relative path counts from the including file. Each file begins outside
 * of all sections, and the including one goes on in its own.
 */
#ifndef CONF_READER_H
#define CONF_READER_H

#include "conf/book.h"

enum { READER_DEPTH_MOST = 16, READER_FILES_MOST = 256 };

/** Reads the main file, then the *.ini of FILE.d in name order. False when there is no
 *  main file to read. */
bool reader_run(struct conf_book *book, const char *path);

#endif
