/* SPDX-License-Identifier: MIT */
/*
 * test_common_scoreboard - sharing over fork, records, totals that never go back.
 */
#include "common/scoreboard.h"

#include "common/check.h"
#include "common/clock.h"
#include "common/fd.h"

#include <errno.h>
#include <fcntl.h>
#include <sched.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cmocka.h>

static const char peer[BOARD_PEER] = "10.0.0.1", nobody[BOARD_PEER];
static const char get[BOARD_METHOD] = "GET";
static struct board *board;
static int board_fd;

static int setup(void **state)
{
    (void)state;
    board = board_create(&board_fd);
    if (board == NULL)
        return -1;
    board_set32(&board->worker_slots, 8);
    return 0;
}

static int teardown(void **state)
{
    (void)state;
    board_close(&board);
    fd_close(&board_fd);
    return 0;
}

static void wait_for(pid_t pid)
{
    int status;

    assert_int_equal(waitpid(pid, &status, 0), pid);
    assert_int_equal(status, 0);
}

static void test_open(void **state)
{
    struct stat st;

    (void)state;
    assert_int_equal(fcntl(board_fd, F_GETFD), FD_CLOEXEC);
    assert_int_equal(fstat(board_fd, &st), 0);
    assert_int_equal(st.st_mode & 0777, 0600); /* who was handed it cannot open it anew */
    assert_true(st.st_blocks * 512 < 64 * 1024); /* sparse */
    assert_int_equal(ftruncate(board_fd, 0), -1);
    struct board *other = board_open(board_fd);
    assert_non_null(other);
    board_set(&board->worker[7].tick_ms, 77);
    assert_int_equal(other->worker[7].tick_ms, 77);
    board_close(&other);
    assert_null(other);
    board_close(&other);
}

/* Through a descriptor that may not write, as from another process. */
static void test_open_reader(void **state)
{
    char path[64];

    (void)state;
    snprintf(path, sizeof(path), "/proc/self/fd/%d", board_fd);
    int fd = open(path, O_RDONLY | O_CLOEXEC);
    assert_true(fd >= 0);
    assert_null(board_open(fd));
    assert_int_equal(errno, EACCES);
    struct board *reader = board_open_reader(fd);
    assert_non_null(reader);
    board_set(&board->worker[7].tick_ms, 78);
    assert_int_equal(reader->worker[7].tick_ms, 78);
    board_close(&reader);
    fd_close(&fd);
}

static void test_open_refused(void **state)
{
    static const struct {
        const char *name;
        size_t offset;
    } words[] = {
        {"magic", offsetof(struct board, magic)},
        {"version", offsetof(struct board, version)},
        {"worker stride", offsetof(struct board, worker_stride)},
        {"record stride", offsetof(struct board, record_stride)},
        {"ring stride", offsetof(struct board, ring_stride)},
    };
    int small = memfd_create("small", MFD_CLOEXEC);

    (void)state;
    for (size_t i = 0; i < COUNT_OF(words); i++) {
        char *word = (char *)board + words[i].offset;

        ++*word;
        if (board_open(board_fd) != NULL || errno != EPROTO)
            fail_msg("%s", words[i].name);
        --*word;
    }
    assert_null(board_open(small));
    assert_int_equal(errno, EPROTO);
    fd_close(&small);
    assert_null(board_open(-1));
    assert_int_equal(errno, EBADF);
}

/* A child opens the table by its descriptor, writes and dies; all of it stays. */
static void test_survives_its_writer(void **state)
{
    struct board_record r;

    (void)state;
    pid_t pid = fork();
    if (pid == 0) {
        struct board *mine = board_open(board_fd);

        board_add(&mine->worker[3].counters.requests, 5);
        board_record_begin(&mine->worker[3].slot[9], 123, get, SLICE_LIT("/slow"), peer,
                           4);
        raise(SIGKILL);
    }
    int status;
    assert_int_equal(waitpid(pid, &status, 0), pid);
    assert_true(WIFSIGNALED(status));
    assert_int_equal(board->worker[3].counters.requests, 5);
    assert_true(board_record_read(&board->worker[3].slot[9], &r));
    assert_string_equal(r.path, "/slow");
}

static void test_record(void **state)
{
    struct board_record *r = &board->worker[0].slot[0], copy;
    char path[300];

    (void)state;
    assert_false(board_record_read(r, &copy));
    memset(path, 'p', sizeof(path) - 1);
    path[sizeof(path) - 1] = '\0';
    board_record_begin(r, 42, "A-METHOD-THAT-IS-LONG", slice_of(path), nobody, 7);
    assert_true(board_record_read(r, &copy));
    assert_int_equal(copy.since_ms, 42);
    assert_int_equal(copy.route, 7);
    assert_string_equal(copy.method, "A-METHOD-THAT-I");
    assert_int_equal(strlen(copy.path), BOARD_PATH - 1);
    assert_string_equal(copy.peer, "");
    board_record_late(r);
    assert_true(board_record_read(r, &copy));
    assert_int_equal(copy.state, BOARD_SLOT_LATE);
    board_record_end(r);
    assert_false(board_record_read(r, &copy));

    /* its writer died inside a change, in the middle of a text */
    board_record_begin(r, 42, get, SLICE_LIT("/x"), peer, 7);
    r->seq++;
    memset(r->peer, '!', sizeof(r->peer));
    assert_true(board_record_read(r, &copy));
    assert_string_equal(copy.path, "/x");
    assert_int_equal(strlen(copy.peer), BOARD_PEER - 1);
    board_record_begin(r, 43, get, SLICE_LIT("/y"), peer,
                       7); /* and a successor goes on */
    assert_int_equal(r->seq % 2, 0);
    assert_true(board_record_read(r, &copy));
    assert_int_equal(copy.since_ms, 43);
}

/* A reader beside a writer in another process: what it accepts is never mixed. */
static void test_torn_record(void **state)
{
    static const char methods[][BOARD_METHOD] = {"aaa", "bbb"};
    static const char texts[][BOARD_PEER] = {
        "aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa",
        "bbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbb"};
    struct board_record *r = &board->worker[1].slot[0], copy;
    unsigned seen[2] = {0, 0};

    (void)state;
    board_record_begin(r, 0, methods[0], slice_of(texts[0]), texts[0], 0);
    pid_t pid = fork();
    if (pid == 0) {
        for (unsigned i = 0; r->reserved == 0; i++) {
            board_record_begin(r, i % 2, methods[i % 2], slice_of(texts[i % 2]),
                               texts[i % 2], 0);
            if (i % 64 == 0)
                sched_yield();
        }
        _exit(0);
    }
    uint64_t enough_ms = clock_mono_ms() + 5000; /* a crowd may hold the writer up */
    for (int i = 0;
         (i < 20000 && clock_mono_ms() < enough_ms) || seen[0] == 0 || seen[1] == 0;
         i++) {
        assert_true(board_record_read(r, &copy));
        if (copy.seq % 2 != 0)
            continue;
        unsigned which = (unsigned)copy.since_ms;
        assert_string_equal(copy.path, texts[which]);
        assert_string_equal(copy.peer, texts[which]);
        assert_int_equal(copy.method[0], texts[which][0]);
        seen[which]++;
    }
    r->reserved = 1;
    wait_for(pid);
}

static void test_retire(void **state)
{
    struct board_worker *w = &board->worker[2];
    struct board_counters total;
    struct board_record copy;

    (void)state;
    board_set32(&w->state, BOARD_DRAINING);
    board_set32(&w->threads, 2);
    board_set32(&w->load, 5);
    board_add(&w->counters.requests, 100);
    board_add(&w->counters.responses[2], 99);
    board_add(&board->worker[5].counters.requests, 11);
    board_observe(&w->counters.service, 70);
    board_record_begin(&w->slot[1], 1, get, SLICE_LIT("/"), peer, 0);
    board_record_begin(&w->flight[200], 1, get, SLICE_LIT("/"), peer, 0);
    /* 2 has sent 10 to 5, which took 8; 5 has sent 4 to 2, which took 1 */
    board_set(&w->sent[5], 10);
    board_set(&board->worker[5].seen[2], 8);
    board_set(&board->worker[5].sent[2], 4);
    board_set(&w->seen[5], 1);

    board_retire(board, 2);

    assert_int_equal(w->state, BOARD_EMPTY);
    assert_int_equal(w->load, 0);
    assert_int_equal(w->threads, 0);
    assert_int_equal(w->counters.requests, 0);
    assert_int_equal(board->retired.requests, 100);
    assert_int_equal(w->sent[5], 8);
    assert_int_equal(w->seen[5], 4);
    assert_int_equal(board->worker[5].sent[2], 4); /* words of others stay theirs */
    assert_false(board_record_read(&w->slot[1], &copy));
    assert_false(board_record_read(&w->flight[200], &copy));
    assert_int_equal(board->epoch, 2);
    board_total(board, &total);
    assert_int_equal(total.requests, 111);
    assert_int_equal(total.responses[2], 99);
    assert_int_equal(total.service.count, 1);
    assert_int_equal(total.service.bucket[2], 1);
}

/* Another process sums while we move counters about: the sum never changes. */
static void test_total_is_steady(void **state)
{
    struct board_counters total;

    (void)state;
    board_set(&board->worker[0].counters.requests, 1000);
    pid_t pid = fork();
    if (pid == 0) {
        for (int i = 0; i < 3000; i++) {
            board_total(board, &total);
            if (total.requests != 1000)
                _exit(1);
        }
        _exit(0);
    }
    int status;
    while (waitpid(pid, &status, WNOHANG) == 0) {
        board_retire(board, 0);
        atomic_fetch_add(&board->epoch, 1); /* moves them back, under the same protocol */
        board_set(&board->retired.requests, 0);
        board_set(&board->worker[0].counters.requests, 1000);
        atomic_fetch_add_explicit(&board->epoch, 1, memory_order_release);
        for (int i = 0; i < 5; i++) { /* leaves the other time for a sum between */
            board_total(board, &total);
            assert_int_equal(total.requests, 1000);
        }
    }
    assert_int_equal(status, 0);
}

static void test_master_died_in_epoch(void **state)
{
    struct board_counters total;

    (void)state;
    board_set(&board->worker[0].counters.requests, 3);
    board->epoch = 9;
    board_total(board, &total); /* comes back */
    assert_int_equal(total.requests, 3);
    board_retire(board, 0); /* and its successor mends it */
    assert_int_equal(board->epoch, 10);
}

static void test_histogram(void **state)
{
    static const struct {
        uint64_t us;
        unsigned bucket;
    } table[] = {
        {0, 0},        {63, 0},         {64, 1},        {67, 1},        {68, 2},
        {124, 16},     {127, 16},       {128, 17},      {135, 17},      {136, 18},
        {1000, 64},    {1024, 65},      {100000, 169},  {102399, 169},  {102400, 170},
        {110000, 171}, {1u << 20, 225}, {3932159, 254}, {3932160, 255}, {UINT64_MAX, 255},
    };
    struct board_histogram *h = &board->worker[0].counters.queue;

    (void)state;
    for (size_t i = 0; i < COUNT_OF(table); i++) {
        uint64_t before = h->bucket[table[i].bucket];

        board_observe(h, table[i].us);
        assert_int_equal(h->bucket[table[i].bucket], before + 1);
        if (table[i].bucket < BOARD_BUCKETS - 1)
            assert_true(table[i].us < board_bucket_limit_us(table[i].bucket));
        if (table[i].bucket > 0)
            assert_true(table[i].us >= board_bucket_limit_us(table[i].bucket - 1));
    }
    assert_int_equal(h->count, COUNT_OF(table));
    assert_true(board_bucket_limit_us(BOARD_BUCKETS - 1) == UINT64_MAX);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(test_open, setup, teardown),
        cmocka_unit_test_setup_teardown(test_open_reader, setup, teardown),
        cmocka_unit_test_setup_teardown(test_open_refused, setup, teardown),
        cmocka_unit_test_setup_teardown(test_survives_its_writer, setup, teardown),
        cmocka_unit_test_setup_teardown(test_record, setup, teardown),
        cmocka_unit_test_setup_teardown(test_torn_record, setup, teardown),
        cmocka_unit_test_setup_teardown(test_retire, setup, teardown),
        cmocka_unit_test_setup_teardown(test_total_is_steady, setup, teardown),
        cmocka_unit_test_setup_teardown(test_master_died_in_epoch, setup, teardown),
        cmocka_unit_test_setup_teardown(test_histogram, setup, teardown),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
