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

#endif
