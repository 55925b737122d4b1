/* SPDX-License-Identifier: MIT */
/*
 * test_common_ledger - one line for each request, whatever instruction the writer was killed
 * at; nothing of a dead writer is trusted.
 */
#include "common/check.h"
#include "common/fd.h"
#include "common/routes.h"
#include "common/scoreboard.h"
#include "common/written.h"

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
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include <cmocka.h>

enum { OPEN = 3, LINE = 40, BATCH = 3000, ROUNDS = 150 };

struct shared {
    struct board_ring ring;
    struct board_ledger ledger;
    _Atomic uint64_t begun;
};

static struct shared *s;

static int setup(void **state)
{
    (void)state;
    s = mmap(NULL, sizeof(*s), PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
    return s == MAP_FAILED ? -1 : 0;
}

static int teardown(void **state)
{
    (void)state;
    return munmap(s, sizeof(*s));
}

/* ---- a worker in small ---- */

static void begin_one(uint64_t number)
{
    struct ledger_entry *e = &s->ledger.entry[number % OPEN];

    board_set32(&s->ledger.used, OPEN);
    e->minor = -1;
    memcpy(e->peer, "127.0.0.1", sizeof("127.0.0.1"));
    ledger_set(e, number);
    atomic_store(&s->begun, number);
    ledger_note_head(e, (struct slice){"GET /x HTTP/1.1\r", 3}, SLICE_LIT("/x"), 1);
}

static void flush_counted(int log, int count_fd)
{
    uint64_t count;

    assert_true(written_read(count_fd, &count));
    ring_begin_flush(&s->ring, count);
    ring_flush(&s->ring, log);
    ring_end_flush(&s->ring);
}

static void end_one(uint64_t number, int log, int count_fd)
{
    char line[LINE];
    int n = snprintf(line, sizeof(line), "%llu\n", (unsigned long long)number);

    while (!ring_put_line(&s->ring, line, (size_t)n, number))
        flush_counted(log, count_fd);
    ledger_set(&s->ledger.entry[number % OPEN], 0);
    if (ring_pending(&s->ring) >= BATCH)
        flush_counted(log, count_fd);
}

/* Always OPEN - 1 are begun and have no line yet. */
static _Noreturn void work(uint64_t first, int log)
{
    int count_fd = written_open(getpid());

    for (uint64_t number = first;; number++) {
        begin_one(number);
        if (number >= first + OPEN - 1)
            end_one(number - (OPEN - 1), log, count_fd);
    }
}

/* ---- a master in small ---- */

static void bury(pid_t pid, int count_fd, int log)
{
    struct ledger_entry e;
    uint64_t count;
    siginfo_t info;
    char line[LINE];

    assert_int_equal(kill(pid, SIGKILL), 0);
    assert_int_equal(waitid(P_PID, (id_t)pid, &info, WEXITED | WNOWAIT), 0);
    assert_true(written_read(count_fd, &count));
    ring_settle(&s->ring, count);
    while (ring_flush(&s->ring, log) > 0)
        continue;
    const uint64_t newest = ring_newest_line(&s->ring);
    for (unsigned i = 0; i < ledger_count(&s->ledger); i++) {
        if (!ledger_read(&s->ledger.entry[i], &e) || e.number == newest)
            continue;
        if (e.number > atomic_load(&s->begun)) /* killed before it could say so */
            atomic_store(&s->begun, e.number);
        int n = snprintf(line, sizeof(line), "%llu\n", (unsigned long long)e.number);
        assert_true(ring_put(&s->ring, line, (size_t)n));
    }
    while (ring_flush(&s->ring, log) > 0)
        continue;
    assert_int_equal(waitpid(pid, NULL, 0), pid);
    ledger_clear(&s->ledger);
    ring_forget(&s->ring);
}

static void live_and_die(uint64_t first, int log, long most_us)
{
    pid_t pid = fork();

    assert_true(pid >= 0);
    if (pid == 0)
        work(first, log);
    int count_fd = written_open(pid);
    nanosleep(&(struct timespec){.tv_nsec = 1000 * (random() % most_us)}, NULL);
    bury(pid, count_fd, log);
    fd_close(&count_fd);
}

/* Each number of 1 to `last` once, in whatever order. */
static void assert_each_once(const char *text, uint64_t last)
{
    unsigned char *seen = calloc(last + 1, 1);
    uint64_t lines = 0;

    for (const char *at = text; *at != '\0'; lines++) {
        char *end;
        uint64_t number = strtoull(at, &end, 10);

        assert_true(*end == '\n' && number >= 1 && number <= last);
        if (seen[number]++ != 0)
            fail_msg("%llu twice", (unsigned long long)number);
        at = end + 1;
    }
    assert_int_equal(lines, last);
    free(seen);
}

static bool has_counts(void)
{
    uint64_t count;
    int fd = written_open(getpid());
    bool is_so = written_read(fd, &count);

    fd_close(&fd);
    return is_so;
}

static char *read_file(int fd)
{
    off_t n = lseek(fd, 0, SEEK_END);
    char *text = calloc(1, (size_t)n + 1);

    assert_int_equal(pread(fd, text, (size_t)n, 0), n);
    return text;
}

static void test_killed_at_any_instruction(void **state)
{
    char path[] = "/tmp/test_common_ledger.XXXXXX";
    int made = mkstemp(path), log = open(path, O_RDWR | O_APPEND | O_CLOEXEC);

    (void)state;
    assert_true(log >= 0);
    unlink(path);
    fd_close(&made);
    if (!has_counts())
        skip();
    srandom((unsigned)getpid());
    for (int i = 0; i < ROUNDS; i++)
        live_and_die(atomic_load(&s->begun) + 1, log, 2000);
    char *text = read_file(log);
    assert_each_once(text, atomic_load(&s->begun));
    free(text);
    fd_close(&log);
}

static _Noreturn void drain(int from, int to)
{
    char bytes[4096];
    ssize_t n;

    while ((n = read(from, bytes, sizeof(bytes))) > 0)
        if (write(to, bytes, (size_t)n) != n)
            _exit(1);
    _exit(0);
}

/* The same through a pipe, where nothing can be read back. */
static void test_killed_while_writing_to_a_pipe(void **state)
{
    int pipes[2], file = memfd_create("log", MFD_CLOEXEC), status;

    (void)state;
    if (!has_counts())
        skip();
    assert_int_equal(pipe2(pipes, O_CLOEXEC), 0);
    pid_t reader = fork();
    if (reader == 0) {
        fd_close(&pipes[1]);
        drain(pipes[0], file);
    }
    fd_close(&pipes[0]);
    for (int i = 0; i < ROUNDS; i++)
        live_and_die(atomic_load(&s->begun) + 1, pipes[1], 2000);
    fd_close(&pipes[1]);
    assert_int_equal(waitpid(reader, &status, 0), reader);
    assert_int_equal(status, 0);
    char *text = read_file(file);
    assert_each_once(text, atomic_load(&s->begun));
    free(text);
    fd_close(&file);
}

/* ---- step by step: killed between any two of them ---- */

static void test_line_is_known_from_its_publication(void **state)
{
    (void)state;
    assert_int_equal(ring_newest_line(&s->ring), 0);
    assert_true(ring_put_line(&s->ring, "six\n", 4, 6));
    assert_int_equal(ring_newest_line(&s->ring), 6);
    /* of 7 everything but the store of head */
    board_set(&s->ring.line_end, board_get(&s->ring.head) + 6);
    board_set(&s->ring.line_of, 7);
    assert_int_equal(ring_newest_line(&s->ring), 0);
    assert_true(ring_put_line(&s->ring, "seven\n", 6, 7));
    assert_int_equal(ring_newest_line(&s->ring), 7);
    ring_forget(&s->ring); /* the next worker counts from 1 again */
    assert_int_equal(ring_newest_line(&s->ring), 0);
}

static void test_settle(void **state)
{
    static const struct {
        uint64_t at_start, tail, head, now, want;
        bool is_flushing;
    } table[] = {
        {1000, 50, 90, 1000, 50, true},       /* killed before the write */
        {1000, 50, 90, 1040, 90, true},       /* after it */
        {1000, 50, 90, 1010, 60, true},       /* in its middle */
        {1000, 50, 90, 1041, 50, true},       /* cannot be: leave it */
        {1000, 50, 90, 999, 50, true},        /* nor this */
        {1000, 50, 90, 1040, 50, false},      /* no write was under way */
        {10, UINT64_MAX - 1, 30, 20, 8, true} /* positions wrap */
    };
    struct board_ring *r = &s->ring;

    (void)state;
    for (size_t i = 0; i < COUNT_OF(table); i++) {
        atomic_store(&r->head, table[i].head);
        atomic_store(&r->tail, table[i].tail);
        ring_begin_flush(r, table[i].at_start);
        if (!table[i].is_flushing)
            ring_end_flush(r);
        ring_settle(r, table[i].now);
        if (board_get(&r->tail) != table[i].want)
            fail_msg("row %zu: %llu", i, (unsigned long long)board_get(&r->tail));
        ring_settle(r, table[i].now + 5); /* once is enough */
        assert_int_equal(board_get(&r->tail), table[i].want);
    }
}

/* ---- what is not trusted ---- */

static void test_hostile_entry(void **state)
{
    struct ledger_entry *e = &s->ledger.entry[0], copy;

    (void)state;
    assert_false(ledger_read(e, &copy));
    memset((void *)e, 0xff, sizeof(*e));
    assert_true(ledger_read(e, &copy));
    assert_int_equal(strlen(copy.peer), LEDGER_PEER - 1);
    assert_int_equal(copy.minor, -1);
    assert_int_equal(copy.method_bytes, 0); /* no complete head, no texts */
    assert_int_equal(copy.target_bytes, 0);
    e->minor = 1;
    assert_true(ledger_read(e, &copy));
    assert_int_equal(copy.method_bytes, LEDGER_METHOD);
    assert_int_equal(copy.target_bytes, LEDGER_TARGET);
    board_set32(&s->ledger.used, UINT32_MAX);
    assert_int_equal(ledger_count(&s->ledger), LEDGER_ENTRIES);
    ledger_set(e, 5);
    ledger_clear(&s->ledger);
    assert_false(ledger_read(e, &copy));
    assert_int_equal(ledger_count(&s->ledger), 0);
}

static void test_long_texts_are_cut(void **state)
{
    static char target[1000];
    struct ledger_entry copy;

    (void)state;
    memset(target, 't', sizeof(target));
    begin_one(OPEN);
    ledger_note_head(&s->ledger.entry[0], SLICE_LIT("A-METHOD-THAT-IS-LONG"),
                     (struct slice){target, sizeof(target)}, 0);
    assert_true(ledger_read(&s->ledger.entry[0], &copy));
    assert_memory_equal(copy.method, "A-METHOD-THAT-IS", LEDGER_METHOD);
    assert_int_equal(copy.target_bytes, LEDGER_TARGET);
    assert_string_equal(copy.peer, "127.0.0.1");
    assert_int_equal(copy.minor, 0);
}

static void test_routes(void **state)
{
    static struct board_routes routes;
    char label[300];

    (void)state;
    memset(label, 'x', sizeof(label) - 1);
    label[sizeof(label) - 1] = '\0';
    routes_add(&routes, "GET /a", "hello");
    routes_add(&routes, label, label);
    assert_string_equal(routes_read(&routes, 0).label, "GET /a");
    assert_string_equal(routes_read(&routes, 0).plugin, "hello");
    assert_int_equal(strlen(routes_read(&routes, 1).label), BOARD_LABEL - 1);
    assert_string_equal(routes_read(&routes, 2).label, "");
    for (int i = 0; i < 2 * BOARD_ROUTES; i++)
        routes_add(&routes, "GET /b", "hello");
    assert_int_equal(routes.count, BOARD_ROUTES);
    memset(&routes, 0xff, sizeof(routes));
    assert_int_equal(strlen(routes_read(&routes, 0).label), BOARD_LABEL - 1);
    assert_string_equal(routes_read(&routes, BOARD_ROUTES).plugin, "");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(test_killed_at_any_instruction, setup, teardown),
        cmocka_unit_test_setup_teardown(test_killed_while_writing_to_a_pipe, setup,
                                        teardown),
        cmocka_unit_test_setup_teardown(test_line_is_known_from_its_publication, setup,
                                        teardown),
        cmocka_unit_test_setup_teardown(test_settle, setup, teardown),
        cmocka_unit_test_setup_teardown(test_hostile_entry, setup, teardown),
        cmocka_unit_test_setup_teardown(test_long_texts_are_cut, setup, teardown),
        cmocka_unit_test_setup_teardown(test_routes, setup, teardown),
    };

    return cmocka_run_group_tests_name("common_ledger", tests, NULL, NULL);
}
