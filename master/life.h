/* SPDX-License-Identifier: MIT */
/*
 * life - the steps of the master's life that a start and a resume have in common. For
 * master.c and resume.c alone.
 */
#ifndef MASTER_LIFE_H
#define MASTER_LIFE_H

#include "master/master.h"

/** Empty, nothing open. NULL: out of memory. */
struct master *master_create(const struct conf_source *source,
                             const struct launch *launch);

/** What a restart alone can change; conf stays the caller's. 0, or an exit status with
 *  *fault. */
int master_settle(struct master *master, const struct conf *conf, struct fault *fault);

int master_open_loop(struct master *master, struct fault *fault);

/** Closes and frees everything; the exit status. */
int master_end(struct master *master);

#endif
