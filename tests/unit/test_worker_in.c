/* SPDX-License-Identifier: MIT */
/*
 * test_worker_in - the input buffer: room, growth, use, and no block while it is empty.
 */
#include "worker/in.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>
#include <cmocka.h>

enum { MOST = 3 * BLOCK_BYTES - 5 };

static struct block_pool pool;
static struct in in;
static int pair[2];

static int open_state(void **state)
{
    (void)state;
    in_init(&in, &pool);
    return socketpair(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK, 0, pair);
}

static int close_state(void **state)
{
    (void)state;
    in_fini(&in);
    block_pool_fini(&pool);
    assert_int_equal(pool.idle, 0);
    close(pair[0]);
    close(pair[1]);
    return 0;
}

/* Byte i of all that was ever put in. */
static char byte_at(uint32_t i)
{
    return (char)('a' + i % 26);
}

/* Puts n bytes behind, as recv would. */
static void put(uint32_t *total, uint32_t n)
{
    for (; n > 0; n--) {
        assert_true(in_make_room(&in, MOST));
        in.data[in.end++] = byte_at((*total)++);
    }
}

static void assert_holds(uint32_t first, uint32_t n)
{
    assert_int_equal(in_count(&in), n);
    for (uint32_t i = 0; i < n; i++)
        assert_int_equal(in.data[in.start + i], byte_at(first + i));
}

static void test_empty_holds_nothing(void **state)
{
    (void)state;
    uint32_t total = 0;
    assert_null(in.data);
    put(&total, 10);
    in_consume(&in, 4);
    assert_holds(4, 6);
    in_consume(&in, 6);
    assert_null(in.data);
    assert_int_equal(pool.idle, 1);
}

static void test_moves_to_the_front(void **state)
{
    (void)state;
    uint32_t total = 0;
    put(&total, BLOCK_BYTES);
    in_consume(&in, 100);
    put(&total, 100);
    assert_int_equal(in.room, BLOCK_BYTES);
    assert_holds(100, BLOCK_BYTES);
}

static void test_grows_up_to_most(void **state)
{
    (void)state;
    uint32_t total = 0;
    put(&total, MOST);
    assert_int_equal(in.room, MOST);
    assert_holds(0, MOST);
    assert_false(in_make_room(&in, MOST));
    in_consume(&in, 1);
    assert_true(in_make_room(&in, MOST));
    assert_holds(1, MOST - 1);
    in_consume(&in, MOST - 1);
    assert_int_equal(pool.idle,
                     1); /* the first block; the large one is not of the pool */
}

static void test_receive(void **state)
{
    (void)state;
    assert_true(in_make_room(&in, MOST));
    assert_int_equal(in_receive(&in, pair[0]), -1);
    assert_int_equal(write(pair[1], "hello", 5), 5);
    assert_int_equal(in_receive(&in, pair[0]), 5);
    assert_memory_equal(in.data, "hello", 5);
    assert_int_equal(shutdown(pair[1], SHUT_WR), 0);
    assert_int_equal(in_receive(&in, pair[0]), 0);
    assert_int_equal(in_count(&in), 5);
}

#define TEST(name) cmocka_unit_test_setup_teardown(test_##name, open_state, close_state)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(empty_holds_nothing),
        TEST(moves_to_the_front),
        TEST(grows_up_to_most),
        TEST(receive),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
