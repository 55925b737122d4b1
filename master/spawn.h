/* SPDX-License-Identifier: MIT */
/*
 * spawn - the birth of a worker.
 */
#ifndef MASTER_SPAWN_H
#define MASTER_SPAWN_H

#include "master/master.h"

/** Forks one worker of that generation into an empty slot: fills pid, limits, channel and
 *  its entry in the scoreboard; the state is the caller's. -1 with errno and the slot as
 *  it was. */
int spawn_worker(struct master *master, const struct generation *generation,
                 struct slot *slot);

/** A worker that another image of this process has forked: its channel is heard again. */
void spawn_adopt(struct master *master, struct slot *slot);

/** What a child takes over from a config, its identity, working directory and logs. */
void spawn_fill_identity(struct heritage *heritage, const struct conf *conf);

/** Child, first thing after fork, with all signals blocked: their dispositions, a process
 *  group of its own. */
void spawn_reset_signals(void);

#endif
