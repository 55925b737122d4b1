/* SPDX-License-Identifier: MIT */
/*
 * ring - the access-log ring of one worker (W); after its death the master's.
 *
 * Positions only grow; byte i lives at data[i % BOARD_RING]. Lines are whole: `head`
 * moves, by a release store, from one line's end to the next.
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
    uint64_t reserved[6];
    char data[BOARD_RING];
};

/** Room for n more bytes? Then copies them in, publishes them and returns true: n bytes
 *  are one or more whole lines. */
bool ring_put(struct board_ring *r, const char *line, size_t n);

/** Bytes published and not yet written. */
size_t ring_pending(const struct board_ring *r);

/** Writes what is published to fd, as far as it goes without waiting (if fd is
 *  non-blocking); the bytes written, or -1 with errno when there were none (EAGAIN: a
 *  slow reader; EPROTO: the positions cannot be, all was dropped). Advances tail past what
 *  was written. To a pipe or socket it writes whole lines, so that workers can share it.
 */
long ring_flush(struct board_ring *r, int fd);

#endif
