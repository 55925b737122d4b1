/* SPDX-License-Identifier: MIT */
/*
 * check - what must be true of values together, and of the world they name.   [master]
 *
 * Owns:    nothing; fills in what follows from other values (uid, worker_slots, paths).
 * Called:  by load.c when all sources have been read.
 * Fails:   each mistake is noted at the value that has to change.
 */
#ifndef CONF_CHECK_H
#define CONF_CHECK_H

#include "conf/book.h"

/** Processes, threads, users, directories, time-outs. */
void check_server(struct conf_book *book);

/** server.listen, admin.listen, server.trusted_proxies. */
void check_addresses(struct conf_book *book);

/** Finds the file of each plugin and fills conf->plugins. */
void check_plugins(struct conf_book *book);

/** Notes a mistake at a key of the table. */
void check_refuse(struct conf_book *book, const struct setting *setting,
                  enum mistake mistake, const char *a, const char *b);

#endif
