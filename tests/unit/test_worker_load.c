/* SPDX-License-Identifier: MIT */
/*
 * test_worker_load - the tallies, and what the death of either side leaves of them.
 *
 * Sender and receiver are processes that share the table and a real inbox; one of them is
 * killed between two steps, each in turn, or anywhere. When the others have settled the
 * audit must find nothing.
 */
#include "tests/unit/load_fixture.h"

#include "common/audit.h"
#include "common/check.h"

#include <signal.h>
#include <sys/wait.h>
#include <unistd.h>

enum { ROUNDS = 150 };

static int inbox[2]; /* of T: it reads [0], S writes [1] */

static int setup(void **state)
{
    return open_workers(state) < 0 || fd_pair(inbox) < 0 ? -1 : 0;
}

static int teardown(void **state)
{
    fd_close(&inbox[0]);
    fd_close(&inbox[1]);
    return close_workers(state);
}

static void audit_is_clean(const char *name, int step)
{
    struct board_audit audit = board_audit(board);
    if (audit.load != 0 || audit.unequal != 0)
        fail_msg("%s, step %d: load %lu, %u pairs unequal, %u to %u: sent %lu, seen %lu",
                 name, step, audit.load, audit.unequal, audit.from, audit.to,
                 board->worker[audit.from].sent[audit.to],
                 board->worker[audit.to].seen[audit.from]);
}

/* ---- what each side does, step by step ---- */

static uint64_t number;

static bool send_number(void)
{
    return fd_send(inbox[1], &number, sizeof number, -1) == 0;
}

/* false: the inbox is empty. */
static bool receive_number(void)
{
    int none;
    return fd_recv(inbox[0], &number, sizeof number, &none) == sizeof number;
}

static void add_load(unsigned w, int n)
{
    board_set32(&board->worker[w].load, (uint32_t)((int)board->worker[w].load + n));
}

static bool sender_step(int step)
{
    switch (step) {
    case 0: /* a request is ready here */
        add_load(S, 1);
        return true;
    case 1:
        number = load_send(board, S, T);
        return true;
    case 2:
        assert_true(send_number());
        return true;
    case 3: /* it has gone in the same function */
        add_load(S, -1);
        return true;
    default:
        return false;
    }
}

static bool receiver_step(int step)
{
    switch (step) {
    case 0:
        assert_true(receive_number());
        return true;
    case 1:
        add_load(T, 1);
        return true;
    case 2:
        load_take(board, T, S, number);
        return true;
    case 3: /* the handler has ended */
        add_load(T, -1);
        return true;
    default:
        return false;
    }
}

static void die(void)
{
    kill(getpid(), SIGKILL);
    _exit(1);
}

static void reap(pid_t pid)
{
    int status;
    assert_int_equal(waitpid(pid, &status, 0), pid);
    assert_true(WIFSIGNALED(status) && WTERMSIG(status) == SIGKILL);
}

/* Runs the first `steps` of a side in a process of its own and kills it; with more than
 * there are, behind the last. */
static void run_and_kill(bool (*step)(int), int steps)
{
    pid_t pid = fork();
    assert_true(pid >= 0);
    if (pid == 0) {
        for (int i = 0; i < steps && step(i); i++)
            ;
        die();
    }
    reap(pid);
}

static void run_all(bool (*step)(int))
{
    for (int i = 0; step(i); i++)
        ;
}

/* T, alive, takes what there is. */
static void empty_inbox(void)
{
    while (receive_number()) {
        add_load(T, 1);
        load_take(board, T, S, number);
        add_load(T, -1);
    }
}

/* ---- the tests ---- */

static void test_load_of(void **state)
{
    (void)state;
    board_set32(&board->worker[T].load, 5);
    assert_int_equal(load_of(board, T, LOAD_SLOTS), 5);
    assert_int_equal(load_send(board, S, T), 1);
    assert_int_equal(load_send(board, S, T), 2);
    assert_int_equal(load_send(board, U, T), 1);
    assert_int_equal(load_of(board, T, LOAD_SLOTS), 8);
    assert_int_equal(load_of(board, S, LOAD_SLOTS), 0);
    load_unsend(board, S, T);
    assert_int_equal(load_of(board, T, LOAD_SLOTS), 7);
    load_take(board, T, S, 0); /* does not count */
    assert_int_equal(load_of(board, T, LOAD_SLOTS), 7);
    load_take(board, T, S, 1);
    load_take(board, T, U, 1);
    assert_int_equal(load_of(board, T, LOAD_SLOTS), 5);
    load_take(board, T, S, 99); /* never sent */
    assert_int_equal(board->worker[T].seen[S], 1);
    board_set(&board->worker[T].seen[S], 7); /* no debt is ever subtracted */
    assert_int_equal(load_of(board, T, LOAD_SLOTS), 5);
}

static void test_look(void **state)
{
    (void)state;
    static const struct {
        const char *name;
        enum board_state state;
        uint32_t generation; /* ours is 2 */
        bool takes, gives;
    } rows[] = {
        {"empty", BOARD_EMPTY, 2, false, false},
        {"starting", BOARD_STARTING, 2, false, false},
        {"on standby", BOARD_STANDBY, 3, false, false},
        {"one of ours", BOARD_SERVING, 2, true, true},
        {"younger", BOARD_SERVING, 3, true, false},
        {"older", BOARD_SERVING, 1, false, true},
        {"retiring", BOARD_RETIRING, 2, true, true}, /* until its successor serves */
        {"draining", BOARD_DRAINING, 1, false, true},
        {"killed", BOARD_KILLED, 2, false, false},
    };
    struct place_sibling others[BOARD_WORKERS];
    serve(S, 2);
    board_set32(&board->worker_slots, 2);
    for (size_t i = 0; i < COUNT_OF(rows); i++) {
        board_set32(&board->worker[T].generation, rows[i].generation);
        board_set32(&board->worker[T].state, rows[i].state);
        if (load_look(board, S, LOAD_TAKERS, LOAD_SLOTS, others) != rows[i].takes ||
            load_look(board, S, LOAD_HEIRS, LOAD_SLOTS, others) != rows[i].takes ||
            load_look(board, S, LOAD_GIVERS, LOAD_SLOTS, others) != rows[i].gives)
            fail_msg("%s", rows[i].name);
    }
    serve(T, 2);
    board_set32(&board->worker[T].load, 11);
    board_set32(&board->worker[T].waiting, 3);
    load_send(board, U, T);
    board_set32(&board->worker_slots, WORKERS);
    assert_int_equal(load_look(board, S, LOAD_TAKERS, LOAD_SLOTS, others),
                     1); /* U is older */
    assert_int_equal(others[0].index, T);
    assert_int_equal(others[0].load, 12);
    assert_int_equal(others[0].waiting, 3);
    assert_int_equal(others[0].limit, LIMIT);
    assert_int_equal(others[0].fd_room, 1000);
}

static void test_stuck(void **state)
{
    (void)state;
    struct place_sibling others[BOARD_WORKERS];
    for (unsigned i = 0; i < WORKERS; i++)
        board_set(&board->worker[i].tick_ms, 100000);
    board_set(&board->worker[S].tick_ms, 100060); /* our now */
    assert_int_equal(load_look(board, S, LOAD_TAKERS, LOAD_SLOTS, others), 2);
    (void)load_send(board, S, T);
    assert_false(load_is_stuck(board, S, T)); /* it is being woken */
    board_set(&board->worker[S].tick_ms, 100111);
    assert_true(load_is_stuck(board, S, T)); /* it should have been */
    assert_int_equal(load_look(board, S, LOAD_TAKERS, LOAD_SLOTS, others), 1);
    board_set(&board->worker[T].tick_ms,
              100100); /* it turns; there is much in its inbox */
    assert_false(load_is_stuck(board, S, T));
    board_set(&board->worker[T].awake_since_ms, 100060);
    assert_true(load_is_stuck(board, S, T)); /* a turn that does not end */
    assert_int_equal(load_look(board, S, LOAD_HEIRS, LOAD_SLOTS, others), 2);
    board_set(&board->worker[T].awake_since_ms, 98000); /* for two seconds */
    assert_int_equal(load_look(board, S, LOAD_HEIRS, LOAD_SLOTS, others), 1);
    board_set(&board->worker[T].awake_since_ms, 0);
    load_take(board, T, S, 1);
    board_set(&board->worker[S].tick_ms, 101000); /* idle: it turns once a second */
    assert_false(load_is_stuck(board, S, T));
    board_set(&board->worker[S].tick_ms, 102000);
    assert_true(load_is_stuck(board, S, T));
}

static void test_audit(void **state)
{
    (void)state;
    audit_is_clean("new", 0);
    load_send(board, U, T);
    add_load(S, 2);
    struct board_audit audit = board_audit(board);
    assert_int_equal(audit.load, 2);
    assert_int_equal(audit.unequal, 1);
    assert_int_equal(audit.from, U);
    assert_int_equal(audit.to, T);
}

/* The sender dies after each step; what it did send arrives, before or after the master has
 * looked. */
static void test_sender_dies(void **state)
{
    (void)state;
    for (int steps = 0; steps <= 4; steps++) {
        for (int is_late = 0; is_late <= 1; is_late++) {
            run_and_kill(sender_step, steps);
            if (!is_late)
                empty_inbox();
            board_retire(board, S);
            assert_int_equal(load_of(board, S, LOAD_SLOTS), 0);
            if (is_late)
                empty_inbox();
            load_settle(board, T, true);
            audit_is_clean("the sender dies", steps * 10 + is_late);
            serve(S, 1);
        }
    }
}

/* Its successor sends at once, behind a message of the dead one. */
static void test_sender_has_a_successor(void **state)
{
    (void)state;
    for (int steps = 0; steps <= 4; steps++) {
        run_and_kill(sender_step, steps);
        board_retire(board, S);
        serve(S, 1);
        run_all(sender_step);
        assert_in_range(load_of(board, T, LOAD_SLOTS), 0, 2);
        empty_inbox();
        load_settle(board, T, true);
        audit_is_clean("the sender's successor", steps);
    }
}

/* The receiver dies after each step. Who sends to it has counted already, or does so after
 * its death; another one empties the inbox, or its successor finds the message. */
static void test_receiver_dies(void **state)
{
    (void)state;
    for (int steps = 0; steps <= 4; steps++) {
        for (int has_successor = 0; has_successor <= 1; has_successor++) {
            run_all(sender_step);
            run_and_kill(receiver_step, steps);
            board_retire(board, T);
            assert_int_equal(load_of(board, T, LOAD_SLOTS), 0);
            run_all(sender_step); /* it had looked before */
            if (has_successor) {
                serve(T, 1);
                empty_inbox();
                load_settle(board, T, true);
            } else {
                while (receive_number()) /* U: not its own numbers */
                    ;
                load_settle(board, S, true);
            }
            load_settle(board, U, true);
            audit_is_clean("the receiver dies", steps * 10 + has_successor);
            serve(T, 1);
        }
    }
}

/* Emptied by another while the entry has a successor already: it settles by itself. */
static void test_inbox_is_emptied_by_another(void **state)
{
    (void)state;
    run_all(sender_step);
    board_retire(board, T);
    run_all(sender_step);
    serve(T, 1);
    while (receive_number())
        ;
    assert_int_equal(load_of(board, T, LOAD_SLOTS), 1);
    load_settle(board, T, false); /* it has not looked yet: nothing may be forgotten */
    assert_int_equal(load_of(board, T, LOAD_SLOTS), 1);
    load_settle(board, T, true);
    audit_is_clean("emptied by another", 0);
}

/* ---- anywhere ---- */

/* Sends or takes without end, as fast as it can. */
static _Noreturn void work_until_killed(bool is_sender)
{
    for (;;) {
        if (!is_sender) {
            empty_inbox();
            continue;
        }
        add_load(S, 1);
        number = load_send(board, S, T);
        if (!send_number())
            load_unsend(board, S, T);
        add_load(S, -1);
    }
}

static void test_killed_anywhere(void **state)
{
    (void)state;
    unsigned random = 1;
    for (int round = 0; round < ROUNDS; round++) {
        bool is_sender = round % 2 == 0;
        pid_t pid = fork();
        assert_true(pid >= 0);
        if (pid == 0)
            work_until_killed(is_sender);
        random = random * 1103515245u + 12345u;
        /* some hundred messages, so the instant is anywhere; no clock is needed */
        for (unsigned left = 1 + random / 65536 % 300; left > 0;) {
            if (is_sender && receive_number()) {
                load_take(board, T, S, number);
                left--;
            } else if (!is_sender) {
                number = load_send(board, S, T);
                if (send_number())
                    left--;
                else
                    load_unsend(board, S, T);
            }
            assert_in_range(load_of(board, is_sender ? S : U, LOAD_SLOTS), 0, 1);
        }
        kill(pid, SIGKILL);
        reap(pid);
        unsigned gone = is_sender ? S : T;
        board_retire(board, gone);
        serve(gone, 1);
        empty_inbox();
        load_settle(board, S, true);
        load_settle(board, T, true);
        audit_is_clean("killed anywhere", round);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(test_load_of, setup, teardown),
        cmocka_unit_test_setup_teardown(test_look, setup, teardown),
        cmocka_unit_test_setup_teardown(test_stuck, setup, teardown),
        cmocka_unit_test_setup_teardown(test_audit, setup, teardown),
        cmocka_unit_test_setup_teardown(test_sender_dies, setup, teardown),
        cmocka_unit_test_setup_teardown(test_sender_has_a_successor, setup, teardown),
        cmocka_unit_test_setup_teardown(test_receiver_dies, setup, teardown),
        cmocka_unit_test_setup_teardown(test_inbox_is_emptied_by_another, setup,
                                        teardown),
        cmocka_unit_test_setup_teardown(test_killed_anywhere, setup, teardown),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
