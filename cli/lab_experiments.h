/* SPDX-License-Identifier: MIT */
/*
 * lab_experiments - their names, for the table; each stands in the file of its subject.
 */
#ifndef CLI_LAB_EXPERIMENTS_H
#define CLI_LAB_EXPERIMENTS_H

#include "cli/lab.h"

/* lab_slots.c: the law itself */
extern const struct lab_experiment lab_one_at_a_time; /* 1 */
extern const struct lab_experiment lab_five_by_eight; /* 2 */

#endif
