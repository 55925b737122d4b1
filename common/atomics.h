/* SPDX-License-Identifier: MIT */
/*
 * atomics - words that one process writes and others read.
 *
 * Rule:    each word has one writer at a time, named where it is declared: then counting
 *          needs no locked instruction, and a killed writer leaves nothing locked.
 */
#ifndef COMMON_ATOMICS_H
#define COMMON_ATOMICS_H

#include <stdatomic.h>
#include <stdint.h>

enum { ATOMICS_LINE = 64 }; /* a cache line; words of two writers never share one */

static inline uint64_t board_get(const _Atomic uint64_t *word)
{
    return atomic_load_explicit(word, memory_order_relaxed);
}

static inline uint32_t board_get32(const _Atomic uint32_t *word)
{
    return atomic_load_explicit(word, memory_order_relaxed);
}

static inline void board_add(_Atomic uint64_t *word, uint64_t n)
{
    atomic_store_explicit(word, board_get(word) + n, memory_order_relaxed);
}

static inline void board_set(_Atomic uint64_t *word, uint64_t v)
{
    atomic_store_explicit(word, v, memory_order_relaxed);
}

static inline void board_set32(_Atomic uint32_t *word, uint32_t v)
{
    atomic_store_explicit(word, v, memory_order_relaxed);
}

#endif
