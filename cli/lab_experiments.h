/* SPDX-License-Identifier: MIT */
/*
 * lab_experiments - their names, for the table; each stands in the file of its subject.
 */
#ifndef CLI_LAB_EXPERIMENTS_H
#define CLI_LAB_EXPERIMENTS_H

#include "cli/lab.h"

/* lab_slots.c: the law itself */
extern const struct lab_experiment lab_one_at_a_time;  /* 1 */
extern const struct lab_experiment lab_five_by_eight;  /* 2 */
extern const struct lab_experiment lab_same_product;   /* 3 */
extern const struct lab_experiment lab_rate_and_count; /* 4 */

extern const struct lab_experiment lab_hog;          /* 5, lab_hog.c */
extern const struct lab_experiment lab_event_loop;   /* 6, lab_loop.c */
extern const struct lab_experiment lab_bad_blocking; /* 7, lab_blocking.c */
extern const struct lab_experiment lab_offload;      /* 8, lab_blocking.c */
extern const struct lab_experiment lab_cpu_bound;    /* 9, lab_cpu.c */
extern const struct lab_experiment lab_gather;       /* 10, lab_tasks.c */
extern const struct lab_experiment lab_fan_out;      /* 11, lab_tasks.c */
extern const struct lab_experiment lab_deadline;     /* 12, lab_tasks.c */
extern const struct lab_experiment lab_semaphore;    /* 13, lab_tasks.c */
extern const struct lab_experiment lab_open_loop;    /* 14, lab_queue.c */
extern const struct lab_experiment lab_crash;        /* 15, lab_crash.c */
extern const struct lab_experiment lab_balance;      /* 16, lab_balance.c */
extern const struct lab_experiment lab_reload;       /* 17, lab_reload.c */

#endif
