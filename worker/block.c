/* SPDX-License-Identifier: MIT */
/*
 * block - a free list of equal buffers.                          [worker]
 *
 * Owns:    the idle blocks.
 * Called:  by in.c and out.c.
 * Fails:   block_get returns NULL when the system is out of memory.
 */
#include "worker/block.h"

#include <stdlib.h>
#include <string.h>

char *block_get(struct block_pool *pool)
{
    if (pool->free == NULL)
        return malloc(BLOCK_BYTES);
    char *block = pool->free;
    memcpy(&pool->free, block, sizeof pool->free);
    pool->idle--;
    return block;
}

void block_put(struct block_pool *pool, char *block)
{
    if (pool->idle == BLOCK_KEPT) {
        free(block);
        return;
    }
    memcpy(block, &pool->free, sizeof pool->free);
    pool->free = block;
    pool->idle++;
}

void block_pool_fini(struct block_pool *pool)
{
    while (pool->free != NULL)
        free(block_get(pool));
}
