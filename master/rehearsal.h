/* SPDX-License-Identifier: MIT */
/*
 * rehearsal - the trial of an upgrade, in the new binary.
 */
#ifndef MASTER_REHEARSAL_H
#define MASTER_REHEARSAL_H

struct conf_source;
struct launch;

/** Beside an exit status in its messages: this is a mistake, its last word is still to come. */
enum { REHEARSAL_MISTAKE = 1 };

/** Could this binary go on from where the running master stands? Tells it, over
 *  launch->verdict_fd, and returns the exit status. */
int rehearsal_run(const struct conf_source *source, const struct launch *launch);

#endif
