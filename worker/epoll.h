/* SPDX-License-Identifier: MIT */
/*
 * epoll - the exclusive wait on shared listeners, which libev cannot ask for.   [worker]
 *
 * N idle workers on one listener all wake for one connection. EPOLLEXCLUSIVE wakes one, but
 * libev's backend never sets it. So the executable defines epoll_ctl itself; libev's calls
 * reach it, and those for a listener get the flag.
 */
#ifndef WORKER_EPOLL_H
#define WORKER_EPOLL_H

#include <ev.h>
#include <stdbool.h>

/** This descriptor is a shared listener; is_exclusive: its next EPOLL_CTL_ADD is. */
void epoll_mark_listener(int fd, bool is_exclusive);

/** Has a marked descriptor come through? False where libev does not reach our epoll_ctl (a
 *  static libev): then all workers wake, and everything else works. */
bool epoll_is_exclusive(void);

/** Behind the other workers in the listener's queue, so that not one takes all. Only after
 *  libev has added the descriptor. */
void epoll_rotate(int fd);

/** Starts the watcher of a descriptor that may have been forgotten. Within one turn libev
 *  would take a stop and a start for nothing, and the descriptor stay out of the set. */
void epoll_watch(struct ev_loop *loop, ev_io *io);

/** Out of the set, now: libev leaves that to close, but the listener lives on in other
 *  processes, and so would the entry, which goes on taking their wake-ups. */
void epoll_forget(int fd);

#endif
