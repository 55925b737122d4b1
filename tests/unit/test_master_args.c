/* SPDX-License-Identifier: MIT */
/*
 * test_master_args - the command line as people type it, right and wrong.
 */
#include "tests/unit/words.h"

#include "cli/cli.h"
#include "common/check.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>

enum { WORDS = 12 };

static const struct {
    const char *line;
    enum cli_verb verb;
    const char *file;
    size_t defines, binds, plugins;
    bool json, defaults;
    const char *key;
} good[] = {
    {"remuda", CLI_SERVE, NULL, 0, 0, 0, false, false, NULL},
    {"remuda -c a.ini", CLI_SERVE, "a.ini", 0, 0, 0, false, false, NULL},
    {"remuda -ca.ini -Dlog.level=debug -D a.b=c", CLI_SERVE, "a.ini", 2, 0, 0, false,
     false, NULL},
    {"remuda -b *:80 -b unix:/x ./hello.so", CLI_SERVE, NULL, 0, 2, 1, false, false,
     NULL},
    {"remuda hello.so", CLI_SERVE, NULL, 0, 0, 1, false, false, NULL},
    {"remuda run ./a.so b", CLI_RUN, NULL, 0, 0, 2, false, false, NULL},
    {"remuda run -b 127.0.0.1:0 ./a.so", CLI_RUN, NULL, 0, 1, 1, false, false, NULL},
    {"remuda check -c a.ini", CLI_CHECK, "a.ini", 0, 0, 0, false, false, NULL},
    {"remuda -c a.ini check", CLI_CHECK, "a.ini", 0, 0, 0, false, false, NULL},
    {"remuda -t -c a.ini", CLI_CHECK, "a.ini", 0, 0, 0, false, false, NULL},
    {"remuda -T", CLI_CONFIG, NULL, 0, 0, 0, false, false, NULL},
    {"remuda config --json --defaults", CLI_CONFIG, NULL, 0, 0, 0, true, true, NULL},
    {"remuda explain server.workers", CLI_EXPLAIN, NULL, 0, 0, 0, false, false,
     "server.workers"},
    {"remuda explain", CLI_EXPLAIN, NULL, 0, 0, 0, false, false, NULL},
    {"remuda --version", CLI_VERSION, NULL, 0, 0, 0, false, false, NULL},
    {"remuda run --help", CLI_HELP, NULL, 0, 0, 0, false, false, NULL},
    {"remuda bench -c 4 --json x y", CLI_BENCH, NULL, 0, 0, 0, false, false, NULL},
    {"remuda ctl -c a.ini reload", CLI_CTL, NULL, 0, 0, 0, false, false, NULL},
    {"remuda -- -odd", CLI_SERVE, NULL, 0, 0, 1, false, false, NULL},
};

static void reads(void **state)
{
    (void)state;
    for (size_t i = 0; i < COUNT_OF(good); i++) {
        char *line = strdup(good[i].line), *argv[WORDS];
        struct cli_args args;
        int status = cli_args_parse(&args, words_cut(line, argv, WORDS), argv, stderr);

        print_message("%s\n", good[i].line);
        assert_int_equal(status, 0);
        assert_int_equal(args.verb, good[i].verb);
        assert_string_equal(args.file == NULL ? "" : args.file,
                            good[i].file == NULL ? "" : good[i].file);
        assert_string_equal(args.key == NULL ? "" : args.key,
                            good[i].key == NULL ? "" : good[i].key);
        assert_int_equal(args.define.count, good[i].defines);
        assert_int_equal(args.bind.count, good[i].binds);
        assert_int_equal(args.plugin.count, good[i].plugins);
        assert_int_equal(args.json, good[i].json);
        assert_int_equal(args.defaults, good[i].defaults);
        cli_args_fini(&args);
        free(line);
    }
}

static const struct {
    const char *line, *says;
} bad[] = {
    {"remuda chekc", "unknown command 'chekc'; did you mean 'check'?"},
    {"remuda rnu ./a.so", "did you mean 'run'?"},
    {"remuda top -x", "unknown command 'top'"},
    {"remuda -c a.ini ctl reload", "does not take '-c'"},
    {"remuda hello", "unknown command 'hello'"},
    {"remuda --jsno", "unknown flag '--jsno'; did you mean '--json'?"},
    {"remuda --reload", "unknown flag '--reload'"},
    {"remuda -x", "unknown flag '-x'"},
    {"remuda -c", "a value is missing after '-c'"},
    {"remuda -D", "a value is missing after '-D'"},
    {"remuda --json", "does not take '--json'"},
    {"remuda run -c a.ini ./a.so", "does not take '-c'"},
    {"remuda run", "a plugin is missing"},
    {"remuda explain a b", "unexpected argument 'b'"},
    {"remuda -c a.ini bench http://h/", "does not take '-c'"},
    {"remuda bnech", "did you mean 'bench'?"},
    {"remuda check check", "unexpected argument 'check'"},
    {"remuda explain -b x", "does not take '-b'"},
};

static void refuses_with_a_hint_and_the_usage(void **state)
{
    (void)state;
    for (size_t i = 0; i < COUNT_OF(bad); i++) {
        char *line = strdup(bad[i].line), *argv[WORDS], *said = NULL;
        size_t size = 0;
        FILE *err = open_memstream(&said, &size);
        struct cli_args args;
        int status = cli_args_parse(&args, words_cut(line, argv, WORDS), argv, err);

        cli_args_fini(&args);
        fclose(err);
        if (status != 64 || strstr(said, bad[i].says) == NULL ||
            strstr(said, "usage: remuda") == NULL)
            fail_msg("%s: %d, %s", bad[i].line, status, said);
        free(said);
        free(line);
    }
}

static void every_verb_has_a_help(void **state)
{
    (void)state;
    for (int verb = 0; verb < CLI_VERBS; verb++) {
        char *said = NULL;
        size_t size = 0;
        FILE *out = open_memstream(&said, &size);

        cli_help(out, (enum cli_verb)verb);
        fclose(out);
        assert_non_null(strstr(said, "usage: remuda"));
        free(said);
    }
}

static void bench_reads_its_own_words(void **state)
{
    char line[] = "remuda bench -c 4 u", *argv[WORDS];
    struct cli_args args;

    (void)state;
    assert_int_equal(cli_args_parse(&args, words_cut(line, argv, WORDS), argv, stderr),
                     0);
    assert_string_equal(args.rest[0], "-c");
    assert_string_equal(args.rest[2], "u");
    assert_null(args.rest[3]);
    cli_args_fini(&args);
}

static void help_is_of_the_verb_before_it(void **state)
{
    char line[] = "remuda check --help", *argv[WORDS];
    struct cli_args args;

    (void)state;
    assert_int_equal(cli_args_parse(&args, words_cut(line, argv, WORDS), argv, stderr),
                     0);
    assert_int_equal(args.help_of, CLI_CHECK);
    cli_args_fini(&args);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(reads),
        cmocka_unit_test(refuses_with_a_hint_and_the_usage),
        cmocka_unit_test(every_verb_has_a_help),
        cmocka_unit_test(bench_reads_its_own_words),
        cmocka_unit_test(help_is_of_the_verb_before_it),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
