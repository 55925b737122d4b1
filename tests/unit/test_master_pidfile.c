/* SPDX-License-Identifier: MIT */
/*
 * test_master_pidfile - written whole or not at all, removed only if it is ours.
 */
#include "master/pidfile.h"

#include <dirent.h>
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>
#include <cmocka.h>

static char folder[64], path[96];

static int set_up(void **state)
{
    (void)state;
    strncpy(folder, "/tmp/remuda-pidfile-XXXXXX", sizeof(folder) - 1);
    assert_non_null(mkdtemp(folder));
    snprintf(path, sizeof(path), "%s/pid", folder);
    return 0;
}

static int tear_down(void **state)
{
    (void)state;
    unlink(path);
    return rmdir(folder); /* fails when something was left behind */
}

static void read_file(char *out, size_t size)
{
    FILE *file = fopen(path, "r");

    assert_non_null(file);
    out[fread(out, 1, size - 1, file)] = '\0';
    fclose(file);
}

static void writes_the_number(void **state)
{
    char text[32];
    struct stat st;

    (void)state;
    assert_int_equal(pidfile_write(path, 4711), 0);
    read_file(text, sizeof(text));
    assert_string_equal(text, "4711\n");
    assert_int_equal(stat(path, &st), 0);
    assert_int_equal(st.st_mode & 0777, 0644);
}

static void replaces_by_rename(void **state)
{
    struct stat before, after;

    (void)state;
    assert_int_equal(pidfile_write(path, 1), 0);
    assert_int_equal(stat(path, &before), 0);
    assert_int_equal(pidfile_write(path, 2), 0);
    assert_int_equal(stat(path, &after), 0);
    assert_true(before.st_ino != after.st_ino);
}

static void removes_only_its_own(void **state)
{
    (void)state;
    assert_int_equal(pidfile_write(path, 4711), 0);
    pidfile_remove(path, 471);
    assert_int_equal(access(path, F_OK), 0);
    pidfile_remove(path, 4711);
    assert_int_equal(access(path, F_OK), -1);
    pidfile_remove(path, 4711); /* gone already: nothing happens */
}

static void fails_without_a_trace(void **state)
{
    (void)state;
    assert_int_equal(pidfile_write("/nonexistent/pid", 1), -1);
    assert_int_equal(errno, ENOENT);
    assert_int_equal(mkdir(path, 0755), 0); /* rename onto a folder fails */
    assert_int_equal(pidfile_write(path, 1), -1);
    assert_int_equal(rmdir(path), 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(writes_the_number, set_up, tear_down),
        cmocka_unit_test_setup_teardown(replaces_by_rename, set_up, tear_down),
        cmocka_unit_test_setup_teardown(removes_only_its_own, set_up, tear_down),
        cmocka_unit_test_setup_teardown(fails_without_a_trace, set_up, tear_down),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
