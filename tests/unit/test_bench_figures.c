/* SPDX-License-Identifier: MIT */
/*
 * test_bench_figures - percentiles, Jain's index, starved clients, arrivals.
 */
#include "cli/arrivals.h"
#include "cli/fairness.h"
#include "cli/histogram.h"
#include "common/check.h"

#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <cmocka.h>

static const uint64_t ms = 1000000;

/* ---- histogram ---- */

static void assert_near(double is, double wanted, double tolerance)
{
    if (fabs(is - wanted) > tolerance * wanted)
        fail_msg("%g is not %g within %g %%", is, wanted, tolerance * 100);
}

static void percentiles_are_within_one_percent(void **state)
{
    static const double shares[] = {0.5, 0.9, 0.99, 0.999};
    struct histogram h = {0};

    (void)state;
    for (uint64_t i = 1; i <= 100000; i++)
        histogram_add(&h, i * 1000);
    for (size_t i = 0; i < COUNT_OF(shares); i++)
        assert_near((double)histogram_quantile(&h, shares[i]), shares[i] * 1e8, 0.01);
    assert_int_equal(histogram_quantile(&h, 1.0), 100000 * 1000);
    assert_int_equal(h.min_ns, 1000);
    assert_int_equal(h.max_ns, 100000 * 1000);
    assert_int_equal(histogram_mean(&h), 50000500);
}

/* Of 10 values p90 is the ninth, p99 the tenth: ranks are rounded up. */
static void ranks_are_rounded_up(void **state)
{
    struct histogram h = {0};

    (void)state;
    for (uint64_t i = 1; i <= 10; i++)
        histogram_add(&h, i);
    assert_int_equal(histogram_quantile(&h, 0.5), 5);
    assert_int_equal(histogram_quantile(&h, 0.9), 9);
    assert_int_equal(histogram_quantile(&h, 0.91), 10);
    assert_int_equal(histogram_quantile(&h, 0.0), 1);
}

static void empty_and_huge(void **state)
{
    struct histogram h = {0};

    (void)state;
    assert_int_equal(histogram_quantile(&h, 0.5), 0);
    assert_int_equal(histogram_mean(&h), 0);
    histogram_add(&h, UINT64_MAX);
    assert_int_equal(h.max_ns, HISTOGRAM_MAX_NS);
    assert_int_equal(histogram_quantile(&h, 0.5), HISTOGRAM_MAX_NS);
    assert_int_equal(h.bucket[HISTOGRAM_BUCKETS - 1], 1);
}

/* Edges rise, each value lies below its own and above the one before. */
static void buckets_meet(void **state)
{
    (void)state;
    for (unsigned i = 1; i < HISTOGRAM_BUCKETS; i++) {
        struct histogram h = {0};
        const uint64_t edge = histogram_edge(i);

        assert_true(edge > histogram_edge(i - 1));
        histogram_add(&h, edge);
        histogram_add(&h, histogram_edge(i - 1) + 1);
        assert_int_equal(h.bucket[i], 2);
    }
}

/* ---- fairness ---- */

static const struct {
    const char *name;
    uint64_t answers[4];
    uint64_t silence_ms[4];
    uint64_t limit_ms;
    double jain;
    size_t starved, below_half, silent;
} cases[] = {
    {"equal", {5, 5, 5, 5}, {1, 1, 1, 1}, 2, 1.0, 0, 0, 0},
    {"one has all", {8, 0, 0, 0}, {1, 9, 9, 9}, 0, 0.25, 3, 3, 0},
    {"two share", {4, 4, 0, 0}, {1, 1, 9, 9}, 0, 0.5, 2, 2, 0},
    {"exactly half is not below", {10, 10, 8, 4}, {0}, 0, 32. * 32 / (4 * 280), 0, 0, 0},
    {"just below half", {10, 10, 9, 3}, {0}, 0, 32. * 32 / (4 * 290), 1, 1, 0},
    {"silent", {5, 5, 5, 5}, {1, 1, 3, 2}, 2, 1.0, 1, 0, 1},
    {"both rules, one client", {8, 8, 8, 0}, {1, 1, 1, 9}, 2, 0.75, 1, 1, 1},
    {"nobody", {0, 0, 0, 0}, {0}, 0, 0.0, 4, 4, 0},
};

static void judges(void **state)
{
    (void)state;
    for (size_t i = 0; i < COUNT_OF(cases); i++) {
        struct share shares[4];
        struct fairness f;

        for (size_t k = 0; k < 4; k++)
            shares[k] = (struct share){cases[i].answers[k], cases[i].silence_ms[k] * ms};
        f = fairness_judge(shares, 4, cases[i].limit_ms * ms);
        print_message("%s\n", cases[i].name);
        assert_true(fabs(f.jain - cases[i].jain) < 1e-9);
        assert_int_equal(f.starved, cases[i].starved);
        assert_int_equal(f.below_half, cases[i].below_half);
        assert_int_equal(f.silent, cases[i].silent);
    }
}

static void silence_has_a_limit(void **state)
{
    (void)state;
    assert_int_equal(fairness_silence_limit(80, 40, 100 * ms, 0), 600 * ms);
    assert_int_equal(fairness_silence_limit(160, 40, 100 * ms, 50 * ms), 1250 * ms);
    assert_int_equal(fairness_silence_limit(8, 40, 100 * ms, 0), 300 * ms);
    assert_int_equal(fairness_silence_limit(80, 0, 100 * ms, 0), 0);
    assert_int_equal(fairness_silence_limit(80, 40, 0, 0), 0);
}

/* ---- arrivals ---- */

static void even_arrivals_do_not_drift(void **state)
{
    struct arrivals a;

    (void)state;
    arrivals_init(&a, 3.0, false, 0, 1000);
    assert_int_equal(arrivals_peek(&a), 1000);
    for (int i = 0; i < 3000000; i++)
        arrivals_take(&a);
    assert_in_range(arrivals_peek(&a), UINT64_C(1000000) * 1000000000 + 900,
                    UINT64_C(1000000) * 1000000000 + 1100);
}

/* Mean gap 1/rate, and as many gaps above the mean as e says: 36.8 %. */
static void poisson_arrivals_are_exponential(void **state)
{
    enum { N = 200000 };
    struct arrivals a;
    uint64_t last = 0;
    unsigned above = 0;

    (void)state;
    arrivals_init(&a, 1000.0, true, 7, 0);
    for (int i = 0; i < N; i++) {
        const uint64_t at = arrivals_peek(&a);

        assert_true(at >= last);
        above += at - last > ms;
        last = at;
        arrivals_take(&a);
    }
    assert_near((double)last / N, (double)ms, 0.01);
    assert_near((double)above / N, exp(-1), 0.02);
}

static void a_seed_is_one_sequence(void **state)
{
    struct arrivals a, b, c;
    unsigned equal = 0;

    (void)state;
    arrivals_init(&a, 10.0, true, 1, 0);
    arrivals_init(&b, 10.0, true, 1, 0);
    arrivals_init(&c, 10.0, true, 2, 0);
    for (int i = 0; i < 100; i++) {
        assert_int_equal(arrivals_peek(&a), arrivals_peek(&b));
        equal += arrivals_peek(&a) == arrivals_peek(&c);
        arrivals_take(&a);
        arrivals_take(&b);
        arrivals_take(&c);
    }
    assert_in_range(equal, 0, 2);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(percentiles_are_within_one_percent),
        cmocka_unit_test(ranks_are_rounded_up),
        cmocka_unit_test(empty_and_huge),
        cmocka_unit_test(buckets_meet),
        cmocka_unit_test(judges),
        cmocka_unit_test(silence_has_a_limit),
        cmocka_unit_test(even_arrivals_do_not_drift),
        cmocka_unit_test(poisson_arrivals_are_exponential),
        cmocka_unit_test(a_seed_is_one_sequence),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
