/* SPDX-License-Identifier: MIT */
/*
 * reload - a change of generation with a commit point; the first start is one from
 * nothing.
 */
#ifndef MASTER_RELOAD_H
#define MASTER_RELOAD_H

#include "master/master.h"

/** The first start: takes the conf. 0, or an exit status with *fault. The rest happens in
 *  turns of the loop, and ends in master_welcome() or master_give_up(). */
int reload_start(struct master *master, struct conf *conf, struct fault *fault);

/** In the image after an upgrade: a generation of it replaces the one that another image has
 *  started. */
void reload_after_upgrade(struct master *master);

/** Is nothing else under way, and room for another generation? When not, says so once (`what`
 *  waits); *told is the caller's memory of that. */
bool reload_can_begin(struct master *master, const char *what, bool *told);

/** HUP. Begins at the next turn that can; one may wait. */
void reload_request(struct master *master);

/** Once per turn: starts missing workers of the new generation, commits, rolls back, or
 *  begins what was requested. When to ask again, in ms; UINT64_MAX: no need. */
uint64_t reload_turn(struct master *master);

/** A worker died, or did not boot in time. True: it belongs to the change, which fails.
 */
bool reload_on_death(struct master *master, const struct slot *slot);

/** A worker said why it cannot start. */
void reload_on_refusal(struct master *master, const struct slot *slot,
                       const struct message *message);

/** TERM ends any change. */
void reload_cancel(struct master *master);

#endif
