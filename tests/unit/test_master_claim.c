/* SPDX-License-Identifier: MIT */
/*
 * test_master_claim - a trial refuses an estate whose descriptors are not what they claim to
 * be, and one of a binary that shares memory or messages of another version.
 */
#include "common/check.h"
#include "common/fd.h"
#include "common/message.h"
#include "master/claim.h"

#include <fcntl.h>
#include <netinet/in.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

enum { ENTRIES = 2 };

static struct fault fault;

static void open_board(struct estate *e)
{
    struct board *board = board_create(&e->self.board_fd);

    assert_non_null(board);
    board_set32(&board->worker_slots, ENTRIES);
    board_close(&board);
}

static void open_listener(struct listener *listener)
{
    struct sockaddr_in any = {.sin_family = AF_INET,
                              .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    socklen_t length = sizeof(any);

    listener->fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    assert_int_equal(bind(listener->fd, (struct sockaddr *)&any, sizeof(any)), 0);
    assert_int_equal(listen(listener->fd, 5), 0);
    assert_int_equal(getsockname(listener->fd, (struct sockaddr *)&any, &length), 0);
    addr_format((struct sockaddr *)&any, length, listener->name, sizeof(listener->name));
}

static int open_door(void)
{
    const struct sockaddr_un any = {.sun_family = AF_UNIX, .sun_path = ""};
    int fd = socket(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0);

    assert_int_equal(bind(fd, (const struct sockaddr *)&any, sizeof(sa_family_t)), 0);
    assert_int_equal(listen(fd, 5), 0);
    return fd;
}

static struct estate *make(void)
{
    struct estate *e = estate_create();
    int pair[2];

    assert_non_null(e);
    open_board(e);
    e->self.worker_slots = ENTRIES;
    e->self.error_log_fd = open("/dev/null", O_WRONLY | O_CLOEXEC);
    e->self.access_log_fd = -1;
    assert_int_equal(fd_pair(pair), 0);
    e->slot[0].channel.fd = pair[0];
    e->slot[0].written_fd = open("/dev/null", O_RDONLY | O_CLOEXEC);
    e->self.oom.fd = open("/dev/null", O_RDONLY | O_CLOEXEC);
    e->control.socket.fd = open_door();
    e->peer[0].fd = dup(pair[1]);
    e->peer_count = 1;
    e->inbox[0] = (struct heritage_inbox){dup(pair[0]), pair[1]};
    e->slot_count = e->inbox_count = 1;
    open_listener(&e->listener[0]);
    e->listener_count = 1;
    e->image[0].fd = fd_image("/etc/passwd", "image");
    e->image[1].fd = -1;
    e->image_count = 2;
    assert_true(estate_add_named(e, "control", dup(pair[0])));
    return e;
}

static void close_one(void *arg, const char *what, int fd)
{
    (void)arg;
    (void)what;
    close(fd);
}

static void unmake(struct estate *e)
{
    estate_each_fd(e, close_one, NULL);
    estate_destroy(&e);
}

static void test_all_is_there(void **state)
{
    struct estate *e = make();

    (void)state;
    if (claim_check(e, &fault) != EXIT_OK)
        fail_msg("%s", fault.text);
    unmake(e);
}

/* Each descriptor in turn is closed, then /dev/null the wrong way round. */
static void test_each_must_be_what_it_claims(void **state)
{
    static const struct {
        size_t offset;
        const char *why;
        int flags;
    } rows[] = {
        {offsetof(struct estate, self.board_fd), "scoreboard", O_RDONLY},
        {offsetof(struct estate, self.error_log_fd), "log", O_RDONLY},
        {offsetof(struct estate, slot[0].channel.fd), "channel", O_RDONLY},
        {offsetof(struct estate, inbox[0].rx), "inbox", O_RDONLY},
        {offsetof(struct estate, inbox[0].tx), "inbox", O_RDONLY},
        {offsetof(struct estate, listener[0].fd), "listener", O_RDONLY},
        {offsetof(struct estate, image[0].fd), "image of a plugin", O_RDONLY},
        {offsetof(struct estate, control.socket.fd), "control socket", O_RDONLY},
        {offsetof(struct estate, peer[0].fd), "connection of a control", O_RDONLY},
        {offsetof(struct estate, slot[0].written_fd), "has written", O_WRONLY},
        {offsetof(struct estate, self.oom.fd), "kills for memory", O_WRONLY},
    };

    (void)state;
    for (size_t i = 0; i < COUNT_OF(rows); i++) {
        struct estate *e = make();
        int *fd = (int *)(void *)((char *)e + rows[i].offset);

        close(*fd);
        assert_int_equal(claim_check(e, &fault), EXIT_CONFIG);
        assert_non_null(strstr(fault.text, rows[i].why));
        assert_int_equal(open("/dev/null", rows[i].flags | O_CLOEXEC), *fd);
        assert_int_equal(claim_check(e, &fault), EXIT_CONFIG);
        assert_non_null(strstr(fault.text, rows[i].why));
        unmake(e);
    }
}

/* It was bound by a temporary name, and does not know the one it has. */
static void test_unix_listener(void **state)
{
    const struct sockaddr_un any = {.sun_family = AF_UNIX, .sun_path = ""};
    struct estate *e = make();

    (void)state;
    close(e->listener[0].fd);
    e->listener[0] = (struct listener){.name = "unix:/run/x", .unix_socket = true};
    e->listener[0].fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
    assert_int_equal(
        bind(e->listener[0].fd, (const struct sockaddr *)&any, sizeof(sa_family_t)), 0);
    assert_int_equal(claim_check(e, &fault), EXIT_CONFIG); /* it does not listen */
    assert_int_equal(listen(e->listener[0].fd, 5), 0);
    assert_int_equal(claim_check(e, &fault), EXIT_OK);
    e->listener[0].unix_socket = false;
    assert_int_equal(claim_check(e, &fault), EXIT_CONFIG);
    unmake(e);
}

static void test_names_and_numbers(void **state)
{
    struct estate *e = make();

    (void)state;
    strncat(e->listener[0].name, "1", 2);
    assert_int_equal(claim_check(e, &fault), EXIT_CONFIG);
    assert_non_null(strstr(fault.text, "listener"));
    unmake(e);
    e = make();
    e->self.worker_slots = ENTRIES + 1;
    assert_int_equal(claim_check(e, &fault), EXIT_CONFIG);
    assert_non_null(strstr(fault.text, "worker_slots"));
    unmake(e);
    e = make();
    close(e->named[0].fd);
    assert_int_equal(claim_check(e, &fault), EXIT_CONFIG);
    assert_non_null(strstr(fault.text, "control"));
    unmake(e);
}

/* Old workers under a new master: what they share must be of one version. */
static void test_versions(void **state)
{
    static const char *const why[] = {"scoreboard", "master and worker",
                                      "between workers"};
    struct estate_abi ours;

    (void)state;
    claim_abi(&ours);
    assert_int_equal(ours.board, BOARD_VERSION);
    assert_int_equal(ours.message, MESSAGE_MAGIC);
    assert_int_equal(claim_check_abi(&ours, &ours, &fault), EXIT_OK);
    for (size_t i = 0; i < COUNT_OF(why); i++) {
        struct estate_abi theirs = ours;

        ((uint32_t *)(void *)&theirs)[i]++;
        assert_int_equal(claim_check_abi(&theirs, &ours, &fault), EXIT_CONFIG);
        assert_non_null(strstr(fault.text, why[i]));
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_all_is_there),
        cmocka_unit_test(test_each_must_be_what_it_claims),
        cmocka_unit_test(test_unix_listener),
        cmocka_unit_test(test_names_and_numbers),
        cmocka_unit_test(test_versions),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
