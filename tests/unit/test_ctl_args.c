/* SPDX-License-Identifier: MIT */
/*
 * test_ctl_args - the words behind `remuda ctl`, right and wrong.
 */
#include "tests/unit/words.h"

#include "cli/ctl_args.h"
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

static int parse(const char *line, struct ctl_args *args, char **said)
{
    static char copy[256];
    char *words[WORDS];
    size_t size;
    FILE *err = open_memstream(said, &size);
    int status;

    (void)snprintf(copy, sizeof(copy), "%s", line);
    (void)words_cut(copy, words, WORDS);
    status = ctl_args_parse(args, words, err);
    fclose(err);
    return status;
}

static const struct {
    const char *line;
    struct ctl_args want;
} good[] = {
    {"reload", {CONTROL_RELOAD, .worker = -1}},
    {"upgrade", {CONTROL_UPGRADE, .worker = -1}},
    {"reopen", {CONTROL_REOPEN, .worker = -1}},
    {"pause", {CONTROL_PAUSE, .worker = -1}},
    {"resume", {CONTROL_RESUME, .worker = -1}},
    {"drain", {CONTROL_DRAIN, .worker = -1}},
    {"undrain", {CONTROL_UNDRAIN, .worker = -1}},
    {"stop", {CONTROL_STOP, .worker = -1}},
    {"stop --quick", {CONTROL_STOP, .worker = -1, .is_quick = true}},
    {"worker add", {CONTROL_WORKER_ADD, .worker = -1}},
    {"worker remove", {CONTROL_WORKER_REMOVE, .worker = -1}},
    {"worker remove 3", {CONTROL_WORKER_REMOVE, .worker = 3}},
    {"worker recycle 0", {CONTROL_WORKER_RECYCLE, .worker = 0}},
    {"worker recycle", {CONTROL_WORKER_RECYCLE, .worker = -1}},
    {"show workers", {CONTROL_SHOW_BOARD, CTL_WORKERS, .worker = -1}},
    {"show slots --json", {CONTROL_SHOW_BOARD, CTL_SLOTS, .worker = -1, .is_json = true}},
    {"--json show listeners",
     {CONTROL_SHOW_LISTENERS, CTL_LISTENERS, .worker = -1, .is_json = true}},
    {"show config --defaults",
     {CONTROL_SHOW_CONFIG, CTL_CONFIG, .worker = -1, .has_defaults = true}},
    {"-c a.ini reload", {CONTROL_RELOAD, .worker = -1, .file = "a.ini"}},
    {"reload -ca.ini", {CONTROL_RELOAD, .worker = -1, .file = "a.ini"}},
    {"--socket /s reload", {CONTROL_RELOAD, .worker = -1, .socket = "/s"}},
    {"worker --socket=/s add", {CONTROL_WORKER_ADD, .worker = -1, .socket = "/s"}},
    {"reload --timeout 250ms", {CONTROL_RELOAD, .worker = -1, .timeout_ms = 250}},
    {"--timeout=10 reload", {CONTROL_RELOAD, .worker = -1, .timeout_ms = 10000}},
    {"--help nonsense", {CONTROL_NOTHING, .worker = -1, .wants_help = true}},
};

static bool is_same_text(const char *a, const char *b)
{
    return a == NULL || b == NULL ? a == b : strcmp(a, b) == 0;
}

static void reads(void **state)
{
    (void)state;
    for (size_t i = 0; i < COUNT_OF(good); i++) {
        const struct ctl_args *want = &good[i].want;
        struct ctl_args got;
        char *said;

        assert_int_equal(parse(good[i].line, &got, &said), 0);
        assert_string_equal(said, "");
        if (got.verb != want->verb || got.view != want->view ||
            got.worker != want->worker || got.timeout_ms != want->timeout_ms ||
            got.is_quick != want->is_quick || got.is_json != want->is_json ||
            got.has_defaults != want->has_defaults ||
            got.wants_help != want->wants_help || !is_same_text(got.file, want->file) ||
            !is_same_text(got.socket, want->socket))
            fail_msg("%s", good[i].line);
        free(said);
    }
}

static const struct {
    const char *line, *says; /* part of the message */
} bad[] = {
    {"", "needs a command"},
    {"--json", "needs a command"},
    {"relaod", "did you mean 'reload'"},
    {"worker", "needs another word: add, remove, recycle\n"},
    {"worker recylce", "did you mean 'recycle'"},
    {"show", "needs another word: workers, slots, limits, listeners, config\n"},
    {"show workres", "did you mean 'workers'"},
    {"show reload", "unknown command"},
    {"reload now", "one word too many"},
    {"worker add 3", "one word too many"},
    {"worker recycle 1 2", "one word too many"},
    {"worker recycle one", "is no worker"},
    {"worker recycle 256", "is no worker"},
    {"worker recycle 3x", "is no worker"},
    {"reload --json", "does not go with this command"},
    {"reload --quick", "does not go with this command"},
    {"show workers --defaults", "does not go with this command"},
    {"stop --quikc", "did you mean '--quick'"},
    {"reload --timeout", "needs a value"},
    {"reload --timeout 0", "above 0"},
    {"reload --timeout soon", "remuda: 'soon'"},
    {"reload --timeout 25h", "up to a day"},
    {"reload -c", "needs a value"},
    {"reload --socket=", "needs a value"},
};

static void refuses(void **state)
{
    (void)state;
    for (size_t i = 0; i < COUNT_OF(bad); i++) {
        struct ctl_args args;
        char *said;

        if (parse(bad[i].line, &args, &said) != 64 || strstr(said, bad[i].says) == NULL ||
            strstr(said, "usage: remuda ctl") == NULL)
            fail_msg("'%s' says: %s", bad[i].line, said);
        free(said);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(reads),
        cmocka_unit_test(refuses),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
