/* SPDX-License-Identifier: MIT */
/*
 * refuse - a listening socket takes nobody new, and loses nobody that it has.   [master]
 *
 * Owns:    nothing.
 * Called:  by listener.c, when sockets of ours are about to be closed: a close resets what is
 *          still in the queue, so the queue has to end first.
 * Fails:   refuse_syn where the kernel can do neither: -1 with errno; then a connection that
 *          comes between the last accept and the close is reset.
 *
 * Two ways. A filter is exact, but of late the kernel lets only CAP_NET_ADMIN attach one to a
 * TCP socket. Anyone may ask for packets of the greatest TTL alone (RFC 5082), which no client
 * sends but one that was set up so: the kernel looks at it for a SYN, and not for the ACK that
 * ends a handshake (tcp_v4_rcv, tcp_v6_rcv). But whoever comes of that ACK inherits it.
 */
#include "master/refuse.h"

#include "common/check.h"

#include <linux/filter.h>
#include <netinet/in.h>
#include <stdint.h>
#include <sys/socket.h>

enum { TCP_FLAGS_AT = 13, TCP_SYN = 0x02 }; /* RFC 9293 3.1 */
enum { TTL_MOST = 255 };

/* The filter of a TCP socket sees a segment from its header on; that of a listener sees the
 * ACK that ends a handshake too. Those that are accepted inherit it, and never get a SYN. */
static int filter_syn(int fd)
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

static int raise_ttl(int fd)
{
    struct sockaddr_storage bound = {.ss_family = AF_UNSPEC};
    socklen_t length = sizeof(bound);
    const int most = TTL_MOST;

    if (getsockname(fd, (struct sockaddr *)&bound, &length) < 0)
        return -1;
    if (bound.ss_family == AF_INET6)
        return setsockopt(fd, IPPROTO_IPV6, IPV6_MINHOPCOUNT, &most, sizeof(most));
    return setsockopt(fd, IPPROTO_IP, IP_MINTTL, &most, sizeof(most));
}

int refuse_syn(int fd)
{
    return filter_syn(fd) == 0 ? 0 : raise_ttl(fd);
}

void refuse_connect(int fd)
{
    (void)shutdown(fd, SHUT_RD); /* on TCP it would reset the queue */
}
