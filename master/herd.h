/* SPDX-License-Identifier: MIT */
/*
 * herd - all workers of all generations: feeds the table and does what it orders.
 */
#ifndef MASTER_HERD_H
#define MASTER_HERD_H

#include "master/master.h"

/** The one way a slot changes its state. */
void herd_feed(struct master *master, struct slot *slot, enum slot_event event);

/** As above, with the reason an obituary will give if this kills the worker; static text.
 */
void herd_end(struct master *master, struct slot *slot, enum slot_event event,
              const char *why);

/** What a worker says, checked by channel.c; NULL: its end is closed. */
void herd_hear(struct slot *slot, const struct message *message);

/** Forks `count` workers of a generation into empty entries. -1 with errno when fork or
 *  its means failed; those before it run. */
int herd_start(struct master *master, const struct generation *generation,
               unsigned count);

/** Every slot that has a process, or those of one generation and no other. */
void herd_end_all(struct master *master, enum slot_event event, const char *why);
void herd_end_generation(struct master *master, uint32_t generation,
                         enum slot_event event, const char *why);
void herd_go_generation(struct master *master, uint32_t generation);

/** Before listeners refuse whoever is new: the scoreboard says so to the workers of all
 *  generations but `except`. */
void herd_tell_refusing(struct master *master, uint32_t except);

/** At the end of each turn of the loop, when all that has happened is known: deadlines,
 *  then the change, then the policy. */
void herd_turn(struct master *master);

/** The worker is to be replaced, when it is its turn (recycle.c): its successor serves before it
 *  drains, and its connections go to its siblings. Not if it does not serve, or is old; twice is
 *  once. */
void herd_recycle(struct master *master, struct slot *slot, const char *why);

/** The worker of that pid; NULL: no child of ours. */
struct slot *herd_find(struct master *master, pid_t pid);

/** It has answered at least one request. */
bool herd_has_served(const struct master *master, const struct slot *slot);

/** Slots that have a process. */
unsigned herd_count(const struct master *master);

#endif
