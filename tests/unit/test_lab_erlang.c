/* SPDX-License-Identifier: MIT */
/*
 * test_lab_erlang - the formulas against published values, other formulas and a simulation.
 */
#include "cli/erlang.h"
#include "common/check.h"

#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

static void assert_near(double is, double wanted, double tolerance)
{
    if (!(fabs(is - wanted) <= tolerance * fabs(wanted)))
        fail_msg("%g is not %g within %g %%", is, wanted, tolerance * 100);
}

/* The first three stand in every table of Erlang B: 1 % at 5 of 11, 12.03 of 20, 29.01 of
 * 40 (rounded to four digits there). */
static void blocking_as_in_the_tables(void **state)
{
    (void)state;
    assert_near(erlang_b(11, 5.160), 0.01, 0.002);
    assert_near(erlang_b(20, 12.03), 0.01, 0.002);
    assert_near(erlang_b(40, 29.01), 0.01, 0.002);
    assert_near(erlang_b(1, 0.5), 1.0 / 3, 1e-12);
    assert_near(erlang_b(2, 1), 0.2, 1e-12);
    assert_near(erlang_b(0, 3), 1, 1e-12);
}

/* One server: C = load, W = load x s / (1 - load). Two, by hand: C = 2 r^2 / (1 + r). */
static void waiting_as_by_hand(void **state)
{
    (void)state;
    assert_near(erlang_c(1, 0.7), 0.7, 1e-12);
    assert_near(erlang_wait(1, 7, 0.1), 0.7 * 0.1 / 0.3, 1e-12);
    assert_near(erlang_c(2, 1.5), 2 * 0.75 * 0.75 / 1.75, 1e-12);
    assert_near(erlang_wait(40, 360, 0.1), 0.010289, 1e-3);
    assert_near(erlang_wait(40, 300, 0.1), 0.000552, 2e-3);
    assert_true(erlang_wait(40, 200, 0.1) < 1e-6);
}

static void an_overloaded_queue_has_no_mean(void **state)
{
    (void)state;
    assert_true(erlang_c(40, 40) >= 1 && erlang_c(40, 44) >= 1);
    assert_true(isinf(erlang_wait(40, 400, 0.1)) && isinf(erlang_wait(40, 440, 0.1)));
    assert_true(isinf(erlang_wait_error(40, 440, 0.1, 10)));
}

/* Numbers that would overflow or vanish if they were computed as the formulas say. */
static void many_servers(void **state)
{
    (void)state;
    assert_near(erlang_b(1000, 971.2), 0.01, 0.01);
    assert_true(erlang_wait(1000, 900, 1) > 0 && erlang_wait(1000, 900, 1) < 1e-3);
    assert_true(erlang_wait_error(1000, 900, 1, 100) > 0);
    assert_true(erlang_wait_error(1000, 900, 1, 100) < 1e-2);
    assert_true(isfinite(erlang_wait_error(1000, 999, 1, 100)));
}

/* ---- the error, by doing it many times ---- */

struct chance {
    uint64_t state;
};

static double exponential(struct chance *chance, double mean)
{
    uint64_t x = chance->state += UINT64_C(0x9e3779b97f4a7c15);

    x = (x ^ (x >> 30)) * UINT64_C(0xbf58476d1ce4e5b9);
    x = (x ^ (x >> 27)) * UINT64_C(0x94d049bb133111eb);
    return -mean * log(1 - (double)((x ^ (x >> 31)) >> 11) * 0x1p-53);
}

enum { SERVERS_MAX = 40 };

/* First come, first served: who comes next gets the server that is free first. */
static double mean_wait(struct chance *chance, unsigned servers, double rate,
                        double from_s, double to_s)
{
    double free_s[SERVERS_MAX] = {0}, now_s = 0, sum = 0;
    unsigned count = 0;

    while ((now_s += exponential(chance, 1 / rate)) < to_s) {
        unsigned first = 0;
        double start_s;

        for (unsigned i = 1; i < servers; i++)
            if (free_s[i] < free_s[first])
                first = i;
        start_s = fmax(now_s, free_s[first]);
        free_s[first] = start_s + exponential(chance, 1);
        if (now_s >= from_s) {
            sum += start_s - now_s;
            count++;
        }
    }
    return count == 0 ? 0 : sum / count;
}

static void the_error_is_what_runs_scatter(void **state)
{
    static const struct {
        unsigned servers;
        double rate, seconds;
    } queue[] = {{1, 0.7, 2000}, {5, 4, 600}, {40, 36, 600}};
    enum { RUNS = 300 };

    (void)state;
    for (size_t i = 0; i < COUNT_OF(queue); i++) {
        const double wait_s = erlang_wait(queue[i].servers, queue[i].rate, 1);
        const double error_s =
            erlang_wait_error(queue[i].servers, queue[i].rate, 1, queue[i].seconds);
        struct chance chance = {i + 1};
        double sum = 0, squares = 0;

        for (int run = 0; run < RUNS; run++) {
            const double w = mean_wait(&chance, queue[i].servers, queue[i].rate, 50,
                                       50 + queue[i].seconds);

            sum += w;
            squares += (w - wait_s) * (w - wait_s);
        }
        assert_near(sum / RUNS, wait_s, 4 * error_s / wait_s / sqrt(RUNS));
        assert_near(sqrt(squares / RUNS), error_s, 0.2);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(blocking_as_in_the_tables),
        cmocka_unit_test(waiting_as_by_hand),
        cmocka_unit_test(an_overloaded_queue_has_no_mean),
        cmocka_unit_test(many_servers),
        cmocka_unit_test(the_error_is_what_runs_scatter),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
