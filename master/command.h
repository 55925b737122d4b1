/* SPDX-License-Identifier: MIT */
/*
 * command - what `remuda ctl` may order, as a table; each order is answered when it has
 * taken.
 */
#ifndef MASTER_COMMAND_H
#define MASTER_COMMAND_H

#include "master/master.h"

/** Opens the control socket; without it a line says why. `group` as admin.admin_group. */
void command_start(struct master *master, const char *group);

/** The same in the image after an upgrade: it goes on with the socket that it was left, and
 *  with who waits for an answer. */
void command_resume(struct master *master);
void command_stop(struct master *master);

/** Once per turn: answers the orders that have taken. When to ask again, in ms; UINT64_MAX: no
 *  need. */
uint64_t command_turn(struct master *master);

/** A reload or an upgrade begins (`verb`): it is that of all who have asked for one. Then what
 *  it has to say, a line at a time, and its end: `text` is why it did not take, or what there
 *  is now. Of an upgrade the end may come in another image than the beginning. */
void command_on_begin(struct master *master, enum control_verb verb);
void command_note(struct master *master, const char *line);
void command_on_end(struct master *master, enum control_verb verb, bool took,
                    const char *text);

/** What a SHOW asks for: a descriptor of the caller's in *fd_out. 0, or an exit status with
 *  *fault (command_show.c). */
int command_show(struct master *master, const struct control_message *ask, int *fd_out,
                 struct fault *fault);

#endif
