/* SPDX-License-Identifier: MIT */
/*
 * in - bytes that one client has sent and no request has used up yet.    [worker]
 *
 * One contiguous buffer, because a head must stand in one piece; small at first. None is
 * held while there is nothing in it. Loop thread only.
 */
#ifndef WORKER_IN_H
#define WORKER_IN_H

#include "worker/block.h"

#include <stdbool.h>
#include <stdint.h>

struct in {
    char *data;          /* NULL: empty */
    uint32_t room;       /* that of a small block, of a large one, or more */
    uint32_t start, end; /* unused bytes */
    bool is_wide; /* what it last held did not fit in a small block; the next may not */
    struct block_pool *pool;
};

static inline void in_init(struct in *in, struct block_pool *pool)
{
    *in = (struct in){.pool = pool};
}

void in_fini(struct in *in);

static inline uint32_t in_count(const struct in *in)
{
    return in->end - in->start;
}

/** Room behind `end` for at least one more byte: moves what is there to the front, or grows
 *  up to `most` bytes in all (at least BLOCK_BYTES). false: full at `most`, or out of
 *  memory. */
bool in_make_room(struct in *in, uint32_t most);

/** An empty one gets contiguous room for n bytes; the caller fills them and moves `end`.
 *  false: out of memory. */
bool in_reserve(struct in *in, uint32_t n);

/** One recv into the room. The count, 0 at EOF, -1 with errno. */
long in_receive(struct in *in, int socket);

/** n bytes are used up; an empty buffer is given back. */
void in_consume(struct in *in, uint32_t n);

#endif
