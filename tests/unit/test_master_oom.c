/* SPDX-License-Identifier: MIT */
/*
 * test_master_oom - which counter is ours, and which death a move of it explains.
 */
#include "master/oom.h"

#include "common/check.h"
#include "common/fd.h"

#include <fcntl.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cmocka.h>

enum { PATH = 512 };

static char root[] = "/tmp/test_master_oom.XXXXXX";

/* Writes a file below the root; directories are made. */
static void put(const char *name, const char *text)
{
    char path[PATH];
    int n = snprintf(path, sizeof(path), "%s/%s", root, name);

    assert_true(n > 0 && (size_t)n < sizeof(path));
    for (char *slash = path + strlen(root) + 1; (slash = strchr(slash, '/')) != NULL;
         slash++) {
        *slash = '\0';
        (void)mkdir(path, 0700);
        *slash = '/';
    }
    int fd = open(path, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);
    assert_int_equal(write(fd, text, strlen(text)), (ssize_t)strlen(text));
    fd_close(&fd);
}

static void drop(const char *name)
{
    char path[PATH];

    snprintf(path, sizeof(path), "%s/%s", root, name);
    (void)unlink(path);
}

static struct oom open_here(const char *self)
{
    char path[PATH];
    struct oom oom;

    put("self", self);
    snprintf(path, sizeof(path), "%s/self", root);
    oom_open(&oom, path, root);
    return oom;
}

static const char *const files[] = {
    "a/b/memory.events",         "memory.events",
    "unified/a/memory.events",   "memory/x/memory.oom_control",
    "memory/memory.oom_control",
};

static int setup(void **state)
{
    (void)state;
    memcpy(root + sizeof(root) - sizeof("XXXXXX"), "XXXXXX", sizeof("XXXXXX"));
    return mkdtemp(root) != NULL ? 0 : -1;
}

static int teardown(void **state)
{
    static const char *const directories[] = {
        "a/b", "a", "unified/a", "unified", "memory/x", "memory", ""};
    char path[PATH];

    (void)state;
    drop("self");
    for (size_t i = 0; i < COUNT_OF(files); i++)
        drop(files[i]);
    for (size_t i = 0; i < COUNT_OF(directories); i++) {
        snprintf(path, sizeof(path), "%s/%s", root, directories[i]);
        (void)rmdir(path);
    }
    return 0;
}

/* In each tree the counter that moves is that of `file`. */
static const struct {
    const char *self, *file, *before, *after;
} trees[] = {
    {"0::/a/b\n", "a/b/memory.events", "low 0\noom 1\noom_kill 1\noom_group_kill 0\n",
     "low 0\noom 2\noom_kill 2\noom_group_kill 0\n"},
    {"0::/\n", "memory.events", "oom_kill 0\n", "oom_kill 1\n"},
    {"0::/docker/1234\n", "memory.events", "oom_kill 9\n", "oom_kill 10\n"},
    {"9:cpu:/a\n0::/a\n", "unified/a/memory.events", "oom_kill 0\n", "oom_kill 1\n"},
    {"11:cpu,cpuacct:/x\n4:memory:/x\n0::/x\n", "memory/x/memory.oom_control",
     "oom_kill_disable 0\nunder_oom 0\noom_kill 4\n",
     "oom_kill_disable 0\nunder_oom 0\noom_kill 5\n"},
    {"4:hugetlb,memory:/docker/1\n", "memory/memory.oom_control", "oom_kill 4\n",
     "oom_kill 5\n"},
};

static void test_counters(void **state)
{
    (void)state;
    for (size_t i = 0; i < COUNT_OF(trees); i++) {
        for (size_t k = 0; k < COUNT_OF(files); k++)
            drop(files[k]);
        put(trees[i].file, trees[i].before);
        struct oom oom = open_here(trees[i].self);
        if (!oom_is_known(&oom))
            fail_msg("tree %zu: not found", i);
        assert_false(oom_explains(&oom, 1000));
        put(trees[i].file, trees[i].after);
        assert_true(oom_explains(&oom, 2000));
        assert_false(oom_explains(&oom, 2001)); /* one move, one death */
        oom_close(&oom);
    }
}

static void test_none(void **state)
{
    static const char *const selves[] = {"",
                                         "nonsense\n",
                                         "4:cpu:/\n",
                                         "0::/nowhere\n",
                                         "0:",
                                         "::::\n",
                                         "1:memoryx,xmemory:/x\n"};

    (void)state;
    for (size_t i = 0; i < COUNT_OF(selves); i++) {
        struct oom oom = open_here(selves[i]);
        assert_false(oom_is_known(&oom));
        assert_false(oom_explains(&oom, 1000));
        oom_close(&oom);
    }
    /* the file is there, but not the counter */
    put("memory.events", "oom 3\nxoom_kill 3\n");
    struct oom oom = open_here("0::/\n");
    assert_false(oom_is_known(&oom));
    oom_close(&oom);
}

static void test_moves_are_matched(void **state)
{
    (void)state;
    put("memory.events", "oom_kill 0\n");
    struct oom oom = open_here("0::/\n");
    put("memory.events", "oom_kill 2\n"); /* two at once */
    assert_true(oom_explains(&oom, 1000));
    assert_true(oom_explains(&oom, 1001));
    assert_false(oom_explains(&oom, 1002));
    put("memory.events", "oom_kill 3\n"); /* somebody else in our cgroup, a while ago */
    oom_look(&oom, 2000);
    assert_false(oom_explains(&oom, 2000 + OOM_MATCH_MS + 1));
    put("memory.events", "oom_kill 4\n");
    oom_look(&oom, 20000);
    assert_true(oom_explains(&oom, 20000 + OOM_MATCH_MS));
    oom_close(&oom);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(test_counters, setup, teardown),
        cmocka_unit_test_setup_teardown(test_none, setup, teardown),
        cmocka_unit_test_setup_teardown(test_moves_are_matched, setup, teardown),
    };

    return cmocka_run_group_tests_name("master_oom", tests, NULL, NULL);
}
