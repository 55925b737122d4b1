/* SPDX-License-Identifier: MIT */
/*
 * control_socket - the listening socket of `remuda ctl`: its path, its mode, its end.
 */
#ifndef MASTER_CONTROL_SOCKET_H
#define MASTER_CONTROL_SOCKET_H

#include "common/control_path.h"
#include "master/fault.h"

#include <stdbool.h>
#include <sys/types.h>

struct control_socket {
    int fd;            /* -1: off */
    bool is_for_group; /* mode 0660: who may open the file may ask */
    char path[CONTROL_PATH];
    dev_t device; /* of the file, so that a successor's is not unlinked */
    ino_t inode;
    bool has_made_folder; /* that it stands in */
};

/** For a server with this config file (NULL or "": none), in this process's environment;
 *  `group` as admin.admin_group, "" for none. 0, or an exit status with *fault: why it is
 *  off. */
int control_socket_open(struct control_socket *socket, const char *file,
                        const char *group, struct fault *fault);

/** The file goes too, if it is still ours. Accepts one that is off. */
void control_socket_close(struct control_socket *socket);

#endif
