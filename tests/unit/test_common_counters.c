/* SPDX-License-Identifier: MIT */
/*
 * test_common_counters - percentiles of a histogram, and of what came after a copy of it.
 */
#include "common/counters.h"

#include "common/check.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <string.h>
#include <cmocka.h>

struct batch {
    uint64_t us;
    unsigned count;
};

static void observe(struct board_histogram *h, const struct batch *batches)
{
    for (; batches->count != 0; batches++)
        for (unsigned i = 0; i < batches->count; i++)
            board_observe(h, batches->us);
}

/* What was observed, and between what the percentile must be. */
static const struct {
    const char *name;
    struct batch batches[4];
    double share;
    uint64_t least, most;
} rows[] = {
    {"nothing", {{0, 0}}, 0.5, 0, 0},
    {"one", {{100, 1}}, 0.5, 96, 111},
    {"all the same, near the lower end", {{100400, 1000}}, 0.5, 100000, 101000},
    {"the same, p99", {{100400, 1000}}, 0.99, 100400, 103000},
    {"the same, all of them", {{100400, 1000}}, 1.0, 100400, 103000},
    {"all the same, near the upper end", {{114000, 1000}}, 0.5, 113600, 114400},
    {"the same, p1", {{114000, 1000}}, 0.01, 112000, 114000},
    {"a tail of 2 %, p50", {{100400, 980}, {500000, 20}}, 0.5, 98304, 102400},
    {"a tail of 2 %, p99", {{100400, 980}, {500000, 20}}, 0.99, 458752, 524287},
    {"half and half", {{1000, 500}, {9000, 500}}, 0.5, 896, 1024},
    {"half and half, above", {{1000, 500}, {9000, 500}}, 0.51, 8192, 10240},
    {"below the first limit", {{20, 10}}, 0.5, 18, 22},
    {"zero", {{0, 10}}, 0.99, 0, 0},
    {"beyond the last limit", {{5000000, 10}}, 0.5, 4990000, 5010000},
    {"few beyond it", {{1000, 90}, {5000000, 10}}, 0.95, 3932160, 3932160},
    {"two in one bucket", {{101000, 50}, {103000, 50}}, 0.5, 98304, 104000},
};

static void test_percentiles(void **state)
{
    (void)state;
    for (size_t i = 0; i < COUNT_OF(rows); i++) {
        struct board_histogram h;

        memset((void *)&h, 0, sizeof(h));
        observe(&h, rows[i].batches);
        const uint64_t got = board_percentile_us(&h, rows[i].share);
        if (got < rows[i].least || got > rows[i].most)
            fail_msg("%s: %llu", rows[i].name, (unsigned long long)got);
    }
}

/* A larger share is never a shorter time, whatever the buckets hold. */
static void test_percentiles_grow(void **state)
{
    static const struct batch batches[] = {
        {70, 3}, {100, 90}, {127, 9}, {3000, 40}, {100400, 200}, {120000, 7}, {0, 0}};
    struct board_histogram h;
    uint64_t last = 0;

    (void)state;
    memset((void *)&h, 0, sizeof(h));
    observe(&h, batches);
    for (unsigned permille = 1; permille <= 1000; permille++) {
        const uint64_t got = board_percentile_us(&h, permille / 1000.);

        assert_true(got >= last);
        last = got;
    }
    assert_in_range(last, 114688, 131072);
}

static void test_since(void **state)
{
    struct board_histogram before, now, since;

    (void)state;
    memset((void *)&before, 0, sizeof(before));
    observe(&before, (const struct batch[]){{1000, 900}, {0, 0}});
    memcpy((void *)&now, (const void *)&before, sizeof(now));
    observe(&now, (const struct batch[]){{100400, 50}, {0, 0}});
    board_histogram_since(&before, &now, &since);
    assert_int_equal(since.count, 50);
    assert_int_equal(since.sum_us, 50 * 100400);
    assert_in_range(board_percentile_us(&since, 0.01), 98304, 100400);
    assert_in_range(board_percentile_us(&now, 0.5), 896, 1024);
    board_histogram_since(&now, &now, &since);
    assert_int_equal(board_percentile_us(&since, 0.5), 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_percentiles),
        cmocka_unit_test(test_percentiles_grow),
        cmocka_unit_test(test_since),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
