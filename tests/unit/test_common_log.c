/* SPDX-License-Identifier: MIT */
/*
 * test_common_log - the exact bytes of a line, to a pipe and to the journal.
 */
#include "common/log.h"

#include "common/check.h"
#include "common/fd.h"

#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cmocka.h>

enum { STAMP = 24 }; /* 2026-11-20T09:38:23.042Z */

static int pipes[2];

static int setup(void **state)
{
    (void)state;
    if (pipe2(pipes, O_CLOEXEC | O_NONBLOCK) != 0)
        return -1;
    log_set_fd(pipes[1]);
    log_set_level(LOG_LEVEL_INFO);
    log_set_role("worker 3");
    return 0;
}

static int teardown(void **state)
{
    (void)state;
    log_set_fd(2);
    fd_close(&pipes[0]);
    fd_close(&pipes[1]);
    return 0;
}

static const char *read_line(void)
{
    static char text[4096];
    ssize_t n = read(pipes[0], text, sizeof(text) - 1);

    text[n > 0 ? n : 0] = '\0';
    return text;
}

static const struct {
    const char *message, *want;
} table[] = {
    {"", ""},
    {"listening on 127.0.0.1:8000", "listening on 127.0.0.1:8000"},
    {"a\nb", "a\\x0ab"},
    {"\033[31mred\r\t\177", "\\x1b[31mred\\x0d\\x09\\x7f"},
    {"50% \\x \"quoted\"", "50% \\x \"quoted\""},
    {"caf\303\251", "caf\303\251"},
    {"\302\2332J \302\240 \303\233", "\302\\x9b2J \302\240 \303\233"},
};

static void test_lines(void **state)
{
    (void)state;
    for (size_t i = 0; i < COUNT_OF(table); i++) {
        char want[256];

        snprintf(want, sizeof(want), " warn worker 3: %s\n", table[i].want);
        log_warn("%s", table[i].message);
        const char *line = read_line();
        assert_true(strlen(line) > STAMP);
        assert_string_equal(line + STAMP, want);
    }
}

static void test_stamp(void **state)
{
    (void)state;
    log_info("x");
    const char *line = read_line();
    static const char shape[] = "dddd-dd-ddTdd:dd:dd.dddZ";
    for (size_t i = 0; i < STAMP; i++) {
        if (shape[i] == 'd')
            assert_in_range(line[i], '0', '9');
        else
            assert_int_equal(line[i], shape[i]);
    }
    assert_string_equal(line + STAMP, " info worker 3: x\n");
}

static void test_levels(void **state)
{
    (void)state;
    log_debug("dropped");
    assert_string_equal(read_line(), "");
    log_set_level(LOG_LEVEL_DEBUG);
    log_debug("kept");
    assert_string_equal(read_line() + STAMP, " debug worker 3: kept\n");
    log_set_level(LOG_LEVEL_ERROR);
    log_warn("dropped");
    assert_string_equal(read_line(), "");
    log_error("kept");
    assert_string_equal(read_line() + STAMP, " error worker 3: kept\n");
    assert_true(log_is_on(LOG_LEVEL_ERROR) && !log_is_on(LOG_LEVEL_WARN));
}

static void test_errno_and_percent_m(void **state)
{
    (void)state;
    errno = ENOENT;
    log_error("open: %m");
    assert_int_equal(errno, ENOENT);
    assert_string_equal(read_line() + STAMP,
                        " error worker 3: open: No such file or directory\n");
    log_set_fd(-1);
    log_error("nowhere");
    log_set_fd(1000000); /* not open: write fails */
    log_error("nowhere");
    fd_close(&pipes[0]);
    assert_int_equal(errno, ENOENT);
}

/* Many texts, and no more room than for one: the same line as of one text. */
static void test_texts(void **state)
{
    static const char *const texts[] = {"#1 ", "a\nb", "", "(+0x1f)"};
    char big[3000], want[4096];
    const char *const two[] = {big, "more"};

    (void)state;
    errno = ENOENT;
    log_texts(LOG_LEVEL_WARN, texts, COUNT_OF(texts));
    assert_int_equal(errno, ENOENT);
    assert_string_equal(read_line() + STAMP, " warn worker 3: #1 a\\x0ab(+0x1f)\n");
    log_texts(LOG_LEVEL_DEBUG, texts, COUNT_OF(texts));
    assert_string_equal(read_line(), "");
    memset(big, 'x', sizeof(big) - 1);
    big[sizeof(big) - 1] = '\0';
    log_warn("%s", big);
    snprintf(want, sizeof(want), "%s", read_line());
    log_texts(LOG_LEVEL_WARN, two, COUNT_OF(two));
    assert_string_equal(read_line() + STAMP, want + STAMP);
}

static void test_long(void **state)
{
    char big[8000];

    (void)state;
    memset(big, 'a', sizeof(big) - 1);
    big[sizeof(big) - 1] = '\0';
    log_info("%s", big);
    const char *line = read_line();
    size_t n = strlen(line);
    assert_in_range(n, 2000, 2048);
    assert_string_equal(line + n - 5, "a...\n");
    memset(big, '\1', sizeof(big) - 1); /* four bytes for each */
    log_info("%s", big);
    n = strlen(line = read_line());
    assert_in_range(n, 2000, 2048);
    assert_string_equal(line + n - 8, "\\x01...\n");
    log_set_role("a role that is longer than thirty-one bytes");
    log_info("x");
    assert_string_equal(read_line() + STAMP,
                        " info a role that is longer than thir: x\n");
}

/* fd 2 stands in for the journal's socket: systemd names it by device and inode. */
static void test_journal(void **state)
{
    char stream[64];
    struct stat st;
    int saved = dup(2);

    (void)state;
    dup2(pipes[1], 2);
    assert_int_equal(fstat(2, &st), 0);
    snprintf(stream, sizeof(stream), "%ju:%ju", (uintmax_t)st.st_dev,
             (uintmax_t)st.st_ino);
    setenv("JOURNAL_STREAM", stream, 1);
    log_init();
    log_set_fd(2);
    log_warn("to the journal\n");
    char *line = strdup(read_line());
    log_set_fd(pipes[1]);
    log_warn("to a file");
    char *other = strdup(read_line());
    setenv("JOURNAL_STREAM", "1:2", 1);
    log_init();
    log_set_fd(2);
    log_warn("redirected");
    dup2(saved, 2);
    fd_close(&saved);
    unsetenv("JOURNAL_STREAM");
    log_init();

    assert_string_equal(line, "<4>worker 3: to the journal\\x0a\n");
    assert_string_equal(other + STAMP, " warn worker 3: to a file\n");
    assert_string_equal(read_line() + STAMP, " warn worker 3: redirected\n");
    free(line);
    free(other);
}

static void *speak(void *arg)
{
    for (int i = 0; i < 200; i++)
        log_info("%s", (const char *)arg);
    return NULL;
}

static void fill(void)
{
    alarm(20); /* if it waits, it waits for ever */
    for (int i = 0; i < 20000; i++)
        log_info("a line that is as good as any");
    alarm(0);
}

/* What a reader is too slow for is lost; the first line behind the gap says how much. */
static void test_slow_reader(void **state)
{
    char text[64];

    (void)state;
    fill();
    while (read(pipes[0], text, sizeof(text)) > 0)
        continue;
    log_info("here again");
    const char *line = strchr(read_line(), ' ');
    assert_non_null(line);
    assert_memory_equal(line, " warn worker 3: lines lost: ", 28);
    assert_non_null(strstr(line, " info worker 3: here again\n"));
    log_info("once is enough");
    assert_null(strstr(read_line(), "lost"));
}

/* As stderr of a service: others have it too, so it is not non-blocking. */
static void test_slow_socket(void **state)
{
    int pair[2];
    char text[4096];

    (void)state;
    assert_int_equal(socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, pair), 0);
    log_set_fd(pair[0]);
    fill();
    while (recv(pair[1], text, sizeof(text), MSG_DONTWAIT) > 0)
        continue;
    log_info("here again");
    ssize_t n = recv(pair[1], text, sizeof(text) - 1, MSG_DONTWAIT);
    assert_true(n > 0);
    text[n] = '\0';
    assert_non_null(strstr(text, " warn worker 3: lines lost: "));
    fd_close(&pair[0]);
    fd_close(&pair[1]);
}

/* Lines of threads do not mix: one write each. */
static void test_threads(void **state)
{
    pthread_t threads[2];
    char text[64 * 1024];
    int count = 0;

    (void)state;
    pthread_create(&threads[0], NULL, speak,
                   (void *)(uintptr_t) "aaaaaaaaaaaaaaaaaaaaaaaa");
    pthread_create(&threads[1], NULL, speak,
                   (void *)(uintptr_t) "bbbbbbbbbbbbbbbbbbbbbbbb");
    pthread_join(threads[0], NULL);
    pthread_join(threads[1], NULL);
    ssize_t n = read(pipes[0], text, sizeof(text) - 1);
    assert_true(n > 0);
    text[n] = '\0';
    for (char *line = text, *end; (end = strchr(line, '\n')) != NULL; line = end + 1) {
        *end = '\0';
        assert_true(
            strcmp(line + STAMP, " info worker 3: aaaaaaaaaaaaaaaaaaaaaaaa") == 0 ||
            strcmp(line + STAMP, " info worker 3: bbbbbbbbbbbbbbbbbbbbbbbb") == 0);
        count++;
    }
    assert_int_equal(count, 400);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(test_lines, setup, teardown),
        cmocka_unit_test_setup_teardown(test_stamp, setup, teardown),
        cmocka_unit_test_setup_teardown(test_levels, setup, teardown),
        cmocka_unit_test_setup_teardown(test_errno_and_percent_m, setup, teardown),
        cmocka_unit_test_setup_teardown(test_texts, setup, teardown),
        cmocka_unit_test_setup_teardown(test_long, setup, teardown),
        cmocka_unit_test_setup_teardown(test_journal, setup, teardown),
        cmocka_unit_test_setup_teardown(test_slow_reader, setup, teardown),
        cmocka_unit_test_setup_teardown(test_slow_socket, setup, teardown),
        cmocka_unit_test_setup_teardown(test_threads, setup, teardown),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
