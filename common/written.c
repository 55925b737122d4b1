/* SPDX-License-Identifier: MIT */
/*
 * written - reads one number of /proc/PID/task/PID/io.       [worker, master]
 *
 * Owns:    nothing; the descriptor is the caller's.
 * Called:  by the worker around each write of its access log, by the master for one that died.
 * Fails:   without a word; the log may then have lines twice (ring.h).
 */
#include "common/written.h"

#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

int written_open(pid_t pid)
{
    char path[64];

    snprintf(path, sizeof(path), "/proc/%d/task/%d/io", (int)pid, (int)pid);
    return open(path, O_RDONLY | O_CLOEXEC);
}

bool written_read(int fd, uint64_t *count_out)
{
    static const char name[] = "wchar: ";
    char text[512];
    const ssize_t n = fd < 0 ? -1 : pread(fd, text, sizeof(text) - 1, 0);

    if (n <= 0)
        return false;
    text[n] = '\0';
    const char *at = strstr(text, name);
    if (at == NULL)
        return false;
    *count_out = 0;
    for (at += sizeof(name) - 1; *at >= '0' && *at <= '9'; at++)
        *count_out = *count_out * 10 + (uint64_t)(*at - '0');
    return true;
}
