/* SPDX-License-Identifier: MIT */
/*
 * test_worker_in - the input buffer: room, growth, use, and no block while it is empty.
 */
#include "worker/in.h"

#include "common/check.h"

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
    assert_int_equal(pool.small.spare.count + pool.large.spare.count, 0);
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
    assert_int_equal(pool.small.spare.count, 1); /* a large one was not needed */
    assert_int_equal(pool.large.spare.count, 0);
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
    assert_int_equal(pool.small.spare.count, 1); /* the first two blocks; the third */
    assert_int_equal(pool.large.spare.count, 1); /* is not of the pool */
}

/* A small block that is full becomes a large one, whatever was used up at its front. */
static void test_leaves_the_small_block(void **state)
{
    (void)state;
    uint32_t total = 0;
    put(&total, BLOCK_SMALL_BYTES);
    assert_int_equal(in.room, BLOCK_SMALL_BYTES);
    in_consume(&in, 100);
    put(&total, 1);
    assert_int_equal(in.room, BLOCK_BYTES);
    assert_holds(100, BLOCK_SMALL_BYTES - 99);
}

/* A client with long heads, or one that pipelines, gets a large block at once. */
static void test_learns_the_size(void **state)
{
    (void)state;
    uint32_t total = 0;
    for (int i = 0; i < 2; i++) {
        put(&total, BLOCK_SMALL_BYTES);
        assert_int_equal(in.room, i == 0 ? BLOCK_SMALL_BYTES : BLOCK_BYTES);
        in_consume(&in, BLOCK_SMALL_BYTES);
    }
    put(&total, BLOCK_SMALL_BYTES - 1);
    assert_int_equal(in.room, BLOCK_BYTES);
    in_consume(&in, BLOCK_SMALL_BYTES - 1);
    put(&total, 1);
    assert_int_equal(in.room, BLOCK_SMALL_BYTES);
}

static void test_reserve(void **state)
{
    static const struct {
        uint32_t n, room;
    } rows[] = {{1, BLOCK_SMALL_BYTES},
                {BLOCK_SMALL_BYTES - 1, BLOCK_SMALL_BYTES},
                {BLOCK_SMALL_BYTES, BLOCK_BYTES}, /* it keeps room for one more byte */
                {BLOCK_BYTES, BLOCK_BYTES},
                {BLOCK_BYTES + 1, BLOCK_BYTES + 1}};
    (void)state;
    for (size_t i = 0; i < COUNT_OF(rows); i++) {
        assert_true(in_reserve(&in, rows[i].n));
        assert_int_equal(in.room, rows[i].room);
        memset(in.data, 'x', rows[i].n);
        in_fini(&in);
    }
    assert_true(in_reserve(&in, 0));
    assert_null(in.data);
}

/* What a peak has made goes in portions, once nobody has needed it for a whole period. */
static void test_pool_relaxes(void **state)
{
    enum { PEAK = 1000 };
    static char *held[PEAK];
    (void)state;
    for (int i = 0; i < PEAK; i++)
        held[i] = block_get_small(&pool);
    assert_int_equal(block_pool_relax(&pool), 0);
    for (int i = 0; i < PEAK; i++)
        block_put_small(&pool, held[i]);
    assert_int_equal(pool.small.spare.count, PEAK);
    assert_int_equal(block_pool_relax(&pool), 0); /* all were needed in this period */
    unsigned freed = block_pool_relax(&pool);
    assert_in_range(freed, PEAK / 8, PEAK / 2);
    for (int i = 0; i < 100; i++)
        freed += block_pool_relax(&pool);
    assert_int_equal(pool.small.spare.count, SPARE_KEPT);
    assert_int_equal(freed, PEAK - SPARE_KEPT);
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
        TEST(empty_holds_nothing), TEST(moves_to_the_front),
        TEST(grows_up_to_most),    TEST(leaves_the_small_block),
        TEST(learns_the_size),     TEST(reserve),
        TEST(pool_relaxes),        TEST(receive),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
