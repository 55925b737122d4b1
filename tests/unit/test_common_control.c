/* SPDX-License-Identifier: MIT */
/*
 * test_common_control - records of the control socket: whole, half, foreign; and where that
 * socket is.
 */
#include "common/check.h"
#include "common/control.h"
#include "common/control_path.h"
#include "common/fd.h"

#include <errno.h>
#include <fcntl.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>
#include <cmocka.h>

static int set_up(void **state)
{
    static int pair[2];

    assert_int_equal(fd_pair(pair), 0);
    *state = pair;
    return 0;
}

static int tear_down(void **state)
{
    int *pair = *state;

    fd_close(&pair[0]);
    fd_close(&pair[1]);
    return 0;
}

static void a_record_arrives_as_it_was_sent(void **state)
{
    const int *pair = *state;
    struct control_message sent = {.type = CONTROL_ASK,
                                   .verb = CONTROL_WORKER_RECYCLE,
                                   .worker = 3,
                                   .flags = CONTROL_QUICK};
    struct control_message got;
    int passed;

    control_set_text(&sent, "so it is");
    assert_int_equal(control_send(pair[0], &sent, -1), 0);
    assert_int_equal(control_recv(pair[1], &got, &passed), 1);
    assert_int_equal(passed, -1);
    assert_memory_equal(&got, &sent, sizeof(got));
    assert_int_equal(control_recv(pair[1], &got, &passed), -1);
    assert_int_equal(errno, EAGAIN);
}

static void a_descriptor_goes_along(void **state)
{
    const int *pair = *state;
    struct control_message message = {.type = CONTROL_DONE};
    int passed;

    assert_int_equal(control_send(pair[0], &message, pair[0]), 0);
    assert_int_equal(control_recv(pair[1], &message, &passed), 1);
    assert_true(passed >= 0);
    assert_int_equal(fcntl(passed, F_GETFD), FD_CLOEXEC);
    fd_close(&passed);
}

static void text_is_cut_and_ends(void **state)
{
    const int *pair = *state;
    struct control_message message = {.type = CONTROL_NOTE};
    char longer[2 * CONTROL_TEXT];
    int passed;

    memset(longer, 'x', sizeof(longer) - 1);
    longer[sizeof(longer) - 1] = '\0';
    control_set_text(&message, longer);
    assert_int_equal(strlen(message.text), CONTROL_TEXT - 1);
    memset(message.text, 'y', sizeof(message.text)); /* a sender that does not end it */
    assert_int_equal(control_send(pair[0], &message, -1), 0);
    assert_int_equal(control_recv(pair[1], &message, &passed), 1);
    assert_int_equal(strlen(message.text), CONTROL_TEXT - 1);
}

static const struct {
    const char *name;
    size_t bytes; /* that are sent */
    uint32_t magic, type;
} wrong[] = {
    {"half a record", sizeof(struct control_message) / 2, CONTROL_MAGIC, CONTROL_ASK},
    {"one byte", 1, CONTROL_MAGIC, CONTROL_ASK},
    {"one byte more", sizeof(struct control_message) + 1, CONTROL_MAGIC, CONTROL_ASK},
    {"another magic", sizeof(struct control_message), CONTROL_MAGIC + 1, CONTROL_ASK},
    {"type 0", sizeof(struct control_message), CONTROL_MAGIC, 0},
    {"no such type", sizeof(struct control_message), CONTROL_MAGIC, CONTROL_TYPES},
};

static void what_is_malformed_is_refused(void **state)
{
    const int *pair = *state;

    for (size_t i = 0; i < COUNT_OF(wrong); i++) {
        struct {
            struct control_message message;
            char more[8];
        } sent = {.message = {.magic = wrong[i].magic, .type = wrong[i].type}};
        struct control_message got;
        const int open = fd_count();
        int passed;

        assert_int_equal(fd_send(pair[0], &sent, wrong[i].bytes, pair[1]), 0);
        errno = 0;
        if (control_recv(pair[1], &got, &passed) != -1 || errno != EPROTO || passed != -1)
            fail_msg("%s: accepted", wrong[i].name);
        assert_int_equal(fd_count(), open); /* the descriptor that came is closed */
    }
}

static void eof_is_said(void **state)
{
    int *pair = *state;
    struct control_message got;
    int passed;

    fd_close(&pair[0]);
    assert_int_equal(control_recv(pair[1], &got, &passed), 0);
}

static void each_verb_has_a_name(void **state)
{
    (void)state;
    for (uint32_t verb = CONTROL_NOTHING + 1; verb < CONTROL_VERBS; verb++)
        assert_string_not_equal(control_verb_name(verb), "?");
    assert_string_equal(control_verb_name(CONTROL_NOTHING), "?");
    assert_string_equal(control_verb_name(CONTROL_VERBS), "?");
    assert_string_equal(control_verb_name(UINT32_MAX), "?");
}

/* ---- where it is ---- */

static const struct {
    const char *file, *name;
} names[] = {
    {"/etc/remuda/shop.ini", "shop"},
    {"shop.ini", "shop"},
    {"./a.b.ini", "a.b"},
    {"/etc/remuda/shop.conf", "shop.conf"},
    {"shop", "shop"},
    {".ini", ""},
    {"/srv/..", ""},
    {"/srv/.hidden.ini", ""},
    {"", ""},
    {NULL, ""},
    {"x/", ""},
};

static void the_file_gives_the_name(void **state)
{
    char out[CONTROL_NAME], longer[200];

    (void)state;
    for (size_t i = 0; i < COUNT_OF(names); i++) {
        assert_true(control_name(names[i].file, out));
        assert_string_equal(out, names[i].name);
    }
    memset(longer, 'n', sizeof(longer) - 1);
    longer[sizeof(longer) - 1] = '\0';
    assert_false(control_name(longer, out));
    assert_string_equal(out, "");
}

static const struct {
    enum control_home home;
    const char *value, *name, *path; /* value of its variable; path NULL: none */
} paths[] = {
    {CONTROL_HOME_RUNTIME, "/run/remuda/shop", "", "/run/remuda/shop/control.sock"},
    {CONTROL_HOME_RUNTIME, "/run/a:/run/b", "shop", "/run/a/control.sock"},
    {CONTROL_HOME_RUNTIME, "", "shop", NULL},
    {CONTROL_HOME_RUNTIME, "relative", "shop", NULL},
    {CONTROL_HOME_RUNTIME, NULL, "shop", NULL},
    {CONTROL_HOME_RUN, NULL, "shop", "/run/remuda/shop/control.sock"},
    {CONTROL_HOME_RUN, NULL, "", NULL},
    {CONTROL_HOME_XDG, "/run/user/7", "shop", "/run/user/7/remuda/shop/control.sock"},
    {CONTROL_HOME_XDG, "/run/user/7", "", NULL},
    {CONTROL_HOME_XDG, NULL, "shop", NULL},
};

static void set_variable(enum control_home home, const char *value)
{
    const char *name = home == CONTROL_HOME_XDG ? "XDG_RUNTIME_DIR" : "RUNTIME_DIRECTORY";

    unsetenv("XDG_RUNTIME_DIR");
    unsetenv("RUNTIME_DIRECTORY");
    if (value != NULL)
        setenv(name, value, 1);
}

static void each_home_has_its_path(void **state)
{
    char out[CONTROL_PATH];

    (void)state;
    for (size_t i = 0; i < COUNT_OF(paths); i++) {
        set_variable(paths[i].home, paths[i].value);
        assert_int_equal(control_path(paths[i].home, paths[i].name, out),
                         paths[i].path != NULL);
        assert_string_equal(out, paths[i].path == NULL ? "" : paths[i].path);
    }
}

static void a_path_too_long_for_a_socket_is_none(void **state)
{
    char directory[CONTROL_PATH], out[CONTROL_PATH];
    const size_t fits = CONTROL_PATH - sizeof("/control.sock");

    (void)state;
    memset(directory, 'd', sizeof(directory));
    directory[0] = '/';
    directory[fits] = '\0';
    set_variable(CONTROL_HOME_RUNTIME, directory);
    assert_true(control_path(CONTROL_HOME_RUNTIME, "", out));
    assert_int_equal(strlen(out), CONTROL_PATH - 1);
    directory[fits] = 'd';
    directory[fits + 1] = '\0';
    set_variable(CONTROL_HOME_RUNTIME, directory);
    assert_false(control_path(CONTROL_HOME_RUNTIME, "", out));
    assert_string_equal(out, "");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(a_record_arrives_as_it_was_sent, set_up,
                                        tear_down),
        cmocka_unit_test_setup_teardown(a_descriptor_goes_along, set_up, tear_down),
        cmocka_unit_test_setup_teardown(text_is_cut_and_ends, set_up, tear_down),
        cmocka_unit_test_setup_teardown(what_is_malformed_is_refused, set_up, tear_down),
        cmocka_unit_test_setup_teardown(eof_is_said, set_up, tear_down),
        cmocka_unit_test(each_verb_has_a_name),
        cmocka_unit_test(the_file_gives_the_name),
        cmocka_unit_test(each_home_has_its_path),
        cmocka_unit_test(a_path_too_long_for_a_socket_is_none),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
