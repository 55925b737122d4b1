/* SPDX-License-Identifier: MIT */
/*
 * control_path - where the control socket of a server is, for both who make it and who
 * look for it.
 */
#ifndef COMMON_CONTROL_PATH_H
#define COMMON_CONTROL_PATH_H

#include <stdbool.h>

/** A server takes the first of them that it has; a client looks into each. */
enum control_home {
    CONTROL_HOME_RUNTIME, /* $RUNTIME_DIRECTORY/control.sock; of several the first */
    CONTROL_HOME_RUN,     /* /run/remuda/NAME/control.sock: root's */
    CONTROL_HOME_XDG,     /* $XDG_RUNTIME_DIR/remuda/NAME/control.sock: a user's */
    CONTROL_HOMES
};

enum {
    CONTROL_NAME = 64,
    CONTROL_PATH = 108 /* sun_path, with its NUL */
};

/** NAME of /etc/remuda/NAME.ini; "" where there is no file, or no name in it. False: it is
 *  too long, and *out is "". */
bool control_name(const char *file, char out[static CONTROL_NAME]);

/** The path, in this process's environment. False: there is none (the variable is not set;
 *  `name` is "" and the home is shared by all servers), or it is too long for a socket. */
bool control_path(enum control_home home, const char *name,
                  char out[static CONTROL_PATH]);

#endif
