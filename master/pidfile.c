/* SPDX-License-Identifier: MIT */
/*
 * pidfile - small files that others read: written whole or not at all.      [master]
 *
 * Owns:    nothing; paths are the config's.
 * Called:  by master.c: the pid file and the address file after the start, removal at
 *          exit.
 * Fails:   -1 with errno; at start that is exit status 73.
 */
#include "master/pidfile.h"

#include "common/fd.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

static int write_and_close(int fd, const char *text)
{
    int failed = fchmod(fd, 0644) < 0 || fd_write_all(fd, text, strlen(text)) < 0;

    fd_close(&fd);
    return failed ? -1 : 0;
}

int pidfile_write_text(const char *path, const char *text)
{
    char temporary[PATH_MAX];
    int saved, fd;

    if (snprintf(temporary, sizeof(temporary), "%s.XXXXXX", path) >=
        (int)sizeof(temporary)) {
        errno = ENAMETOOLONG;
        return -1;
    }
    fd = mkostemp(temporary, O_CLOEXEC);
    if (fd < 0)
        return -1;
    if (write_and_close(fd, text) == 0 && rename(temporary, path) == 0)
        return 0;
    saved = errno;
    unlink(temporary);
    errno = saved;
    return -1;
}

int pidfile_write(const char *path, pid_t pid)
{
    char text[24];

    snprintf(text, sizeof(text), "%ld\n", (long)pid);
    return pidfile_write_text(path, text);
}

void pidfile_remove(const char *path, pid_t pid)
{
    char text[24] = "";
    int fd = open(path, O_RDONLY | O_CLOEXEC | O_NOFOLLOW);

    if (fd < 0)
        return;
    if (read(fd, text, sizeof(text) - 1) > 0 && strtol(text, NULL, 10) == (long)pid)
        unlink(path);
    fd_close(&fd);
}
