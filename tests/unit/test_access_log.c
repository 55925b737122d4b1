/* SPDX-License-Identifier: MIT */
/*
 * test_access_log - the exact lines of each format, and what happens when the log is
 * slow.
 */
#include "worker/access_log.h"

#include "common/check.h"
#include "common/fd.h"
#include "common/log.h"
#include "common/access_escape.h"

#include <fcntl.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <time.h>
#include <unistd.h>

#include <cmocka.h>

static struct slice find_header(const void *request, struct slice name)
{
    if (slice_is_nocase(name, SLICE_LIT("X-Test")))
        return slice_of(request);
    return (struct slice){NULL, 0};
}

/* What a browser's GET looks like. */
static struct access_entry usual(void)
{
    return (struct access_entry){
        .method = SLICE_LIT("GET"),
        .target = SLICE_LIT("/hello?name=x"),
        .minor = 1,
        .status = 200,
        .keep_alive = true,
        .body_bytes = 12,
        .peer = SLICE_LIT("127.0.0.1"),
        .referer = SLICE_LIT("http://example.org/"),
        .user_agent = SLICE_LIT("Mozilla/5.0 (X11; Linux x86_64)"),
        .request_id = SLICE_LIT("0123456789abcdef"),
        .route = SLICE_LIT("/hello"),
        .worker = 3,
        .pid = 4711,
        .slot = 7,
        .queue_us = 250,
        .service_us = 1500000,
        .wall_ms = 1795167503042u,
        .header = find_header,
        .request = "tested",
    };
}

/* A connection that closed in the middle of its head: nothing is known. */
static struct access_entry broken(void)
{
    return (struct access_entry){.minor = -1, .slot = -1, .aborted = true};
}

/* Everything a client can choose is hostile. */
static struct access_entry hostile(void)
{
    struct access_entry e = usual();

    e.method = SLICE_LIT("G\"T");
    e.target = SLICE_LIT("/\\\" \x1b[31m\r\n127.0.0.1 - - caf\303\251 \377\177");
    e.user_agent = SLICE_LIT("\t\"}\\");
    e.referer = (struct slice){"a\0b", 3};
    /* a euro, a surrogate, an overlong slash, a horse, and a euro cut in two by the slice
     */
    e.user =
        SLICE_LIT("\342\202\254 \355\240\200 \300\257 \360\237\220\264 \342\202\254");
    e.user.n--;
    e.request = "x\"y";
    return e;
}

static const struct {
    const char *format;
    struct access_entry (*entry)(void);
    const char *want;
} lines[] = {
    {"combined", usual,
     "127.0.0.1 - - [20/Nov/2026:09:38:23 +0000] \"GET /hello?name=x HTTP/1.1\" 200 12 "
     "\"http://example.org/\" \"Mozilla/5.0 (X11; Linux x86_64)\"\n"},
    {"common", usual,
     "127.0.0.1 - - [20/Nov/2026:09:38:23 +0000] \"GET /hello?name=x HTTP/1.1\" 200 "
     "12\n"},
    {"combined", broken, "- - - [01/Jan/1970:00:00:00 +0000] \"-\" 000 - \"-\" \"-\"\n"},
    {"combined", hostile,
     "127.0.0.1 - \\xe2\\x82\\xac \\xed\\xa0\\x80 \\xc0\\xaf \\xf0\\x9f\\x90\\xb4 "
     "\\xe2\\x82 "
     "[20/Nov/2026:09:38:23 +0000] "
     "\"G\\\"T /\\\\\\\" \\x1b[31m\\r\\n127.0.0.1 - - caf\\xc3\\xa9 \\xff\\x7f "
     "HTTP/1.1\" "
     "200 12 \"a\\x00b\" \"\\t\\\"}\\\\\"\n"},
    {"json", usual,
     "{\"time\":\"2026-11-20T09:38:23.042Z\",\"client\":\"127.0.0.1\",\"user\":null,"
     "\"method\":\"GET\",\"target\":\"/hello?name=x\",\"protocol\":\"HTTP/1.1\","
     "\"status\":200,\"bytes\":12,\"referer\":\"http://example.org/\","
     "\"user_agent\":\"Mozilla/5.0 (X11; Linux x86_64)\",\"queue_us\":250,"
     "\"service_us\":1500000,\"worker\":3,\"slot\":7,\"route\":\"/hello\","
     "\"id\":\"0123456789abcdef\",\"note\":null}\n"},
    {"json", broken,
     "{\"time\":\"1970-01-01T00:00:00.000Z\",\"client\":null,\"user\":null,"
     "\"method\":null,\"target\":null,\"protocol\":null,\"status\":0,\"bytes\":0,"
     "\"referer\":null,\"user_agent\":null,\"queue_us\":0,\"service_us\":0,\"worker\":0,"
     "\"slot\":null,\"route\":null,\"id\":null,\"note\":null}\n"},
    {"json", hostile,
     "{\"time\":\"2026-11-20T09:38:23.042Z\",\"client\":\"127.0.0.1\","
     "\"user\":\"\342\202\254 \\ufffd\\ufffd\\ufffd \\ufffd\\ufffd \360\237\220\264 "
     "\\ufffd\\ufffd\",\"method\":\"G\\\"T\","
     "\"target\":\"/\\\\\\\" \\u001b[31m\\r\\n127.0.0.1 - - caf\303\251 \\ufffd\177\","
     "\"protocol\":\"HTTP/1.1\",\"status\":200,\"bytes\":12,\"referer\":\"a\\u0000b\","
     "\"user_agent\":\"\\t\\\"}\\\\\",\"queue_us\":250,\"service_us\":1500000,"
     "\"worker\":3,\"slot\":7,\"route\":\"/hello\",\"id\":\"0123456789abcdef\","
     "\"note\":null}\n"},
    {"%h|%l|%u|%r|%s|%<s|%b|%B|%D|%T|%m|%U|%q|%H|%X|%%", usual,
     "127.0.0.1|-|-|GET /hello?name=x "
     "HTTP/1.1|200|200|12|12|1500250|1|GET|/hello|?name=x|"
     "HTTP/1.1|+|%\n"},
    {"%P", usual, "4711\n"},
    {"%h|%r|%s|%b|%B|%D|%m|%U|%q|%H|%X", broken, "-|-|000|-|0|0|-|-||-|X\n"},
    {"%{queue}x %{service}x %{worker}x %{slot}x %{route}x %{id}x %{note}x", usual,
     "250 1500000 3 7 /hello 0123456789abcdef -\n"},
    {"%{x-test}i %{X-Other}i %{user-agent}i", usual,
     "tested - Mozilla/5.0 (X11; Linux x86_64)\n"},
    {"%{x-test}i %{Referer}i", hostile, "x\\\"y a\\x00b\n"},
    {"%{X-Test}i", broken, "-\n"},
    {"a literal of more than eight bytes: %s, at the end too", usual,
     "a literal of more than eight bytes: 200, at the end too\n"},
};

static void test_lines(void **state)
{
    (void)state;
    for (size_t i = 0; i < COUNT_OF(lines); i++) {
        char error[160];
        struct access_format *f =
            access_format_create(lines[i].format, error, sizeof(error));
        struct access_entry e = lines[i].entry();

        if (f == NULL)
            fail_msg("%s: %s", lines[i].format, error);
        for (int twice = 0; twice < 2; twice++) {
            struct slice line = access_format_line(f, &e);
            char *text = strndup(line.p, line.n);

            assert_string_equal(text, lines[i].want);
            free(text);
        }
        access_format_destroy(&f);
        assert_null(f);
    }
}

static const struct {
    const char *format, *want;
} refused[] = {
    {"", "none of combined, common, json"},
    {"Combined", "'Combined' is none of"},
    {"%", "in the middle of a % at '%'"},
    {"%h %>", "in the middle of a % at '%>'"},
    {"%h %{Referer", "%{ without } at '%{Referer'"},
    {"%h %{Referer}", "in the middle"},
    {"%h %Z", "no such letter at '%Z'"},
    {"%h %i", "no such letter at '%i'"},
    {"%h %{}i", "no such letter"},
    {"%h %{nonsense}x", "no such letter at '%{nonsense}x'"},
    {"%h %{us}T", "no such letter"},
    {"%h%h%h%h%h%h%h%h%h%h%h%h%h%h%h%h%h%h%h%h%h%h%h%h%h%h%h%h%h%h%h%h%h%h%h%h%h%h%h%h%h%"
     "h"
     "%h%h%h%h%h%h%h%h%h%h%h%h%h%h%h%h%h%h%h%h%h%h%h",
     "too many parts"},
};

static void test_refused(void **state)
{
    (void)state;
    for (size_t i = 0; i < COUNT_OF(refused); i++) {
        char error[160] = "";
        struct access_format *f =
            access_format_create(refused[i].format, error, sizeof(error));

        if (f != NULL || strstr(error, refused[i].want) == NULL)
            fail_msg("%s: %s", refused[i].format, error);
    }
}

/* Each byte at each place of a word, against the byte-by-byte rule. */
static void test_escape_each_byte(void **state)
{
    char out[8 * 3 * ACCESS_ESCAPE_MAX], in[20], want[8];

    (void)state;
    for (unsigned c = 0; c < 256; c++) {
        if (c == '"' || c == '\\')
            snprintf(want, sizeof(want), "\\%c", (int)c);
        else if (c == '\n' || c == '\r' || c == '\t')
            snprintf(want, sizeof(want), "\\%c", c == '\n' ? 'n' : c == '\r' ? 'r' : 't');
        else if (c < 0x20 || c >= 0x7f)
            snprintf(want, sizeof(want), "\\x%02x", c);
        else
            snprintf(want, sizeof(want), "%c", (int)c);
        for (size_t at = 0; at < sizeof(in); at++) {
            memset(in, 'a', sizeof(in));
            in[at] = (char)c;
            char *end = access_escape_text(out, (struct slice){in, sizeof(in)});
            size_t n = strlen(want);
            assert_int_equal(end - out, sizeof(in) - 1 + n);
            assert_memory_equal(out + at, want, n);
            for (char *p = out; p < end; p++)
                assert_true(p == out + at || *p == 'a' ||
                            (p > out + at && p < out + at + n));
        }
    }
}

/* Of a value that is too long, the beginning; the worst value has room. */
static void test_long_values(void **state)
{
    char error[160], *big = malloc(20000);
    struct access_format *text =
        access_format_create("%r %{Referer}i %u", error, sizeof(error));
    struct access_format *json = access_format_create("json", error, sizeof(error));
    struct access_entry e = usual();

    (void)state;
    memset(big, '\1', 20000);
    e.method = e.target = e.referer = e.user_agent = e.user = e.peer = e.route = e.note =
        e.request_id = (struct slice){big, 20000};
    struct slice line = access_format_line(text, &e);
    assert_int_equal(line.n, 4 * ACCESS_CUT * 4 + 3 + 9 + 1);
    line = access_format_line(json, &e);
    assert_true(line.n > 9 * 6 * ACCESS_CUT);
    assert_int_equal(line.p[line.n - 1], '\n');
    access_format_destroy(&text);
    access_format_destroy(&json);
    free(big);
}

static void test_time_zone(void **state)
{
    static const struct {
        const char *zone, *want;
    } zones[] = {
        {"UTC0", "[20/Nov/2026:09:38:23 +0000]\n"},
        {"IST-05:30", "[20/Nov/2026:15:08:23 +0530]\n"},
        {"NST+03:30", "[20/Nov/2026:06:08:23 -0330]\n"},
    };
    struct access_entry e = usual();
    char error[160];

    (void)state;
    for (size_t i = 0; i < COUNT_OF(zones); i++) {
        setenv("TZ", zones[i].zone, 1);
        tzset();
        struct access_format *f = access_format_create("%t", error, sizeof(error));
        struct slice line = access_format_line(f, &e);
        assert_int_equal(line.n, strlen(zones[i].want));
        assert_memory_equal(line.p, zones[i].want, line.n);
        access_format_destroy(&f);
    }
    setenv("TZ", "UTC0", 1);
    tzset();
}

/* The stamp is kept for its second and not longer. */
static void test_time_moves(void **state)
{
    struct access_entry e = usual();
    char error[160];
    struct access_format *f = access_format_create("%t", error, sizeof(error));

    (void)state;
    access_format_line(f, &e);
    e.wall_ms += 957;
    assert_memory_equal(access_format_line(f, &e).p + 19, "23 ", 3);
    e.wall_ms += 1;
    assert_memory_equal(access_format_line(f, &e).p + 19, "24 ", 3);
    e.wall_ms -= 1; /* requests end in another order than they began */
    assert_memory_equal(access_format_line(f, &e).p + 19, "23 ", 3);
    access_format_destroy(&f);
}

/* ---- the log ---- */

struct fixture {
    struct board_ring ring;
    _Atomic uint64_t dropped;
    struct access_log *log;
};

static int setup(void **state)
{
    static struct fixture f;
    char error[160];

    memset((void *)&f, 0, sizeof(f));
    f.log = access_log_create("combined", &f.ring, &f.dropped, error, sizeof(error));
    *state = &f;
    return f.log == NULL ? -1 : 0;
}

static int teardown(void **state)
{
    struct fixture *f = *state;

    access_log_destroy(&f->log);
    return 0;
}

static void test_off(void **state)
{
    struct fixture *f = *state;
    struct access_entry e = usual();

    access_log_write(f->log, &e, 1);
    access_log_flush(f->log);
    assert_int_equal(ring_pending(&f->ring), 0);
    assert_int_equal(f->dropped, 0);
}

/* One write for many lines: at 64 KiB, at the second's flush, at the end. */
static void test_batches(void **state)
{
    struct fixture *f = *state;
    struct access_entry e = usual();
    int file = memfd_create("log", MFD_CLOEXEC);
    size_t n = strlen(lines[0].want), count = 0;

    access_log_set_fd(f->log, file);
    for (; (count + 1) * n < 64 * 1024; count++)
        access_log_write(f->log, &e, 1);
    assert_int_equal(lseek(file, 0, SEEK_END), 0);
    access_log_write(f->log, &e, 1);
    count++;
    assert_int_equal(lseek(file, 0, SEEK_END), count * n);
    access_log_write(f->log, &e, 1);
    access_log_flush(f->log);
    assert_int_equal(lseek(file, 0, SEEK_END), (count + 1) * n);
    access_log_write(f->log, &e, 1);
    access_log_destroy(&f->log);
    assert_int_equal(lseek(file, 0, SEEK_END), (count + 2) * n);
    assert_int_equal(f->dropped, 0);
    fd_close(&file);
}

/* A reader that stops: nothing waits, what is dropped is counted, whole lines remain. */
static void test_slow_reader(void **state)
{
    struct fixture *f = *state;
    struct access_entry e = usual();
    size_t n = strlen(lines[0].want), written = 0, got = 0;
    int pipes[2];
    char text[4096];

    assert_int_equal(pipe2(pipes, O_NONBLOCK | O_CLOEXEC), 0);
    access_log_set_fd(f->log, pipes[1]);
    while (f->dropped < 100) {
        access_log_write(f->log, &e, 1);
        written++;
    }
    assert_true(written * n > BOARD_RING);
    for (ssize_t piece; (piece = read(pipes[0], text, sizeof(text))) > 0;
         got += (size_t)piece)
        access_log_flush(f->log);
    assert_int_equal(got, (written - 100) * n);
    access_log_write(f->log, &e, 1); /* and it goes on */
    assert_int_equal(f->dropped, 100);
    fd_close(&pipes[0]);
    fd_close(&pipes[1]);
    access_log_set_fd(f->log, -1);
}

/* A failure is told once, not once for each second; reopening asks anew. */
static void test_failure_is_told_once(void **state)
{
    struct fixture *f = *state;
    struct access_entry e = usual();
    int pipes[2], closed = 1000000;
    char text[1024];

    assert_int_equal(pipe2(pipes, O_NONBLOCK | O_CLOEXEC), 0);
    log_set_fd(pipes[1]);
    access_log_set_fd(f->log, closed);
    access_log_write(f->log, &e, 1);
    access_log_flush(f->log);
    access_log_flush(f->log);
    access_log_set_fd(f->log, closed);
    access_log_flush(f->log);
    log_set_fd(2);
    ssize_t n = read(pipes[0], text, sizeof(text) - 1);
    assert_true(n > 0);
    text[n] = '\0';
    char *second = strchr(text, '\n') + 1;
    assert_non_null(strstr(text, "access log: Bad file descriptor; lines are kept"));
    assert_int_equal(strchr(second, '\n') - text, n - 1);
    assert_true(ring_pending(&f->ring) > 0);
    access_log_set_fd(f->log, -1);
    fd_close(&pipes[0]);
    fd_close(&pipes[1]);
}

static void test_bad_format(void **state)
{
    char error[160];
    struct fixture *f = *state;

    assert_null(access_log_create("%Z", &f->ring, &f->dropped, error, sizeof(error)));
    assert_string_equal(error, "there is no such letter at '%Z'");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_lines),
        cmocka_unit_test(test_refused),
        cmocka_unit_test(test_escape_each_byte),
        cmocka_unit_test(test_long_values),
        cmocka_unit_test(test_time_zone),
        cmocka_unit_test(test_time_moves),
        cmocka_unit_test_setup_teardown(test_off, setup, teardown),
        cmocka_unit_test_setup_teardown(test_batches, setup, teardown),
        cmocka_unit_test_setup_teardown(test_slow_reader, setup, teardown),
        cmocka_unit_test_setup_teardown(test_failure_is_told_once, setup, teardown),
        cmocka_unit_test_setup_teardown(test_bad_format, setup, teardown),
    };

    setenv("TZ", "UTC0", 1);
    tzset();
    return cmocka_run_group_tests(tests, NULL, NULL);
}
