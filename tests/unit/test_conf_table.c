/* SPDX-License-Identifier: MIT */
/*
 * test_conf_table - everything that the option table feeds agrees with it: defaults,
 * explain, and the shipped remuda.ini.
 */
#include "tests/unit/conf_fixture.h"

#include "common/check.h"
#include "conf/dump.h"
#include "conf/option.h"

enum { ROWS = OPTION_ROWS + PLUGIN_OPTION_ROWS };

static const struct option *row(size_t i)
{
    return i < OPTION_ROWS ? &option_table[i] : &option_plugin_table[i - OPTION_ROWS];
}

static char *shipped_path(void)
{
    const char *source = getenv("REMUDA_SOURCE");
    char *path = malloc(4096);

    assert_non_null(path);
    (void)snprintf(path, 4096, "%s/conf/remuda.ini", source != NULL ? source : ".");
    return path;
}

/* ---- the table itself ---- */

static void test_rows_are_sound(void **state)
{
    (void)state;
    for (size_t i = 0; i < ROWS; i++) {
        const struct option *o = row(i);
        size_t n = strlen(o->help);
        const char *stop = strstr(o->help, ". ");

        if (n < 10 || o->help[n - 1] != '.' || stop != NULL)
            fail_msg("%s.%s: the help is one sentence", o->section, o->key);
        if (o->least > o->most)
            fail_msg("%s.%s: the range is empty", o->section, o->key);
        assert_ptr_equal(option_find(o->section, o->key), o);
    }
    assert_null(option_find("server", "body"));
    assert_null(option_find("none", "listen"));
    assert_true(option_is_section("env"));
    assert_true(option_is_section("limits"));
    assert_false(option_is_section("plugin"));
}

/* Whatever a running master cannot change; all else takes a reload. */
static void test_what_takes_a_restart(void **state)
{
    static const char *const keys[] = {"user",     "group",        "umask",      "chdir",
                                       "pid_file", "worker_slots", "admin_group"};

    (void)state;
    for (size_t i = 0; i < ROWS; i++) {
        bool restart = false;

        for (size_t k = 0; k < COUNT_OF(keys); k++)
            restart = restart || strcmp(row(i)->key, keys[k]) == 0;
        if ((row(i)->effect == CONF_RESTART) != restart)
            fail_msg("%s.%s", row(i)->section, row(i)->key);
    }
}

static void test_what_is_allowed(void **state)
{
    static const struct {
        const char *section, *key, *want;
    } rows[] = {
        {"server", "threads", "1 to 1024"},
        {"server", "workers", "auto, or 1 to 128"},
        {"server", "class", "event, thread or sync"},
        {"server", "umask", "0 to 777"},
        {"server", "request_id", "on or off"},
        {"limits", "request_line", "64 to 1M"},
        {"limits", "head_timeout", "1ms to 24h"},
        {"log", "level", "error, warn, info or debug"},
    };
    char allowed[OPTION_TEXT_MAX];

    (void)state;
    for (size_t i = 0; i < COUNT_OF(rows); i++) {
        option_format_allowed(option_find(rows[i].section, rows[i].key), allowed);
        assert_string_equal(allowed, rows[i].want);
    }
}

/* ---- the defaults ---- */

static void test_defaults(void **state)
{
    struct conf_source src = {.file = NULL};
    struct conf *c;

    (void)state;
    fixture_open();
    fixture_main("");
    c = fixture_load(&src);
    assert_int_equal(c->server.listen.count, 1);
    assert_string_equal(c->server.listen.item[0], "127.0.0.1:8000");
    assert_in_range(c->server.workers, 1, 64);
    assert_int_equal(c->server.klass, CONF_CLASS_THREAD);
    assert_int_equal(c->server.threads, 8);
    assert_string_equal(c->server.user, "");
    assert_true(c->server.uid == (uid_t)-1 && c->server.gid == (gid_t)-1);
    assert_int_equal(c->server.umask, -1);
    assert_int_equal(c->server.backlog, 4096);
    assert_int_equal(c->server.worker_slots, 3 * c->server.workers + 4);
    assert_int_equal(c->server.trusted_proxies.count, 0);
    assert_false(c->server.request_id);
    assert_int_equal(c->limits.request_line_bytes, 8192);
    assert_int_equal(c->limits.header_fields, 100);
    assert_int_equal(c->limits.header_size_bytes, 16384);
    assert_int_equal(c->limits.body_bytes, 1048576);
    assert_int_equal(c->limits.head_timeout_ms, 10000);
    assert_int_equal(c->limits.body_timeout_ms, 30000);
    assert_int_equal(c->limits.body_min_rate_bytes, 240);
    assert_int_equal(c->limits.keepalive_ms, 75000);
    assert_int_equal(c->limits.worker_connections, 1024);
    assert_int_equal(c->worker.graceful_timeout_ms, 25000);
    assert_int_equal(c->worker.max_inflight, 10000);
    assert_int_equal(c->worker.event_heartbeat_ms, 15000);
    assert_int_equal(c->worker.coroutine_stack_bytes, 262144);
    assert_string_equal(c->log.access, "off");
    assert_string_equal(c->log.error, "-");
    assert_int_equal(c->log.level, LOG_LEVEL_INFO);
    assert_int_equal(c->admin.listen.count, 0);
    assert_int_equal(c->plugins.count, 1);
    assert_string_equal(c->plugins.item[0].mount, "/");
    assert_int_equal(c->plugins.item[0].body_bytes, 1048576);
    assert_int_equal(c->plugins.item[0].request_timeout_ms, 30000);
    conf_destroy(&c);
    assert_null(c);
    conf_destroy(&c);
    fixture_close();
}

/* ---- explain ---- */

static char *explain(const char *key, bool *found_out, char **hint_out)
{
    char *text = NULL;
    size_t n = 0;
    size_t hint_n = 0;
    FILE *out = open_memstream(&text, &n);
    FILE *err = open_memstream(hint_out, &hint_n);

    *found_out = conf_explain(out, err, key);
    (void)fclose(out);
    (void)fclose(err);
    return text;
}

static void test_explain_each(void **state)
{
    (void)state;
    for (size_t i = 0; i < ROWS; i++) {
        const struct option *o = row(i);
        char key[64];
        char allowed[OPTION_TEXT_MAX];
        char *hint;
        char *text;
        bool found;

        (void)snprintf(key, sizeof(key), "%s.%s", o->section, o->key);
        option_format_allowed(o, allowed);
        text = explain(key, &found, &hint);
        assert_true(found);
        assert_non_null(strstr(text, o->help));
        assert_non_null(strstr(text, allowed));
        assert_non_null(strstr(text, o->fallback));
        assert_non_null(strstr(text, o->effect == CONF_RESTART ? "restart" : "reload"));
        assert_string_equal(hint, "");
        free(text);
        free(hint);
    }
}

static void test_explain_names(void **state)
{
    static const struct {
        const char *key;
        const char *first, *also; /* both in the answer */
        const char *hint;
    } rows[] = {
        {"server.threads", "[server] threads", "REMUDA__SERVER__THREADS", ""},
        {"plugin.mount", "[plugin NAME] mount", "REMUDA__PLUGIN__NAME__MOUNT", ""},
        {"body", "[limits] body", "[plugin NAME] body", ""},
        {"log", "log.access", "log.level", ""},
        {NULL, "server.listen", "plugin.request_timeout", ""},
        {"server.thread", "", "",
         "no option 'server.thread', did you mean server.threads?\n"},
        {"heartbeat", "", "",
         "no option 'heartbeat', did you mean worker.heartbeat_timeout?\n"},
        {"zzzzzzzz", "", "", "no option 'zzzzzzzz'; without a name, explain lists all\n"},
    };

    (void)state;
    for (size_t i = 0; i < COUNT_OF(rows); i++) {
        bool found;
        char *hint;
        char *text = explain(rows[i].key, &found, &hint);

        assert_non_null(strstr(text, rows[i].first));
        assert_non_null(strstr(text, rows[i].also));
        assert_string_equal(hint, rows[i].hint);
        assert_int_equal(found, rows[i].hint[0] == '\0');
        free(text);
        free(hint);
    }
}

/* ---- the shipped ini ---- */

/* What the ini must say of a row: "key = default" or "key =". */
static void format_assignment(const struct option *o, char out[static 256])
{
    const char *value = o->fallback;

    if (strcmp(o->key, "plugin_path") == 0)
        value = "/usr/lib/remuda"; /* the build may have put another */
    if (o == &option_plugin_table[PLUGIN_OPTION_path])
        value = "hello";
    (void)snprintf(out, 256, "%s =%s%s", o->key, value[0] != '\0' ? " " : "", value);
}

/* The comment lines since the last other line, joined by blanks. */
static void add_comment(char *comment, size_t size, const char *line)
{
    size_t n = strlen(comment);

    (void)snprintf(comment + n, size - n, "%s%s", n > 0 ? " " : "", line + 2);
}

struct shipped {
    size_t next; /* row of the table that must come now */
    char section[64];
    char comment[1024];
};

/* An assignment, commented out where it is the default. */
static void check_assignment(struct shipped *s, const char *line)
{
    const struct option *o = row(s->next);
    char want[256];

    format_assignment(o, want);
    if (strcmp(line, want) != 0)
        fail_msg("'%s', the table says '%s'", line, want);
    if (strcmp(s->comment, o->help) != 0)
        fail_msg("%s: '%s', the table says '%s'", line, s->comment, o->help);
    if (strcmp(s->section, o->section) != 0)
        fail_msg("%s: in [%s], the table says [%s]", line, s->section, o->section);
    s->next++;
}

static void check_line(struct shipped *s, char *line)
{
    line[strcspn(line, "\n")] = '\0';
    if (strncmp(line, "; ", 2) == 0) {
        add_comment(s->comment, sizeof(s->comment), line);
        return;
    }
    if (line[0] == '[')
        (void)sscanf(line, "[%63[a-z]", s->section);
    else if (strcmp(s->section, "env") != 0 && line[0] == ';' && line[1] != '\0')
        check_assignment(s, line + 1);
    else if (line[0] != '\0' && line[0] != ';')
        check_assignment(s, line);
    s->comment[0] = '\0';
}

static void test_shipped_ini_is_the_table(void **state)
{
    struct shipped s = {.section = ""};
    char *path = shipped_path();
    FILE *f = fopen(path, "r");
    char line[512];

    (void)state;
    assert_non_null(f);
    while (fgets(line, sizeof(line), f) != NULL) {
        /* the head of the file is no section's */
        if (s.section[0] != '\0' || line[0] == '[')
            check_line(&s, line);
    }
    (void)fclose(f);
    free(path);
    assert_int_equal(s.next, ROWS);
}

static void test_shipped_ini_loads(void **state)
{
    struct conf_source src = {.define_count = 1};
    char *define;
    char *path = shipped_path();
    struct conf_errors errors;
    struct conf *c;

    (void)state;
    fixture_open();
    fixture_write("hello.so", "");
    define = fixture_text("server.plugin_path=@");
    src.file = path;
    src.define = &define;
    if (conf_load(&src, &c, &errors) != 0)
        conf_errors_print(&errors, stderr);
    assert_non_null(c);
    assert_string_equal(c->server.listen.item[0], "127.0.0.1:8000");
    assert_string_equal(c->plugins.item[0].name, "hello");
    assert_string_equal(strrchr(c->plugins.item[0].path, '/'), "/hello.so");
    conf_errors_fini(&errors);
    conf_destroy(&c);
    free(define);
    free(path);
    fixture_close();
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_rows_are_sound),
        cmocka_unit_test(test_what_takes_a_restart),
        cmocka_unit_test(test_what_is_allowed),
        cmocka_unit_test(test_defaults),
        cmocka_unit_test(test_explain_each),
        cmocka_unit_test(test_explain_names),
        cmocka_unit_test(test_shipped_ini_is_the_table),
        cmocka_unit_test(test_shipped_ini_loads),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
