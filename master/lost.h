/* SPDX-License-Identifier: MIT */
/*
 * lost - the requests that a dead worker had begun.
 */
#ifndef MASTER_LOST_H
#define MASTER_LOST_H

#include "master/master.h"

/** How many requests it had begun that have no line in its ring. The worker is dead and not
 *  waited for yet: what the kernel still knows of it is asked here. Once. */
unsigned lost_count(struct master *master, const struct slot *slot);

/** One line in the error log for each of the first `most`, and a number for the rest. */
void lost_tell(const struct master *master, const struct slot *slot, unsigned count,
               unsigned most);

/** The access log: what is left in its ring, then a line for each lost request. */
void lost_write(struct master *master, const struct slot *slot);

/** Once a second: requests that were sent from worker to worker and arrived nowhere. */
void lost_each_second(struct master *master);

/** The same when no worker lives any more: nothing is on its way, however short a time ago it
 *  was sent. */
void lost_at_end(struct master *master);

#endif
