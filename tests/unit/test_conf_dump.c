/* SPDX-License-Identifier: MIT */
/*
 * test_conf_dump - a dump shows each origin and no secret, and loads to the same
 * configuration; two configurations are compared. '@' is the directory of the files.
 */
#include "tests/unit/conf_fixture.h"

#include "common/check.h"
#include "conf/dump.h"

static char *text(const char *literal)
{
    return (char *)(uintptr_t)literal;
}

static char *dump(const struct conf *c, enum conf_dump_mode mode, bool defaults)
{
    char *out = NULL;
    size_t n = 0;
    FILE *stream = open_memstream(&out, &n);

    assert_non_null(stream);
    conf_dump(stream, c, mode, defaults);
    (void)fclose(stream);
    return out;
}

static const char rich[] =
    "[server]\nlisten = *:1, *:2\nlisten = unix:/run/x\nworkers = 3\nclass = sync\n"
    "umask = 027\nrequest_id = yes\nenv_file = @/env\nplugin_path = @\n"
    "[limits]\nbody = 2048k\nhead_timeout = 1500ms\n"
    "[env]\nQUOTED = \"  a ; \\\"b\\\" \\\\ \"\nDOLLAR = $$x$${y}\nTOKEN = "
    "${file:@/secret}\n"
    "SEMI = \";x\"\n"
    "[log]\naccess_format = %h \"%r\" %s\n"
    "[plugin q]\npath = p\nmount = /q\nbody = 1k\npassword = a${file:@/secret}\nown = "
    "${A:-b c}\n";

static void load_rich(struct conf **out, char *const *environment)
{
    struct conf_source src = {.environment = environment};

    fixture_write("secret", "hunter2\n");
    fixture_write("env", "FROM_FILE=hunter3\n");
    fixture_main(rich);
    *out = fixture_load(&src);
}

static void fail_on_change(void *arg, const char *key, const char *running,
                           const char *wanted)
{
    (void)arg;
    fail_msg("%s: '%s' became '%s'", key, running, wanted);
}

static void assert_same(const struct conf *a, const struct conf *b)
{
    (void)conf_diff(a, b, CONF_RELOAD, fail_on_change, NULL);
    (void)conf_diff(a, b, CONF_RESTART, fail_on_change, NULL);
    assert_int_equal(a->server.workers, b->server.workers);
    assert_int_equal(a->plugins.count, b->plugins.count);
    assert_int_equal(a->env.count, b->env.count);
}

static void test_round_trip(void **state)
{
    (void)state;
    for (int defaults = 0; defaults < 2; defaults++) {
        struct conf_source src = {.file = NULL};
        struct conf *first;
        struct conf *second;
        char *written;
        char *again;

        fixture_open();
        load_rich(&first, NULL);
        written = dump(first, CONF_DUMP_INI, defaults == 1);
        fixture_write("main.ini", written);
        second = fixture_load(&src);
        assert_same(first, second);
        again = dump(second, CONF_DUMP_INI, defaults == 1);
        assert_non_null(strstr(again, "workers = 3"));
        free(written);
        free(again);
        conf_destroy(&first);
        conf_destroy(&second);
        fixture_close();
    }
}

static void test_origins_and_secrets(void **state)
{
    static const char *const lines[] = {
        "[server]\n",
        "\nlisten = *:1  ; @/main.ini:2\n",
        "\nlisten = unix:/run/x  ; @/main.ini:3\n",
        "\nworkers = 4  ; environment WEB_CONCURRENCY\n",
        "\nrequest_id = on  ; @/main.ini:7\n",
        "\nbody = 2M  ; @/main.ini:11\n",
        "\n; FROM_FILE is set by @/env:1 (content not shown)\n",
        "\nTOKEN = ${file:@/secret}  ; @/main.ini:16 (content not shown)\n",
        "\nDOLLAR = $$x$${y}  ; @/main.ini:15\n",
        "\n[plugin q]\npath = @/p.so  ; @/main.ini:21\n",
        "\nown = b c  ; @/main.ini:25\n",
    };
    char *environment[] = {text("WEB_CONCURRENCY=4"), NULL};
    struct conf *c;
    char *ini;
    char *json;

    (void)state;
    fixture_open();
    load_rich(&c, environment);
    ini = dump(c, CONF_DUMP_INI, false);
    json = dump(c, CONF_DUMP_JSON, true);
    for (size_t i = 0; i < COUNT_OF(lines); i++) {
        char *line = fixture_text(lines[i]);

        if (strstr(ini, line) == NULL)
            fail_msg("no line '%s' in:\n%s", line, ini);
        free(line);
    }
    assert_null(strstr(ini, "default"));
    assert_null(strstr(ini, "hunter"));
    assert_null(strstr(json, "hunter"));
    free(ini);
    free(json);
    conf_destroy(&c);
    fixture_close();
}

static void test_defaults_are_shown(void **state)
{
    struct conf_source src = {.file = NULL};
    struct conf *c;
    char *ini;

    (void)state;
    fixture_open();
    fixture_main("");
    c = fixture_load(&src);
    ini = dump(c, CONF_DUMP_INI, true);
    assert_non_null(strstr(ini, "\nthreads = 8  ; default\n"));
    assert_non_null(strstr(ini, "\nuser =   ; default\n"));
    assert_non_null(strstr(ini, "\nworkers = auto  ; default; "));
    assert_non_null(strstr(ini, c->server.workers_why));
    free(ini);
    conf_destroy(&c);
    fixture_close();
}

static void test_json(void **state)
{
    static const char want[] =
        "{\n  \"server\": {\n"
        "    \"listen\": {\"value\": [\"*:1\", \"*:2\"], \"origin\": \"@/main.ini:2\"},\n"
        "    \"threads\": {\"value\": 3, \"origin\": \"-D server.threads\"},\n"
        "    \"request_id\": {\"value\": true, \"origin\": \"@/main.ini:3\"}\n  },\n"
        "  \"env\": {\n"
        "    \"A\": {\"value\": \"say \\\"\\\\\\\"\", \"origin\": \"@/main.ini:5\"},\n"
        "    \"B\": {\"value\": null, \"reference\": \"${file:@/secret}\", \"origin\": "
        "\"@/main.ini:6\"},\n"
        "    \"C\": {\"value\": \"\\u0001\\ufffd\", \"origin\": \"-D env.C\"}\n  },\n"
        "  \"plugin p\": {\n"
        "    \"path\": {\"value\": \"@/p.so\", \"origin\": \"@/main.ini:9\"}\n  }\n}\n";
    char *define[] = {text("server.threads=3"), text("env.C=\x01\xff")};
    struct conf_source src = {.define = define, .define_count = 2};
    char *expected;
    char *json;
    struct conf *c;

    (void)state;
    fixture_open();
    fixture_write("secret", "hunter2\n");
    fixture_main("[server]\nlisten = *:1, *:2\nrequest_id = on\n"
                 "[env]\nA = say \"\\\"\nB = ${file:@/secret}\n");
    c = fixture_load(&src);
    json = dump(c, CONF_DUMP_JSON, false);
    expected = fixture_text(want);
    assert_string_equal(json, expected);
    free(json);
    free(expected);
    conf_destroy(&c);
    fixture_close();
}

/* ---- differences ---- */

struct changes {
    char text[1024];
    size_t n;
};

static void note_change(void *arg, const char *key, const char *running,
                        const char *wanted)
{
    struct changes *changes = arg;

    changes->n +=
        (size_t)snprintf(changes->text + changes->n, sizeof(changes->text) - changes->n,
                         "%s: %s -> %s\n", key, running, wanted);
}

static void test_diff(void **state)
{
    static const struct {
        const char *running, *wanted;
        const char *by_reload, *by_restart;
    } rows[] = {
        {"", "", "", ""},
        {"[server]\nthreads = 2\n", "[server]\nthreads = 3\n", "server.threads: 2 -> 3\n",
         ""},
        {"[server]\numask = 22\n", "[server]\numask = 27\n", "",
         "server.umask: 22 -> 27\n"},
        {"", "[server]\nworker_slots = 200\n", "", "server.worker_slots: auto -> 200\n"},
        {"[limits]\nkeepalive = 60\nbody = 1024k\n",
         "[limits]\nkeepalive = 1m\nbody = 1M\n", "", ""},
        {"[server]\nrequest_id = yes\n", "[server]\nrequest_id = on\n", "", ""},
        {"[server]\nlisten = *:1, *:2\n", "[server]\nlisten = *:1\n",
         "server.listen: *:1, *:2 -> *:1\n", ""},
        {"[env]\nA = 1\nB = 2\n", "[env]\nB = 3\nC = 4\n",
         "env.B: 2 -> 3\nenv.C:  -> 4\nenv.A: 1 -> \n", ""},
        {"[env]\nA = ${file:@/secret}\n", "[env]\nA = ${file:@/other}\n",
         "env.A: ${file:@/secret} -> ${file:@/other}\n", ""},
        {"[plugin q]\npath = @/p.so\nown = 1\n", "[plugin q]\npath = @/p.so\nown = 2\n",
         "plugin q.own: 1 -> 2\n", ""},
    };

    (void)state;
    fixture_open();
    fixture_write("secret", "1");
    fixture_write("other", "2");
    for (size_t i = 0; i < COUNT_OF(rows); i++) {
        struct conf_source src = {.file = NULL};
        struct conf *running;
        struct conf *wanted;
        struct changes reload = {.n = 0};
        struct changes restart = {.n = 0};
        char *by_reload = fixture_text(rows[i].by_reload);

        fixture_main(rows[i].running);
        running = fixture_load(&src);
        fixture_main(rows[i].wanted);
        wanted = fixture_load(&src);
        (void)conf_diff(running, wanted, CONF_RELOAD, note_change, &reload);
        (void)conf_diff(running, wanted, CONF_RESTART, note_change, &restart);
        assert_string_equal(reload.text, by_reload);
        assert_string_equal(restart.text, rows[i].by_restart);
        free(by_reload);
        conf_destroy(&running);
        conf_destroy(&wanted);
    }
    fixture_close();
}

/* A key of the file that has changed, but that something stronger hides. */
static void test_masked(void **state)
{
    char *define[] = {text("server.threads=9")};
    struct conf_source src = {.define = define, .define_count = 1};
    struct conf *running;
    struct conf *wanted;
    struct changes changes = {.n = 0};

    (void)state;
    fixture_open();
    fixture_main("[server]\nthreads = 2\nbacklog = 10\n");
    running = fixture_load(&src);
    fixture_main("[server]\nthreads = 3\nbacklog = 11\n");
    wanted = fixture_load(&src);
    assert_int_equal(conf_diff_masked(running, wanted, note_change, &changes), 1);
    assert_string_equal(changes.text, "server.threads: 9 -> 3\n");
    assert_int_equal(conf_diff_masked(wanted, wanted, note_change, &changes), 0);
    conf_destroy(&running);
    conf_destroy(&wanted);
    fixture_close();
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_round_trip),
        cmocka_unit_test(test_origins_and_secrets),
        cmocka_unit_test(test_defaults_are_shown),
        cmocka_unit_test(test_json),
        cmocka_unit_test(test_diff),
        cmocka_unit_test(test_masked),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
