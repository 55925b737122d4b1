/* SPDX-License-Identifier: MIT */
/*
 * trial - `remuda check`: every plugin loaded in a throw-away child, nothing bound.
 */
#ifndef MASTER_TRIAL_H
#define MASTER_TRIAL_H

struct conf;

/** 0, or the exit status of the first mistake; complaints are on stderr. */
int trial_run(const struct conf *conf);

#endif
