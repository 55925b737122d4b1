/* SPDX-License-Identifier: MIT */
/*
 * handoff_fixture - an inbox, a client, and a count of descriptors.  [tests]
 */
#ifndef HANDOFF_FIXTURE_H
#define HANDOFF_FIXTURE_H

#include "common/check.h"
#include "common/fd.h"
#include "worker/handoff_message.h"

#include <errno.h>
#include <fcntl.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include <cmocka.h>

static char big[1 << 20];
static unsigned char buffer[HANDOFF_BYTES_MOST];
static int inbox[2]; /* [0] is read, [1] is sent to */
static int client[2];
static int open_before;

static inline int setup(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof big; i++)
        big[i] = (char)('a' + i % 26);
    if (fd_pair(inbox) < 0 ||
        socketpair(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0, client) < 0)
        return -1;
    open_before = fd_count();
    return 0;
}

static inline int teardown(void **state)
{
    (void)state;
    assert_int_equal(fd_count(), open_before);
    for (int i = 0; i < 2; i++) {
        fd_close(&inbox[i]);
        fd_close(&client[i]);
    }
    return 0;
}

static inline struct handoff_message message(size_t head, size_t body, size_t rest)
{
    return (struct handoff_message){.type = HANDOFF_CONNECTION,
                                    .sender = 3,
                                    .generation = 7,
                                    .number = 1ull << 40,
                                    .listener = 1,
                                    .requests = 12,
                                    .hops = 2,
                                    .flags = HANDOFF_CONTINUED | HANDOFF_LAST,
                                    .begun_ns = 1000000000123,
                                    .queued_ns = 1000000000456,
                                    .peer = "2001:db8::1",
                                    .head = {big, head},
                                    .body = {big + 1, body},
                                    .rest = {big + 2, rest}};
}

static inline enum handoff_result receive(struct handoff_message *m,
                                          struct handoff_parts *parts)
{
    return handoff_receive(inbox[0], buffer, m, parts);
}

static inline void close_parts(struct handoff_parts *parts)
{
    fd_close(&parts->socket);
    fd_close(&parts->body);
}

static inline void same_bytes(struct slice got, struct slice want)
{
    assert_int_equal(got.n, want.n);
    assert_true(slice_is(got, want));
}

#endif
