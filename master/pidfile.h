/* SPDX-License-Identifier: MIT */
/*
 * pidfile - small files that others read: written whole or not at all.
 */
#ifndef MASTER_PIDFILE_H
#define MASTER_PIDFILE_H

#include <sys/types.h>

/** Replaces the file `path` by one that holds `text` (a temporary one beside it,
 *  renamed), mode 0644. -1 with errno; nothing is left behind. */
int pidfile_write_text(const char *path, const char *text);

/** The same with the number and a newline. */
int pidfile_write(const char *path, pid_t pid);

/** Unlinks it if it still holds `pid`; a successor's is left alone. */
void pidfile_remove(const char *path, pid_t pid);

#endif
