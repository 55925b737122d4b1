/* SPDX-License-Identifier: MIT */
/*
 * ring - the access-log ring of one worker (W); after its death the master's.
 *
 * Positions only grow; byte i lives at data[i % BOARD_RING]. Lines are whole: `head`
 * moves, by a release store, from one line's end to the next.
 *
 * A worker may be killed between any two instructions, and its log must have each line once.
 * Two things are said beforehand, so that the master can tell afterwards what was done:
 * whose line is being published (ring_put_line), and what the kernel had counted before a
 * write to the log (ring_begin_flush).
 */
#ifndef COMMON_RING_H
#define COMMON_RING_H

#include "common/atomics.h"

#include <stdalign.h>
#include <stdbool.h>
#include <stddef.h>

enum { BOARD_RING = 1 << 18 }; /* bytes */

struct board_ring {
    alignas(ATOMICS_LINE) _Atomic uint64_t head; /* published */
    _Atomic uint64_t tail;                       /* written to the log */
    _Atomic uint64_t line_end, line_of; /* the newest line of a request: `head` behind it,
                                           the request's number */
    _Atomic uint64_t is_flushing;       /* 1: `written` holds */
    _Atomic uint64_t
        written; /* by this thread, to whatever file, when tail was 0: wraps */
    uint64_t reserved[2];
    char data[BOARD_RING];
};

/** Room for n more bytes? Then copies them in, publishes them and returns true: n bytes
 *  are one or more whole lines. */
bool ring_put(struct board_ring *r, const char *line, size_t n);

/** The same, for the one line of a request, whose number is not 0. */
bool ring_put_line(struct board_ring *r, const char *line, size_t n, uint64_t number);

/** The writer is gone: the request whose line was published last, 0: none. To be asked before
 *  anything else is put. */
uint64_t ring_newest_line(const struct board_ring *r);

/** Bytes published and not yet written. */
size_t ring_pending(const struct board_ring *r);

/** Writes what is published to fd, as far as it goes without waiting (if fd is
 *  non-blocking, or a socket); the bytes written, or -1 with errno when there were none (EAGAIN: a
 *  slow reader; EPROTO: the positions cannot be, all was dropped). Advances tail past what
 *  was written. To a pipe or socket it writes whole lines, so that workers can share it.
 */
long ring_flush(struct board_ring *r, int fd);

/** Around a ring_flush of the worker: `count` is what its thread has written so far, to
 *  whatever file, as the kernel counts it (written.h). */
void ring_begin_flush(struct board_ring *r, uint64_t count);
void ring_end_flush(struct board_ring *r);

/** What was written is counted, also if the writer did not live to count it: between the
 *  write and the store of `tail`. `count` as of now. Async-signal-safe. */
void ring_settle(struct board_ring *r, uint64_t count);

/** Nothing is under way: a new writer begins, with request number 1. */
void ring_forget(struct board_ring *r);

#endif
