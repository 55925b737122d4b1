/* SPDX-License-Identifier: MIT */
/*
 * test_master_listener - opening a set of sockets, sharing it with the next, closing it.
 */
#include "common/check.h"
#include "common/fd.h"
#include "common/log.h"
#include "conf/conf.h"
#include "master/bind.h"
#include "master/listener.h"

#include <fcntl.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>
#include <cmocka.h>

static char folder[64], path[96], unix_key[112];
static const struct inherited none;
static struct fault fault;

static int set_up(void **state)
{
    (void)state;
    strncpy(folder, "/tmp/remuda-listener-XXXXXX", sizeof(folder) - 1);
    assert_non_null(mkdtemp(folder));
    snprintf(path, sizeof(path), "%s/http.sock", folder);
    snprintf(unix_key, sizeof(unix_key), "unix:%s", path);
    log_set_fd(open("/dev/null", O_WRONLY | O_CLOEXEC));
    return 0;
}

static int tear_down(void **state)
{
    int null = log_get_fd();

    (void)state;
    log_set_fd(2);
    fd_close(&null);
    unlink(path);
    return rmdir(folder); /* fails when a temporary name was left */
}

static int open_set(struct listeners *next, const struct listeners *running,
                    const char *const *keys, size_t count)
{
    const struct conf_server server = {.listen = {keys, count},
                                       .backlog = 16,
                                       .umask = -1,
                                       .uid = (uid_t)-1,
                                       .gid = (gid_t)-1};

    return listeners_open(next, running, &none, &server, &fault);
}

static int open_one(struct listeners *next, const struct listeners *running,
                    const char *key)
{
    return open_set(next, running, &key, 1);
}

/* A client's connect, without waiting: 0 or -1 with errno. */
static int try_connect(const char *name)
{
    struct addr address;
    int fd, result;

    assert_null(addr_parse(name, &address));
    fd = socket(((struct sockaddr *)&address.storage)->sa_family,
                SOCK_STREAM | SOCK_CLOEXEC, 0);
    result = connect(fd, (struct sockaddr *)&address.storage, address.length);
    fd_close(&fd);
    return result;
}

static int get_option(int fd, int level, int name)
{
    int value = -1;
    socklen_t length = sizeof(value);

    assert_int_equal(getsockopt(fd, level, name, &value, &length), 0);
    return value;
}

static void tcp_with_port_0_says_its_port(void **state)
{
    struct listeners set;
    int fd;

    (void)state;
    assert_int_equal(open_one(&set, NULL, "127.0.0.1:0"), EXIT_OK);
    assert_int_equal(set.count, 1);
    fd = set.item[0].fd;
    assert_true(strncmp(set.item[0].name, "127.0.0.1:", 10) == 0);
    assert_true(strtol(set.item[0].name + 10, NULL, 10) > 0);
    assert_int_equal(try_connect(set.item[0].name), 0);
    assert_true(get_option(fd, IPPROTO_TCP, TCP_NODELAY) != 0);
    assert_true(get_option(fd, SOL_SOCKET, SO_REUSEADDR) != 0);
    assert_true((fcntl(fd, F_GETFL) & O_NONBLOCK) != 0);
    assert_true((fcntl(fd, F_GETFD) & FD_CLOEXEC) != 0);
    listeners_close(&set);
    assert_int_equal(set.count, 0);
}

static void a_star_is_both_families_on_one_port(void **state)
{
    struct listeners set;

    (void)state;
    assert_int_equal(open_one(&set, NULL, "*:0"), EXIT_OK);
    assert_true(strncmp(set.item[0].name, "0.0.0.0:", 8) == 0);
    if (bind_lacks_family(AF_INET6)) {
        assert_int_equal(set.count, 1);
    } else {
        assert_int_equal(set.count, 2);
        assert_string_equal(strrchr(set.item[0].name, ':'),
                            strrchr(set.item[1].name, ':'));
        assert_true(get_option(set.item[1].fd, IPPROTO_IPV6, IPV6_V6ONLY) != 0);
    }
    listeners_close(&set);
}

static void a_taken_port_is_69(void **state)
{
    struct listeners first, second;
    char taken[ADDR_TEXT_MAX];

    (void)state;
    assert_int_equal(open_one(&first, NULL, "127.0.0.1:0"), EXIT_OK);
    snprintf(taken, sizeof(taken), "%s", first.item[0].name);
    assert_int_equal(open_one(&second, NULL, taken), EXIT_UNAVAILABLE);
    assert_non_null(strstr(fault.text, taken));
    assert_int_equal(second.count, 0);
    listeners_close(&first);
}

static void a_set_is_opened_whole_or_not_at_all(void **state)
{
    const char *keys[] = {"127.0.0.1:0", unix_key, "127.0.0.1:0", "192.0.2.1:1"};
    struct listeners set;
    const int before = fd_count();

    (void)state;
    assert_int_equal(open_set(&set, NULL, keys, COUNT_OF(keys)), EXIT_OS);
    assert_int_equal(fd_count(), before);
    assert_int_equal(access(path, F_OK), -1);
}

static void unix_socket_has_mode_and_goes_at_the_end(void **state)
{
    struct listeners set;
    struct stat st;

    (void)state;
    assert_int_equal(open_one(&set, NULL, unix_key), EXIT_OK);
    assert_true(set.item[0].unix_socket);
    assert_string_equal(set.item[0].name, unix_key);
    assert_int_equal(stat(path, &st), 0);
    assert_int_equal(st.st_mode & 0777, 0666);
    assert_int_equal(try_connect(unix_key), 0);
    listeners_close(&set);
    assert_int_equal(access(path, F_OK), -1);
}

static void a_unix_socket_that_answers_is_69(void **state)
{
    struct listeners set, other;

    (void)state;
    assert_int_equal(open_one(&set, NULL, unix_key), EXIT_OK);
    assert_int_equal(open_one(&other, NULL, unix_key), EXIT_UNAVAILABLE);
    assert_int_equal(try_connect(unix_key), 0);
    listeners_close(&set);
}

static void a_dead_unix_socket_is_replaced(void **state)
{
    struct listeners set;
    struct sockaddr_un address = {.sun_family = AF_UNIX};
    int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);

    (void)state;
    snprintf(address.sun_path, sizeof(address.sun_path), "%s", path);
    assert_int_equal(bind(fd, (struct sockaddr *)&address, sizeof(address)), 0);
    fd_close(&fd);
    assert_int_equal(open_one(&set, NULL, unix_key), EXIT_OK);
    assert_int_equal(try_connect(unix_key), 0);
    listeners_close(&set);
}

static void a_file_in_the_way_is_73_and_stays(void **state)
{
    struct listeners set;
    FILE *file = fopen(path, "w");

    (void)state;
    fclose(file);
    assert_int_equal(open_one(&set, NULL, unix_key), EXIT_CREATE);
    assert_int_equal(access(path, F_OK), 0);
}

static void a_successors_unix_socket_is_left_alone(void **state)
{
    struct listeners set, successor;

    (void)state;
    assert_int_equal(open_one(&set, NULL, unix_key), EXIT_OK);
    unlink(path);
    assert_int_equal(open_one(&successor, NULL, unix_key), EXIT_OK);
    listeners_close(&set);
    assert_int_equal(try_connect(unix_key), 0);
    listeners_close(&successor);
}

static void a_reload_shares_what_both_want(void **state)
{
    const char *before[] = {"127.0.0.1:0", unix_key};
    const char *after[] = {"127.0.0.1:0", "127.0.0.1:0"};
    struct listeners running, next, dropped;
    int kept;

    (void)state;
    assert_int_equal(open_set(&running, NULL, before, 2), EXIT_OK);
    kept = running.item[0].fd;
    assert_int_equal(open_set(&next, &running, after, 2), EXIT_OK);
    assert_int_equal(next.item[0].fd, kept);
    assert_false(next.item[0].fresh);
    assert_true(next.item[1].fresh); /* the same text twice is two sockets */
    assert_int_equal(access(path, F_OK), 0);
    listeners_commit(&running, &next, &dropped);
    assert_int_equal(running.count, 2);
    assert_int_equal(dropped.count, 1);
    assert_int_equal(try_connect(unix_key), 0);
    listeners_close(&dropped);
    assert_int_equal(access(path, F_OK), -1);
    assert_int_equal(try_connect(running.item[0].name), 0);
    assert_int_equal(try_connect(running.item[1].name), 0);
    listeners_close(&running);
}

static void a_refused_reload_changes_nothing(void **state)
{
    const char *before[] = {"127.0.0.1:0", unix_key};
    const char *after[] = {"127.0.0.1:0", "127.0.0.1:0"};
    struct listeners running, next;
    int count;

    (void)state;
    assert_int_equal(open_set(&running, NULL, before, 2), EXIT_OK);
    count = fd_count();
    assert_int_equal(open_set(&next, &running, after, 2), EXIT_OK);
    listeners_abandon(&next);
    assert_int_equal(fd_count(), count);
    assert_int_equal(try_connect(running.item[0].name), 0);
    assert_int_equal(try_connect(running.item[1].name), 0);
    listeners_close(&running);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(tcp_with_port_0_says_its_port, set_up, tear_down),
        cmocka_unit_test_setup_teardown(a_star_is_both_families_on_one_port, set_up,
                                        tear_down),
        cmocka_unit_test_setup_teardown(a_taken_port_is_69, set_up, tear_down),
        cmocka_unit_test_setup_teardown(a_set_is_opened_whole_or_not_at_all, set_up,
                                        tear_down),
        cmocka_unit_test_setup_teardown(unix_socket_has_mode_and_goes_at_the_end, set_up,
                                        tear_down),
        cmocka_unit_test_setup_teardown(a_unix_socket_that_answers_is_69, set_up,
                                        tear_down),
        cmocka_unit_test_setup_teardown(a_dead_unix_socket_is_replaced, set_up,
                                        tear_down),
        cmocka_unit_test_setup_teardown(a_file_in_the_way_is_73_and_stays, set_up,
                                        tear_down),
        cmocka_unit_test_setup_teardown(a_successors_unix_socket_is_left_alone, set_up,
                                        tear_down),
        cmocka_unit_test_setup_teardown(a_reload_shares_what_both_want, set_up,
                                        tear_down),
        cmocka_unit_test_setup_teardown(a_refused_reload_changes_nothing, set_up,
                                        tear_down),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
