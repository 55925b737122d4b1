/* SPDX-License-Identifier: MIT */
/*
 * test_common_arena - alignment, marks, and that a used arena stays flat.
 */
#include "common/arena.h"

#include "common/check.h"

#include <malloc.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

enum { FIRST = 1024 }; /* bytes of the block that is kept */

static int setup(void **state)
{
    static struct arena a;

    arena_init(&a);
    *state = &a;
    return 0;
}

static int teardown(void **state)
{
    arena_fini(*state);
    return 0;
}

static void test_nothing(void **state)
{
    struct arena *a = *state;

    assert_int_equal(arena_mark(a), 0);
    arena_rewind(a, 0);
    arena_reset(a);
    assert_null(a->first); /* nothing asked for, nothing taken */
}

static void test_aligned_and_apart(void **state)
{
    static const size_t sizes[] = {0, 1, 15, 16, 17, 100, 4000, 4096, 5000, 70000, 1, 3};
    struct arena *a = *state;
    unsigned char *got[COUNT_OF(sizes)];

    for (size_t i = 0; i < COUNT_OF(sizes); i++) {
        got[i] = arena_alloc(a, sizes[i]);
        assert_non_null(got[i]);
        assert_int_equal((uintptr_t)got[i] % 16, 0);
        memset(got[i], (int)i + 1, sizes[i]);
    }
    for (size_t i = 0; i < COUNT_OF(sizes); i++)
        for (size_t k = 0; k < sizes[i]; k++)
            assert_int_equal(got[i][k], i + 1);
    assert_ptr_not_equal(got[0], got[1]); /* of no bytes, but somewhere */
}

static void test_impossible(void **state)
{
    static const size_t sizes[] = {SIZE_MAX, SIZE_MAX - 1, SIZE_MAX - 15, SIZE_MAX - 16,
                                   SIZE_MAX / 2 + 1};
    struct arena *a = *state;

    for (int round = 0; round < 2; round++) { /* empty, then with a block */
        for (size_t i = 0; i < COUNT_OF(sizes); i++)
            assert_null(arena_alloc(a, sizes[i]));
        assert_null(arena_copy(a, "x", SIZE_MAX));
        assert_non_null(arena_alloc(a, 8));
    }
}

static void test_copy(void **state)
{
    struct arena *a = *state;

    assert_string_equal(arena_copy(a, "hello, world", 5), "hello");
    assert_string_equal(arena_copy(a, NULL, 0), "");
}

static void test_rewind(void **state)
{
    struct arena *a = *state;
    size_t marks[200];
    char *places[200];

    arena_alloc(a, FIRST); /* full to the last byte, and no block behind it */
    arena_rewind(a, FIRST);
    assert_int_equal(arena_mark(a), FIRST);
    arena_reset(a);
    /* marks in several blocks, on their edges too */
    for (size_t i = 0; i < COUNT_OF(marks); i++) {
        marks[i] = arena_mark(a);
        if (i > 0)
            assert_true(marks[i] > marks[i - 1]);
        places[i] = arena_alloc(a, i % 7 == 0 ? FIRST : 256);
    }
    for (size_t i = COUNT_OF(marks); i-- > 0;) {
        arena_rewind(a, marks[i]);
        assert_int_equal(arena_mark(a), marks[i]);
        memset(arena_alloc(a, 256), 1, 256);
        arena_rewind(a, marks[i]);
    }
    assert_ptr_equal(arena_alloc(a, 1), places[0]);
}

static void test_first_block_is_kept(void **state)
{
    struct arena *a = *state;
    void *first = arena_alloc(a, 32);

    arena_alloc(a, 1 << 20);
    arena_reset(a);
    assert_ptr_equal(a->first, a->last);
    assert_ptr_equal(arena_alloc(a, 32), first);
    arena_fini(a);
    arena_alloc(a, 1 << 20); /* a large first request must not become the kept one */
    arena_reset(a);
    assert_true(a->end - a->next <= FIRST);
}

static void test_flat(void **state)
{
    struct arena *a = *state;

    for (int i = 0; i < 20000; i++) {
        for (size_t k = 0; k < 50; k++)
            memset(arena_alloc(a, 8 + k), 0x5a, 8 + k);
        assert_true(arena_mark(a) < 4096);
        arena_reset(a);
        assert_int_equal(arena_mark(a), 0);
    }
    struct mallinfo2 before = mallinfo2();
    for (int i = 0; i < 1000000; i++) {
        arena_alloc(a, 48);
        if (i % 1000 == 999)
            arena_reset(a);
    }
    struct mallinfo2 after = mallinfo2();
    assert_true(after.uordblks <= before.uordblks);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(test_nothing, setup, teardown),
        cmocka_unit_test_setup_teardown(test_aligned_and_apart, setup, teardown),
        cmocka_unit_test_setup_teardown(test_impossible, setup, teardown),
        cmocka_unit_test_setup_teardown(test_copy, setup, teardown),
        cmocka_unit_test_setup_teardown(test_rewind, setup, teardown),
        cmocka_unit_test_setup_teardown(test_first_block_is_kept, setup, teardown),
        cmocka_unit_test_setup_teardown(test_flat, setup, teardown),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
