/* SPDX-License-Identifier: MIT */
/*
 * test_master_image - plugin files copied into memory: sealed, shared, or not at all.
 */
#include "common/check.h"
#include "common/fd.h"
#include "common/log.h"
#include "conf/conf.h"
#include "master/image.h"

#include <fcntl.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
#include <cmocka.h>

static char folder[64], plain[96], origin[96], missing[96];

static void write_file(char *path, size_t size, const char *name, const char *text)
{
    FILE *file;

    snprintf(path, size, "%s/%s", folder, name);
    if (text == NULL)
        return;
    file = fopen(path, "w");
    assert_non_null(file);
    fputs(text, file);
    fclose(file);
}

static int set_up(void **state)
{
    (void)state;
    strncpy(folder, "/tmp/remuda-image-XXXXXX", sizeof(folder) - 1);
    assert_non_null(mkdtemp(folder));
    write_file(plain, sizeof(plain), "plain.so", "one\n");
    write_file(origin, sizeof(origin), "origin.so", "xx $ORIGIN/../lib xx");
    write_file(missing, sizeof(missing), "missing.so", NULL);
    log_set_fd(open("/dev/null", O_WRONLY | O_CLOEXEC));
    return 0;
}

static int tear_down(void **state)
{
    int null = log_get_fd();

    (void)state;
    log_set_fd(2);
    fd_close(&null);
    unlink(plain);
    unlink(origin);
    return rmdir(folder);
}

static int open_plugins(struct images *images, struct fault *fault,
                        const char *const *paths, size_t count)
{
    struct conf_plugin plugins[4];
    const struct conf conf = {.plugins = {plugins, count}};

    for (size_t i = 0; i < count; i++)
        plugins[i] = (struct conf_plugin){.name = "p", .path = paths[i]};
    return images_open(images, &conf, fault);
}

static void a_copy_outlives_the_file(void **state)
{
    const char *paths[] = {plain};
    struct images images;
    struct fault fault;
    char text[16] = "";
    FILE *file;

    (void)state;
    assert_int_equal(open_plugins(&images, &fault, paths, 1), EXIT_OK);
    file = fopen(plain, "w"); /* overwritten in place */
    fputs("two\n", file);
    fclose(file);
    assert_int_equal(pread(images.item[0].fd, text, sizeof(text), 0), 4);
    assert_string_equal(text, "one\n");
    assert_int_equal(pwrite(images.item[0].fd, "x", 1, 0), -1);
    assert_int_equal(ftruncate(images.item[0].fd, 0), -1);
    images_close(&images);
}

static void the_same_path_is_copied_once(void **state)
{
    const char *paths[] = {plain, origin, plain};
    const int before = fd_count();
    struct images images;
    struct fault fault;

    (void)state;
    assert_int_equal(open_plugins(&images, &fault, paths, 3), EXIT_OK);
    assert_int_equal(images.count, 3);
    assert_int_equal(images.item[0].fd, images.item[2].fd);
    assert_int_equal(fd_count(), before + 1);
    images_close(&images);
    assert_int_equal(fd_count(), before);
}

static void origin_means_the_real_file(void **state)
{
    const char *paths[] = {origin};
    struct images images;
    struct fault fault;

    (void)state;
    assert_int_equal(open_plugins(&images, &fault, paths, 1), EXIT_OK);
    assert_int_equal(images.item[0].fd, -1);
    assert_string_equal(images.item[0].path, origin);
    assert_true(images.item[0].inode != 0 && images.item[0].mtime_ns != 0);
    images_close(&images);
}

static void a_missing_file_leaves_nothing_open(void **state)
{
    const char *paths[] = {plain, missing}, *directory[] = {folder};
    const int before = fd_count();
    struct images images;
    struct fault fault;

    (void)state;
    assert_int_equal(open_plugins(&images, &fault, paths, 2), EXIT_CONFIG);
    assert_non_null(strstr(fault.text, missing));
    assert_int_equal(open_plugins(&images, &fault, directory, 1), EXIT_CONFIG);
    assert_int_equal(fd_count(), before);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(a_copy_outlives_the_file, set_up, tear_down),
        cmocka_unit_test_setup_teardown(the_same_path_is_copied_once, set_up, tear_down),
        cmocka_unit_test_setup_teardown(origin_means_the_real_file, set_up, tear_down),
        cmocka_unit_test_setup_teardown(a_missing_file_leaves_nothing_open, set_up,
                                        tear_down),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
