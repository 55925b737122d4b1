/* SPDX-License-Identifier: MIT */
/*
 * act - what the cells of the table order, one function each.
 */
#ifndef MASTER_ACT_H
#define MASTER_ACT_H

#include "master/master.h"

void act_do(struct master *master, struct slot *slot, enum slot_action action);

/** A worker is lost that was wanted: the change it belongs to fails, or the crash
 *  governor hears of it. */
void act_mourn(struct master *master, const struct slot *slot);

/** The running generation cannot have the workers it wants: one line, and the governor decides
 *  when it is tried again. Of several at a time the first. */
void act_degrade(struct master *master, const char *what);

#endif
