/* SPDX-License-Identifier: MIT */
/*
 * test_worker_accept - a listener that is stopped and started is watched again, and one that
 * is left for good is emptied first.
 */
#include "tests/unit/worker_fixture.h"
#include "tests/unit/worker_handlers.h"

#include "common/fd.h"
#include "worker/accept.h"
#include "worker/epoll.h"

#include <netinet/in.h>
#include <netinet/tcp.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <unistd.h>

static struct sockaddr_in address;

static int open_state(void **state)
{
    if (worker_open_state(state) != 0)
        return -1;
    struct fixture *f = *state;
    socklen_t length = sizeof address;
    address = (struct sockaddr_in){.sin_family = AF_INET,
                                   .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    int fd = socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
    assert_int_equal(bind(fd, (struct sockaddr *)&address, length), 0);
    assert_int_equal(listen(fd, 8), 0);
    assert_int_equal(getsockname(fd, (struct sockaddr *)&address, &length), 0);
    f->heritage.listener[0].fd = fd;
    f->heritage.listener_count = 1;
    f->conf.server.workers = 2;
    f->conf.server.backlog = 8;
    accept_init(&f->worker);
    accept_start(&f->worker);
    fixture_turn(f);
    return 0;
}

static int close_state(void **state)
{
    struct fixture *f = *state;
    f->worker.phase = WORKER_DRAINING;
    accept_close(&f->worker);
    f->worker.phase = WORKER_SERVING;
    f->heritage.listener_count = 0;
    return worker_close_state(state);
}

static void assert_accepts(struct fixture *f)
{
    unsigned before = f->worker.conn_count;
    int client = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    assert_int_equal(connect(client, (struct sockaddr *)&address, sizeof address), 0);
    fixture_turn(f);
    assert_int_equal(f->worker.conn_count, before + 1);
    close(client);
    fixture_turn(f);
    assert_int_equal(f->worker.conn_count, before);
}

static void test_stopped_and_started(void **state)
{
    struct fixture *f = *state;
    assert_accepts(f);
    accept_stop(&f->worker);
    fixture_turn(f);
    accept_start(&f->worker);
    assert_accepts(f);
}

/* Out of descriptors, and a connection goes; a gate that opens as soon as it is closed. */
static void test_within_one_turn(void **state)
{
    struct fixture *f = *state;
    accept_stop(&f->worker);
    accept_start(&f->worker);
    assert_accepts(f);
}

/* ---- for good ---- */

enum { QUEUED = 3 };

static bool has_two(struct fixture *f)
{
    return f->worker.conn_count == 2; /* the fixture's own is there */
}

static void queue(int client[static QUEUED])
{
    for (int i = 0; i < QUEUED; i++) {
        client[i] = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
        assert_int_equal(connect(client[i], (struct sockaddr *)&address, sizeof address),
                         0);
    }
}

static void leave(struct fixture *f, int client[static QUEUED])
{
    for (int i = 0; i < QUEUED; i++)
        close(client[i]);
    fixture_turn(f);
    f->worker.phase = WORKER_DRAINING;
}

static void test_takes_what_is_queued(void **state)
{
    struct fixture *f = *state;
    int client[QUEUED];
    unsigned before = f->worker.conn_count;
    accept_stop(&f->worker);
    queue(client);
    f->worker.phase = WORKER_DRAINING;
    accept_close(&f->worker);
    assert_int_equal(f->worker.conn_count, before + QUEUED);
    assert_false(f->worker.is_leaving_queue);
    assert_int_equal(f->worker.listener[0].io.fd, -1);
    leave(f, client);
}

/* The first of them is answered and closed before the second is taken: it was all the worker
 * had, and not the last. */
static void test_the_first_ends_at_once(void **state)
{
    struct fixture *f = *state;
    static const char text[] =
        "GET /event HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n";
    int client[QUEUED];
    fixture_end_client(f);
    assert_int_equal(f->worker.conn_count, 0);
    accept_stop(&f->worker);
    queue(client);
    assert_int_equal(send(client[0], text, sizeof text - 1, 0), sizeof text - 1);
    f->worker.phase = WORKER_DRAINING;
    accept_close(&f->worker);
    assert_int_equal(f->worker.conn_count, QUEUED - 1);
    assert_int_equal(f->worker.phase, WORKER_DRAINING);
    leave(f, client);
}

/* Connected in the eyes of the client when the listener began to refuse whoever is new: it has
 * inherited the way in which that is done. */
static void test_what_came_of_a_handshake_is_set_right(void **state)
{
    struct fixture *f = *state;
    const int wait_s = 10, most = 255;
    int listener = f->worker.listener[0].io.fd, client, ttl = -1;
    socklen_t length = sizeof ttl;
    assert_int_equal(
        setsockopt(listener, IPPROTO_TCP, TCP_DEFER_ACCEPT, &wait_s, sizeof wait_s), 0);
    client = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    assert_int_equal(connect(client, (struct sockaddr *)&address, sizeof address), 0);
    board_set32(&f->worker.entry->refusing, 1);
    assert_int_equal(setsockopt(listener, IPPROTO_IP, IP_MINTTL, &most, sizeof most), 0);
    assert_int_equal(send(client, "G", 1, 0), 1);
    fixture_until(f, has_two);
    struct conn *c = LIST_ENTRY(f->worker.conns.prev, struct conn, link);
    assert_int_equal(getsockopt(c->io.fd, IPPROTO_IP, IP_MINTTL, &ttl, &length), 0);
    assert_int_equal(ttl, 0);
    close(client);
    fixture_turn(f);
}

/* No descriptor is free: the queue is not left, and goes on when one is. */
static void test_takes_it_when_there_is_room(void **state)
{
    struct fixture *f = *state;
    int client[QUEUED];
    unsigned before = f->worker.conn_count;
    struct rlimit limit, none;
    accept_stop(&f->worker);
    queue(client);
    int lowest = dup(client[0]);
    close(lowest);
    assert_int_equal(getrlimit(RLIMIT_NOFILE, &limit), 0);
    none = (struct rlimit){.rlim_cur = (rlim_t)lowest + 1, .rlim_max = limit.rlim_max};
    assert_int_equal(setrlimit(RLIMIT_NOFILE, &none), 0);
    f->worker.phase = WORKER_DRAINING;
    accept_close(&f->worker);
    assert_int_equal(f->worker.conn_count, before + 1);
    assert_true(f->worker.is_leaving_queue);
    assert_int_equal(setrlimit(RLIMIT_NOFILE, &limit), 0);
    accept_on_room(&f->worker);
    assert_int_equal(f->worker.conn_count, before + QUEUED);
    assert_false(f->worker.is_leaving_queue);
    leave(f, client);
}

/* Whatever else would begin to accept again does not, and what waited is taken in the end. */
static void test_paused(void **state)
{
    struct fixture *f = *state;
    struct worker *w = &f->worker;
    unsigned before = w->conn_count;
    accept_set_paused(w, true);
    int client = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    assert_int_equal(connect(client, (struct sockaddr *)&address, sizeof address), 0);
    accept_start(w);
    fixture_turn(f);
    accept_on_room(w);
    fixture_turn(f);
    w->is_gated = true;
    accept_reconsider(w);
    w->is_gated = false;
    fixture_turn(f);
    accept_each_second(w);
    fixture_turn(f);
    assert_int_equal(w->conn_count, before);
    accept_set_paused(w, false);
    fixture_turn(f);
    assert_int_equal(w->conn_count, before + 1);
    close(client);
    fixture_turn(f);
    assert_accepts(f);
}

/* It comes before GO to a worker that starts while the others are paused. */
static void test_paused_before_it_serves(void **state)
{
    struct fixture *f = *state;
    struct worker *w = &f->worker;
    accept_stop(w);
    w->phase = WORKER_STANDBY;
    accept_set_paused(w, true);
    w->phase = WORKER_SERVING;
    accept_start(w);
    assert_false(w->accept_on);
    accept_set_paused(w, false);
    assert_accepts(f);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(test_stopped_and_started, open_state,
                                        close_state),
        cmocka_unit_test_setup_teardown(test_within_one_turn, open_state, close_state),
        cmocka_unit_test_setup_teardown(test_takes_what_is_queued, open_state,
                                        close_state),
        cmocka_unit_test_setup_teardown(test_the_first_ends_at_once, open_state,
                                        close_state),
        cmocka_unit_test_setup_teardown(test_what_came_of_a_handshake_is_set_right,
                                        open_state, close_state),
        cmocka_unit_test_setup_teardown(test_takes_it_when_there_is_room, open_state,
                                        close_state),
        cmocka_unit_test_setup_teardown(test_paused, open_state, close_state),
        cmocka_unit_test_setup_teardown(test_paused_before_it_serves, open_state,
                                        close_state),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
