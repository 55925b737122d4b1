/* SPDX-License-Identifier: MIT */
/*
 * ctl_say - what `remuda ctl` prints beside its answer: complaints, and that time passes.
 */
#ifndef CLI_CTL_SAY_H
#define CLI_CTL_SAY_H

#include <stdint.h>
#include <stdio.h>

/** "remuda: ..." on stderr, control bytes as \xNN. */
void ctl_complain(const char *format, ...) __attribute__((format(printf, 1, 2)));

/** The text with its control bytes as \xNN. */
void ctl_put(FILE *out, const char *text);

/** On a terminal, one line that is written over; elsewhere nothing. */
void ctl_progress(const char *verb, uint64_t seconds, const char *status);

/** That line goes. */
void ctl_progress_end(void);

#endif
