/* SPDX-License-Identifier: MIT */
/*
 * test_watch - a board of our own, found by pid and judged from outside.
 */
#include "cli/sampler.h"

#include "common/audit.h"
#include "common/check.h"
#include "common/clock.h"
#include "common/fd.h"

#include <errno.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cmocka.h>

enum { WORKERS = 3, MANY = 40, THREADS = 2 };

static struct board *board;
static int board_fd;
static struct watch watch;

static int setup(void **state)
{
    (void)state;
    board = board_create(&board_fd);
    if (board == NULL)
        return -1;
    board_set32(&board->worker_slots, WORKERS + 4);
    for (unsigned i = 0; i < WORKERS; i++) {
        board_set32(&board->worker[i].state, BOARD_SERVING);
        board_set32(&board->worker[i].threads, THREADS);
    }
    return watch_open(getpid(), &watch);
}

static int teardown(void **state)
{
    (void)state;
    if (board != NULL)
        board_set32(&board->listeners, 1); /* ends a child that a failed test has left */
    watch_close(&watch);
    board_close(&board);
    fd_close(&board_fd);
    return 0;
}

static void set_load(unsigned i, uint32_t load, uint32_t waiting)
{
    board_set32(&board->worker[i].load, load);
    board_set32(&board->worker[i].waiting, waiting);
}

static void test_open(void **state)
{
    struct watch other;

    (void)state;
    assert_non_null(watch.board);
    board_set(&board->worker[1].tick_ms, 9);
    assert_int_equal(watch.board->worker[1].tick_ms, 9);
    watch_close(&watch);
    assert_null(watch.board);

    board_close(&board);
    fd_close(&board_fd); /* a process without one */
    assert_int_equal(watch_open(getpid(), &other), -1);
    assert_int_equal(errno, ESRCH);
    assert_int_equal(watch_open(INT32_MAX, &other), -1);
    assert_int_equal(errno, ESRCH);
    assert_null(other.board);
}

static void test_open_other_version(void **state)
{
    struct watch other;

    (void)state;
    board->version++;
    assert_int_equal(watch_open(getpid(), &other), -1);
    assert_int_equal(errno, EPROTO);
    board->version--;
}

static void test_look(void **state)
{
    struct watch_look look;

    (void)state;
    set_load(0, 5, 3);
    set_load(2, 1, 0);
    board_set(&board->worker[0].sent[2], 7);
    board_set(&board->worker[2].seen[0], 5);
    board_set(&board->worker[1].sent[2], 4);
    board_set(&board->worker[2].seen[1], 4);
    board_set32(&board->worker[5].state, BOARD_DRAINING);
    board_set32(&board->worker[5].threads, 8);
    watch_look(&watch, &look);
    assert_true(look.is_sure);
    assert_int_equal(look.count, 4);
    assert_int_equal(look.worker[2].load, 1);
    assert_int_equal(look.worker[2].coming, 2);
    assert_int_equal(look.worker[2].sent, 11);
    assert_int_equal(look.worker[2].seen, 9);
    assert_int_equal(look.worker[3].index, 5);
    assert_int_equal(look.threads, 3 * THREADS + 8);
    assert_int_equal(look.load, 6);
    assert_int_equal(look.waiting, 3);
    assert_int_equal(look.coming, 2);
    assert_int_equal(look.free_slots, THREADS); /* of 1; 0 and 2 are full, 5 drains */
}

static void test_is_wasteful(void **state)
{
    static const struct {
        const char *name;
        uint32_t load[WORKERS], waiting, sent_to_1;
        bool want;
    } table[] = {
        {"idle", {0, 0, 0}, 0, 0, false},
        {"all free but for one", {2, 0, 0}, 0, 0, false},
        {"waits beside two free ones", {3, 0, 0}, 1, 0, true},
        {"waits beside one free slot", {3, 2, 1}, 1, 0, true},
        {"waits, all full", {3, 2, 2}, 1, 0, false},
        {"waits, the free slot is promised", {3, 1, 2}, 1, 1, false},
        {"waits, one of two is promised", {3, 0, 2}, 1, 1, true},
        {"waits beside longer queues", {3, 5, 9}, 1, 0, false},
    };
    struct watch_look look;

    (void)state;
    for (size_t i = 0; i < COUNT_OF(table); i++) {
        for (unsigned w = 0; w < WORKERS; w++)
            set_load(w, table[i].load[w], w == 0 ? table[i].waiting : 0);
        board_set(&board->worker[0].sent[1], table[i].sent_to_1);
        watch_look(&watch, &look);
        if (watch_is_wasteful(&look) != table[i].want)
            fail_msg("%s", table[i].name);
    }
}

/* Another process moves one request round and round, in the server's order of stores: it is
 * counted once, or twice while it moves, and never lost. */
static void test_sure_beside_writer(void **state)
{
    struct watch_look look;
    unsigned sure = 0;

    (void)state;
    board_set32(&board->worker_slots, MANY); /* the more, the longer takes a reading */
    for (unsigned i = 0; i < MANY; i++)
        board_set32(&board->worker[i].state, BOARD_SERVING);
    set_load(0, 1, 0);
    pid_t pid = fork();
    if (pid == 0) {
        for (unsigned at = 0; board->listeners == 0; at = (at + 1) % MANY) {
            const unsigned to = (at + 1) % MANY;

            board_add(&board->worker[at].sent[to], 1);
            set_load(at, 0, 0);
            set_load(to, 1, 0);
            board_set(&board->worker[to].seen[at], board->worker[at].sent[to]);
            if (rand() % 8192 == 0)
                usleep(100);
        }
        _exit(0);
    }
    for (unsigned i = 0; i < 200000 && sure < 5000; i++) {
        watch_look(&watch, &look);
        sure += look.is_sure;
        if (look.is_sure && (look.load + look.coming < 1 || look.load + look.coming > 2))
            fail_msg("load %d, coming %d", (int)look.load, (int)look.coming);
    }
    board_set32(&board->listeners, 1);
    int status;
    assert_int_equal(waitpid(pid, &status, 0), pid);
    assert_true(sure > 100);
}

static void test_audit(void **state)
{
    (void)state;
    struct board_audit audit = board_audit(watch.board);
    assert_true(audit.is_idle);
    board_set(&board->worker[1].sent[2], 7);
    board_set(&board->worker[2].seen[1], 7);
    audit = board_audit(watch.board);
    assert_true(audit.is_idle);
    set_load(WORKERS, 1, 0); /* an empty entry that is not */
    audit = board_audit(watch.board);
    assert_false(audit.is_idle);
    assert_int_equal(audit.load, 1);
    set_load(WORKERS, 0, 0);
    board_set32(&board->worker[1].flights_load, 2);
    board_set32(&board->worker[1].flights_waiting, 1);
    audit = board_audit(watch.board);
    assert_false(audit.is_idle);
    assert_int_equal(audit.load, 2);
    assert_int_equal(audit.waiting, 1);
    board_set32(&board->worker[1].flights_load, 0);
    board_set32(&board->worker[1].flights_waiting, 0);
    board_set(&board->worker[2].seen[1], 6);
    board_set(&board->worker[2].seen[0], 1);
    audit = board_audit(watch.board);
    assert_false(audit.is_idle);
    assert_int_equal(audit.unequal, 2);
    assert_int_equal(audit.from, 0);
    assert_int_equal(audit.to, 2);
}

/* ---- the sampler ---- */

static const uint64_t ms = UINT64_C(1000000);

static void add(struct sampler_count *count, bool is_sure, uint64_t waiting,
                uint64_t free_slots, uint64_t at_ms)
{
    const struct watch_look look = {.is_sure = is_sure,
                                    .waiting = waiting,
                                    .load = waiting + 4,
                                    .coming = 1,
                                    .free_slots = free_slots};

    sampler_add(count, &look, at_ms * ms);
}

static void test_count(void **state)
{
    struct sampler_count count = {.run = 0};
    struct sampler_tally *t = &count.tally;

    (void)state;
    t->second = calloc(SAMPLER_SECONDS, sizeof t->second[0]);
    assert_non_null(t->second);
    add(&count, true, 0, 5, 1000);
    for (unsigned i = 1; i <= 7; i++)
        add(&count, true, 2, 1, 1000 + i);
    add(&count, false, 90, 0, 1008); /* unsure: says nothing */
    add(&count, true, 3, 1, 1009);
    add(&count, true, 20, 0, 1010); /* ends the run of 8 */
    add(&count, true, 1, 1, 1011);
    add(&count, true, 0, 5, 2000); /* after a gap, in the next second */
    add(&count, true, 6, 0, 2001);
    assert_int_equal(t->all.samples, 14);
    assert_int_equal(t->all.unsure, 1);
    assert_int_equal(t->all.wasteful, 9);
    assert_int_equal(t->all.most_waiting, 20);
    assert_int_equal(t->all.most_queued, 21);
    assert_int_equal(t->all.busy, 4 * 13);
    assert_int_equal(t->longest_run, 8);
    assert_int_equal(t->longest_run_ns / ms, 8);
    assert_int_equal(t->worst.waiting, 3);
    assert_int_equal(t->gaps, 1);
    assert_int_equal(t->longest_gap_ms, 989);
    assert_int_equal(t->second_count, 2);
    assert_int_equal(t->second[0].samples, 12);
    assert_int_equal(t->second[1].wasteful, 0);
    assert_int_equal(t->second[1].most_waiting, 6);
    add(&count, true, 0, 5, 1000 + 5000 * 1000);
    assert_int_equal(t->second_count, SAMPLER_SECONDS);
    sampler_tally_fini(t);
}

/* The thread: what stands on the board for a while is seen, what follows too. */
static void test_thread(void **state)
{
    struct sampler_tally t;
    struct sampler *sampler;
    const uint64_t begun_ms = clock_mono_ms();

    (void)state;
    set_load(0, 5, 3);
    sampler = sampler_start(&watch);
    assert_non_null(sampler);
    usleep(150000);
    set_load(1, 2, 0);
    set_load(2, 2, 0);
    usleep(50000);
    sampler_stop(&sampler, &t);
    assert_null(sampler);
    const uint64_t took_ms = clock_mono_ms() - begun_ms;
    assert_true(t.all.samples <= took_ms + 1); /* fewer on a busy machine, never more */
    assert_true(t.all.samples >= 5);
    assert_true(t.longest_run >= 3);
    assert_int_equal(t.all.most_waiting, 3);
    assert_int_equal(t.worst.waiting, 3);
    assert_true(t.all.wasteful == t.longest_run);
    sampler_tally_fini(&t);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(test_open, setup, teardown),
        cmocka_unit_test_setup_teardown(test_open_other_version, setup, teardown),
        cmocka_unit_test_setup_teardown(test_look, setup, teardown),
        cmocka_unit_test_setup_teardown(test_is_wasteful, setup, teardown),
        cmocka_unit_test_setup_teardown(test_sure_beside_writer, setup, teardown),
        cmocka_unit_test_setup_teardown(test_audit, setup, teardown),
        cmocka_unit_test_setup_teardown(test_count, setup, teardown),
        cmocka_unit_test_setup_teardown(test_thread, setup, teardown),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
