/* SPDX-License-Identifier: MIT */
/*
 * test_worker_out - the output queue: order, holds, files, a socket that takes little.
 */
#include "worker/out.h"

#include <fcntl.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <unistd.h>
#include <cmocka.h>

enum { GOT = 4 << 20, LARGE = 300000 };

static struct block_pool pool;
static struct out out;
static int pair[2]; /* ours, the client's */
static char *got, *want;
static size_t got_bytes, want_bytes;
static uint64_t written;
static int released;

static void on_release(struct request *unused)
{
    (void)unused;
    released++;
}

static int open_state(void **state)
{
    (void)state;
    out_init(&out, &pool, on_release);
    got = malloc(GOT);
    want = malloc(GOT);
    got_bytes = want_bytes = 0;
    written = 0;
    released = 0;
    int small = 4096;
    assert_int_equal(socketpair(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK, 0, pair), 0);
    return setsockopt(pair[0], SOL_SOCKET, SO_SNDBUF, &small, sizeof small);
}

static int close_state(void **state)
{
    (void)state;
    out_fini(&out);
    block_pool_fini(&pool);
    close(pair[0]);
    if (pair[1] >= 0)
        close(pair[1]);
    free(got);
    free(want);
    return 0;
}

static char *expect(size_t n)
{
    char *at = want + want_bytes;
    for (size_t i = 0; i < n; i++)
        at[i] = (char)(rand() % 256);
    want_bytes += n;
    return at;
}

static void copy(size_t n)
{
    assert_int_equal(out_copy(&out, expect(n), n), 0);
}

static void refer(size_t n)
{
    static max_align_t owner; /* never looked at */
    assert_int_equal(out_refer(&out, expect(n), n, (struct request *)(void *)&owner), 0);
}

static void add_file(size_t n)
{
    int fd = memfd_create("out", MFD_CLOEXEC);
    assert_true(fd >= 0);
    assert_int_equal(pwrite(fd, expect(n), n, 7), (ssize_t)n);
    assert_int_equal(out_file(&out, fd, 7, n), 0);
}

static void read_some(void)
{
    long n;
    while ((n = read(pair[1], got + got_bytes, GOT - got_bytes)) > 0)
        got_bytes += (size_t)n;
}

static void assert_all_comes(void)
{
    enum out_result result;
    size_t queued = out.queued_bytes;
    while ((result = out_flush(&out, pair[0], &written)) == OUT_BLOCKED) {
        assert_true(out.queued_bytes <= queued);
        queued = out.queued_bytes;
        read_some();
    }
    assert_int_equal(result, OUT_DONE);
    read_some();
    assert_int_equal(written, want_bytes);
    assert_int_equal(got_bytes, want_bytes);
    assert_memory_equal(got, want, want_bytes);
    assert_int_equal(out.queued_bytes, 0);
    assert_null(out.block);
}

/* c copy, r refer, f file; a digit is a size. */
static void test_order(void **state)
{
    (void)state;
    static const size_t size[] = {0, 1, 100, 4096, 8193, BLOCK_BYTES, LARGE};
    static const char *const table[] = {
        "c1",
        "c5c1",
        "c2r6c2",
        "c2f6c2f1",
        "r6r6r1c3c3c3c4c2",
        "f1f2f6",
        "c0c2c0",
        "c2c6c2",
        "c2r1r1r1r1r1r1r1r1r1r1r1r1r1r1r1r1r1r1r1f2c2",
        "c6f6r6c6f6r6",
        "c5c5c5",
    };
    for (size_t i = 0; i < COUNT_OF(table); i++) {
        int referred = 0;
        got_bytes = want_bytes = 0;
        written = 0;
        released = 0;
        for (const char *at = table[i]; *at != '\0'; at += 2) {
            size_t n = size[at[1] - '0'];
            referred += *at == 'r';
            *at == 'c' ? copy(n) : *at == 'r' ? refer(n) : add_file(n);
        }
        assert_all_comes();
        assert_int_equal(released, referred);
        assert_true(list_is_empty(&out.pieces));
    }
}

/* More is queued whenever the socket is full. */
static void test_refill(void **state)
{
    (void)state;
    srand(1);
    for (int i = 0; i < 300; i++) {
        int what = rand() % 3;
        size_t n = (size_t)(1 + rand() % (rand() % 4 == 0 ? 20000 : 300));
        what == 0 ? copy(n) : what == 1 ? refer(n) : add_file(n);
        if (rand() % 3 == 0)
            (void)out_flush(&out, pair[0], &written);
        if (rand() % 5 == 0)
            read_some();
    }
    assert_all_comes();
}

static void test_reserve_without_commit(void **state)
{
    (void)state;
    refer(10);
    assert_non_null(out_reserve(&out, 100));
    copy(5);
    add_file(10);
    assert_all_comes();
    assert_non_null(out_reserve(&out, BLOCK_BYTES + 1));
    assert_int_equal(out_flush(&out, pair[0], &written), OUT_DONE);
    copy(5);
    assert_all_comes();
}

static void test_a_client_that_has_gone(void **state)
{
    (void)state;
    copy(10);
    refer(LARGE);
    add_file(10);
    close(pair[1]);
    pair[1] = -1;
    assert_int_equal(out_flush(&out, pair[0], &written), OUT_BROKEN);
    out_fini(&out);
    assert_int_equal(released, 1);
    assert_int_equal(out.queued_bytes, 0);
}

static void test_a_file_that_is_too_short(void **state)
{
    (void)state;
    int fd = memfd_create("short", MFD_CLOEXEC);
    assert_int_equal(write(fd, "abc", 3), 3);
    assert_int_equal(out_file(&out, fd, 0, 10), 0);
    assert_int_equal(out_flush(&out, pair[0], &written), OUT_BROKEN);
    assert_int_equal(written, 3);
    out_fini(&out);
    assert_int_equal(fcntl(fd, F_GETFD), -1);
}

#define TEST(name) cmocka_unit_test_setup_teardown(test_##name, open_state, close_state)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(order),
        TEST(refill),
        TEST(reserve_without_commit),
        TEST(a_client_that_has_gone),
        TEST(a_file_that_is_too_short),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
