/* SPDX-License-Identifier: MIT */
/*
 * test_worker_plugin_open - the checks before the first call, against the misbehaving
 * plugins of tests/plugins. TEST_PLUGINS is their directory.
 */
#include "worker/plugin_open.h"

#include "common/check.h"
#include "common/heritage.h"
#include "worker/api.h"

#include <fcntl.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <cmocka.h>

static char path[512], why[PLUGIN_WHY_BYTES];
static void *handle;

static const remuda_plugin *open_named(const char *name, bool by_fd)
{
    snprintf(path, sizeof path, "%s/%s", TEST_PLUGINS, name);
    struct heritage_image image = {.fd = -1, .path = path};
    if (by_fd) {
        image.fd = open(path, O_RDONLY | O_CLOEXEC);
        assert_true(image.fd >= 0);
    }
    why[0] = '\0';
    handle = NULL;
    return plugin_open(&image, &handle, why); /* the descriptor stays open, as ever */
}

static void test_good(void **state)
{
    (void)state;
    for (int by_fd = 0; by_fd < 2; by_fd++) {
        const remuda_plugin *p = open_named("modes.so", by_fd);
        if (p == NULL)
            fail_msg("%s", why);
        assert_string_equal(p->name, "modes");
        assert_ptr_equal(*p->api, &api_table);
        assert_non_null(handle);
    }
}

static void test_refused(void **state)
{
    (void)state;
    static const struct {
        const char *name, *why;
    } table[] = {
        {"bad_magic.so", "declare it with REMUDA_PLUGIN"},
        {"bad_abi.so", "rebuild it with this remuda.h"},
        {"bad_minor.so", "upgrade remuda"},
        {"no_symbol.so", "has no symbol remuda_plugin_v1"},
        {"is_not_there.so", "cannot be loaded"},
    };
    for (size_t i = 0; i < COUNT_OF(table); i++) {
        assert_null(open_named(table[i].name, false));
        if (strstr(why, table[i].why) == NULL || strstr(why, path) == NULL)
            fail_msg("%s: %s", table[i].name, why);
        assert_null(strchr(why, '\n'));
    }
}

/* Loaded from its path: a respawn must not take another file than its generation did. */
static void test_changed_file(void **state)
{
    (void)state;
    struct stat st;
    snprintf(path, sizeof path, "%s/modes.so", TEST_PLUGINS);
    assert_int_equal(stat(path, &st), 0);
    uint64_t ns =
        (uint64_t)st.st_mtim.tv_sec * 1000000000u + (uint64_t)st.st_mtim.tv_nsec;
    struct heritage_image image = {
        .fd = -1, .path = path, .inode = st.st_ino, .mtime_ns = ns};
    assert_non_null(plugin_open(&image, &handle, why));
    image.mtime_ns++;
    assert_null(plugin_open(&image, &handle, why));
    assert_non_null(strstr(why, "has changed since"));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_good),
        cmocka_unit_test(test_refused),
        cmocka_unit_test(test_changed_file),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
