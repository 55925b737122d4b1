/* SPDX-License-Identifier: MIT */
/*
 * access_log - lines into this worker's ring, and from there to the log.
 *
 * Formats: access_format.h. Loop only.
 */
#ifndef WORKER_ACCESS_LOG_H
#define WORKER_ACCESS_LOG_H

#include "common/scoreboard.h"
#include "common/access_format.h"

#include <stddef.h>

struct access_log;

/** `dropped` counts the lines that found no room. fd stays the caller's; -1: no log,
 *  lines are not even formatted. NULL, and what is wrong with the format in error_out. */
struct access_log *access_log_create(const char *format, struct board_ring *ring,
                                     _Atomic uint64_t *dropped, char *error_out,
                                     size_t size);

/** Flushes what goes without waiting. */
void access_log_destroy(struct access_log **log);

/** Where lines go from now on; what is in the ring goes there too. -1: none. Returns where they
 *  went until now. */
int access_log_set_fd(struct access_log *log, int fd);

/** What tells how far a write to the log went (written.h), of the one thread that calls the
 *  functions below. It stays the caller's. -1, as without this call: nothing does. */
void access_log_count_by(struct access_log *log, int written_fd);

/** The line of that request into the ring; above 64 KiB it is flushed. Never waits: a line
 *  that finds no room is dropped and counted. */
void access_log_write(struct access_log *log, const struct access_entry *e,
                      uint64_t number);

/** Writes what the log takes without waiting; once a second by the loop. A failure other
 *  than a slow reader is reported once. */
void access_log_flush(struct access_log *log);

/** From a signal handler of the loop thread, before it writes anything: a write to the log
 *  that it has interrupted is counted, as far as it went. Accepts NULL. */
void access_log_settle(struct access_log *log);

#endif
