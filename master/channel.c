/* SPDX-License-Identifier: MIT */
/*
 * channel - the master's end of the pair to one worker.                      [master]
 *
 * Owns:    the descriptor and its watcher.
 * Called:  by herd.c; calls back with messages that passed every check.
 * Fails:   what does not belong here is dropped: foreign code runs at the other end, and
 *          a worker that is compromised must not be able to move another one's state.
 *          Pid *and* generation are matched. The first bad message is logged, the rest
 *          not.
 */
#include "master/channel.h"

#include "common/check.h"
#include "common/fd.h"
#include "common/log.h"

#include <errno.h>
#include <linux/sockios.h>
#include <string.h>
#include <sys/ioctl.h>

enum { BATCH = 16 }; /* messages per turn: one flooding worker must not starve the loop */

static const bool from_worker[MESSAGE_TYPES] = {
    [MESSAGE_READY] = true,
    [MESSAGE_RETIRE] = true,
    [MESSAGE_BYE] = true,
};

static const char *what_is_wrong(const struct channel *channel,
                                 const struct message *message, int passed)
{
    if (message->type >= COUNT_OF(from_worker) || !from_worker[message->type])
        return "not for a worker to send";
    if (message->pid != channel->pid)
        return "another pid";
    if (message->generation != channel->generation)
        return "another generation";
    return passed >= 0 ? "an unexpected descriptor" : NULL;
}

static void complain(struct channel *channel, const char *what)
{
    if (channel->complained)
        return;
    channel->complained = true;
    log_warn("message of pid %d (generation %u) dropped: %s", (int)channel->pid,
             channel->generation, what);
}

/* False: nothing more to read now. */
static bool read_one(struct channel *channel)
{
    struct message message;
    const char *wrong;
    int passed = -1;
    int got = message_recv(channel->fd, &message, &passed);

    if (got < 0 && errno == EPROTO) {
        complain(channel, "malformed");
        return true;
    }
    if (got < 0 && (errno == EAGAIN || errno == EINTR))
        return false;
    if (got <= 0) {
        ev_io_stop(channel->loop, &channel->watcher);
        channel->on_message(channel, NULL);
        return false;
    }
    wrong = what_is_wrong(channel, &message, passed);
    fd_close(&passed);
    if (wrong != NULL)
        complain(channel, wrong);
    else
        channel->on_message(channel, &message);
    return channel->fd >= 0;
}

static void on_readable(struct ev_loop *loop, ev_io *watcher, int events)
{
    struct channel *channel = CONTAINER_OF(watcher, struct channel, watcher);

    (void)loop;
    (void)events;
    for (int i = 0; i < BATCH && read_one(channel); i++)
        ;
}

void channel_init(struct channel *channel)
{
    memset(channel, 0, sizeof(*channel));
    channel->fd = -1;
}

void channel_open(struct channel *channel, struct ev_loop *loop, int fd,
                  channel_fn *on_message)
{
    channel_init(channel);
    channel->fd = fd;
    channel->loop = loop;
    channel->on_message = on_message;
    ev_io_init(&channel->watcher, on_readable, fd, EV_READ);
    ev_io_start(loop, &channel->watcher);
}

void channel_set_peer(struct channel *channel, pid_t pid, uint32_t generation)
{
    channel->pid = pid;
    channel->generation = generation;
}

bool channel_is_unheard(const struct channel *channel)
{
    int unread = 0; /* of a unix socket: bytes the peer has not received (unix(7)) */

    return channel->fd >= 0 && ioctl(channel->fd, SIOCOUTQ, &unread) == 0 && unread > 0;
}

void channel_drain(struct channel *channel)
{
    while (channel->fd >= 0 && ev_is_active(&channel->watcher) && read_one(channel))
        ;
}

void channel_close(struct channel *channel)
{
    if (channel->fd < 0)
        return;
    ev_io_stop(channel->loop, &channel->watcher);
    fd_close(&channel->fd);
}

int channel_send(struct channel *channel, enum message_type type, uint64_t arg,
                 int passed)
{
    if (channel->fd < 0) {
        errno = EPIPE;
        return -1;
    }
    return message_send(channel->fd, type, channel->generation, channel->pid, arg, NULL,
                        passed);
}
