/* SPDX-License-Identifier: MIT */
/*
 * test_master_backlog - the kernel's queue of a listener, as it grows and shrinks.
 */
#include "master/backlog.h"

#include "common/fd.h"
#include "common/scoreboard.h"
#include "master/listener.h"

#include <netinet/in.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <unistd.h>
#include <cmocka.h>

enum { LIMIT = 5, CLIENTS = 3 };

static int open_tcp(struct sockaddr_in *where)
{
    socklen_t size = sizeof(*where);
    int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);

    *where = (struct sockaddr_in){.sin_family = AF_INET,
                                  .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    assert_int_equal(bind(fd, (struct sockaddr *)where, sizeof(*where)), 0);
    assert_int_equal(listen(fd, LIMIT), 0);
    assert_int_equal(getsockname(fd, (struct sockaddr *)where, &size), 0);
    return fd;
}

static int open_client(const struct sockaddr_in *where)
{
    int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);

    assert_int_equal(connect(fd, (const struct sockaddr *)where, sizeof(*where)), 0);
    return fd;
}

static void test_queue_of_a_listener(void **state)
{
    struct sockaddr_in where;
    int listener = open_tcp(&where), client[CLIENTS];
    uint32_t length, limit;

    (void)state;
    backlog_read(listener, &length, &limit);
    assert_int_equal(length, 0);
    assert_int_equal(limit, LIMIT);
    for (size_t i = 0; i < CLIENTS; i++)
        client[i] = open_client(&where);
    backlog_read(listener, &length, &limit);
    assert_int_equal(length, CLIENTS);
    int accepted = accept4(listener, NULL, NULL, SOCK_CLOEXEC);
    backlog_read(listener, &length, &limit);
    assert_int_equal(length, CLIENTS - 1);
    backlog_read(accepted, &length, &limit); /* has no such queue */
    assert_int_equal(limit, 0);
    backlog_read(-1, &length, &limit);
    assert_int_equal(length, 0);
    fd_close(&accepted);
    fd_close(&listener);
    for (size_t i = 0; i < CLIENTS; i++)
        fd_close(&client[i]);
}

static void test_all_are_published(void **state)
{
    struct board *board;
    struct listeners *set = calloc(1, sizeof(*set));
    struct sockaddr_in where;
    int board_fd;

    (void)state;
    assert_non_null(set);
    board = board_create(&board_fd);
    assert_non_null(board);
    set->count = 2;
    set->item[0].fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
    set->item[1].fd = open_tcp(&where);
    int client = open_client(&where);
    backlog_publish(board, set);
    assert_int_equal(board->listeners, 2);
    assert_int_equal(board->backlog[0].limit, 0);
    assert_int_equal(board->backlog[1].length, 1);
    assert_int_equal(board->backlog[1].limit, LIMIT);
    set->count = 1; /* after a reload */
    backlog_publish(board, set);
    assert_int_equal(board->listeners, 1);
    assert_int_equal(board->backlog[1].length, 0);
    assert_int_equal(board->backlog[1].limit, 0);
    fd_close(&client);
    fd_close(&set->item[0].fd);
    fd_close(&set->item[1].fd);
    free(set);
    board_close(&board);
    fd_close(&board_fd);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_queue_of_a_listener),
        cmocka_unit_test(test_all_are_published),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
