/* SPDX-License-Identifier: MIT */
/*
 * backlog - asks the kernel how long its queues are.                         [master]
 *
 * Owns:    the scoreboard's words for them.
 * Called:  by the watchdog, each second: the master has all listeners, and time.
 * Fails:   never; what cannot be known is 0.
 */
#include "master/backlog.h"

#include "common/scoreboard.h"
#include "master/listener.h"

#include <netinet/in.h>
#include <netinet/tcp.h>
#include <string.h>
#include <sys/socket.h>

/* On a listening socket tcpi_unacked is the length of its accept queue, tcpi_sacked the limit
 * (net/ipv4/tcp.c, tcp_get_info); no page of the manual says so. */
void backlog_read(int fd, uint32_t *length_out, uint32_t *limit_out)
{
    struct tcp_info info;
    socklen_t size = sizeof(info);

    memset(&info, 0, sizeof(info));
    if (getsockopt(fd, IPPROTO_TCP, TCP_INFO, &info, &size) < 0 ||
        info.tcpi_state != TCP_LISTEN)
        memset(&info, 0, sizeof(info));
    *length_out = info.tcpi_unacked;
    *limit_out = info.tcpi_sacked;
}

void backlog_publish(struct board *board, const struct listeners *listeners)
{
    for (size_t i = 0; i < BOARD_LISTENERS; i++) {
        uint32_t length = 0, limit = 0;

        if (i < listeners->count)
            backlog_read(listeners->item[i].fd, &length, &limit);
        board_set32(&board->backlog[i].length, length);
        board_set32(&board->backlog[i].limit, limit);
    }
    board_set32(&board->listeners, (uint32_t)listeners->count);
}
