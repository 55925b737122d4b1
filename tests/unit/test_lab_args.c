/* SPDX-License-Identifier: MIT */
/*
 * test_lab_args - the words behind `remuda lab`, right and wrong.
 */
#include "tests/unit/words.h"

#include "cli/lab_args.h"
#include "common/check.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>

enum { WORDS = 48 };

static const struct lab_experiment one = {.number = 1, .name = "one-at-a-time"};
static const struct lab_experiment two = {.number = 2, .name = "five-by-eight"};
static const struct lab_experiment twelve = {.number = 12, .name = "deadline"};
static const struct lab_experiment *const table[] = {&one, &two, &twelve, NULL};

/* Cuts a copy of `line` at its blanks and parses it; what was said in *said. */
static int parse(const char *line, struct lab_args *args, char **said)
{
    static char copy[512];
    char *words[WORDS];
    size_t size;
    FILE *err = open_memstream(said, &size);
    int status;

    (void)snprintf(copy, sizeof(copy), "%s", line);
    (void)words_cut(copy, words, WORDS);
    status = lab_args_parse(args, words, table, err);
    fclose(err);
    return status;
}

static const struct {
    const char *line;
    unsigned number[4]; /* chosen, in that order; 0 at the end */
    bool is_json, is_short, is_list, wants_help;
    const char *svg;
} good[] = {
    {"", {2}, .is_list = true},
    {"--json", {2}, .is_json = true, .is_list = true},
    {"2", {2}, .svg = NULL},
    {"12 1 --short", {12, 1}, .is_short = true},
    {"1 1", {1, 1}, .svg = NULL},
    {"all", {1, 2, 12}, .svg = NULL},
    {"deadline five-by-eight", {12, 2}, .svg = NULL},
    {"--svg p.svg 2", {2}, .svg = "p.svg"},
    {"2 --svg=a/b.svg", {2}, .svg = "a/b.svg"},
    {"--help 99 --nonsense", {0}, .wants_help = true},
    {"1 -h", {1}, .wants_help = true},
};

static void reads(void **state)
{
    (void)state;
    for (size_t i = 0; i < COUNT_OF(good); i++) {
        struct lab_args args;
        char *said;
        size_t n = 0;

        assert_int_equal(parse(good[i].line, &args, &said), 0);
        assert_string_equal(said, "");
        for (; good[i].number[n] != 0; n++) {
            assert_true(n < args.count);
            assert_int_equal(args.chosen[n]->number, good[i].number[n]);
        }
        assert_int_equal(args.count, n);
        assert_int_equal(args.is_json, good[i].is_json);
        assert_int_equal(args.is_short, good[i].is_short);
        assert_int_equal(args.is_list, good[i].is_list);
        assert_int_equal(args.wants_help, good[i].wants_help);
        assert_true((args.svg == NULL) == (good[i].svg == NULL));
        if (args.svg != NULL)
            assert_string_equal(args.svg, good[i].svg);
        free(said);
    }
}

static const struct {
    const char *line, *says;
} bad[] = {
    {"3", "no experiment '3', allowed: 1, 2, 12, all"},
    {"99", "no experiment '99', allowed: 1, 2, 12, all"},
    {"0", "no experiment '0'"},
    {"02", "no experiment '02'"},
    {"2x", "no experiment '2x'"},
    {"-1", "unknown flag '-1'"},
    {"deadlien", "did you mean 'deadline'?"},
    {"--jsno", "did you mean '--json'?"},
    {"2 --svg", "'--svg' needs a file"},
    {"2 --svg=", "'--svg' needs a file"},
    {"2 --svg --json", "'--svg' needs a file"},
    {"2 --svg=-", "'--svg' needs a file"},
    {"all all all all all all all all all all all", "is one experiment too many"},
};

static void refuses(void **state)
{
    (void)state;
    for (size_t i = 0; i < COUNT_OF(bad); i++) {
        struct lab_args args;
        char *said;

        assert_int_equal(parse(bad[i].line, &args, &said), 64);
        if (strstr(said, bad[i].says) == NULL)
            fail_msg("'%s': %s", bad[i].line, said);
        assert_non_null(strstr(said, "usage: remuda lab"));
        free(said);
    }
}

/* The real table: numbers rise, names are all different, and each says what it needs to. */
static void the_table_is_in_order(void **state)
{
    size_t n = 0;

    (void)state;
    for (; lab_table[n] != NULL; n++) {
        const struct lab_experiment *e = lab_table[n];

        assert_true(n == 0 || e->number > lab_table[n - 1]->number);
        assert_non_null(e->run);
        assert_true(strlen(e->title) > 0 && strlen(e->title) <= 59); /* 80 columns */
        assert_true(strlen(e->setup) > 0 && strlen(e->law) > 0);
        assert_true(strlen(e->name) <= 14);
        for (size_t i = 0; i < n; i++)
            assert_string_not_equal(e->name, lab_table[i]->name);
    }
    assert_true(n > 0 && n <= LAB_CHOSEN_MAX);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(reads),
        cmocka_unit_test(refuses),
        cmocka_unit_test(the_table_is_in_order),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
