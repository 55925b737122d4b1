/* SPDX-License-Identifier: MIT */
/*
 * test_common_message - what is sent arrives, and nothing malformed gets through.
 */
#include "common/message.h"

#include "common/check.h"
#include "common/fd.h"

#include <errno.h>
#include <fcntl.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cmocka.h>

static int pair[2];

static int setup(void **state)
{
    (void)state;
    return fd_pair(pair);
}

static int teardown(void **state)
{
    (void)state;
    fd_close(&pair[0]);
    fd_close(&pair[1]);
    return 0;
}

static void test_all_types(void **state)
{
    (void)state;
    for (int type = MESSAGE_READY; type < MESSAGE_TYPES; type++) {
        struct message m;
        int fd;

        assert_int_equal(message_send(pair[0], (enum message_type)type, 7, 4321,
                                      1ull << 40, type % 2 ? "why" : NULL, -1),
                         0);
        assert_int_equal(message_recv(pair[1], &m, &fd), 1);
        assert_int_equal(m.type, type);
        assert_int_equal(m.generation, 7);
        assert_int_equal(m.pid, 4321);
        assert_true(m.arg == 1ull << 40);
        assert_string_equal(m.text, type % 2 ? "why" : "");
        assert_int_equal(fd, -1);
    }
}

static void test_text_is_cut(void **state)
{
    char text[1000];
    struct message m;
    int fd;

    (void)state;
    memset(text, 'x', sizeof(text) - 1);
    text[sizeof(text) - 1] = '\0';
    assert_int_equal(message_send(pair[0], MESSAGE_BYE, 0, 0, 0, text, -1), 0);
    assert_int_equal(message_recv(pair[1], &m, &fd), 1);
    assert_int_equal(strlen(m.text), MESSAGE_TEXT - 1);
}

static void test_ends(void **state)
{
    struct message m;
    int fd;

    (void)state;
    assert_int_equal(message_recv(pair[1], &m, &fd), -1);
    assert_int_equal(errno, EAGAIN);
    assert_int_equal(fd, -1);
    assert_int_equal(message_send(pair[0], MESSAGE_BYE, 0, 0, 0, "last words", -1), 0);
    fd_close(&pair[0]);
    assert_int_equal(message_recv(pair[1], &m, &fd),
                     1); /* what was sent before comes first */
    assert_string_equal(m.text, "last words");
    assert_int_equal(message_recv(pair[1], &m, &fd), 0);
    assert_int_equal(message_send(pair[1], MESSAGE_GO, 0, 0, 0, NULL, -1), -1);
    assert_int_equal(errno, EPIPE);
}

/* A log descriptor reaches a worker, which writes into it. */
static void test_descriptor(void **state)
{
    int pipes[2], status;
    char text[4] = "";

    (void)state;
    assert_int_equal(pipe2(pipes, O_CLOEXEC), 0);
    assert_int_equal(
        message_send(pair[0], MESSAGE_LOGFD, 1, 2, MESSAGE_LOG_ACCESS, NULL, pipes[1]),
        0);
    pid_t pid = fork();
    if (pid == 0) {
        struct message m;
        int fd = -1;

        close(pipes[1]);
        bool ok = message_recv(pair[1], &m, &fd) == 1 && m.type == MESSAGE_LOGFD &&
                  m.arg == MESSAGE_LOG_ACCESS && fd_write_all(fd, "log", 3) == 0;
        _exit(ok ? 0 : 1);
    }
    assert_int_equal(waitpid(pid, &status, 0), pid);
    assert_int_equal(status, 0);
    assert_int_equal(read(pipes[0], text, 3), 3);
    assert_string_equal(text, "log");
    fd_close(&pipes[0]);
    fd_close(&pipes[1]);
}

static const struct {
    const char *name;
    size_t offset; /* of the word to spoil */
    uint32_t word;
    size_t size;
    int want;
} hostile[] = {
    {"good", offsetof(struct message, type), MESSAGE_BYE, sizeof(struct message), 1},
    {"magic", offsetof(struct message, magic), 0, sizeof(struct message), -1},
    {"type 0", offsetof(struct message, type), 0, sizeof(struct message), -1},
    {"type too large", offsetof(struct message, type), MESSAGE_TYPES,
     sizeof(struct message), -1},
    {"type negative", offsetof(struct message, type), UINT32_MAX, sizeof(struct message),
     -1},
    {"a byte short", offsetof(struct message, pid), 0, sizeof(struct message) - 1, -1},
    {"a byte long", offsetof(struct message, pid), 0, sizeof(struct message) + 1, -1},
    {"one byte", offsetof(struct message, pid), 0, 1, -1},
    {"empty reads as EOF", offsetof(struct message, pid), 0, 0, 0},
};

/* Each comes with a descriptor, which must not stay open. */
static void test_hostile(void **state)
{
    (void)state;
    for (size_t i = 0; i < COUNT_OF(hostile); i++) {
        struct {
            struct message m;
            char more[8];
        } sent = {.m = {.magic = MESSAGE_MAGIC, .type = MESSAGE_READY}};
        struct message m;
        int fd, before = fd_count();

        memset(sent.m.text, 'x', sizeof(sent.m.text)); /* no NUL */
        memcpy((char *)&sent + hostile[i].offset, &hostile[i].word, sizeof(uint32_t));
        assert_int_equal(fd_send(pair[0], &sent, hostile[i].size, 0), 0);
        int got = message_recv(pair[1], &m, &fd);
        if (got != hostile[i].want)
            fail_msg("%s: %d", hostile[i].name, got);
        if (got == 1) {
            assert_int_equal(strlen(m.text), MESSAGE_TEXT - 1);
            assert_true(fd >= 0);
            fd_close(&fd);
        }
        if (got == -1)
            assert_int_equal(errno, EPROTO);
        assert_int_equal(fd, -1);
        assert_int_equal(fd_count(), before);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(test_all_types, setup, teardown),
        cmocka_unit_test_setup_teardown(test_text_is_cut, setup, teardown),
        cmocka_unit_test_setup_teardown(test_ends, setup, teardown),
        cmocka_unit_test_setup_teardown(test_descriptor, setup, teardown),
        cmocka_unit_test_setup_teardown(test_hostile, setup, teardown),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
