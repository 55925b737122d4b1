/* SPDX-License-Identifier: MIT */
/*
 * block - free lists of equal buffers.                           [worker]
 *
 * Owns:    the idle blocks.
 * Called:  by in.c and out.c; by lifecycle.c once a second.
 * Fails:   block_get returns NULL when the system is out of memory.
 */
#include "worker/block.h"

#include <stdlib.h>
#include <string.h>

static inline char *pop(struct block_list *list)
{
    char *block = list->free;
    memcpy(&list->free, block, sizeof list->free);
    spare_take(&list->spare);
    return block;
}

static inline char *take(struct block_list *list, size_t bytes)
{
    return list->free != NULL ? pop(list) : malloc(bytes);
}

static inline void put(struct block_list *list, char *block)
{
    memcpy(block, &list->free, sizeof list->free);
    list->free = block;
    spare_put(&list->spare);
}

char *block_get(struct block_pool *pool)
{
    return take(&pool->large, BLOCK_BYTES);
}

char *block_get_small(struct block_pool *pool)
{
    return take(&pool->small, BLOCK_SMALL_BYTES);
}

void block_put(struct block_pool *pool, char *block)
{
    put(&pool->large, block);
}

void block_put_small(struct block_pool *pool, char *block)
{
    put(&pool->small, block);
}

static void drop(struct block_list *list, unsigned count)
{
    for (; count > 0; count--)
        free(pop(list));
}

unsigned block_pool_relax(struct block_pool *pool)
{
    unsigned large = spare_excess(&pool->large.spare);
    unsigned small = spare_excess(&pool->small.spare);
    drop(&pool->large, large);
    drop(&pool->small, small);
    return large + small;
}

void block_pool_fini(struct block_pool *pool)
{
    drop(&pool->large, pool->large.spare.count);
    drop(&pool->small, pool->small.spare.count);
}
