/* SPDX-License-Identifier: MIT */
/*
 * test_worker_plugin_options - what a plugin declares against what its section says.
 */
#include "worker/plugin_options.h"

#include "common/check.h"
#include "conf/conf.h"
#include "worker/plugin.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>

static const remuda_option declared[] = {
    {.name = "token", .type = REMUDA_STRING},
    {.name = "count", .type = REMUDA_INT, .fallback = "3"},
    {.name = "loud", .type = REMUDA_BOOL, .fallback = "no"},
    {.name = "room", .type = REMUDA_SIZE, .fallback = "4k"},
    {.name = "patience", .type = REMUDA_DURATION, .fallback = "2s"},
    {.name = NULL},
};

static char lines[2048];

static void complain(const char *line)
{
    size_t n = strlen(lines);
    snprintf(lines + n, sizeof lines - n, "%s\n", line);
}

struct section {
    struct conf_pair pair[4];
    struct conf_plugin conf;
    remuda_plugin declaration;
    struct plugin plugin;
};

/* "key=value key=value" */
static int load(struct section *s, const struct conf_pair *pairs,
                const remuda_option *options)
{
    size_t n = 0;
    memset(s, 0, sizeof *s);
    lines[0] = '\0';
    for (; pairs[n].key != NULL; n++) {
        s->pair[n] = pairs[n];
        s->pair[n].origin = (struct conf_origin){CONF_FROM_FILE, "x.ini", (int)n + 10};
    }
    s->conf = (struct conf_plugin){
        .name = "p", .options = {s->pair, n}, .origin = {CONF_FROM_FILE, "x.ini", 9}};
    s->declaration.options = options;
    s->declaration.option_size = sizeof(remuda_option);
    s->plugin =
        (struct plugin){.name = "p", .conf = &s->conf, .declared = &s->declaration};
    return plugin_options_load(&s->plugin, complain);
}

static void test_values(void **state)
{
    (void)state;
    static const struct {
        const char *key, *value;
        int64_t number;
    } table[] = {
        {"count", "-12", -12},        {"count", "9223372036854775807", INT64_MAX},
        {"loud", "yes", 1},           {"loud", "no", 0},
        {"room", "16m", 16 << 20},    {"room", "0", 0},
        {"patience", "1500ms", 1500}, {"patience", "2m", 120000},
        {"token", "42", 0},
    };
    for (size_t i = 0; i < COUNT_OF(table); i++) {
        bool is_token = strcmp(table[i].key, "token") == 0;
        const struct conf_pair pairs[] = {
            {.key = table[i].key, .value = table[i].value},
            {.key = is_token ? NULL : "token", .value = "t"},
            {.key = NULL}};
        struct section s;
        assert_int_equal(load(&s, pairs, declared), 0);
        const struct plugin_option *o = plugin_option_find(&s.plugin, table[i].key);
        assert_non_null(o);
        assert_string_equal(o->text, table[i].value);
        assert_int_equal(o->number, table[i].number);
        free(s.plugin.options);
    }
}

static void test_fallbacks(void **state)
{
    (void)state;
    const struct conf_pair pairs[] = {{.key = "token", .value = ""}, {.key = NULL}};
    struct section s;
    assert_int_equal(load(&s, pairs, declared), 0);
    assert_int_equal(plugin_option_find(&s.plugin, "count")->number, 3);
    assert_int_equal(plugin_option_find(&s.plugin, "room")->number, 4096);
    assert_int_equal(plugin_option_find(&s.plugin, "patience")->number, 2000);
    assert_string_equal(plugin_option_find(&s.plugin, "token")->text, "");
    assert_null(plugin_option_find(&s.plugin, "mount"));
    free(s.plugin.options);
}

static void test_mistakes(void **state)
{
    (void)state;
    static const remuda_option hosts[] = {
        {.name = "mount", .type = REMUDA_STRING, .fallback = ""}, {.name = NULL}};
    static const struct {
        struct conf_pair pair[3];
        const remuda_option *options;
        int mistakes;
        const char *want;
    } table[] = {
        {{{.key = NULL}}, declared, 1, "x.ini:9: plugin p: token: is missing"},
        {{{.key = "token", .value = "t"}, {.key = "count", .value = "many"}},
         declared,
         1,
         "x.ini:11: plugin p: count: \"many\""},
        {{{.key = "token", .value = "t"}, {.key = "tokne", .value = "t"}},
         declared,
         1,
         "x.ini:11: plugin p: tokne: the plugin declares no such option"},
        {{{.key = "loud", .value = "maybe"}, {.key = "x", .value = ""}},
         declared,
         3,
         "no such option"},
        {{{.key = "x", .value = ""}}, NULL, 1, "no such option"},
        {{{.key = NULL}}, hosts, 1, "a key that is remuda's own"},
        {{{.key = NULL}}, NULL, 0, ""},
    };
    for (size_t i = 0; i < COUNT_OF(table); i++) {
        struct section s;
        assert_int_equal(load(&s, table[i].pair, table[i].options), table[i].mistakes);
        if (strstr(lines, table[i].want) == NULL)
            fail_msg("%zu: no \"%s\" in: %s", i, table[i].want, lines);
        assert_true(table[i].mistakes == 0 || s.plugin.option_count == 0 ||
                    strstr(lines, "no such option") != NULL);
        free(s.plugin.options);
    }
}

/* The value came from ${file:}: it may not be shown. */
static void test_a_secret_stays_one(void **state)
{
    (void)state;
    const struct conf_pair pairs[] = {
        {.key = "token", .value = "t"},
        {.key = "count", .value = "hunter2", .secret = "${file:/run/count}"},
        {.key = NULL}};
    struct section s;
    assert_int_equal(load(&s, pairs, declared), 1);
    assert_null(strstr(lines, "hunter2"));
    assert_non_null(strstr(lines, "${file:/run/count}"));
    free(s.plugin.options);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_values),
        cmocka_unit_test(test_fallbacks),
        cmocka_unit_test(test_mistakes),
        cmocka_unit_test(test_a_secret_stays_one),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
