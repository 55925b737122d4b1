/* SPDX-License-Identifier: MIT */
/*
 * record - fills, empties and reads a record.                [every process]
 *
 * Owns:    nothing; a record has one writer, the thread that runs its request.
 * Called:  by the worker's lanes; read by status, watchdog and obituary.
 * Fails:   never.
 */
#include "common/record.h"

#include <assert.h>
#include <sched.h>
#include <stddef.h>
#include <string.h>
#include <time.h>

#if defined(__SANITIZE_THREAD__) && !defined(__clang__)
#pragma GCC diagnostic ignored "-Wtsan" /* fences order us with other processes only */
#endif

static_assert(sizeof(struct board_record) == 256, "stride of a record");
static_assert(offsetof(struct board_record, path) == 40, "as in BOARD_VERSION 2");

/* Opens a change of the record; returns the seq that closes it. */
static uint32_t open_change(struct board_record *r)
{
    uint32_t odd = atomic_load_explicit(&r->seq, memory_order_relaxed) | 1;

    board_set32(&r->seq, odd);
    atomic_thread_fence(memory_order_release);
    return odd + 1;
}

void board_record_begin(struct board_record *r, uint64_t since_ms, const char *method,
                        struct slice path, const char *peer, uint32_t route)
{
    size_t n = path.n < BOARD_PATH ? path.n : BOARD_PATH - 1;
    uint32_t closed = open_change(r);

    board_set32(&r->state, BOARD_SLOT_BUSY);
    board_set(&r->since_ms, since_ms);
    board_set32(&r->route, route);
    /* lengths that are known are cheap: each request pays */
    memcpy(r->method, method, BOARD_METHOD);
    memcpy(r->path, path.p, n);
    r->path[n] = '\0';
    memcpy(r->peer, peer, BOARD_PEER);
    atomic_store_explicit(&r->seq, closed, memory_order_release);
}

static void change_state(struct board_record *r, enum board_slot_state state)
{
    uint32_t closed = open_change(r);

    board_set32(&r->state, state);
    atomic_store_explicit(&r->seq, closed, memory_order_release);
}

void board_record_end(struct board_record *r)
{
    change_state(r, BOARD_SLOT_FREE);
}

void board_record_late(struct board_record *r)
{
    change_state(r, BOARD_SLOT_LATE);
}

/* A writer at work needs microseconds; one that lost its CPU some milliseconds. */
void board_read_pause(int tries)
{
    if (tries < BOARD_READ_TRIES / 2)
        sched_yield();
    else
        nanosleep(&(struct timespec){.tv_nsec = 200000}, NULL);
}

bool board_record_read(struct board_record *r, struct board_record *out)
{
    for (int i = 0; i < BOARD_READ_TRIES; i++) {
        uint32_t before = atomic_load_explicit(&r->seq, memory_order_acquire);

        memcpy((void *)out, (const void *)r, sizeof(*out));
        atomic_thread_fence(memory_order_acquire);
        if (before % 2 == 0 &&
            before == atomic_load_explicit(&r->seq, memory_order_relaxed))
            break;
        board_read_pause(i);
    }
    out->method[sizeof(out->method) - 1] = '\0';
    out->path[sizeof(out->path) - 1] = '\0';
    out->peer[sizeof(out->peer) - 1] = '\0';
    return atomic_load_explicit(&out->state, memory_order_relaxed) != BOARD_SLOT_FREE;
}
