/* SPDX-License-Identifier: MIT */
/*
 * test_conf_load - what a configuration means: the dialect of the files, references,
 * includes, and which source wins. '@' is the directory of the files.
 */
#include "tests/unit/conf_fixture.h"

#include "common/check.h"

#include <errno.h>

static struct conf *load(const char *text)
{
    struct conf_source src = {.file = NULL};

    fixture_main(text);
    return fixture_load(&src);
}

/* The items joined by one blank. */
static const char *joined(const struct conf_list *list)
{
    static char out[1024];
    size_t n = 0;

    out[0] = '\0';
    for (size_t i = 0; i < list->count; i++)
        n += (size_t)snprintf(out + n, sizeof(out) - n, "%s%s", i > 0 ? " " : "",
                              list->item[i]);
    return out;
}

static const struct conf_pair *find_pair(const struct conf_pairs *pairs, const char *key)
{
    for (size_t i = 0; i < pairs->count; i++) {
        if (strcmp(pairs->item[i].key, key) == 0)
            return &pairs->item[i];
    }
    fail_msg("no %s", key);
    return NULL;
}

/* ---- values: quotes, comments, references ---- */

static char *const variables[] = {(char *)(uintptr_t) "NAME=value",
                                  (char *)(uintptr_t) "EMPTY=", NULL};

static void test_values(void **state)
{
    static const struct {
        const char *written, *want;
    } rows[] = {
        {"plain", "plain"},
        {"two words", "two words"},
        {"a ; comment", "a"},
        {"a\t; comment", "a"},
        {"a;b", "a;b"},
        {"a # b", "a # b"},
        {"; comment", ""},
        {"", ""},
        {"\"a ; b\"", "a ; b"},
        {"\"a ; b\" ; comment", "a ; b"},
        {"\"  a \"", "  a "},
        {"\"\"", ""},
        {"\"say \\\"hi\\\" ; \\\\\"", "say \"hi\" ; \\"},
        {"\"C:\\temp\"", "C:\\temp"},
        {"a \"b\" c", "a \"b\" c"},
        {"a=b:c", "a=b:c"},
        {"\xc3\xa4\xe2\x82\xac\xf0\x9f\x90\x8e", "\xc3\xa4\xe2\x82\xac\xf0\x9f\x90\x8e"},
        {"$5", "$5"},
        {"a$", "a$"},
        {"$$", "$"},
        {"$${NAME}", "${NAME}"},
        {"$$$${NAME}", "$${NAME}"},
        {"a${NAME}b", "avalueb"},
        {"${EMPTY}", ""},
        {"${EMPTY:-x}", "x"},
        {"${NONE:-x}", "x"},
        {"${NONE:-}", ""},
        {"${NONE:-a b}", "a b"},
        {"${NAME:-x}", "value"},
        {"${NONE:-${NAME}}", "value"},
        {"${NONE:-${OTHER:-y}}z", "yz"},
        {"${NONE:-$$}", "$"},
        {"${file:@/secret}", "hunter2"},
        {"x${file:@/secret}y", "xhunter2y"},
        {"${file:${NONE:-@}/secret}", "hunter2"},
        {"${file:@/lines}", "a\nb\n"},
        {"${file:@/reference}", "${NAME}"},
        {"${file:@/empty}", ""},
        {"${file:@/crlf}", "a"},
    };

    (void)state;
    fixture_open();
    fixture_write("secret", "hunter2\n");
    fixture_write("lines", "a\nb\n\n");
    fixture_write("reference", "${NAME}");
    fixture_write("empty", "");
    fixture_write("crlf", "a\r\n");
    for (size_t i = 0; i < COUNT_OF(rows); i++) {
        struct conf_source src = {.environment = variables};
        char text[256];
        struct conf *c;

        (void)snprintf(text, sizeof(text), "[env]\nV = %s\n", rows[i].written);
        fixture_main(text);
        c = fixture_load(&src);
        if (strcmp(find_pair(&c->env, "V")->value, rows[i].want) != 0)
            fail_msg("%s: '%s'", rows[i].written, find_pair(&c->env, "V")->value);
        conf_destroy(&c);
    }
    fixture_close();
}

/* Values from outside of the files are taken as they are. */
static void test_values_of_arguments(void **state)
{
    char *define[] = {(char *)(uintptr_t) "env.A=${NAME} ; $$", NULL};
    char *environment[] = {(char *)(uintptr_t) "REMUDA__ENV__Bc=\"${NAME}\"", NULL};
    struct conf_source src = {
        .define = define, .define_count = 1, .environment = environment};
    struct conf *c;

    (void)state;
    fixture_open();
    fixture_main("");
    c = fixture_load(&src);
    assert_string_equal(find_pair(&c->env, "A")->value, "${NAME} ; $$");
    assert_string_equal(find_pair(&c->env, "Bc")->value, "\"${NAME}\"");
    conf_destroy(&c);
    fixture_close();
}

/* ---- forms of a file ---- */

static void test_forms(void **state)
{
    static const struct {
        const char *name, *text;
    } rows[] = {
        {"plain", "[server]\nthreads = 3\n"},
        {"a byte order mark", "\xef\xbb\xbf[server]\nthreads = 3\n"},
        {"CRLF", "[server]\r\nthreads = 3\r\n"},
        {"no blanks", "[server]\nthreads=3\n"},
        {"many blanks", "[server]\nthreads \t =  \t3  \n"},
        {"comments", "# x\n  ; y\n[server] ; z\n\n\t\nthreads = 3 ; = 4\n;threads = 5\n"},
        {"a reset", "[server]\nthreads = 3\n[plugin x]\npath = @/p.so\n"},
    };

    (void)state;
    fixture_open();
    for (size_t i = 0; i < COUNT_OF(rows); i++) {
        struct conf *c = load(rows[i].text);

        if (c->server.threads != 3)
            fail_msg("%s: %u", rows[i].name, c->server.threads);
        conf_destroy(&c);
    }
    fixture_close();
}

/* The longest line, key and section that inih keeps whole. */
static void test_longest(void **state)
{
    char text[600];
    char key[64];
    char value[200];
    struct conf *c;
    const struct conf_pair *pair;

    (void)state;
    memset(key, 'k', sizeof(key));
    key[49] = '\0';
    memset(value, 'v', sizeof(value));
    value[198 - 49 - 1] = '\0';
    fixture_open();
    (void)snprintf(text, sizeof(text),
                   "[plugin ppppppppppppppppppppppppppppppppppppppp4]\npath = @/p.so\n"
                   "[env]\n%s=%s\n",
                   key, value);
    c = load(text);
    pair = find_pair(&c->env, key);
    assert_string_equal(pair->value, value);
    assert_int_equal(strlen(c->plugins.item[0].name), 40);
    conf_destroy(&c);
    fixture_close();
}

static void test_every_type(void **state)
{
    struct conf *c;

    (void)state;
    fixture_open();
    c = load("[server]\nclass = event\numask = 027\nrequest_id = YES\nchdir = @\n"
             "workers = 2\nworker_slots = 7\ntrusted_proxies = 10.0.0.0/8, ::1\n"
             "proxy_protocol = on\n"
             "[limits]\nbody = 2G\nkeepalive = 0\nhead_timeout = 250ms\nper_address = 3\n"
             "[log]\nlevel = debug\naccess = @/a.log\naccess_format = %h %s\n");
    assert_int_equal(c->server.klass, CONF_CLASS_EVENT);
    assert_int_equal(c->server.umask, 027);
    assert_true(c->server.request_id);
    assert_int_equal(c->server.workers, 2);
    assert_int_equal(c->server.worker_slots, 7);
    assert_string_equal(joined(&c->server.trusted_proxies), "10.0.0.0/8 ::1");
    assert_int_equal(c->server.proxy_protocol, CONF_PROXY_REQUIRED);
    assert_int_equal(c->limits.body_bytes, 2147483648u);
    assert_int_equal(c->limits.keepalive_ms, 0);
    assert_int_equal(c->limits.head_timeout_ms, 250);
    assert_int_equal(c->limits.per_address, 3);
    assert_int_equal(c->log.level, LOG_LEVEL_DEBUG);
    assert_string_equal(c->log.access_format, "%h %s");
    conf_destroy(&c);
    fixture_close();
}

static void test_sync_is_one_thread(void **state)
{
    static const char *const rows[] = {"[server]\nclass = sync\n",
                                       "[server]\nclass = sync\nthreads = 1\n"};

    (void)state;
    fixture_open();
    for (size_t i = 0; i < COUNT_OF(rows); i++) {
        struct conf *c = load(rows[i]);

        assert_int_equal(c->server.klass, CONF_CLASS_THREAD);
        assert_int_equal(c->server.threads, 1);
        conf_destroy(&c);
    }
    fixture_close();
}

static void test_worker_slots(void **state)
{
    static const struct {
        const char *text;
        unsigned want;
    } rows[] = {
        {"[server]\nworkers = 1\n", 7},
        {"[server]\nworkers = 64\n", 196},
        {"[server]\nworkers = 84\n", 256},
        {"[server]\nworkers = 128\n", 256},
        {"[server]\nworkers = 8\nworker_slots = 16\n", 16},
    };

    (void)state;
    fixture_open();
    for (size_t i = 0; i < COUNT_OF(rows); i++) {
        struct conf *c = load(rows[i].text);

        assert_int_equal(c->server.worker_slots, rows[i].want);
        assert_non_null(strstr(c->server.workers_why, "/main.ini:2"));
        conf_destroy(&c);
    }
    fixture_close();
}

/* ---- lists and resets ---- */

static void test_lists(void **state)
{
    static const struct {
        const char *text, *want;
    } rows[] = {
        {"", "127.0.0.1:8000"},
        {"[server]\nlisten = *:1\n", "*:1"},
        {"[server]\nlisten = *:1 ,\t*:2\n", "*:1 *:2"},
        {"[server]\nlisten = *:1\nlisten = *:2, *:3\n", "*:1 *:2 *:3"},
        {"[server]\nlisten = *:1\nlisten =\nlisten = *:2\n", "*:2"},
        {"[server]\nlisten = *:1\nlisten =\n", "127.0.0.1:8000"},
        {"[server]\nlisten = [::1]:1, unix:/run/x, fd:web, localhost:0\n",
         "[::1]:1 unix:/run/x fd:web localhost:0"},
        {"[server]\nlisten = 127.0.0.1:0, 127.0.0.1:0\n", "127.0.0.1:0 127.0.0.1:0"},
    };

    (void)state;
    fixture_open();
    for (size_t i = 0; i < COUNT_OF(rows); i++) {
        struct conf *c = load(rows[i].text);

        if (strcmp(joined(&c->server.listen), rows[i].want) != 0)
            fail_msg("%s: %s", rows[i].text, joined(&c->server.listen));
        conf_destroy(&c);
    }
    fixture_close();
}

static void test_empty_is_the_default(void **state)
{
    struct conf *c;

    (void)state;
    fixture_open();
    fixture_write("a.ini", "[server]\nthreads = 3\nuser = nobody\n");
    c = load("include = a.ini\n[server]\nthreads =\nuser =\n");
    assert_int_equal(c->server.threads, 8);
    assert_string_equal(c->server.user, "");
    conf_destroy(&c);
    fixture_close();
}

/* ---- includes and drop-ins ---- */

static void test_includes(void **state)
{
    struct conf *c;

    (void)state;
    fixture_open();
    fixture_mkdir("conf.d");
    fixture_mkdir("main.ini.d");
    fixture_write("conf.d/20.ini", "[server]\nthreads = 20\nbacklog = 20\n");
    fixture_write("conf.d/10.ini", "include = ../sub.ini\n[server]\nthreads = 10\n");
    fixture_write("conf.d/30.txt", "[server]\nthreads = 30\n");
    fixture_write("conf.d/.40.ini", "[server]\nthreads = 40\n");
    fixture_write("sub.ini", "[limits]\nheader_fields = 7\n");
    fixture_write("main.ini.d/b.ini", "[log]\nlevel = debug\n");
    fixture_write("main.ini.d/a.ini", "[log]\nlevel = warn\n[plugin p]\nmount = /a\n");
    c = load("[server]\nbacklog = 10\ninclude = conf.d/*.ini\ninclude = none*.ini\n"
             "umask = 022\n");
    assert_int_equal(c->server.threads, 20);
    assert_int_equal(c->server.backlog, 20);
    assert_int_equal(c->limits.header_fields, 7);
    assert_int_equal(c->server.umask, 022); /* the section goes on behind an include */
    assert_int_equal(c->log.level, LOG_LEVEL_DEBUG);
    assert_string_equal(c->plugins.item[0].mount, "/a");
    conf_destroy(&c);

    c = load("include = ${NONE:-@}/conf.d\n");
    assert_int_equal(c->server.threads, 20);
    conf_destroy(&c);
    fixture_close();
}

/* A list goes on in the next file. */
static void test_lists_over_files(void **state)
{
    struct conf *c;

    (void)state;
    fixture_open();
    fixture_mkdir("main.ini.d");
    fixture_write("a.ini", "[server]\nlisten = *:2\n");
    fixture_write("main.ini.d/a.ini", "[server]\nlisten = *:4\n");
    c = load("[server]\nlisten = *:1\ninclude = a.ini\nlisten = *:3\n");
    assert_string_equal(joined(&c->server.listen), "*:1 *:2 *:3 *:4");
    conf_destroy(&c);
    fixture_write("main.ini.d/a.ini", "[server]\nlisten =\nlisten = *:4\n");
    c = load("[server]\nlisten = *:1\n");
    assert_string_equal(joined(&c->server.listen), "*:4");
    conf_destroy(&c);
    fixture_close();
}

/* ---- precedence ---- */

static char *text(const char *literal)
{
    return (char *)(uintptr_t)literal;
}

/* Each source in turn, weakest first, added to those before it. */
static void test_precedence(void **state)
{
    char *port[] = {text("PORT=2"), text("WEB_CONCURRENCY=2"), NULL};
    char *all[] = {text("PORT=2"), text("WEB_CONCURRENCY=2"),
                   text("REMUDA__SERVER__LISTEN=*:3, *:33"),
                   text("REMUDA__SERVER__WORKERS=3"), NULL};
    char *define[] = {text("server.listen=*:4"), text("server.listen=*:44"),
                      text("server.workers=5"), text("server.workers=4")};
    char *bind[] = {text("*:5"), text("*:55")};
    const struct {
        struct conf_source src;
        const char *listen;
        unsigned workers;
    } rows[] = {
        {{.file = NULL}, "*:1", 1},
        {{.environment = port}, "*:2", 2},
        {{.environment = all}, "*:3 *:33", 3},
        {{.environment = all, .define = define, .define_count = 4}, "*:4 *:44", 4},
        {{.environment = all,
          .define = define,
          .define_count = 4,
          .bind = bind,
          .bind_count = 2},
         "*:5 *:55",
         4},
    };

    (void)state;
    fixture_open();
    fixture_main("[server]\nlisten = *:1\nworkers = 1\n");
    for (size_t i = 0; i < COUNT_OF(rows); i++) {
        struct conf_source src = rows[i].src;
        struct conf *c = fixture_load(&src);

        assert_string_equal(joined(&c->server.listen), rows[i].listen);
        assert_int_equal(c->server.workers, rows[i].workers);
        conf_destroy(&c);
    }
    fixture_close();
}

static void test_empty_conventions_are_unset(void **state)
{
    char *environment[] = {text("PORT="), text("WEB_CONCURRENCY="), text("OTHER=x"),
                           NULL};
    struct conf_source src = {.environment = environment};
    struct conf *c;

    (void)state;
    fixture_open();
    fixture_main("[server]\nlisten = *:1\nworkers = 1\n");
    c = fixture_load(&src);
    assert_string_equal(joined(&c->server.listen), "*:1");
    assert_int_equal(c->server.workers, 1);
    conf_destroy(&c);
    fixture_close();
}

/* ---- the environment of the workers ---- */

static void test_env(void **state)
{
    struct conf *c;

    (void)state;
    fixture_open();
    fixture_write("env", "# comment\n\nA=1\nB=${NAME} ; \"x\"\r\nC=3\nA=4\nD=\n");
    c = load("[server]\nenv_file = @/env\n[env]\nC = ours\nE_1 = x y\n");
    assert_int_equal(c->env.count, 5);
    assert_string_equal(find_pair(&c->env, "A")->value, "4");
    assert_string_equal(find_pair(&c->env, "B")->value, "${NAME} ; \"x\"");
    assert_string_equal(find_pair(&c->env, "C")->value, "ours");
    assert_string_equal(find_pair(&c->env, "D")->value, "");
    assert_int_equal(setenv("C", "before", 1), 0);
    assert_int_equal(conf_env_apply(c), 0);
    assert_string_equal(getenv("C"), "ours");
    assert_string_equal(getenv("E_1"), "x y");
    conf_destroy(&c);
    fixture_close();
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_values),
        cmocka_unit_test(test_values_of_arguments),
        cmocka_unit_test(test_forms),
        cmocka_unit_test(test_longest),
        cmocka_unit_test(test_every_type),
        cmocka_unit_test(test_sync_is_one_thread),
        cmocka_unit_test(test_worker_slots),
        cmocka_unit_test(test_lists),
        cmocka_unit_test(test_empty_is_the_default),
        cmocka_unit_test(test_includes),
        cmocka_unit_test(test_lists_over_files),
        cmocka_unit_test(test_precedence),
        cmocka_unit_test(test_empty_conventions_are_unset),
        cmocka_unit_test(test_env),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
