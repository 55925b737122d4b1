/* SPDX-License-Identifier: MIT */
/*
 * reap - waits for children, and says of what they died.
 */
#ifndef MASTER_REAP_H
#define MASTER_REAP_H

#include "master/master.h"

#include <stddef.h>

/** SIGCHLD: takes every child that has ended; writes the obituary, what it left in its
 *  access-log ring and in its entry of the scoreboard; feeds SLOT_ON_EXIT. */
void reap_all(struct master *master);

/** "signal 9 (KILL)", "signal 11 (SEGV), core dumped", "exit status 70". */
void reap_format_status(int wait_status, char *out, size_t size);

#endif
