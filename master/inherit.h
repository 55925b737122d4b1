/* SPDX-License-Identifier: MIT */
/*
 * inherit - listening sockets that systemd passes (sd_listen_fds(3)), without its
 * library.
 */
#ifndef MASTER_INHERIT_H
#define MASTER_INHERIT_H

#include "common/addr.h"
#include "common/heritage.h"
#include "master/fault.h"

#include <stdbool.h>
#include <stddef.h>

enum { INHERIT_FIRST_FD = 3, INHERIT_NAME = 256 };

struct inherited_socket {
    int fd;                  /* stays open for life: systemd goes on listening anyway */
    char name[INHERIT_NAME]; /* FileDescriptorName= of the socket unit */
    struct addr address;     /* as bound */
};

struct inherited {
    struct inherited_socket item[HERITAGE_LISTENERS];
    size_t count;
};

/** Reads LISTEN_PID, LISTEN_FDS and LISTEN_FDNAMES, and removes them from the
 *  environment: they are not our children's. 0, or 78 with *fault: not listening stream
 *  sockets, or too many. */
int inherit_take(struct inherited *inherited, struct fault *fault);

/** The next one after `from` whose name (`fd:NAME`) or address matches; NULL: none. Start
 *  with from = NULL. */
const struct inherited_socket *inherit_find_name(const struct inherited *inherited,
                                                 const char *name,
                                                 const struct inherited_socket *from);
const struct inherited_socket *inherit_find_address(const struct inherited *inherited,
                                                    const struct addr *address);

#endif
