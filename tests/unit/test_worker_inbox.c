/* SPDX-License-Identifier: MIT */
/*
 * test_worker_inbox - a worker that drains leaves with nothing in its inbox, and what comes in
 * the very turn in which it ends is left to its heir; in a stop of the whole server the last one
 * takes in what nobody else will; tallies are settled.
 */
#include "tests/unit/worker_fixture.h"
#include "tests/unit/worker_handlers.h"

#include "common/fd.h"
#include "worker/handoff.h"
#include "worker/handoff_message.h"
#include "worker/inbox.h"
#include "worker/lifecycle.h"
#include "worker/load.h"

#include <sys/socket.h>

#define HEAD "GET /none HTTP/1.1\r\nHost: a\r\n\r\n"

static int open_state(void **state)
{
    if (worker_open_state(state) != 0)
        return -1;
    struct fixture *f = *state;
    int ends[2];
    if (fd_pair(ends) < 0)
        return -1;
    f->heritage.inbox[0] = (struct heritage_inbox){.rx = ends[0], .tx = ends[1]};
    f->heritage.inbox_count = 1;
    f->heritage.common_inbox = (struct heritage_inbox){.rx = -1, .tx = -1};
    inbox_init(&f->worker);
    inbox_start(&f->worker);
    return 0;
}

static int close_state(void **state)
{
    struct fixture *f = *state;
    inbox_stop(&f->worker);
    f->worker.phase = WORKER_SERVING;
    fd_close(&f->heritage.inbox[0].rx);
    fd_close(&f->heritage.inbox[0].tx);
    return worker_close_state(state);
}

/* Another worker sends a connection with a request: the client's end of it. */
static int send_to(struct fixture *f, int inbox)
{
    int ends[2];
    struct handoff_message m = {.type = HANDOFF_CONNECTION,
                                .head = {HEAD, sizeof HEAD - 1}};
    assert_int_equal(socketpair(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK, 0, ends), 0);
    assert_int_equal(handoff_send(inbox, &m, ends[0]), 0);
    board_add(&f->worker.entry->counters.requests, 1); /* begun there */
    fd_close(&ends[0]);
    return ends[1];
}

static int send_one(struct fixture *f)
{
    return send_to(f, f->heritage.inbox[0].tx);
}

static void test_it_stays_for_what_was_sent(void **state)
{
    struct fixture *f = *state;
    close(f->client);
    fixture_turn(f);
    f->worker.phase = WORKER_DRAINING;
    f->client = send_one(f);
    lifecycle_on_gone(&f->worker);
    assert_int_equal(f->worker.phase, WORKER_DRAINING);
    fixture_turn(f);
    assert_non_null(strstr(fixture_read(f), " 404 "));
    close(f->client);
    f->client = -1;
    fixture_turn(f);
    assert_int_equal(f->worker.phase, WORKER_ENDED);
}

/* Its siblings may know that it serves before it does: then they must find an heir. */
static void test_room_is_known_before_it_serves(void **state)
{
    struct fixture *f = *state;
    inbox_stop(&f->worker);
    f->worker.phase = WORKER_BOOTING;
    inbox_on_connections(&f->worker);
    assert_int_equal(board_get32(&f->worker.entry->fd_room), 0);
    f->worker.phase = WORKER_STANDBY;
    inbox_announce(&f->worker);
    assert_true(board_get32(&f->worker.entry->fd_room) > 0);
    assert_false(ev_is_active(&f->worker.inbox)); /* and reads when it does */
    f->worker.phase = WORKER_DRAINING;
    inbox_on_connections(&f->worker);
    assert_int_equal(board_get32(&f->worker.entry->fd_room), 0);
}

/* A question alone does not keep it. */
static void test_a_question_does_not_keep_it(void **state)
{
    struct fixture *f = *state;
    struct handoff_message m = {.type = HANDOFF_ASK};
    fd_close(&f->client);
    fixture_turn(f);
    f->worker.phase = WORKER_DRAINING;
    assert_int_equal(handoff_send(f->heritage.inbox[0].tx, &m, -1), 0);
    lifecycle_on_gone(&f->worker);
    fixture_turn(f);
    assert_int_equal(f->worker.phase, WORKER_ENDED);
}

static void test_its_heir_takes_the_rest(void **state)
{
    struct fixture *f = *state;
    fd_close(&f->client);
    fixture_turn(f);
    f->worker.phase = WORKER_ENDED;
    f->client = send_one(f);
    fixture_turn(f);
    assert_int_equal(f->worker.conn_count, 0);
    f->worker.phase = WORKER_DRAINING;
    fixture_turn(f);
    assert_non_null(strstr(fixture_read(f), " 404 "));
    fd_close(&f->client);
    fixture_turn(f);
}

/* ---- a whole stop ---- */

enum { OTHER = 1 };

static int open_pair(struct heritage_inbox *inbox)
{
    int ends[2];
    if (fd_pair(ends) < 0)
        return -1;
    *inbox = (struct heritage_inbox){.rx = ends[0], .tx = ends[1]};
    return 0;
}

/* Two workers; this one has nothing to do. */
static int open_stop(void **state)
{
    if (open_state(state) != 0)
        return -1;
    struct fixture *f = *state;
    struct board *board = f->heritage.board;
    if (open_pair(&f->heritage.inbox[OTHER]) < 0 ||
        open_pair(&f->heritage.common_inbox) < 0)
        return -1;
    f->heritage.inbox_count = 2;
    board_set32(&board->worker_slots, 2);
    board_set32(&board->worker[OTHER].state, BOARD_DRAINING);
    board_set32(&board->closing, BOARD_CLOSED);
    handoff_init(&f->worker);
    fd_close(&f->client);
    fixture_turn(f);
    f->worker.phase = WORKER_DRAINING;
    return 0;
}

static int close_stop(void **state)
{
    struct fixture *f = *state;
    handoff_stop(&f->worker);
    fd_close(&f->heritage.inbox[OTHER].rx);
    fd_close(&f->heritage.inbox[OTHER].tx);
    fd_close(&f->heritage.common_inbox.rx);
    fd_close(&f->heritage.common_inbox.tx);
    return close_state(state);
}

static bool has_ended(struct fixture *f)
{
    return f->worker.phase == WORKER_ENDED;
}

/* It is answered here, and then this worker may go. */
static void assert_taken_in(struct fixture *f)
{
    lifecycle_on_gone(&f->worker);
    assert_false(has_ended(f));
    assert_non_null(strstr(fixture_read(f), " 404 "));
    assert_int_equal(fixture_count(f, "Connection: close"), 1);
    fd_close(&f->client);
    fixture_until(f, has_ended);
}

/* One that drained before put it there, and found no more heir. */
static void test_the_last_takes_what_is_for_all(void **state)
{
    struct fixture *f = *state;
    f->client = send_to(f, f->heritage.common_inbox.tx);
    assert_taken_in(f);
}

static void test_the_last_takes_what_the_dead_have_not(void **state)
{
    struct fixture *f = *state;
    f->client = send_to(f, f->heritage.inbox[OTHER].tx);
    board_set32(&f->heritage.board->worker[OTHER].state, BOARD_EMPTY);
    assert_taken_in(f);
}

/* The other may have looked into its inbox for the last time before. */
static void test_it_stays_for_what_it_has_sent(void **state)
{
    struct fixture *f = *state;
    struct board *board = f->heritage.board;
    f->client = send_to(f, f->heritage.inbox[OTHER].tx);
    uint64_t number = load_send(board, 0, OTHER);
    lifecycle_on_gone(&f->worker);
    assert_false(has_ended(f));
    fixture_turn(f);
    assert_false(has_ended(f));
    board_retire(board, OTHER); /* makes the tallies equal */
    load_take(board, OTHER, 0, number);
    assert_taken_in(f);
}

static void test_it_goes_when_that_was_taken(void **state)
{
    struct fixture *f = *state;
    struct board *board = f->heritage.board;
    uint64_t number = load_send(board, 0, OTHER);
    lifecycle_on_gone(&f->worker);
    assert_false(has_ended(f));
    load_take(board, OTHER, 0, number);
    fixture_until(f, has_ended);
}

/* The master may not have told all of them yet. */
static void test_nobody_is_an_heir(void **state)
{
    struct fixture *f = *state;
    struct board *board = f->heritage.board;
    board_set32(&board->worker[OTHER].state, BOARD_SERVING);
    board_set32(&board->worker[OTHER].fd_room, 1000);
    assert_false(handoff_has_heir(&f->worker));
    board_set32(&board->closing, BOARD_CLOSING);
    assert_true(handoff_has_heir(&f->worker));
}

/* A drain of this worker alone: others serve, and look. */
static void test_otherwise_it_leaves_that_to_others(void **state)
{
    struct fixture *f = *state;
    board_set32(&f->heritage.board->closing, BOARD_CLOSING);
    (void)load_send(f->heritage.board, 0, OTHER);
    lifecycle_on_gone(&f->worker);
    assert_true(has_ended(f));
}

#define STOP_TEST(name)                                                                  \
    cmocka_unit_test_setup_teardown(test_##name, open_stop, close_stop)

/* What a death left. */
static void test_tallies_are_settled_each_second(void **state)
{
    struct fixture *f = *state;
    board_set32(&f->heritage.board->worker_slots, 2);
    board_set(&f->worker.entry->sent[1], 5);
    inbox_each_second(&f->worker);
    assert_int_equal(f->worker.entry->sent[1], 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(test_it_stays_for_what_was_sent, open_state,
                                        close_state),
        cmocka_unit_test_setup_teardown(test_room_is_known_before_it_serves, open_state,
                                        close_state),
        cmocka_unit_test_setup_teardown(test_a_question_does_not_keep_it, open_state,
                                        close_state),
        cmocka_unit_test_setup_teardown(test_its_heir_takes_the_rest, open_state,
                                        close_state),
        STOP_TEST(the_last_takes_what_is_for_all),
        STOP_TEST(the_last_takes_what_the_dead_have_not),
        STOP_TEST(it_stays_for_what_it_has_sent),
        STOP_TEST(it_goes_when_that_was_taken),
        STOP_TEST(nobody_is_an_heir),
        STOP_TEST(otherwise_it_leaves_that_to_others),
        cmocka_unit_test_setup_teardown(test_tallies_are_settled_each_second, open_state,
                                        close_state),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
