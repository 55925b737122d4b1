/* SPDX-License-Identifier: MIT */
/*
 * bind - one new listening socket: TCP or unix.
 */
#ifndef MASTER_BIND_H
#define MASTER_BIND_H

#include "common/addr.h"
#include "master/fault.h"

#include <stdbool.h>
#include <stddef.h>
#include <sys/types.h>

struct bind_request {
    struct addr address;
    bool is_packets; /* of a unix socket: SOCK_SEQPACKET */
    int backlog;
    int mode;  /* of a unix socket */
    uid_t uid; /* its owner; -1: ours */
    gid_t gid;
};

/** Bound and listening, non-blocking, close-on-exec. The descriptor, or -1 with *fault. A
 *  unix socket that answers is in use (69); one that refuses is replaced. */
int bind_open(const struct bind_request *request, struct fault *fault);

/** True when this machine has no such address family: `*:80` goes on without it. */
bool bind_lacks_family(int family);

/** What is set on a listening socket whoever made it: TCP_NODELAY is inherited by what it
 *  accepts, and saves a system call per connection. */
void bind_tune(int fd);

/** The unix socket a path names, as device and inode; -1 when there is none. */
int bind_identify(const char *path, dev_t *device_out, ino_t *inode_out);

#endif
