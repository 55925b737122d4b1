/* SPDX-License-Identifier: MIT */
/*
 * block - buffers of one size from a free list; an idle connection holds none.  [worker]
 *
 * Loop thread only. A few blocks serve thousands of connections, because one is held only
 * while there is something in it.
 */
#ifndef WORKER_BLOCK_H
#define WORKER_BLOCK_H

#include <stddef.h>

enum {
    BLOCK_BYTES = 16384,
    BLOCK_KEPT = 64 /* idle blocks; more go back to malloc */
};

struct block_pool {
    void *free;
    unsigned idle;
};

/** NULL when out of memory. */
char *block_get(struct block_pool *pool);
void block_put(struct block_pool *pool, char *block);
void block_pool_fini(struct block_pool *pool);

#endif
