/* SPDX-License-Identifier: MIT */
/*
 * claim - are the descriptors of an estate what they claim to be?             [master]
 *
 * Owns:    nothing.
 * Called:  by rehearsal.c in the trial, while refusing is still free.
 * Fails:   a fault that names the descriptor. What may change while the trial runs (states of
 *          workers, what lies in an inbox) is not looked at.
 */
#include "master/claim.h"

#include "common/check.h"
#include "common/fd.h"
#include "common/message.h"
#include "worker/worker.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>

void claim_abi(struct estate_abi *out)
{
    *out = (struct estate_abi){.board = BOARD_VERSION,
                               .message = MESSAGE_MAGIC,
                               .inbox = worker_inbox_version()};
}

int claim_check_abi(const struct estate_abi *theirs, const struct estate_abi *ours,
                    struct fault *fault)
{
    const struct {
        const char *name;
        uint32_t theirs, ours;
    } rows[] = {
        {"scoreboard", theirs->board, ours->board},
        {"messages of master and worker", theirs->message, ours->message},
        {"messages between workers", theirs->inbox, ours->inbox},
    };

    for (size_t i = 0; i < COUNT_OF(rows); i++)
        if (rows[i].theirs != rows[i].ours)
            return fault_set(fault, EXIT_CONFIG,
                             "another version of the %s: %#x runs, this binary has %#x: "
                             "a restart is needed",
                             rows[i].name, rows[i].theirs, rows[i].ours);
    return EXIT_OK;
}

static int refuse(struct fault *fault, const char *what, int fd)
{
    return fault_set(fault, EXIT_CONFIG, "descriptor %d is no %s", fd, what);
}

static int get_int(int fd, int option)
{
    int value = -1;
    socklen_t length = sizeof(value);

    return getsockopt(fd, SOL_SOCKET, option, &value, &length) < 0 ? -1 : value;
}

static bool is_packet_socket(int fd)
{
    return get_int(fd, SO_DOMAIN) == AF_UNIX && get_int(fd, SO_TYPE) == SOCK_SEQPACKET;
}

static bool is_log(int fd)
{
    const int flags = fcntl(fd, F_GETFL);

    return flags >= 0 && (flags & O_ACCMODE) != O_RDONLY;
}

static bool is_to_read(int fd)
{
    const int flags = fcntl(fd, F_GETFL);

    return flags >= 0 && (flags & O_ACCMODE) == O_RDONLY;
}

/* A unix socket knows the name it was bound by, which was a temporary one. */
static bool is_listener(const struct listener *listener)
{
    struct sockaddr_storage bound = {.ss_family = AF_UNSPEC};
    socklen_t length = sizeof(bound);
    char name[ADDR_TEXT_MAX];

    if (get_int(listener->fd, SO_ACCEPTCONN) != 1 ||
        getsockname(listener->fd, (struct sockaddr *)&bound, &length) < 0 ||
        (bound.ss_family == AF_UNIX) != listener->unix_socket)
        return false;
    if (listener->unix_socket)
        return true;
    addr_format((struct sockaddr *)&bound, length, name, sizeof(name));
    return strcmp(name, listener->name) == 0;
}

static bool is_image(int fd)
{
    const int seals = fcntl(fd, F_GET_SEALS);

    return seals >= 0 && (seals & F_SEAL_WRITE) != 0;
}

static int check_board(const struct estate *e, struct fault *fault)
{
    struct board *board = board_open(e->self.board_fd);
    unsigned entries;

    if (board == NULL)
        return refuse(fault, "scoreboard of this binary", e->self.board_fd);
    entries = board_entries(board);
    board_close(&board);
    if (entries == e->self.worker_slots)
        return EXIT_OK;
    return fault_set(fault, EXIT_CONFIG,
                     "a scoreboard of %u entries, but worker_slots %u", entries,
                     e->self.worker_slots);
}

static int check_control(const struct estate *e, struct fault *fault)
{
    const int fd = e->control.socket.fd;

    if (fd >= 0 && (!is_packet_socket(fd) || get_int(fd, SO_ACCEPTCONN) != 1))
        return refuse(fault, "control socket", fd);
    for (size_t i = 0; i < e->peer_count; i++)
        if (!is_packet_socket(e->peer[i].fd))
            return refuse(fault, "connection of a control socket", e->peer[i].fd);
    return EXIT_OK;
}

static int check_logs(const struct estate *e, struct fault *fault)
{
    const int logs[] = {e->self.error_log_fd, e->self.access_log_fd};

    for (size_t i = 0; i < COUNT_OF(logs); i++)
        if (logs[i] >= 0 && !is_log(logs[i]))
            return refuse(fault, "log", logs[i]);
    return EXIT_OK;
}

int claim_check(const struct estate *e, struct fault *fault)
{
    if (check_board(e, fault) != EXIT_OK || check_logs(e, fault) != EXIT_OK ||
        check_control(e, fault) != EXIT_OK)
        return fault->status;
    for (size_t i = 0; i < e->slot_count; i++)
        if (!is_packet_socket(e->slot[i].channel.fd))
            return refuse(fault, "channel", e->slot[i].channel.fd);
    for (size_t i = 0; i < e->slot_count; i++)
        if (e->slot[i].written_fd > 0 && !is_to_read(e->slot[i].written_fd))
            return refuse(fault, "file of what a worker has written",
                          e->slot[i].written_fd);
    if (e->self.oom.fd >= 0 && !is_to_read(e->self.oom.fd))
        return refuse(fault, "counter of kills for memory", e->self.oom.fd);
    for (size_t i = 0; i < e->inbox_count; i++)
        if (!is_packet_socket(e->inbox[i].rx) || !is_packet_socket(e->inbox[i].tx))
            return refuse(fault, "inbox", e->inbox[i].rx);
    for (size_t i = 0; i < e->listener_count; i++)
        if (!is_listener(&e->listener[i]))
            return refuse(fault, "listener of its name", e->listener[i].fd);
    for (size_t i = 0; i < e->image_count; i++)
        if (e->image[i].fd >= 0 && !is_image(e->image[i].fd))
            return refuse(fault, "image of a plugin", e->image[i].fd);
    for (size_t i = 0; i < e->named_count; i++)
        if (fcntl(e->named[i].fd, F_GETFD) < 0)
            return refuse(fault, e->named[i].name, e->named[i].fd);
    return EXIT_OK;
}
