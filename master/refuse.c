/* SPDX-License-Identifier: MIT */
/*
 * refuse - a listening socket takes nobody new, and loses nobody that it has.   [master]
 *
 * Owns:    nothing.
 * Called:  by listener.c, when sockets of ours are about to be closed: a close resets what is
 *          still in the queue, so the queue has to end first.
 * Fails:   refuse_syn where the kernel takes no filter (a sandbox, a locked one): -1 with
 *          errno; then a connection that comes between the last accept and the close is reset.
 */
#include "master/refuse.h"

#include "common/check.h"

#include <linux/filter.h>
#include <stdint.h>
#include <sys/socket.h>

enum { TCP_FLAGS_AT = 13, TCP_SYN = 0x02 }; /* RFC 9293 3.1 */

/* The filter of a TCP socket sees a segment from its header on. That of a listener sees the
 * ACK that ends a handshake too: only SYNs may be dropped. Those that are accepted inherit the
 * filter, and never get one. */
int refuse_syn(int fd)
{
    struct sock_filter code[] = {
        BPF_STMT(BPF_LD | BPF_B | BPF_ABS, TCP_FLAGS_AT),
        BPF_JUMP(BPF_JMP | BPF_JSET | BPF_K, TCP_SYN, 0, 1),
        BPF_STMT(BPF_RET | BPF_K, 0),
        BPF_STMT(BPF_RET | BPF_K, UINT32_MAX),
    };
    const struct sock_fprog program = {.len = COUNT_OF(code), .filter = code};

    return setsockopt(fd, SOL_SOCKET, SO_ATTACH_FILTER, &program, sizeof(program));
}

void refuse_connect(int fd)
{
    (void)shutdown(fd, SHUT_RD); /* on TCP it would reset the queue */
}
