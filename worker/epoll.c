/* SPDX-License-Identifier: MIT */
/*
 * epoll - our epoll_ctl in front of the kernel's.                [worker]
 *
 * Owns:    the symbol epoll_ctl, exported from the executable alone for this purpose; the
 *          set of marked descriptors.
 * Called:  by libev through its PLT; by accept.c. Loop thread.
 * Fails:   as epoll_ctl(2). The kernel refuses EPOLL_CTL_MOD on an exclusive entry, so a
 *          MOD of a marked descriptor is taken out and put in again.
 */
#include "worker/epoll.h"

#include <errno.h>
#include <stdint.h>
#include <sys/epoll.h>
#include <sys/syscall.h>
#include <unistd.h>

enum { MARKED_MOST = 1024 }; /* listeners are opened early, so their numbers are small */

int epoll_ctl(int epoll_fd, int op, int fd, struct epoll_event *event)
    __attribute__((visibility("default")));

static bool is_marked[MARKED_MOST], is_exclusive_one[MARKED_MOST];
static struct epoll_event event_of[MARKED_MOST]; /* as libev gave it */
static int epoll_of = -1;

static int call(int epoll_fd, int op, int fd, struct epoll_event *event)
{
    return (int)syscall(SYS_epoll_ctl, epoll_fd, op, fd, event);
}

static int add(int epoll_fd, int fd, const struct epoll_event *event)
{
    struct epoll_event exclusive = *event;
    if (is_exclusive_one[fd])
        exclusive.events |= EPOLLEXCLUSIVE;
    return call(epoll_fd, EPOLL_CTL_ADD, fd, &exclusive);
}

int epoll_ctl(int epoll_fd, int op, int fd, struct epoll_event *event)
{
    if (fd < 0 || fd >= MARKED_MOST || !is_marked[fd] || op == EPOLL_CTL_DEL)
        return call(epoll_fd, op, fd, event);
    event_of[fd] = *event;
    epoll_of = epoll_fd;
    if (op == EPOLL_CTL_MOD && call(epoll_fd, EPOLL_CTL_DEL, fd, event) < 0)
        return -1; /* ENOENT: libev answers with an ADD */
    return add(epoll_fd, fd, event);
}

void epoll_mark_listener(int fd, bool is_exclusive)
{
    if (fd < 0 || fd >= MARKED_MOST)
        return;
    is_marked[fd] = true;
    is_exclusive_one[fd] = is_exclusive;
}

bool epoll_is_exclusive(void)
{
    return epoll_of >= 0;
}

void epoll_rotate(int fd)
{
    if (epoll_of < 0 || fd >= MARKED_MOST || !is_marked[fd])
        return;
    struct epoll_event none = {0};
    if (call(epoll_of, EPOLL_CTL_DEL, fd, &none) == 0)
        (void)add(epoll_of, fd, &event_of[fd]);
}

void epoll_watch(struct ev_loop *loop, ev_io *io)
{
    ev_io_set(io, io->fd, io->events & (EV_READ | EV_WRITE));
    ev_io_start(loop, io);
}

void epoll_forget(int fd)
{
    struct epoll_event none = {0};
    if (epoll_of >= 0)
        (void)call(epoll_of, EPOLL_CTL_DEL, fd, &none);
}
