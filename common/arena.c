/* SPDX-License-Identifier: MIT */
/*
 * arena - a bump pointer over a chain of blocks.             [worker]
 *
 * Owns:    the blocks. The first is ARENA_FIRST bytes and stays over a reset; each next
 *          one is twice as large up to ARENA_LARGEST, and a larger request has its own.
 * Called:  by whoever holds the request; one thread at a time.
 * Fails:   NULL when malloc does. Under AddressSanitizer what is not allocated is
 *          poisoned.
 */
#include "common/arena.h"

#include "common/check.h"

#include <stdalign.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#if defined(__has_feature)
#if __has_feature(address_sanitizer)
#define ARENA_ASAN 1
#endif
#elif defined(__SANITIZE_ADDRESS__)
#define ARENA_ASAN 1
#endif

#ifdef ARENA_ASAN
#include <sanitizer/asan_interface.h>
#define POISON(p, n)   ASAN_POISON_MEMORY_REGION(p, n)
#define UNPOISON(p, n) ASAN_UNPOISON_MEMORY_REGION(p, n)
#else
#define POISON(p, n)   ((void)(p), (void)(n))
#define UNPOISON(p, n) ((void)(p), (void)(n))
#endif

enum { ARENA_ALIGN = 16, ARENA_FIRST = 1024, ARENA_LARGEST = 64 * 1024 };

struct arena_block {
    struct arena_block *next;
    size_t size; /* of bytes[] */
    alignas(ARENA_ALIGN) char bytes[];
};

static struct arena_block *block_create(size_t size)
{
    struct arena_block *block = malloc(sizeof(*block) + size);

    if (block == NULL)
        return NULL;
    block->next = NULL;
    block->size = size;
    POISON(block->bytes, size);
    return block;
}

/* Frees the blocks after this one. */
static void chain_cut(struct arena_block *block)
{
    struct arena_block *next = block->next;

    block->next = NULL;
    while (next != NULL) {
        struct arena_block *dead = next;

        next = dead->next;
        UNPOISON(dead->bytes, dead->size);
        free(dead);
    }
}

static void fill_from(struct arena *a, struct arena_block *block, size_t used)
{
    a->last = block;
    a->next = block->bytes + used;
    a->end = block->bytes + block->size;
}

void arena_init(struct arena *a)
{
    *a = (struct arena){0};
}

void arena_fini(struct arena *a)
{
    if (a->first != NULL) {
        chain_cut(a->first);
        UNPOISON(a->first->bytes, a->first->size);
        free(a->first);
    }
    arena_init(a);
}

/* The first block is always of the one small size, or a large first request would be kept
 * for the life of a connection. */
static bool grow(struct arena *a, size_t need)
{
    size_t size = ARENA_FIRST;

    if (a->last != NULL) {
        size = a->last->size < ARENA_LARGEST / 2 ? a->last->size * 2 : ARENA_LARGEST;
        if (size < need)
            size = need;
    }
    struct arena_block *block = block_create(size);
    if (block == NULL)
        return false;
    if (a->last == NULL) {
        a->first = block;
    } else {
        a->last->next = block;
        a->used_before += a->last->size;
    }
    fill_from(a, block, 0);
    return need <= size || grow(a, need);
}

void *arena_alloc(struct arena *a, size_t n)
{
    size_t need = (n + (n == 0) + ARENA_ALIGN - 1) & ~(size_t)(ARENA_ALIGN - 1);

    if (need > (size_t)(a->end - a->next)) {
        if (n > PTRDIFF_MAX - ARENA_LARGEST || !grow(a, need))
            return NULL;
    } else if (need < n) {
        return NULL; /* n + 15 wrapped round */
    }
    void *p = a->next;
    a->next += need;
    UNPOISON(p, n);
    return p;
}

char *arena_copy(struct arena *a, const void *bytes, size_t n)
{
    char *copy = n == SIZE_MAX ? NULL : arena_alloc(a, n + 1);

    if (copy == NULL)
        return NULL;
    if (n > 0)
        memcpy(copy, bytes, n);
    copy[n] = '\0';
    return copy;
}

/* A mark counts whole blocks, so that it names a place in the chain. */
size_t arena_mark(const struct arena *a)
{
    return a->last == NULL ? 0 : a->used_before + (size_t)(a->next - a->last->bytes);
}

void arena_rewind(struct arena *a, size_t mark)
{
    struct arena_block *block = a->first;

    CHECK(mark <= arena_mark(a));
    if (block == NULL)
        return;
    a->used_before = 0;
    while (mark - a->used_before > block->size) {
        a->used_before += block->size;
        block = block->next;
    }
    chain_cut(block);
    fill_from(a, block, mark - a->used_before);
    POISON(a->next, (size_t)(a->end - a->next));
}

/* As arena_rewind(a, 0), shorter: it ends every request, twice. */
void arena_reset(struct arena *a)
{
    if (a->first == NULL)
        return;
    if (a->last != a->first)
        chain_cut(a->first);
    a->used_before = 0;
    fill_from(a, a->first, 0);
    POISON(a->next, (size_t)(a->end - a->next));
}
