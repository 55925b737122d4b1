/* SPDX-License-Identifier: MIT */
/*
 * test_master_launch - where the next binary is looked for, and what one image tells the next
 * by argv and environment. The test's own executable plays the server.
 */
#include "common/check.h"
#include "master/launch.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

static char self[PATH_MAX];
static char folder[] = "/tmp/remuda-launch-XXXXXX";

static char *text(const char *literal)
{
    return (char *)(uintptr_t)literal;
}

static void note(struct launch *launch, const char *name)
{
    char *argv[] = {text(name), NULL};
    int argc = 1;

    assert_true(launch_note(launch, &argc, argv));
    launch_fini(launch);
}

static void assert_binary(const char *name, const char *want)
{
    struct launch launch;

    note(&launch, name);
    if (strcmp(launch.binary, want) != 0)
        fail_msg("%s: '%s' instead of '%s'", name, launch.binary, want);
}

static int set_up(void **state)
{
    const ssize_t n = readlink("/proc/self/exe", self, sizeof(self) - 1);
    char link[PATH_MAX];

    (void)state;
    assert_true(n > 0);
    assert_non_null(mkdtemp(folder));
    assert_int_equal(chdir(folder), 0);
    snprintf(link, sizeof(link), "%s/server", folder);
    assert_int_equal(symlink(self, link), 0);
    return 0;
}

static int tear_down(void **state)
{
    (void)state;
    assert_int_equal(unlink("server"), 0);
    assert_int_equal(chdir("/"), 0);
    return rmdir(folder);
}

/* A link stays a link: it may lead to the next version tomorrow. */
static void test_binary_by_the_name_given(void **state)
{
    char link[PATH_MAX], path[PATH_MAX + 32];
    char *before = strdup(getenv("PATH"));

    (void)state;
    snprintf(link, sizeof(link), "%s/server", folder);
    assert_binary(link, link);
    assert_binary("./server", link);
    snprintf(path, sizeof(path), "/nowhere::%s:/bin", folder);
    setenv("PATH", path, 1);
    assert_binary("server", link);
    setenv("PATH", before, 1);
    free(before);
}

/* A name that leads elsewhere, or nowhere, is not believed. */
static void test_binary_by_the_kernel(void **state)
{
    (void)state;
    assert_binary("/bin/sh", self);
    assert_binary("./missing", self);
    assert_binary("sh", self);
    assert_binary("no-such-name", self);
    assert_binary("/proc/self/exe", self);
    assert_binary("", self);
}

static void test_ordinary_start(void **state)
{
    char *argv[] = {text("server"), text("-t"), NULL};
    struct launch launch;
    int argc = 2;

    (void)state;
    assert_true(launch_note(&launch, &argc, argv));
    assert_int_equal(launch.estate_fd, -1);
    assert_int_equal(launch.verdict_fd, -1);
    assert_int_equal(argc, 2);
    launch_fini(&launch);
}

/* The flag is gone before the command line is read; everything else is as it was. */
static void test_trial(void **state)
{
    char *start[] = {text("server"), text("-c"), text("x.ini"), NULL};
    struct launch launch;
    char word[LAUNCH_WORD];
    char **argv;
    int argc = 3;

    (void)state;
    assert_true(launch_note(&launch, &argc, start));
    argv = launch_trial_argv(&launch, 5, 6, word);
    launch_fini(&launch);
    argc = 4;
    assert_string_equal(argv[0], "server");
    assert_true(launch_note(&launch, &argc, argv));
    assert_int_equal(launch.estate_fd, 5);
    assert_int_equal(launch.verdict_fd, 6);
    assert_int_equal(argc, 3);
    for (int i = 0; i <= argc; i++)
        assert_ptr_equal(argv[i], start[i]);
    launch_fini(&launch);
    free(argv);
}

static void test_no_trial(void **state)
{
    static const char *const words[] = {
        "--upgrade-trial",      "--upgrade-trial=",    "--upgrade-trial=5",
        "--upgrade-trial=5,",   "--upgrade-trial=5,x", "--upgrade-trial=-5,6",
        "--upgrade-trial=5,6,7"};

    (void)state;
    for (size_t i = 0; i < COUNT_OF(words); i++) {
        char *argv[] = {text("server"), text(words[i]), NULL};
        struct launch launch;
        int argc = 2;

        assert_true(launch_note(&launch, &argc, argv));
        assert_int_equal(launch.verdict_fd, -1);
        assert_int_equal(argc, 2);
        launch_fini(&launch);
    }
}

/* The environment of the next image is that of this one's start, and one word more. */
static void test_next_image(void **state)
{
    char *argv[] = {text("server"), NULL};
    struct launch launch;
    char word[LAUNCH_WORD], want[LAUNCH_WORD];
    char **environment;
    int argc = 1;

    (void)state;
    setenv("NOTIFY_SOCKET", "/run/x", 1);
    assert_true(launch_note(&launch, &argc, argv));
    unsetenv("NOTIFY_SOCKET"); /* as the master does */
    environment = launch_next_environment(&launch, 9, word);
    snprintf(want, sizeof(want), "REMUDA_UPGRADE=9:%ld", (long)getpid());
    assert_string_equal(environment[0], want);
    for (size_t i = 0; environment[i] != NULL; i++)
        assert_ptr_equal(environment[i + 1], launch.environment[i]);
    for (char **v = environment; *v == NULL || strcmp(*v, "NOTIFY_SOCKET=/run/x") != 0;
         v++)
        assert_non_null(*v);
    free(environment);
    launch_fini(&launch);
}

/* It is for the process of that pid, and not for a child that found it in its environment. */
static void test_word_of_the_environment(void **state)
{
    char *argv[] = {text("server"), NULL};
    struct launch launch;
    char value[LAUNCH_WORD];
    int argc = 1;

    (void)state;
    for (long other = 0; other < 2; other++) {
        snprintf(value, sizeof(value), "9:%ld", (long)getpid() + other);
        setenv("REMUDA_UPGRADE", value, 1);
        assert_true(launch_note(&launch, &argc, argv));
        assert_int_equal(launch.estate_fd, other == 0 ? 9 : -1);
        assert_null(getenv("REMUDA_UPGRADE"));
        for (char **v = launch.environment; *v != NULL; v++)
            assert_int_not_equal(strncmp(*v, "REMUDA_UPGRADE", 14), 0);
        launch_fini(&launch);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_binary_by_the_name_given),
        cmocka_unit_test(test_binary_by_the_kernel),
        cmocka_unit_test(test_ordinary_start),
        cmocka_unit_test(test_trial),
        cmocka_unit_test(test_no_trial),
        cmocka_unit_test(test_next_image),
        cmocka_unit_test(test_word_of_the_environment),
    };

    return cmocka_run_group_tests(tests, set_up, tear_down);
}
