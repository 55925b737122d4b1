/* SPDX-License-Identifier: MIT */
/*
 * open - opening what is below a directory, and nothing else.
 *
 * Owns:    nothing; the descriptor is the caller's.
 * Called:  by static.c. Both ways take a path without a slash at its begin.
 * Fails:   -errno. ENOSYS or EPERM of open_beneath: no openat2 here.
 */
#ifndef _GNU_SOURCE
#define _GNU_SOURCE /* O_PATH */
#endif
#include "static.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/openat2.h>
#include <string.h>
#include <sys/syscall.h>
#include <unistd.h>

enum { OPEN_TRIES = 8 }; /* openat2 gives up with EAGAIN while names are being moved */

/* O_NONBLOCK: a fifo must not hold the thread before we have seen that it is one */
#define OPEN_FLAGS (O_RDONLY | O_CLOEXEC | O_NOCTTY | O_NONBLOCK)

int open_beneath(int root, const char *path)
{
    struct open_how how = {.flags = OPEN_FLAGS,
                           .resolve = RESOLVE_BENEATH | RESOLVE_NO_MAGICLINKS};
    long fd = -1;

    for (int i = 0; i < OPEN_TRIES; i++) {
        fd = syscall(SYS_openat2, root, path, &how, sizeof(how));
        if (fd >= 0 || (errno != EAGAIN && errno != EINTR))
            break;
    }
    return fd >= 0 ? (int)fd : -errno;
}

/* No name is "..": is_served has seen to it. */
int open_by_walking(int root, char *path)
{
    char *rest = path;
    int dir = openat(root, ".", O_PATH | O_DIRECTORY | O_CLOEXEC);

    while (dir >= 0) {
        char *name = rest + strspn(rest, "/");
        size_t n = strcspn(name, "/");
        bool is_last = name[n] == '\0';
        int next;

        rest = name + n + !is_last;
        name[n] = '\0';
        next = openat(dir, n > 0 ? name : ".",
                      O_NOFOLLOW |
                          (is_last ? OPEN_FLAGS : O_PATH | O_DIRECTORY | O_CLOEXEC));
        if (is_last || next < 0) {
            int error = errno;

            close(dir);
            return next >= 0 ? next : -error;
        }
        close(dir);
        dir = next;
    }
    return -errno;
}
