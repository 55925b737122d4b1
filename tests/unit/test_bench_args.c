/* SPDX-License-Identifier: MIT */
/*
 * test_bench_args - the flags of `remuda bench`, right and wrong.
 */
#include "tests/unit/words.h"

#include "cli/bench_args.h"
#include "common/check.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>

enum { WORDS = 16 };

/* Cuts a copy of `line` at its spaces and parses it; what was said in *said. */
static int parse(const char *line, struct bench_args *args, char **said, char **copy)
{
    char *words[WORDS];
    size_t size;
    FILE *err = open_memstream(said, &size);
    int status;

    *copy = strdup(line);
    (void)words_cut(*copy, words, WORDS);
    status = bench_args_parse(args, words, err);
    fclose(err);
    return status;
}

static const struct {
    const char *line;
    unsigned clients;
    double rate;
    uint64_t duration_ms, warmup_ms, think_ms;
    unsigned burst;
} good[] = {
    {"http://h/", 10, 0, 12000, 2000, 0, 0},
    {"-c40 http://h/", 40, 0, 12000, 2000, 0, 0},
    {"http://h/ -c 40 -d 3", 40, 0, 3000, 500, 0, 0},
    {"-d 500ms --warmup 0 u", 10, 0, 500, 0, 0, 0},
    {"-r 1.5 u", 256, 1.5, 12000, 2000, 0, 0},
    {"-r 100 --poisson --seed 9 -c 7 u", 7, 100, 12000, 2000, 0, 0},
    {"--think 50 u", 10, 0, 12000, 2000, 50, 0},
    {"--think=2s u", 10, 0, 12000, 2000, 2000, 0},
    {"--connect sequential u", 10, 0, 12000, 2000, 0, 1},
    {"--connect bursts=8 u", 10, 0, 12000, 2000, 0, 8},
    {"--connect together u", 10, 0, 12000, 2000, 0, 0},
    {"--slots 40 --service 100 --starts spread --close --json u", 10, 0, 12000, 2000, 0,
     0},
};

static void reads(void **state)
{
    (void)state;
    for (size_t i = 0; i < COUNT_OF(good); i++) {
        struct bench_args args;
        char *said, *copy;

        print_message("%s\n", good[i].line);
        assert_int_equal(parse(good[i].line, &args, &said, &copy), 0);
        assert_non_null(args.url);
        assert_int_equal(args.plan.clients, good[i].clients);
        assert_true(args.plan.rate == good[i].rate);
        assert_int_equal(args.plan.duration_ms, good[i].duration_ms);
        assert_int_equal(args.plan.warmup_ms, good[i].warmup_ms);
        assert_int_equal(args.plan.think_ms, good[i].think_ms);
        assert_int_equal(args.plan.connect_burst, good[i].burst);
        bench_args_fini(&args);
        free(said);
        free(copy);
    }
}

static const struct {
    const char *line, *says;
} bad[] = {
    {"", "needs a URL"},
    {"u v", "one URL too many"},
    {"--thnik 5 u", "unknown flag '--thnik'; did you mean '--think'?"},
    {"--posson u", "did you mean '--poisson'?"},
    {"-z u", "unknown flag '-z'"},
    {"--json=yes u", "unknown flag '--json=yes'"},
    {"u -c", "'-c' needs a value"},
    {"-c 0 u", "-c '0' is out of range"},
    {"-c x u", "-c 'x' "},
    {"-r 0 u", "out of range"},
    {"-r nan u", "not a number"},
    {"-r 1x u", "not a number"},
    {"-d never u", "-d 'never'"},
    {"-d 2d u", "-d '2d'"},
    {"-d 25h u", "longer than a day"},
    {"-d 1 --warmup 1 u", "shorter than the run"},
    {"-d 0 u", "shorter than the run"},
    {"--timeout 0 u", "must be above 0"},
    {"--starts soon u", "neither spread nor together"},
    {"--connect bursts=0 u", "out of range"},
    {"--connect slowly u", "neither sequential"},
    {"--connect sequential --close u", "does not go with --close"},
    {"--expect 99 u", "out of range"},
    {"--body a --body-size 3 u", "exclude each other"},
    {"--slots 4 u", "are needed both"},
    {"--poisson u", "'--poisson' needs -r"},
    {"-r 5 --think 5 u", "'--think' does not go with -r"},
    {"-r 5 --starts spread u", "'--starts' does not go with -r"},
};

static void refuses_with_the_usage(void **state)
{
    (void)state;
    for (size_t i = 0; i < COUNT_OF(bad); i++) {
        struct bench_args args;
        char *said, *copy;
        const int status = parse(bad[i].line, &args, &said, &copy);

        if (status != 64 || strstr(said, bad[i].says) == NULL ||
            strstr(said, "usage: remuda bench") == NULL)
            fail_msg("%s: %d, %s", bad[i].line, status, said);
        bench_args_fini(&args);
        free(said);
        free(copy);
    }
}

static void keeps_headers_in_order(void **state)
{
    struct bench_args args;
    char *said, *copy;

    (void)state;
    assert_int_equal(parse("-H A:1 -HB:2 -H C:3 -m HEAD u", &args, &said, &copy), 0);
    assert_int_equal(args.header.count, 3);
    assert_string_equal(args.header.item[1], "B:2");
    assert_true(args.plan.is_head);
    bench_args_fini(&args);
    free(said);
    free(copy);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(reads),
        cmocka_unit_test(refuses_with_the_usage),
        cmocka_unit_test(keeps_headers_in_order),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
