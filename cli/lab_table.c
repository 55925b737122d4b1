/* SPDX-License-Identifier: MIT */
/*
 * lab_table - the list of experiments, by number.                           [lab]
 *
 * Called:  by lab_args.c and lab.c.
 * Fails:   never.
 */
#include "cli/lab_experiments.h"

#include <stddef.h>

const struct lab_experiment *const lab_table[] = {
    &lab_one_at_a_time, /* 1 */
    &lab_five_by_eight, /* 2 */
    NULL,
};
