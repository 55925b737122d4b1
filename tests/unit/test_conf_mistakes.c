/* SPDX-License-Identifier: MIT */
/*
 * test_conf_mistakes - every sentence of mistakes.def, each produced by a wrong config.
 *
 * A row says what is wrong and the whole line that must come of it, alone. The test fails
 * when a sentence or a reason of the table has no row. The rows are in conf_mistakes.def.
 *
 * A few causes cannot be made by a file alone, so the linker wraps the calls that make
 * them: geteuid (who reads), arena_alloc (no memory), ini_parse_stream (inih refuses).
 */
#include "tests/unit/conf_fixture.h"

#include "common/arena.h"
#include "common/check.h"
#include "conf/mistakes.h"

#include <errno.h>
#include <ini.h>

uid_t __real_geteuid(void);
uid_t __wrap_geteuid(void);
void *__real_arena_alloc(struct arena *a, size_t n);
void *__wrap_arena_alloc(struct arena *a, size_t n);
int __real_ini_parse_stream(ini_reader reader, void *stream, ini_handler handler,
                            void *user);
int __wrap_ini_parse_stream(ini_reader reader, void *stream, ini_handler handler,
                            void *user);

enum { NOBODY = 12345 };

static struct {
    bool root, nobody, no_memory, refuse;
} pretend;

uid_t __wrap_geteuid(void)
{
    if (pretend.root)
        return 0;
    return pretend.nobody ? NOBODY : __real_geteuid();
}

void *__wrap_arena_alloc(struct arena *a, size_t n)
{
    return pretend.no_memory ? NULL : __real_arena_alloc(a, n);
}

int __wrap_ini_parse_stream(ini_reader reader, void *stream, ini_handler handler,
                            void *user)
{
    int status = __real_ini_parse_stream(reader, stream, handler, user);

    return pretend.refuse ? 7 : status;
}

/* ---- what a row needs besides its files ---- */

static void path_of(const char *name, char out[static 256])
{
    (void)snprintf(out, 256, "%s/%s", fixture_directory, name);
}

static void repeat(char *out, char c, size_t n)
{
    memset(out, c, n);
    out[n] = '\0';
}

static void make_unreadable(void)
{
    char path[256];

    path_of("main.ini", path);
    assert_int_equal(chmod(path, 0), 0);
    if (__real_geteuid() == 0)
        assert_int_equal(seteuid(65534), 0);
}

static void make_loop(void)
{
    char path[256];

    path_of("loop.ini", path);
    assert_int_equal(symlink("loop.ini", path), 0);
}

static void make_large(void)
{
    static char bytes[64 * 1024 + 1];

    repeat(bytes, ';', sizeof(bytes) - 1);
    fixture_write_bytes("large.ini", bytes, sizeof(bytes));
}

static void make_writable(void)
{
    char path[256];

    path_of("main.ini", path);
    assert_int_equal(chmod(path, 0666), 0);
    pretend.root = true;
}

static void make_group_writable(void)
{
    char path[256];

    path_of("main.ini", path);
    assert_int_equal(chmod(path, 0664), 0);
    if (__real_geteuid() == 0)
        assert_int_equal(chown(path, (uid_t)-1, 1), 0);
    pretend.root = true;
}

static void make_chain(void)
{
    char name[32];
    char text[64];

    for (int i = 1; i <= 20; i++) {
        (void)snprintf(name, sizeof(name), "c%d.ini", i);
        (void)snprintf(text, sizeof(text), "include = c%d.ini\n", i + 1);
        fixture_write(name, text);
    }
}

static void make_many(void)
{
    char name[32];

    fixture_mkdir("many");
    for (int i = 0; i < 300; i++) {
        (void)snprintf(name, sizeof(name), "many/%d.ini", i);
        fixture_write(name, "");
    }
}

static void make_secret(void)
{
    fixture_write("secret", "hunter2\n");
    fixture_write_bytes("binary", "a\0b", 3);
}

static void make_env(void)
{
    fixture_write("env", "GOOD=1\nhunter2\n");
}

static void make_long_secret(void)
{
    static char bytes[40 * 1024];

    repeat(bytes, 'x', sizeof(bytes) - 1);
    fixture_write("long", bytes);
}

static void make_sockets(void)
{
    char text[4096] = "[server]\n";
    size_t n = strlen(text);

    for (int i = 1; i <= 65; i++)
        n += (size_t)snprintf(text + n, sizeof(text) - n, "listen = 127.0.0.1:%d\n", i);
    fixture_main(text);
}

static void make_plugins(void)
{
    char text[4096] = "";
    size_t n = 0;

    for (int i = 1; i <= 64; i++)
        n += (size_t)snprintf(text + n, sizeof(text) - n, "[plugin p%d]\npath = @/p.so\n",
                              i);
    fixture_main(text);
}

static void be_nobody(void)
{
    pretend.nobody = true;
}

static void lose_memory(void)
{
    pretend.no_memory = true;
}

static void refuse_all(void)
{
    pretend.refuse = true;
}

static void make_twins(void)
{
    fixture_mkdir("d");
    fixture_write("d/p.so", "");
}

static void write_empty(void)
{
    fixture_write("main.ini", "");
}

/* ---- the rows ---- */

struct row {
    enum mistake mistake;
    const char *text;     /* main.ini, a [plugin p] behind it; NULL: prepare writes it */
    const char *want;     /* the one line */
    const char *file;     /* to load; NULL: main.ini */
    const char *argument; /* -D, NAME=value or PLUGIN, as its form says */
    void (*prepare)(void);
};

static const struct row rows[] = {
#define ROW(id, ini, line, ...)                                                          \
    {.mistake = MISTAKE_##id, .text = ini, .want = line, __VA_ARGS__},
#include "tests/unit/conf_mistakes.def"
};

/* ---- a row is run ---- */

/* One argument in the form of the command line: -Dsection.key=value, NAME=value, PLUGIN.
 */
static void add_argument(struct conf_source *src, char *argument, char *plugins[2])
{
    static char *one[2];

    one[0] = argument;
    one[1] = NULL;
    if (strncmp(argument, "-D", 2) == 0) {
        one[0] += 2;
        src->define = one;
        src->define_count = 1;
    } else if (strchr(argument, '=') != NULL) {
        src->environment = one;
    } else {
        plugins[0] = argument;
        src->plugin = plugins;
        src->plugin_count = 2;
    }
}

static void prepare(const struct row *row)
{
    memset(&pretend, 0, sizeof(pretend));
    if (row->text != NULL)
        fixture_main(row->text);
    if (row->prepare != NULL)
        row->prepare();
}

static void finish(void)
{
    memset(&pretend, 0, sizeof(pretend));
    if (__real_geteuid() != getuid())
        assert_int_equal(seteuid(getuid()), 0);
    fixture_close();
}

static void run_row(const struct row *row, struct conf_errors *errors)
{
    struct conf_source src = {.file = NULL};
    struct conf *conf;
    char *file = fixture_text(row->file != NULL ? row->file : "@/main.ini");
    char *argument = row->argument != NULL ? fixture_text(row->argument) : NULL;
    char *second = fixture_text("@/d/p.so");
    char *plugins[2] = {NULL, second};

    src.file = file;
    if (argument != NULL)
        add_argument(&src, argument, plugins);
    prepare(row);
    (void)conf_load(&src, &conf, errors);
    assert_null(conf);
    free(file);
    free(argument);
    free(second);
}

/* Does the line end with the sentence, whatever stands for its %s? */
static bool is_made_by(const char *sentence, const char *line)
{
    const char *hole = strstr(sentence, "%s");
    size_t n = hole != NULL ? (size_t)(hole - sentence) : strlen(sentence);

    if (strncmp(line, sentence, n) != 0)
        return false;
    if (hole == NULL)
        return line[n] == '\0';
    for (const char *p = line + n;; p++) {
        if (is_made_by(hole + 2, p))
            return true;
        if (*p == '\0')
            return false;
    }
}

static bool ends_with(const char *line, const char *sentence)
{
    for (; *line != '\0'; line++) {
        if (is_made_by(sentence, line))
            return true;
    }
    return false;
}

static bool row_holds(const struct row *row)
{
    struct conf_errors errors;
    char *want;
    bool good;

    fixture_open();
    want = fixture_text(row->want);
    run_row(row, &errors);
    finish();
    good = errors.count == 1 && strcmp(errors.line[0], want) == 0 &&
           ends_with(want, mistake_text(row->mistake)) &&
           errors.status == mistake_status(row->mistake);
    for (size_t i = 0; !good && i < errors.count; i++)
        print_error("want: %s\ngot:  %s\n", want, errors.line[i]);
    free(want);
    conf_errors_fini(&errors);
    return good;
}

static void test_every_row(void **state)
{
    size_t wrong = 0;

    (void)state;
    for (size_t i = 0; i < COUNT_OF(rows); i++)
        wrong += !row_holds(&rows[i]);
    assert_int_equal(wrong, 0);
}

static void test_no_sentence_is_missing(void **state)
{
    (void)state;
    for (enum mistake m = MISTAKE_NONE + 1; m < MISTAKE_COUNT; m++) {
        bool found = false;

        for (size_t i = 0; i < COUNT_OF(rows); i++)
            found = found || rows[i].mistake == m;
        if (!found)
            fail_msg("no row produces: %s", mistake_text(m));
    }
    for (enum reason r = 0; r < REASON_COUNT; r++) {
        bool found = false;

        for (size_t i = 0; i < COUNT_OF(rows); i++)
            found = found || strstr(rows[i].want, mistake_reason(r)) != NULL;
        if (!found)
            fail_msg("no row produces: %s", mistake_reason(r));
    }
}

static void test_five_mistakes_are_five_lines(void **state)
{
    static const char *const want[] = {
        "@/main.ini:3: server.wrokers: unknown key, did you mean workers?",
        "@/main.ini:4: server.threads: 'many' is not a number, allowed: 1 to 1024",
        "@/main.ini:5: unknown section [limit], did you mean [limits]?",
        "@/main.ini:8: log.level: 'loud' is not one of the words, allowed: error, warn, "
        "info "
        "or debug",
        "@/main.ini:2: server.listen: 'here': the port is missing: ADDRESS:PORT, "
        "[IPV6]:PORT or unix:/PATH, allowed: HOST:PORT, *:PORT, [V6]:PORT, unix:/PATH, "
        "fd:NAME",
    };
    struct row row = {.text = "[server]\nlisten = here\nwrokers = 2\nthreads = many\n"
                              "[limit]\nbody = 1M\n[log]\nlevel = loud\n"};
    struct conf_errors errors;

    (void)state;
    fixture_open();
    run_row(&row, &errors);
    assert_int_equal(errors.count, COUNT_OF(want));
    for (size_t i = 0; i < errors.count; i++) {
        char *line = fixture_text(want[i]);

        assert_string_equal(errors.line[i], line);
        free(line);
    }
    assert_int_equal(errors.status, 78);
    conf_errors_fini(&errors);
    finish();
}

/* The group of root is nobody else: a checkout with umask 002 is no danger. */
static void test_group_of_root_may_write(void **state)
{
    struct conf_source src = {.file = NULL};
    struct conf *conf;
    char path[256];

    (void)state;
    if (__real_geteuid() != 0)
        skip(); /* only root has files of its group */
    fixture_open();
    fixture_main("");
    path_of("main.ini", path);
    assert_int_equal(chmod(path, 0664), 0);
    assert_int_equal(chown(path, 0, 0), 0);
    conf = fixture_load(&src);
    conf_destroy(&conf);
    finish();
}

/* A missing or unreadable include among other mistakes is still a wrong config. */
static void test_status_of_several(void **state)
{
    static const struct {
        enum mistake first, second;
        int want;
    } pairs[] = {
        {MISTAKE_FILE_MISSING, MISTAKE_VALUE, 78},
        {MISTAKE_VALUE, MISTAKE_FILE_DENIED, 78},
        {MISTAKE_FILE_DENIED, MISTAKE_FILE_DENIED, 77},
        {MISTAKE_VALUE, MISTAKE_NO_MEMORY, 71},
        {MISTAKE_NO_MEMORY, MISTAKE_VALUE, 71},
    };
    struct place nowhere = {NULL, NULL, NULL};

    (void)state;
    for (size_t i = 0; i < COUNT_OF(pairs); i++) {
        struct conf_errors errors = {0};

        mistake_add(&errors, &nowhere, pairs[i].first, "a", "b");
        mistake_add(&errors, &nowhere, pairs[i].second, "a", "b");
        assert_int_equal(errors.status, pairs[i].want);
        conf_errors_fini(&errors);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_every_row),
        cmocka_unit_test(test_no_sentence_is_missing),
        cmocka_unit_test(test_five_mistakes_are_five_lines),
        cmocka_unit_test(test_group_of_root_may_write),
        cmocka_unit_test(test_status_of_several),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
