/* SPDX-License-Identifier: MIT */
/*
 * listener - the listening sockets of one generation, as a set.
 */
#ifndef MASTER_LISTENER_H
#define MASTER_LISTENER_H

#include "common/addr.h"
#include "common/heritage.h"
#include "master/fault.h"
#include "master/inherit.h"

#include <stdbool.h>
#include <stddef.h>
#include <sys/types.h>

struct conf_server;

struct listener {
    int fd;
    char key[ADDR_TEXT_MAX];  /* as asked for: a reload finds it again by that */
    char name[ADDR_TEXT_MAX]; /* as bound */
    bool unix_socket;
    bool inherited; /* systemd's: not ours to close or to unlink */
    bool fresh;     /* opened for this set; not shared with the one before */
    dev_t device;   /* of our own unix socket, so that a successor's is not unlinked */
    ino_t inode;
};

struct listeners {
    struct listener item[HERITAGE_LISTENERS];
    size_t count;
};

/** The set that `server` asks for: what `running` (NULL: none) has already is shared, the
 *  rest is opened. 0, or an exit status with *fault and nothing opened left. */
int listeners_open(struct listeners *next, const struct listeners *running,
                   const struct inherited *inherited, const struct conf_server *server,
                   struct fault *fault);

/** The change failed: closes and unlinks what is fresh in it. */
void listeners_abandon(struct listeners *next);

/** The change is made: *running is *next, and what `running` had and `next` has not is in
 *  *dropped, open still. */
void listeners_commit(struct listeners *running, struct listeners *next,
                      struct listeners *dropped);

/** Nobody new gets into those of our own: TCP drops SYNs, a unix socket loses its name. What
 *  is queued stays. True: TCP handshakes may be under way, which end in a moment. */
bool listeners_refuse(struct listeners *listeners);

/** All of them, in this process: in workers that share them their queues live on, and no
 *  unix socket takes anybody new. A unix socket's name goes if it is still ours. */
void listeners_close(struct listeners *listeners);

/** One line per socket that is fresh. */
void listeners_log(const struct listeners *listeners);

#endif
