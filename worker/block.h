/* SPDX-License-Identifier: MIT */
/*
 * block - buffers of two sizes from free lists; an idle connection holds none.  [worker]
 *
 * Loop thread only. A few blocks serve thousands of connections, because one is held only
 * while there is something in it. A small one is enough for most heads: what a waiting
 * request holds.
 */
#ifndef WORKER_BLOCK_H
#define WORKER_BLOCK_H

#include "worker/spare.h"

#include <stddef.h>

enum { BLOCK_BYTES = 16384, BLOCK_SMALL_BYTES = 1024 };

struct block_list {
    void *free;
    struct spare spare;
};

struct block_pool {
    struct block_list large, small;
};

/** NULL when out of memory. */
char *block_get(struct block_pool *pool);
char *block_get_small(struct block_pool *pool);

void block_put(struct block_pool *pool, char *block);
void block_put_small(struct block_pool *pool, char *block);

/** Once a second: frees some that nobody needs; how many. */
unsigned block_pool_relax(struct block_pool *pool);

void block_pool_fini(struct block_pool *pool);

#endif
