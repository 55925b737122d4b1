/* SPDX-License-Identifier: MIT */
/*
 * test_master_notify - datagrams to a socket that plays systemd, by path and abstract.
 */
#include "common/check.h"
#include "master/notify.h"

#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>
#include <cmocka.h>

struct fixture {
    int systemd;
    char path[96];
};

static int bind_systemd(struct fixture *f, char first)
{
    struct sockaddr_un address = {.sun_family = AF_UNIX};
    size_t n;

    f->systemd = socket(AF_UNIX, SOCK_DGRAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
    snprintf(f->path, sizeof(f->path), "%ctmp/remuda-notify-%d", first, (int)getpid());
    n = strlen(f->path);
    memcpy(address.sun_path, f->path, n);
    if (first == '@')
        address.sun_path[0] = '\0';
    return bind(f->systemd, (struct sockaddr *)&address,
                (socklen_t)(offsetof(struct sockaddr_un, sun_path) + n));
}

static void expect(const struct fixture *f, const char *want)
{
    char got[600];
    ssize_t n = recv(f->systemd, got, sizeof(got) - 1, 0);

    assert_true(n >= 0);
    got[n] = '\0';
    assert_string_equal(got, want);
}

static void says_everything_to(char first)
{
    struct fixture f;
    struct notify notify;

    assert_int_equal(bind_systemd(&f, first), 0);
    assert_int_equal(notify_open(&notify, f.path), 0);
    notify_ready(&notify, "ready: 2 workers x 8 threads = 16 slots");
    expect(&f, "READY=1\nSTATUS=ready: 2 workers x 8 threads = 16 slots");
    notify_status(&notify, "degraded");
    expect(&f, "STATUS=degraded");
    notify_reloading(&notify, 1234567890123u);
    expect(&f, "RELOADING=1\nMONOTONIC_USEC=1234567890123");
    notify_refused(&notify, "reload refused", EINVAL);
    expect(&f, "READY=1\nERRNO=22\nSTATUS=reload refused");
    notify_stopping(&notify, "stopping");
    expect(&f, "STOPPING=1\nSTATUS=stopping");
    notify_extend(&notify, 25000);
    expect(&f, "EXTEND_TIMEOUT_USEC=30000000"); /* 5 s more */
    notify_close(&notify);
    close(f.systemd);
    if (first == '/')
        unlink(f.path);
}

static void by_path(void **state)
{
    (void)state;
    says_everything_to('/');
}

static void abstract(void **state)
{
    (void)state;
    says_everything_to('@');
}

static void without_a_listener_nothing_happens(void **state)
{
    static const char *const unusable[] = {"relative", "/", "@"};
    struct notify notify;

    (void)state;
    assert_int_equal(notify_open(&notify, NULL), 0);
    notify_ready(&notify, "x");
    notify_close(&notify);
    for (size_t i = 0; i < COUNT_OF(unusable); i++) {
        assert_int_equal(notify_open(&notify, unusable[i]), -1);
        notify_ready(&notify, "x");
    }
    assert_int_equal(notify_open(&notify, "/nonexistent/socket"), 0);
    notify_ready(&notify, "x");
    notify_close(&notify);
}

/* A supervisor that does not read must not stop us. */
static void never_waits(void **state)
{
    struct fixture f;
    struct notify notify;

    (void)state;
    assert_int_equal(bind_systemd(&f, '@'), 0);
    assert_int_equal(notify_open(&notify, f.path), 0);
    for (int i = 0; i < 10000; i++)
        notify_status(&notify, "again");
    notify_close(&notify);
    close(f.systemd);
}

static const struct {
    const char *usec, *pid;
    bool fed;
} watchdogs[] = {
    {NULL, NULL, false}, {"0", NULL, false}, {"x", NULL, false},
    {"10", NULL, true},  {"10", "1", false}, /* another process's */
};

static void feeds_only_its_own_watchdog(void **state)
{
    struct fixture f;
    struct notify notify;
    char own[24];

    (void)state;
    assert_int_equal(bind_systemd(&f, '@'), 0);
    assert_int_equal(notify_open(&notify, f.path), 0);
    for (size_t i = 0; i < COUNT_OF(watchdogs); i++) {
        notify_expect_watchdog(&notify, watchdogs[i].usec, watchdogs[i].pid);
        assert_int_equal(notify.watchdog, watchdogs[i].fed);
    }
    notify_alive(&notify);
    snprintf(own, sizeof(own), "%d", (int)getpid());
    notify_expect_watchdog(&notify, "10", own);
    notify_alive(&notify);
    expect(&f, "WATCHDOG=1");
    assert_int_equal(recv(f.systemd, own, sizeof(own), 0), -1);
    notify_close(&notify);
    close(f.systemd);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(by_path),
        cmocka_unit_test(abstract),
        cmocka_unit_test(without_a_listener_nothing_happens),
        cmocka_unit_test(never_waits),
        cmocka_unit_test(feeds_only_its_own_watchdog),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
