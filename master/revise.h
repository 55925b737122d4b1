/* SPDX-License-Identifier: MIT */
/*
 * revise - the configuration read again, and whether it may replace the running one.
 */
#ifndef MASTER_REVISE_H
#define MASTER_REVISE_H

#include "conf/load.h"
#include "master/fault.h"

/** A mistake, as a line. Of many the log has all; whoever ordered the change is told so many
 *  and no more, or its last word would find no room. */
typedef void revise_note_fn(void *arg, const char *line);
enum { REVISE_TOLD_MOST = 32 };

/** What the sources say now. NULL with *fault, after one call of `note` for each mistake. */
struct conf *revise_load(const struct conf_source *source, revise_note_fn *note,
                         void *arg, struct fault *fault);

/** May `wanted` replace `running`, of which `want` workers run in a table of `slot_count`?
 *  0, or an exit status with *fault, after a call of `note` for each reason but the last. Logs
 *  what a stronger source hides. */
int revise_check(const struct conf *running, const struct conf *wanted, unsigned want,
                 unsigned slot_count, revise_note_fn *note, void *arg,
                 struct fault *fault);

#endif
