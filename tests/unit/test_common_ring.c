/* SPDX-License-Identifier: MIT */
/*
 * test_common_ring - wrap-around, full, a slow reader, and whole lines.
 */
#include "common/check.h"
#include "common/fd.h"
#include "common/scoreboard.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cmocka.h>

static int setup(void **state)
{
    *state = mmap(NULL, sizeof(struct board_ring), PROT_READ | PROT_WRITE,
                  MAP_SHARED | MAP_ANONYMOUS, -1, 0);
    return *state == MAP_FAILED ? -1 : 0;
}

static int teardown(void **state)
{
    return munmap(*state, sizeof(struct board_ring));
}

static char *read_file(int fd, size_t n)
{
    char *text = calloc(1, n + 1);

    assert_int_equal(pread(fd, text, n, 0), (ssize_t)n);
    return text;
}

static void test_simple(void **state)
{
    struct board_ring *r = *state;
    int file = memfd_create("log", MFD_CLOEXEC);

    assert_int_equal(ring_flush(r, file), 0);
    assert_true(ring_put(r, "one\n", 4));
    assert_true(ring_put(r, "two\n", 4));
    assert_int_equal(ring_pending(r), 8);
    assert_int_equal(ring_flush(r, file), 8);
    assert_int_equal(ring_flush(r, file), 0);
    assert_int_equal(ring_pending(r), 0);
    char *text = read_file(file, 8);
    assert_string_equal(text, "one\ntwo\n");
    free(text);
    fd_close(&file);
}

/* As stdout of a service: others have it too, so it is not non-blocking. */
static void test_socket_without_reader(void **state)
{
    struct board_ring *r = *state;
    char line[1000];
    int pair[2];

    assert_int_equal(socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, pair), 0);
    memset(line, 'x', sizeof(line));
    line[sizeof(line) - 1] = '\n';
    alarm(20); /* if it waits, it waits for ever */
    for (int i = 0; i < 10; i++) {
        while (ring_put(r, line, sizeof(line)))
            continue;
        if (ring_flush(r, pair[0]) < 0)
            break;
    }
    alarm(0);
    assert_int_equal(errno, EAGAIN);
    assert_true(ring_pending(r) > 0);
    fd_close(&pair[0]);
    fd_close(&pair[1]);
}

static void test_full(void **state)
{
    struct board_ring *r = *state;
    char line[1000];
    size_t n = 0;
    int file = memfd_create("log", MFD_CLOEXEC);

    memset(line, 'x', sizeof(line));
    while (ring_put(r, line, sizeof(line)))
        n += sizeof(line);
    assert_int_equal(n, BOARD_RING / sizeof(line) * sizeof(line));
    assert_true(ring_put(r, line, BOARD_RING - n)); /* to the last byte */
    assert_int_equal(ring_pending(r), BOARD_RING);
    assert_false(ring_put(r, line, 1));
    assert_int_equal(ring_flush(r, file), BOARD_RING);
    assert_true(ring_put(r, line, 1));
    fd_close(&file);
}

/* Lines of every length, many times round; the file must be the lines in order. */
static void test_wrap(void **state)
{
    struct board_ring *r = *state;
    int file = memfd_create("log", MFD_CLOEXEC);
    char line[700], *expect = malloc(4 * BOARD_RING);
    size_t total = 0;

    /* start near the end of the counters too */
    atomic_store(&r->head, UINT64_MAX - 1000);
    atomic_store(&r->tail, UINT64_MAX - 1000);
    for (unsigned i = 0; total < 3 * BOARD_RING; i++) {
        size_t n = 1 + i * 31 % (sizeof(line) - 1);

        memset(line, (int)('a' + i % 26), n - 1);
        line[n - 1] = '\n';
        if (!ring_put(r, line, n)) {
            assert_true(ring_flush(r, file) > 0);
            assert_true(ring_put(r, line, n));
        }
        memcpy(expect + total, line, n);
        total += n;
    }
    ring_flush(r, file);
    char *text = read_file(file, total);
    assert_memory_equal(text, expect, total);
    free(text);
    free(expect);
    fd_close(&file);
}

/* A pipe that nobody reads takes some, then EAGAIN; nothing is lost or written twice.
 * What went in ends with a line: another worker may write next. */
static void test_slow_reader(void **state)
{
    struct board_ring *r = *state;
    int pipes[2];
    char line[100], text[BOARD_RING];
    size_t got = 0, sent = 0;

    assert_int_equal(pipe2(pipes, O_NONBLOCK | O_CLOEXEC), 0);
    while (sent < 200000) {
        int n = snprintf(line, sizeof(line), "line at byte %zu\n", sent);

        assert_true(ring_put(r, line, (size_t)n));
        sent += (size_t)n;
    }
    long n = ring_flush(r, pipes[1]);
    assert_true(n > 0 && (size_t)n < sent);
    assert_int_equal(ring_flush(r, pipes[1]), -1);
    assert_int_equal(errno, EAGAIN);
    assert_int_equal(ring_pending(r), sent - (size_t)n);
    while (got < sent) {
        ssize_t piece = read(pipes[0], text + got, sizeof(text) - got);

        assert_true(piece > 0);
        got += (size_t)piece;
        assert_int_equal(text[got - 1], '\n');
        ring_flush(r, pipes[1]);
    }
    for (size_t at = 0; at < sent;) {
        size_t said = 0;

        assert_int_equal(sscanf(text + at, "line at byte %zu", &said), 1);
        assert_int_equal(said, at);
        at += (size_t)(strchr(text + at, '\n') - (text + at)) + 1;
    }
    fd_close(&pipes[0]);
    fd_close(&pipes[1]);
}

static void test_line_longer_than_pipe_buf(void **state)
{
    struct board_ring *r = *state;
    int pipes[2];
    static char line[3 * PIPE_BUF], text[sizeof(line)];

    assert_int_equal(pipe2(pipes, O_NONBLOCK | O_CLOEXEC), 0);
    memset(line, 'x', sizeof(line) - 1);
    line[sizeof(line) - 1] = '\n';
    assert_true(ring_put(r, line, sizeof(line)));
    assert_int_equal(ring_flush(r, pipes[1]), (long)sizeof(line));
    assert_int_equal(read(pipes[0], text, sizeof(text)), (ssize_t)sizeof(line));
    assert_memory_equal(text, line, sizeof(line));
    fd_close(&pipes[0]);
    fd_close(&pipes[1]);
}

static void test_errors(void **state)
{
    struct board_ring *r = *state;

    assert_true(ring_put(r, "x\n", 2));
    assert_int_equal(ring_flush(r, -1), -1);
    assert_int_equal(errno, EBADF);
    assert_int_equal(ring_pending(r), 2);
    /* a dead worker's positions that cannot be */
    atomic_store(&r->head, 1);
    atomic_store(&r->tail, 2);
    assert_int_equal(ring_flush(r, -1), -1);
    assert_int_equal(errno, EPROTO);
    assert_int_equal(ring_pending(r), 0);
}

/* A disk that is full in the middle of a write. */
static void test_partial_write(void **state)
{
    struct board_ring *r = *state;
    int file = memfd_create("log", MFD_CLOEXEC);
    struct rlimit before, small;
    char text[2001] = "", *back;

    sigaction(SIGXFSZ, &(struct sigaction){.sa_handler = SIG_IGN}, NULL);
    assert_int_equal(getrlimit(RLIMIT_FSIZE, &before), 0);
    small = before;
    small.rlim_cur = 700;
    memset(text, 'x', 1000);
    memset(text + 1000, 'y', 1000);
    assert_true(ring_put(r, text, 2000));
    assert_int_equal(setrlimit(RLIMIT_FSIZE, &small), 0);
    long first = ring_flush(r, file);
    long second = ring_flush(r, file);
    int error = errno;
    assert_int_equal(setrlimit(RLIMIT_FSIZE, &before), 0);
    assert_int_equal(first, 700);
    assert_int_equal(second, -1);
    assert_int_equal(error, EFBIG);
    assert_int_equal(ring_flush(r, file), 1300);
    assert_string_equal(back = read_file(file, 2000), text);
    free(back);
    fd_close(&file);
}

/* A writer is killed at some instruction while we read: what was published is whole. */
static void test_torn_writer(void **state)
{
    struct board_ring *r = *state;
    int pipes[2], status;
    static const char line[] = "0123456789abcdefghijklmnopqrstuvwxyz, once round\n";
    const size_t n = sizeof(line) - 1;
    char text[PIPE_BUF];
    size_t at = 0;

    assert_int_equal(pipe2(pipes, O_NONBLOCK | O_CLOEXEC), 0);
    pid_t pid = fork();
    if (pid == 0) {
        for (;;)
            ring_put(r, line, n);
    }
    for (size_t seen = 0; seen < 4u * BOARD_RING || pid != 0;) {
        ssize_t got = 0;

        ring_flush(r, pipes[1]);
        if (seen >= 4u * BOARD_RING && pid != 0) {
            kill(pid, SIGKILL);
            assert_int_equal(waitpid(pid, &status, 0), pid);
            pid = 0;
            ring_flush(r, pipes[1]);
        }
        while ((got = read(pipes[0], text, sizeof(text))) > 0) {
            for (ssize_t i = 0; i < got; i++, at = (at + 1) % n)
                assert_int_equal(text[i], line[at]);
            seen += (size_t)got;
        }
    }
    assert_int_equal(at, 0); /* the last line is whole */
    fd_close(&pipes[0]);
    fd_close(&pipes[1]);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(test_simple, setup, teardown),
        cmocka_unit_test_setup_teardown(test_socket_without_reader, setup, teardown),
        cmocka_unit_test_setup_teardown(test_full, setup, teardown),
        cmocka_unit_test_setup_teardown(test_wrap, setup, teardown),
        cmocka_unit_test_setup_teardown(test_slow_reader, setup, teardown),
        cmocka_unit_test_setup_teardown(test_line_longer_than_pipe_buf, setup, teardown),
        cmocka_unit_test_setup_teardown(test_errors, setup, teardown),
        cmocka_unit_test_setup_teardown(test_partial_write, setup, teardown),
        cmocka_unit_test_setup_teardown(test_torn_writer, setup, teardown),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
