/* SPDX-License-Identifier: MIT */
/*
 * test_worker_admit - queue_limit over all workers: exact, whoever moves or decides meanwhile.
 */
#include "tests/unit/load_fixture.h"

#include <sched.h>
#include <sys/wait.h>
#include <unistd.h>

enum { RIVALS = 6, AT_ONCE = 2, ADMISSIONS = 100000 };

/* Is there room for `n` more, and not for n + 1? */
static void assert_room(uint32_t waiting, unsigned arriving)
{
    bool is_room = load_admit(board, S, waiting + 1, arriving);
    load_admitted(board, S);
    assert_true(is_room);
    assert_false(load_admit(board, S, waiting, arriving));
    assert_int_equal(board->worker[S].admitting, 0);
}

static void test_admit(void **state)
{
    (void)state;
    assert_false(load_admit(board, S, 0, 0));
    assert_room(0, 0);
    board_set32(&board->worker[S].waiting, 2);
    board_set32(&board->worker[U].waiting, 3);
    board_set32(&board->worker[U].flights_waiting, 4);
    assert_room(9, 0);
    board_set32(&board->worker[T].load, LIMIT - 1);
    (void)load_send(board, S, T); /* into its free slot */
    assert_room(9, 0);
    (void)load_send(board, U, T); /* behind that */
    assert_room(10, 0);
    board_set32(&board->worker[S].load, LIMIT);
    (void)load_send(board, U, S); /* the one that is looked at */
    assert_room(11, 0);
    assert_room(10, 1);
    board_set32(&board->worker[U].admitting, 1); /* perhaps one more */
    assert_room(12, 0);
    board_set32(&board->worker[U].state, BOARD_EMPTY); /* what it waits for is nobody's */
    board_set32(&board->worker[T].load, 0);
    assert_room(3, 0);
}

/* One request waits and moves from S to U. Whenever somebody looks, it is there. */
static void test_one_that_moves_is_never_missed(void **state)
{
    (void)state;
    uint64_t n = 0;
    for (unsigned i = 0; i < WORKERS; i++)
        board_set32(&board->worker[i].load, LIMIT);
    for (int step = 0; step < 5; step++) {
        if (step == 0)
            board_set32(&board->worker[S].waiting, 1);
        else if (step == 1)
            n = load_send(board, S, U);
        else if (step == 2)
            board_set32(&board->worker[S].waiting, 0);
        else if (step == 3)
            board_set32(&board->worker[U].waiting, 1);
        else
            load_take(board, U, S, n);
        if (load_admit(board, T, 1, 0))
            fail_msg("step %d: it is nowhere", step);
    }
}

/* Several processes let requests in and out at once, on two CPUs and more: never one too
 * many. The truth is counted beside the table, with locked instructions. */
static void let_in_and_out(unsigned self, _Atomic uint32_t *truth, _Atomic uint32_t *most)
{
    for (int i = 0; i < ADMISSIONS; i++) {
        if (!load_admit(board, self, AT_ONCE, 0))
            continue;
        uint32_t now = atomic_fetch_add(truth, 1) + 1;
        if (now > *most)
            *most = now;
        board_set32(&board->worker[self].waiting, 1);
        load_admitted(board, self);
        if (i % 64 == 0)
            sched_yield();
        atomic_fetch_sub(truth, 1);
        board_set32(&board->worker[self].waiting, 0);
    }
}

static void test_never_one_too_many(void **state)
{
    (void)state;
    pid_t pid[RIVALS];
    _Atomic uint32_t *truth = &board->worker[RIVALS].waiting, *most = truth + 1;
    board_set32(&board->worker_slots, RIVALS);
    for (unsigned i = 0; i < RIVALS; i++) {
        serve(i, 1);
        pid[i] = fork();
        assert_true(pid[i] >= 0);
        if (pid[i] == 0) {
            let_in_and_out(i, truth, most);
            _exit(0);
        }
    }
    for (unsigned i = 0; i < RIVALS; i++) {
        int status;
        assert_int_equal(waitpid(pid[i], &status, 0), pid[i]);
        assert_int_equal(status, 0);
    }
    assert_int_equal(*truth, 0);
    assert_int_equal(*most, AT_ONCE);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(test_admit, open_workers, close_workers),
        cmocka_unit_test_setup_teardown(test_one_that_moves_is_never_missed, open_workers,
                                        close_workers),
        cmocka_unit_test_setup_teardown(test_never_one_too_many, open_workers,
                                        close_workers),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
