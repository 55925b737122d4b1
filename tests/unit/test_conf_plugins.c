/* SPDX-License-Identifier: MIT */
/*
 * test_conf_plugins - [plugin NAME] sections and PLUGIN arguments: which file, which
 * options. '@' is the directory of the files.
 */
#include "tests/unit/conf_fixture.h"

#include "common/check.h"

static char *text(const char *literal)
{
    return (char *)(uintptr_t)literal;
}

static void make_files(void)
{
    fixture_mkdir("a");
    fixture_mkdir("b");
    fixture_write("x.so", "");
    fixture_write("a/one.so", "");
    fixture_write("b/one.so", "");
    fixture_write("b/two.so", "");
    fixture_write("b/two", "");
}

static void test_file(void **state)
{
    static const struct {
        const char *path, *want;
    } rows[] = {
        {"@/x.so", "@/x.so"},       {"./x.so", "@/x.so"}, {"x.so", "@/x.so"},
        {"b/two.so", "@/b/two.so"}, {"b/two", "@/b/two"}, {"two", "@/b/two.so"},
        {"one", "@/a/one.so"},
    };

    (void)state;
    fixture_open();
    make_files();
    for (size_t i = 0; i < COUNT_OF(rows); i++) {
        struct conf_source src = {.file = NULL};
        char ini[256];
        char *want = fixture_text(rows[i].want);
        struct conf *c;

        (void)snprintf(ini, sizeof(ini),
                       "[server]\nplugin_path = @/a, @/b\n[plugin q]\npath = %s\n",
                       rows[i].path);
        fixture_main(ini);
        c = fixture_load(&src);
        assert_string_equal(c->plugins.item[0].path, want);
        conf_destroy(&c);
        free(want);
    }
    fixture_close();
}

static void test_options(void **state)
{
    struct conf_source src = {.file = NULL};
    const struct conf_plugin *q;
    struct conf *c;

    (void)state;
    fixture_open();
    fixture_main(
        "[limits]\nbody = 2k\nrequest_timeout = 7s\nbody_timeout = 8s\n"
        "[plugin q]\npath = @/p.so\nmount = /q\nbody = 1k\ngreeting = Howdy ; x\n"
        "root.dir = \"/a;b\"\nrequest_timeout =\n");
    c = fixture_load(&src);
    assert_int_equal(c->plugins.count, 2);
    q = &c->plugins.item[0];
    assert_string_equal(q->name, "q");
    assert_string_equal(q->mount, "/q");
    assert_int_equal(q->body_bytes, 1024);
    assert_int_equal(q->request_timeout_ms, 7000);
    assert_int_equal(q->body_timeout_ms, 8000);
    assert_int_equal(q->options.count, 2);
    assert_string_equal(q->options.item[0].key, "greeting");
    assert_string_equal(q->options.item[0].value, "Howdy");
    assert_int_equal(q->options.item[0].origin.line, 9);
    assert_string_equal(q->options.item[1].key, "root.dir");
    assert_string_equal(q->options.item[1].value, "/a;b");
    assert_int_equal(q->origin.line, 5);
    assert_string_equal(c->plugins.item[1].name, "p");
    assert_int_equal(c->plugins.item[1].body_bytes, 2048);
    conf_destroy(&c);
    fixture_close();
}

/* remuda run x.so y.so, without any file. */
static void test_arguments(void **state)
{
    struct conf_source src = {.file = NULL};
    struct conf_errors errors;
    struct conf *c;
    char *plugins[2];

    (void)state;
    fixture_open();
    make_files();
    plugins[0] = fixture_text("@/x.so");
    plugins[1] = fixture_text("@/b/two.so");
    src.plugin = plugins;
    src.plugin_count = 2;
    assert_int_equal(conf_load(&src, &c, &errors), 0);
    assert_string_equal(c->file, "");
    assert_int_equal(c->plugins.count, 2);
    assert_string_equal(c->plugins.item[0].name, "x");
    assert_string_equal(c->plugins.item[0].path, plugins[0]);
    assert_string_equal(c->plugins.item[1].name, "two");
    assert_string_equal(c->server.listen.item[0], "127.0.0.1:8000");
    conf_destroy(&c);
    conf_errors_fini(&errors);
    free(plugins[0]);
    free(plugins[1]);
    fixture_close();
}

/* An argument stands for the path of a section that the file may have. */
static void test_argument_and_section(void **state)
{
    struct conf_source src = {.plugin_count = 1};
    char *plugin;
    struct conf *c;

    (void)state;
    fixture_open();
    make_files();
    plugin = fixture_text("@/b/two.so");
    src.plugin = &plugin;
    fixture_main("[plugin two]\npath = /none/two.so\nmount = /2\n");
    c = fixture_load(&src);
    assert_string_equal(c->plugins.item[0].path, plugin);
    assert_string_equal(c->plugins.item[0].mount, "/2");
    conf_destroy(&c);
    free(plugin);
    fixture_close();
}

/* Names of the environment know neither case nor '-' nor '.'. */
static void test_define_and_environment(void **state)
{
    char *define[] = {text("plugin my-app.v2.greeting=Hi = there"),
                      text("plugin p.mount=/p")};
    char *environment[] = {text("REMUDA__PLUGIN__MY_APP_V2__MOUNT=/my"),
                           text("REMUDA__PLUGIN__P__MOUNT=/weaker"),
                           text("REMUDA__PLUGIN__NEW__PATH=x.so"),
                           text("REMUDA__LIMITS__HEADER_FIELDS=9"), NULL};
    struct conf_source src = {
        .define = define, .define_count = 2, .environment = environment};
    char here[4096];
    struct conf *c;

    (void)state;
    fixture_open();
    make_files();
    assert_non_null(getcwd(here, sizeof(here)));
    assert_int_equal(chdir(fixture_directory), 0);
    fixture_main("[plugin my-app.v2]\npath = @/x.so\n");
    c = fixture_load(&src);
    assert_int_equal(chdir(here), 0);
    assert_int_equal(c->plugins.count, 3);
    assert_string_equal(c->plugins.item[0].mount, "/my");
    assert_string_equal(c->plugins.item[0].options.item[0].value, "Hi = there");
    assert_string_equal(c->plugins.item[1].mount, "/p");
    assert_string_equal(c->plugins.item[2].name, "new");
    assert_string_equal(strrchr(c->plugins.item[2].path, '/'), "/x.so");
    assert_int_equal(c->plugins.item[2].path[0], '/');
    assert_int_equal(c->limits.header_fields, 9);
    conf_destroy(&c);
    fixture_close();
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_file),
        cmocka_unit_test(test_options),
        cmocka_unit_test(test_arguments),
        cmocka_unit_test(test_argument_and_section),
        cmocka_unit_test(test_define_and_environment),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
