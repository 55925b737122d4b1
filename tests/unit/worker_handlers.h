/* SPDX-License-Identifier: MIT */
/*
 * worker_handlers - routes for a worker_fixture, and a group's set-up in both classes.  [tests]
 *
 * /sync /async /event "hello" · /echo the body · /doze sleeps for ever · /nap sleeps 0 ms ·
 * /big BIG bytes · /peer · /three/{sync,async,event} a stream of three pieces · /endless a
 * REMUDA_LONG stream · /hold an event in worker_held · /early one that a thread finishes
 * before its callback returns · /wrong a SYNC that calls finish
 */
#ifndef WORKER_HANDLERS_H
#define WORKER_HANDLERS_H

#include "tests/unit/worker_fixture.h"

#include <stdatomic.h>
#include <stdbool.h>

enum { BIG = 3 << 20 };

#define GET(path) "GET " path " HTTP/1.1\r\nHost: x\r\n\r\n"

extern const struct fixture_route worker_routes[];

/** What the last wait of /doze or write of /endless said; 1 before. */
extern atomic_int worker_last_rc;

/** The event that /hold has not finished, and who finishes it: fit for a thread. */
extern remuda_ctx *worker_held;
void *worker_finish_held(void *unused);

/** A fixture with one connection for each test; the class is set for the group. */
int worker_open_state(void **state);
int worker_close_state(void **state);
int worker_set_event(void **state);
int worker_set_thread(void **state);

/** As worker_open_state, with routes of the test's own. */
int worker_open_routes(void **state, const struct fixture_route *routes);

/** Does no handler run? And is no connection left either? */
bool worker_is_idle(struct fixture *f);
bool worker_is_alone(struct fixture *f);

/** The client leaves while /doze or its like waits: the wait ends, the connection too. */
void worker_client_leaves(struct fixture *f);

/** What the client has once all handlers have ended. */
const char *worker_answer(struct fixture *f);

#define WORKER_TEST(name)                                                                \
    cmocka_unit_test_setup_teardown(test_##name, worker_open_state, worker_close_state)

/** Runs `tests` in the event class, then in the thread class. */
#define WORKER_RUN(tests)                                                                \
    (cmocka_run_group_tests_name("event", tests, worker_set_event, NULL) +               \
     cmocka_run_group_tests_name("thread", tests, worker_set_thread, NULL))

#endif
