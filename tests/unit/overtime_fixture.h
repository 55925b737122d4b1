/* SPDX-License-Identifier: MIT */
/*
 * overtime_fixture - a handler that blocks its thread until the test opens a gate, and what is
 * to be seen of its slot.                                         [tests]
 */
#ifndef OVERTIME_FIXTURE_H
#define OVERTIME_FIXTURE_H

#include "tests/unit/worker_handlers.h"

#include "worker/overtime.h"

#include <semaphore.h>

/* A handler that blocks says `begun` and waits for the gate, deaf to its cancellation. */
static sem_t begun, gate;

static inline void wait_for(sem_t *sem)
{
    while (sem_wait(sem) != 0)
        continue;
}

static inline void block(void)
{
    sem_post(&begun);
    wait_for(&gate);
}

static inline int overtime_open_routes(void **state, const struct fixture_route *routes)
{
    int error = worker_open_routes(state, routes);
    struct fixture *f = *state;
    sem_init(&begun, 0, 0);
    sem_init(&gate, 0, 0);
    f->heritage.channel = -1;
    return error;
}

static inline int overtime_close(void **state)
{
    (void)worker_close_state(state);
    sem_destroy(&begun);
    sem_destroy(&gate);
    return 0;
}

static inline uint32_t state_of_slot(const struct fixture *f)
{
    return board_get32(&f->worker.entry->slot[0].state);
}

/* The request blocks a thread, and its time passes. */
static inline void run_over_time(struct fixture *f, const char *request)
{
    fixture_send(f, request);
    wait_for(&begun);
    fixture_turn(f);
    fixture_pass(f, FIXTURE_LIMIT_MS - 1);
    assert_int_equal(state_of_slot(f), BOARD_SLOT_BUSY);
    assert_int_equal(f->worker.entry->counters.late, 0);
    fixture_pass(f, 1);
    assert_int_equal(f->worker.entry->counters.late, 1);
    assert_int_equal(state_of_slot(f), BOARD_SLOT_LATE);
    assert_int_equal(f->worker.slots.busy, 1);
    assert_int_equal(f->worker.entry->load, 1 + f->worker.slots.waiting_count);
}

static inline void let_it_end(struct fixture *f)
{
    sem_post(&gate);
    fixture_until(f, worker_is_idle);
    assert_int_equal(state_of_slot(f), BOARD_SLOT_FREE);
    assert_int_equal(f->worker.entry->load, 0);
}

#endif
