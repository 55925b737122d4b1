/* SPDX-License-Identifier: MIT */
/*
 * test_master_inherit - sockets passed by systemd, matched by name, then by address.
 *
 * The test plays systemd to itself: it puts sockets at descriptors 3 and 4. cmocka uses
 * neither.
 */
#include "common/check.h"
#include "common/fd.h"
#include "common/log.h"
#include "conf/conf.h"
#include "master/inherit.h"
#include "master/listener.h"

#include <fcntl.h>
#include <netinet/in.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
#include <cmocka.h>

static struct inherited inherited;
static struct fault fault;

static void place_socket(int at, int type)
{
    struct sockaddr_in any = {.sin_family = AF_INET,
                              .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    int fd = socket(AF_INET, type, 0);

    assert_int_equal(bind(fd, (struct sockaddr *)&any, sizeof(any)), 0);
    if (type == SOCK_STREAM)
        assert_int_equal(listen(fd, 5), 0);
    if (fd != at) {
        assert_int_equal(dup2(fd, at), at);
        close(fd);
    }
}

static void announce(long pid, const char *count, const char *names)
{
    char text[24];

    snprintf(text, sizeof(text), "%ld", pid);
    setenv("LISTEN_PID", text, 1);
    setenv("LISTEN_FDS", count, 1);
    if (names != NULL)
        setenv("LISTEN_FDNAMES", names, 1);
    else
        unsetenv("LISTEN_FDNAMES");
}

static int set_up(void **state)
{
    (void)state;
    log_set_fd(2);
    place_socket(3, SOCK_STREAM);
    place_socket(4, SOCK_STREAM);
    return 0;
}

static int tear_down(void **state)
{
    (void)state;
    close(3);
    close(4);
    return 0;
}

static int open_set(struct listeners *next, const struct listeners *running,
                    const char *const *keys, size_t count)
{
    const struct conf_server server = {
        .listen = {keys, count}, .backlog = 16, .umask = -1};

    return listeners_open(next, running, &inherited, &server, &fault);
}

static void takes_names_and_cleans_the_environment(void **state)
{
    (void)state;
    announce(getpid(), "2", "web:api");
    assert_int_equal(inherit_take(&inherited, &fault), EXIT_OK);
    assert_int_equal(inherited.count, 2);
    assert_string_equal(inherited.item[0].name, "web");
    assert_string_equal(inherited.item[1].name, "api");
    assert_true((fcntl(3, F_GETFL) & O_NONBLOCK) != 0);
    assert_true((fcntl(3, F_GETFD) & FD_CLOEXEC) != 0);
    assert_null(getenv("LISTEN_PID"));
    assert_null(getenv("LISTEN_FDS"));
    assert_null(getenv("LISTEN_FDNAMES"));
}

static void leaves_what_is_for_another_process(void **state)
{
    (void)state;
    announce(getpid() + 1, "2", "web:api");
    assert_int_equal(inherit_take(&inherited, &fault), EXIT_OK);
    assert_int_equal(inherited.count, 0);
}

static const struct {
    const char *names, *first, *second;
} namings[] = {
    {NULL, "unknown", "unknown"}, {"", "unknown", "unknown"}, {"a", "a", "unknown"},
    {"a:", "a", "unknown"},       {":b", "unknown", "b"},     {"a:b:c", "a", "b"},
};

static void names_may_be_missing(void **state)
{
    (void)state;
    for (size_t i = 0; i < COUNT_OF(namings); i++) {
        announce(getpid(), "2", namings[i].names);
        assert_int_equal(inherit_take(&inherited, &fault), EXIT_OK);
        assert_string_equal(inherited.item[0].name, namings[i].first);
        assert_string_equal(inherited.item[1].name, namings[i].second);
    }
}

static void refuses_what_does_not_listen(void **state)
{
    (void)state;
    close(4);
    place_socket(4, SOCK_DGRAM);
    announce(getpid(), "2", "web:api");
    assert_int_equal(inherit_take(&inherited, &fault), EXIT_CONFIG);
    assert_non_null(strstr(fault.text, "descriptor 4"));
    announce(getpid(), "70", NULL);
    assert_int_equal(inherit_take(&inherited, &fault), EXIT_CONFIG);
}

static void matches_by_name_and_by_address(void **state)
{
    char address[ADDR_TEXT_MAX];
    const char *keys[] = {"fd:web", address};
    struct listeners set, next;

    (void)state;
    announce(getpid(), "2", "web:api");
    assert_int_equal(inherit_take(&inherited, &fault), EXIT_OK);
    addr_format((struct sockaddr *)&inherited.item[1].address.storage,
                inherited.item[1].address.length, address, sizeof(address));
    assert_int_equal(open_set(&set, NULL, keys, 2), EXIT_OK);
    assert_int_equal(set.item[0].fd, 3);
    assert_int_equal(set.item[1].fd, 4);
    assert_true(set.item[0].inherited && set.item[1].inherited);
    assert_int_equal(open_set(&next, &set, keys, 2), EXIT_OK);
    assert_int_equal(next.count, 2);
    listeners_close(&set);
    assert_true(fcntl(3, F_GETFD) >= 0); /* systemd's: not ours to close */
}

static void one_name_may_mean_several(void **state)
{
    const char *key = "fd:web";
    struct listeners set;

    (void)state;
    announce(getpid(), "2", "web:web");
    assert_int_equal(inherit_take(&inherited, &fault), EXIT_OK);
    assert_int_equal(open_set(&set, NULL, &key, 1), EXIT_OK);
    assert_int_equal(set.count, 2);
}

static void an_unclaimed_one_is_78_and_named(void **state)
{
    const char *key = "fd:web", *wrong = "fd:wbe";
    struct listeners set;

    (void)state;
    announce(getpid(), "2", "web:api");
    assert_int_equal(inherit_take(&inherited, &fault), EXIT_OK);
    assert_int_equal(open_set(&set, NULL, &key, 1), EXIT_CONFIG);
    assert_non_null(strstr(fault.text, "fd:api"));
    assert_int_equal(open_set(&set, NULL, &wrong, 1), EXIT_CONFIG);
    assert_non_null(strstr(fault.text, "fd:wbe"));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(takes_names_and_cleans_the_environment, set_up,
                                        tear_down),
        cmocka_unit_test_setup_teardown(leaves_what_is_for_another_process, set_up,
                                        tear_down),
        cmocka_unit_test_setup_teardown(names_may_be_missing, set_up, tear_down),
        cmocka_unit_test_setup_teardown(refuses_what_does_not_listen, set_up, tear_down),
        cmocka_unit_test_setup_teardown(matches_by_name_and_by_address, set_up,
                                        tear_down),
        cmocka_unit_test_setup_teardown(one_name_may_mean_several, set_up, tear_down),
        cmocka_unit_test_setup_teardown(an_unclaimed_one_is_78_and_named, set_up,
                                        tear_down),
    };
    /* whoever started us may have left descriptors there */
    close(3);
    close(4);
    return cmocka_run_group_tests(tests, NULL, NULL);
}
