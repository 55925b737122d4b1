/* SPDX-License-Identifier: MIT */
/*
 * lab_spawn - a shape becomes a command line and an environment, and a process.    [lab]
 *
 * Owns:    nothing: the process is the caller's.
 * Called:  by lab_server.c.
 * Fails:   -1 with errno; in the child with exit status 71 and a line in the log.
 */
#ifndef CLI_LAB_SPAWN_H
#define CLI_LAB_SPAWN_H

#include "cli/lab.h"

enum { LAB_NOTIFY_MAX = 110 };

/** Is there a plugin `lab`: beside this executable as it was built, or installed? If not,
 * *missing_out is the path that was looked for last, a static text. */
bool lab_spawn_has_plugin(const char **missing_out);

/** Forks and executes `remuda run` of that shape; both outputs go to the file `log`.
 * `notify` becomes NOTIFY_SOCKET. */
pid_t lab_spawn(const struct lab_shape *shape, const char *address_file, const char *log,
                const char *notify);

#endif
