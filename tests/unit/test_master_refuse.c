/* SPDX-License-Identifier: MIT */
/*
 * test_master_refuse - real sockets: nobody new gets in, and nobody in the queue is lost.
 */
#include "common/addr.h"
#include "common/fd.h"
#include "conf/conf.h"
#include "master/listener.h"

#include <errno.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <poll.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>
#include <cmocka.h>

/* Is a filter refused, as it is to most? */
static bool is_refused;

int __real_setsockopt(int fd, int level, int name, const void *value, socklen_t length);
int __wrap_setsockopt(int fd, int level, int name, const void *value, socklen_t length);

int __wrap_setsockopt(int fd, int level, int name, const void *value, socklen_t length)
{
    if (level == SOL_SOCKET && name == SO_ATTACH_FILTER && is_refused) {
        errno = EPERM;
        return -1;
    }
    return __real_setsockopt(fd, level, name, value, length);
}

enum { QUEUED = 3, NEVER_MS = 300, SOON_MS = 10000 };

static char folder[64], unix_key[112];
static struct listeners set;
static struct fault fault;
static struct addr address;
static int client[QUEUED];

static int start_connect(void)
{
    int fd = socket(((struct sockaddr *)&address.storage)->sa_family,
                    SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);

    assert_true(fd >= 0);
    (void)connect(fd, (struct sockaddr *)&address.storage, address.length);
    return fd;
}

/* Connected within that time? */
static bool gets_in(int fd, int within_ms)
{
    struct pollfd poll_fd = {.fd = fd, .events = POLLOUT};
    int error = 0;
    socklen_t length = sizeof(error);

    if (poll(&poll_fd, 1, within_ms) <= 0)
        return false;
    assert_int_equal(getsockopt(fd, SOL_SOCKET, SO_ERROR, &error, &length), 0);
    return error == 0 && (poll_fd.revents & POLLHUP) == 0;
}

static void open_one(const char *key)
{
    static const struct inherited none;
    const struct conf_server server = {.listen = {&key, 1},
                                       .backlog = 16,
                                       .umask = -1,
                                       .uid = (uid_t)-1,
                                       .gid = (gid_t)-1};

    assert_int_equal(listeners_open(&set, NULL, &none, &server, &fault), 0);
    assert_null(addr_parse(set.item[0].name, &address));
}

static void connect_all(void)
{
    for (int i = 0; i < QUEUED; i++) {
        client[i] = start_connect();
        assert_true(gets_in(client[i], SOON_MS));
    }
}

static void ask_all(void)
{
    for (int i = 0; i < QUEUED; i++)
        assert_int_equal(send(client[i], "ask", 3, MSG_NOSIGNAL), 3);
}

static void open_with_queue(const char *key)
{
    open_one(key);
    connect_all();
    ask_all();
}

/* A worker shares the listener: that the master closes it does not end it. */
static void assert_queue_is_served(int listener)
{
    char text[8] = "";

    for (int i = 0; i < QUEUED; i++) {
        int fd = accept(listener, NULL, NULL);

        assert_true(fd >= 0);
        assert_int_equal(recv(fd, text, sizeof(text), 0), 3);
        assert_int_equal(send(fd, "answer", 6, MSG_NOSIGNAL), 6);
        fd_close(&fd);
        assert_int_equal(fcntl(client[i], F_SETFL, 0), 0);
        assert_int_equal(recv(client[i], text, sizeof(text), 0), 6);
        fd_close(&client[i]);
    }
    assert_int_equal(accept(listener, NULL, NULL), -1);
    assert_int_equal(errno, EAGAIN);
}

static void assert_drained_in_order(bool is_tcp)
{
    int worker = dup(set.item[0].fd), late;

    assert_int_equal(listeners_refuse(&set), is_tcp);
    late = start_connect();
    assert_false(gets_in(late, NEVER_MS));
    listeners_close(&set);
    assert_queue_is_served(worker);
    fd_close(&worker);
    fd_close(&late);
}

static void tcp_queue_is_served(void **state)
{
    (void)state;
    open_with_queue("127.0.0.1:0");
    assert_drained_in_order(true);
}

/* For the client it is connected, for us it is not: as when its ACK is still on the way. */
static void handshakes_under_way_end(void **state)
{
    const int wait_s = 10;
    struct pollfd queue;
    int worker;

    (void)state;
    open_one("127.0.0.1:0");
    worker = dup(set.item[0].fd);
    assert_int_equal(
        setsockopt(worker, IPPROTO_TCP, TCP_DEFER_ACCEPT, &wait_s, sizeof(wait_s)), 0);
    connect_all();
    assert_int_equal(accept(worker, NULL, NULL), -1);
    assert_true(listeners_refuse(&set));
    ask_all();
    queue = (struct pollfd){.fd = worker, .events = POLLIN};
    assert_int_equal(poll(&queue, 1, SOON_MS), 1);
    listeners_close(&set);
    assert_queue_is_served(worker);
    fd_close(&worker);
}

static void ipv6_queue_is_served(void **state)
{
    (void)state;
    if (socket(AF_INET6, SOCK_STREAM | SOCK_CLOEXEC, 0) < 0)
        skip();
    open_with_queue("[::1]:0");
    assert_drained_in_order(true);
}

static void unix_queue_is_served(void **state)
{
    (void)state;
    open_with_queue(unix_key);
    assert_drained_in_order(false);
}

/* The name may be gone: who has found the socket before is refused too. */
static void unix_refuses_who_comes_by_another_name(void **state)
{
    char other[128];
    int worker, late;

    (void)state;
    open_with_queue(unix_key);
    worker = dup(set.item[0].fd);
    snprintf(other, sizeof(other), "%s/other", folder);
    assert_int_equal(link(unix_key + strlen("unix:"), other), 0);
    listeners_refuse(&set);
    listeners_close(&set);
    snprintf(other, sizeof(other), "unix:%s/other", folder);
    assert_null(addr_parse(other, &address));
    late = start_connect();
    assert_false(gets_in(late, NEVER_MS));
    assert_queue_is_served(worker);
    assert_int_equal(unlink(other + strlen("unix:")), 0);
    fd_close(&worker);
    fd_close(&late);
}

/* It is systemd's: who comes now is the successor's. */
static void an_inherited_one_stays_open(void **state)
{
    int late;

    (void)state;
    open_with_queue("127.0.0.1:0");
    set.item[0].inherited = true;
    assert_false(listeners_refuse(&set));
    late = start_connect();
    assert_true(gets_in(late, SOON_MS));
    fd_close(&late);
    fd_close(&set.item[0].fd);
    for (int i = 0; i < QUEUED; i++)
        fd_close(&client[i]);
}

static int filter_is_allowed(void **state)
{
    (void)state;
    is_refused = false;
    return 0;
}

static int filter_is_refused(void **state)
{
    (void)state;
    is_refused = true;
    return 0;
}

static int set_up(void **state)
{
    (void)state;
    strncpy(folder, "/tmp/remuda-refuse-XXXXXX", sizeof(folder) - 1);
    assert_non_null(mkdtemp(folder));
    snprintf(unix_key, sizeof(unix_key), "unix:%s/http.sock", folder);
    return 0;
}

static int tear_down(void **state)
{
    (void)state;
    return rmdir(folder); /* fails when a name was left */
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(tcp_queue_is_served, set_up, tear_down),
        cmocka_unit_test_setup_teardown(handshakes_under_way_end, set_up, tear_down),
        cmocka_unit_test_setup_teardown(ipv6_queue_is_served, set_up, tear_down),
        cmocka_unit_test_setup_teardown(unix_queue_is_served, set_up, tear_down),
        cmocka_unit_test_setup_teardown(unix_refuses_who_comes_by_another_name, set_up,
                                        tear_down),
        cmocka_unit_test_setup_teardown(an_inherited_one_stays_open, set_up, tear_down),
    };
    return cmocka_run_group_tests_name("filter", tests, filter_is_allowed, NULL) +
           cmocka_run_group_tests_name("TTL", tests, filter_is_refused, NULL);
}
