/* SPDX-License-Identifier: MIT */
/*
 * arena - memory that is freed all at once: one per request.
 *
 * A bump pointer over blocks. Not for two threads at a time. The first block is kept
 * over a reset, so a request that needs little allocates nothing.
 */
#ifndef COMMON_ARENA_H
#define COMMON_ARENA_H

#include <stddef.h>

struct arena_block;

struct arena {
    struct arena_block *first, *last; /* in order of birth; last is being filled */
    char *next, *end;                 /* free space in `last` */
    size_t used_before;               /* bytes in the blocks before `last` */
};

void arena_init(struct arena *a);
void arena_fini(struct arena *a);

/** 16-byte aligned; NULL only when the system is out of memory. */
void *arena_alloc(struct arena *a, size_t n);

/** A NUL-terminated copy. NULL when out of memory. */
char *arena_copy(struct arena *a, const void *bytes, size_t n);

/** How full, and back to that; what was allocated since is gone. */
size_t arena_mark(const struct arena *a);
void arena_rewind(struct arena *a, size_t mark);

/** Forgets everything; keeps the first block. */
void arena_reset(struct arena *a);

#endif
