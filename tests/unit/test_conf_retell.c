/* SPDX-License-Identifier: MIT */
/*
 * test_conf_retell - a configuration told to another process is the same there, without any
 * of its files. '@' is the directory of the files.
 */
#include "tests/unit/conf_fixture.h"

#include "common/check.h"
#include "conf/dump.h"

enum { TOLD_MOST = 64 };

struct story {
    struct conf_told told[TOLD_MOST];
    size_t count;
};

static char *copy(const char *text)
{
    char *copied = strdup(text);

    assert_non_null(copied);
    return copied;
}

static void note(void *arg, const struct conf_told *told)
{
    struct story *story = arg;

    assert_in_range(story->count, 0, TOLD_MOST - 1);
    story->told[story->count++] =
        (struct conf_told){copy(told->section), copy(told->key), copy(told->text),
                           copy(told->secret), told->from};
}

static void forget(struct story *story)
{
    for (size_t i = 0; i < story->count; i++) {
        free((void *)(uintptr_t)story->told[i].section);
        free((void *)(uintptr_t)story->told[i].key);
        free((void *)(uintptr_t)story->told[i].text);
        free((void *)(uintptr_t)story->told[i].secret);
    }
    story->count = 0;
}

static const char rich[] =
    "[server]\nlisten = *:1, *:2\nlisten = unix:/run/x\nworkers = 3\nclass = sync\n"
    "umask = 027\nrequest_id = yes\nenv_file = @/env\nplugin_path = @\n"
    "[limits]\nbody = 2048k\nhead_timeout = 1500ms\nqueue_limit = 7\n"
    "[env]\nQUOTED = \"  a ; \\\"b\\\" \\\\ \"\nDOLLAR = $$x$${y}\nTOKEN = "
    "${file:@/secret}\n"
    "[plugin q]\npath = p\nmount = /q\nbody = 1k\npassword = a${file:@/secret}\n"
    "dotted.key = a=b.c\n";

/* Told by one process, loaded by the next, when no file is left. */
static struct conf *retold(const struct conf *conf)
{
    static struct story story;
    struct conf_source src = {.file = NULL};
    struct conf_errors errors;
    struct conf *second;

    fixture_close();
    conf_retell(conf, note, &story);
    src.told = story.told;
    src.told_count = story.count;
    if (conf_load(&src, &second, &errors) != 0)
        conf_errors_print(&errors, stderr);
    assert_int_equal(errors.status, 0);
    conf_errors_fini(&errors);
    forget(&story);
    return second;
}

static struct conf *load_rich(struct conf_source *src)
{
    fixture_open();
    fixture_write("secret", "hunter2\n");
    fixture_write("env", "FROM_FILE=hunter3\n");
    fixture_main(rich);
    return fixture_load(src);
}

static void fail_on_change(void *arg, const char *key, const char *running,
                           const char *wanted)
{
    (void)arg;
    if (strcmp(key, "server.env_file") != 0) /* its values are told instead */
        fail_msg("%s: '%s' became '%s'", key, running, wanted);
}

static void assert_same_pairs(const struct conf_pairs *a, const struct conf_pairs *b)
{
    assert_int_equal(a->count, b->count);
    for (size_t i = 0; i < a->count; i++) {
        assert_string_equal(a->item[i].key, b->item[i].key);
        assert_string_equal(a->item[i].value, b->item[i].value);
        assert_int_equal(a->item[i].secret == NULL, b->item[i].secret == NULL);
    }
}

static void assert_same(const struct conf *a, const struct conf *b)
{
    (void)conf_diff(a, b, CONF_RELOAD, fail_on_change, NULL);
    (void)conf_diff(a, b, CONF_RESTART, fail_on_change, NULL);
    (void)conf_diff(b, a, CONF_RESTART, fail_on_change, NULL);
    (void)conf_diff_masked(a, b, fail_on_change, NULL);
    (void)conf_diff_masked(b, a, fail_on_change, NULL);
    assert_int_equal(a->server.workers, b->server.workers);
    assert_int_equal(a->server.threads, b->server.threads);
    assert_int_equal(a->server.listen.count, b->server.listen.count);
    assert_int_equal(a->limits.body_bytes, b->limits.body_bytes);
    assert_same_pairs(&a->env, &b->env);
    assert_int_equal(a->plugins.count, b->plugins.count);
    for (size_t i = 0; i < a->plugins.count; i++) {
        assert_string_equal(a->plugins.item[i].name, b->plugins.item[i].name);
        assert_string_equal(a->plugins.item[i].path, b->plugins.item[i].path);
        assert_same_pairs(&a->plugins.item[i].options, &b->plugins.item[i].options);
    }
}

static void test_files_alone(void **state)
{
    struct conf_source src = {.file = NULL};
    struct conf *first = load_rich(&src);
    struct conf *second = retold(first);

    (void)state;
    assert_same(first, second);
    conf_destroy(&first);
    conf_destroy(&second);
}

/* Stronger sources, also over what the files say; a text no line of an ini could hold. */
static void test_all_sources(void **state)
{
    static char long_text[700] = "env.LONG=";
    char *define[] = {(char *)(uintptr_t) "limits.queue_limit=9", long_text};
    char *environment[] = {(char *)(uintptr_t) "WEB_CONCURRENCY=4", NULL};
    struct conf_source src = {
        .define = define, .define_count = COUNT_OF(define), .environment = environment};
    struct conf *first;
    struct conf *second;

    (void)state;
    memset(long_text + strlen("env.LONG="), 'x', sizeof(long_text) - 10);
    first = load_rich(&src);
    second = retold(first);
    assert_same(first, second);
    assert_int_equal(second->server.workers, 4);
    assert_int_equal(second->limits.queue_limit, 9);
    conf_destroy(&first);
    conf_destroy(&second);
}

/* What is told twice stays what it is: an upgrade after an upgrade. */
static void test_twice(void **state)
{
    struct conf_source src = {.file = NULL};
    struct conf *first = load_rich(&src);
    struct conf *second = retold(first);
    struct conf *third = retold(second);

    (void)state;
    assert_same(first, third);
    conf_destroy(&first);
    conf_destroy(&second);
    conf_destroy(&third);
}

/* Another version may know less: that is a mistake here, not a crash. */
static void test_unknown_key(void **state)
{
    const struct conf_told told[] = {{"server", "velocity", "9", "", CONF_FROM_FILE}};
    const struct conf_source src = {.told = told, .told_count = 1};
    struct conf_errors errors;
    struct conf *conf;

    (void)state;
    assert_int_equal(conf_load(&src, &conf, &errors), 78);
    assert_null(conf);
    assert_non_null(strstr(errors.line[0], "velocity"));
    conf_errors_fini(&errors);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_files_alone),
        cmocka_unit_test(test_all_sources),
        cmocka_unit_test(test_twice),
        cmocka_unit_test(test_unknown_key),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
