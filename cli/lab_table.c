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
    &lab_one_at_a_time,  /* 1 */
    &lab_five_by_eight,  /* 2 */
    &lab_same_product,   /* 3 */
    &lab_rate_and_count, /* 4 */
    &lab_hog,            /* 5 */
    &lab_event_loop,     /* 6 */
    &lab_bad_blocking,   /* 7 */
    &lab_offload,        /* 8 */
    &lab_cpu_bound,      /* 9 */
    &lab_gather,         /* 10 */
    &lab_fan_out,        /* 11 */
    &lab_deadline,       /* 12 */
    &lab_semaphore,      /* 13 */
    &lab_open_loop,      /* 14 */
    &lab_crash,          /* 15 */
    &lab_balance,        /* 16 */
    &lab_reload,         /* 17 */
    NULL,
};
