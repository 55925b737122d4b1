/* SPDX-License-Identifier: MIT */
/*
 * test_worker_handoff_hostile - a sender that is broken: wrong bytes, wrong descriptors.
 */
#include "tests/unit/handoff_fixture.h"

#include <stdalign.h>
#include <sys/mman.h>

static void put_fds(struct msghdr *msg, char *control, size_t room, const int *fds,
                    size_t count)
{
    memset(control, 0, room);
    msg->msg_control = control;
    msg->msg_controllen = CMSG_SPACE(count * sizeof(int));
    struct cmsghdr *header = CMSG_FIRSTHDR(msg);
    header->cmsg_level = SOL_SOCKET;
    header->cmsg_type = SCM_RIGHTS;
    header->cmsg_len = CMSG_LEN(count * sizeof(int));
    memcpy(CMSG_DATA(header), fds, count * sizeof(int));
}

static void send_raw(const void *bytes, size_t n, const int *fds, size_t count)
{
    alignas(struct cmsghdr) char control[CMSG_SPACE(8 * sizeof(int))];
    struct iovec iov = {.iov_base = (void *)(uintptr_t)bytes, .iov_len = n};
    struct msghdr msg = {.msg_iov = &iov, .msg_iovlen = 1};
    if (count > 0)
        put_fds(&msg, control, sizeof control, fds, count);
    assert_int_equal(sendmsg(inbox[1], &msg, MSG_NOSIGNAL), (long)n);
}

static int memfd(size_t bytes, int seals)
{
    int fd = memfd_create("test", MFD_CLOEXEC | MFD_ALLOW_SEALING);
    assert_true(fd >= 0);
    assert_int_equal(ftruncate(fd, (off_t)bytes), 0);
    assert_int_equal(fcntl(fd, F_ADD_SEALS, seals), 0);
    return fd;
}

static void test_wrong_descriptors(void **state)
{
    (void)state;
    enum { BODY = 40000, ALL = F_SEAL_SEAL | F_SEAL_SHRINK | F_SEAL_GROW | F_SEAL_WRITE };
    int whole = memfd(BODY, ALL), shorter = memfd(BODY - 1, ALL);
    int open = memfd(BODY, F_SEAL_SHRINK), sock = client[0];
    int pipes[2];
    assert_int_equal(pipe(pipes), 0);
    const struct {
        const char *name;
        enum handoff_type type;
        size_t body, count;
        int fds[4];
        enum handoff_result want;
    } rows[] = {
        {"none", HANDOFF_CONNECTION, 0, 0, {0}, HANDOFF_BAD},
        {"one that is none", HANDOFF_CONNECTION, 0, 1, {whole}, HANDOFF_BAD},
        {"a pipe", HANDOFF_CONNECTION, 0, 1, {pipes[0]}, HANDOFF_BAD},
        {"a body nobody spoke of", HANDOFF_CONNECTION, 0, 2, {sock, whole}, HANDOFF_BAD},
        {"three", HANDOFF_CONNECTION, 0, 3, {sock, sock, sock}, HANDOFF_BAD},
        {"four", HANDOFF_CONNECTION, BODY, 4, {sock, whole, sock, sock}, HANDOFF_BAD},
        {"an ask with one", HANDOFF_ASK, 0, 1, {sock}, HANDOFF_BAD},
        {"no body", HANDOFF_CONNECTION, BODY, 1, {sock}, HANDOFF_BAD},
        {"a short body", HANDOFF_CONNECTION, BODY, 2, {sock, shorter}, HANDOFF_BAD},
        {"an unsealed body", HANDOFF_CONNECTION, BODY, 2, {sock, open}, HANDOFF_BAD},
        {"a pipe as body", HANDOFF_CONNECTION, BODY, 2, {sock, pipes[0]}, HANDOFF_BAD},
        {"the wrong order", HANDOFF_CONNECTION, BODY, 2, {whole, sock}, HANDOFF_BAD},
        {"as it should be", HANDOFF_CONNECTION, BODY, 2, {sock, whole}, HANDOFF_TAKEN},
    };
    int now = fd_count();
    for (size_t i = 0; i < COUNT_OF(rows); i++) {
        unsigned char bytes[HANDOFF_HEADER_BYTES + 4];
        struct handoff_message m = message(rows[i].type == HANDOFF_ASK ? 0 : 4, 0, 0),
                               got;
        struct handoff_parts parts;
        m.type = rows[i].type;
        m.flags = 0;
        m.body = (struct slice){big, rows[i].body};
        assert_int_equal(handoff_encode(&m, bytes), 0);
        memcpy(bytes + HANDOFF_HEADER_BYTES, big, 4);
        send_raw(bytes, HANDOFF_HEADER_BYTES + m.head.n, rows[i].fds, rows[i].count);
        if (receive(&got, &parts) != rows[i].want)
            fail_msg("%s", rows[i].name);
        close_parts(&parts);
        if (fd_count() != now)
            fail_msg("%s: a descriptor is left", rows[i].name);
    }
    fd_close(&whole);
    fd_close(&shorter);
    fd_close(&open);
    fd_close(&pipes[0]);
    fd_close(&pipes[1]);
}

/* Each byte of the fixed part in turn is something else, each length too. What is decoded
 * all the same stays inside the datagram. */
static void test_wrong_bytes(void **state)
{
    (void)state;
    enum { SIZE = HANDOFF_HEADER_BYTES + 60 };
    unsigned char bytes[SIZE + 1] = {0};
    struct handoff_message m = message(30, 20, 10), got;
    assert_int_equal(handoff_encode(&m, bytes), 0);
    memcpy(bytes + HANDOFF_HEADER_BYTES, big, 60);
    assert_int_equal(handoff_decode(bytes, SIZE, &got), 0);
    same_bytes(got.body, (struct slice){(char *)bytes + HANDOFF_HEADER_BYTES + 30, 20});
    for (size_t n = 0; n <= SIZE + 1; n++)
        assert_int_equal(handoff_decode(bytes, n, &got), n == SIZE ? 0 : -1);
    unsigned refused = 0;
    for (size_t at = 0; at < HANDOFF_HEADER_BYTES; at++) {
        bytes[at] ^= 0xff;
        if (handoff_decode(bytes, SIZE, &got) < 0)
            refused++;
        else
            assert_int_equal(got.head.n + got.body.n + got.rest.n, 60);
        bytes[at] ^= 0xff;
    }
    memset(bytes + HANDOFF_HEADER_BYTES - HANDOFF_PEER_BYTES, 'p', HANDOFF_PEER_BYTES);
    assert_int_equal(handoff_decode(bytes, SIZE, &got), 0);
    assert_int_equal(strlen(got.peer), HANDOFF_PEER_BYTES - 1); /* it ends all the same */
    /* magic 4, version 2, type 2, flags 4, body 8, head 4, rest 4 */
    assert_int_equal(refused, 28);
}

enum { FLAGS_AT = 36 }; /* in the header */

static void test_not_ours(void **state)
{
    (void)state;
    struct handoff_message got;
    struct handoff_parts parts;
    send_raw("GET / HTTP/1.1\r\n\r\n", 18, client, 1);
    assert_int_equal(receive(&got, &parts), HANDOFF_BAD);
    send_raw("", 0, client, 2); /* empty, and yet it brings two */
    assert_int_equal(receive(&got, &parts), HANDOFF_BAD);
    send_raw(big, HANDOFF_BYTES_MOST + 1, client, 1);
    assert_int_equal(receive(&got, &parts), HANDOFF_BAD);
    struct handoff_message m = message(HANDOFF_BYTES_MOST - HANDOFF_HEADER_BYTES, 0, 0);
    m.flags = 0; /* one byte too many behind the longest that could be */
    assert_int_equal(handoff_encode(&m, (unsigned char *)big), 0);
    send_raw(big, HANDOFF_BYTES_MOST + 1, client, 1);
    assert_int_equal(receive(&got, &parts), HANDOFF_BAD);
    m = message(4, 0, 0); /* a question with bytes behind it, and with a flag */
    m.type = HANDOFF_ASK;
    m.flags = 0;
    assert_int_equal(handoff_encode(&m, (unsigned char *)big), 0);
    send_raw(big, HANDOFF_HEADER_BYTES + 4, NULL, 0);
    assert_int_equal(receive(&got, &parts), HANDOFF_BAD);
    m = message(0, 0, 0);
    m.type = HANDOFF_ASK;
    m.flags = HANDOFF_FLIGHTS;
    assert_int_equal(handoff_encode(&m, (unsigned char *)big), 0);
    big[FLAGS_AT] |= HANDOFF_LAST;
    send_raw(big, HANDOFF_HEADER_BYTES, NULL, 0);
    assert_int_equal(receive(&got, &parts), HANDOFF_BAD);
    assert_int_equal(fd_count(), open_before);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(test_wrong_descriptors, setup, teardown),
        cmocka_unit_test_setup_teardown(test_wrong_bytes, setup, teardown),
        cmocka_unit_test_setup_teardown(test_not_ours, setup, teardown),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
