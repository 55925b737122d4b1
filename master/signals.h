/* SPDX-License-Identifier: MIT */
/*
 * signals - what each signal to the master means, as a table.
 */
#ifndef MASTER_SIGNALS_H
#define MASTER_SIGNALS_H

#include "master/master.h"

/** Before anything is opened: blocks every signal of the table, so that none is lost
 *  before the loop runs; SIGPIPE is ignored. */
void signals_block(void);

/** Opens the descriptor they are read from. -1 with errno. */
int signals_start(struct master *master);
void signals_stop(struct master *master);

#endif
