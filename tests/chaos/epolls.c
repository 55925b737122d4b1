/* SPDX-License-Identifier: MIT */
/*
 * epolls - writes the pid of each process that makes an epoll set to $EPOLLS.  [tests]
 *
 * Loaded before the libraries of the server. libev makes its set anew when it meets an event
 * that it cannot explain, such as of a descriptor that lives on in another process.
 */
#define _GNU_SOURCE
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/syscall.h>
#include <unistd.h>

#define SEEN __attribute__((visibility("default")))

int epoll_create1(int flags) SEEN;
int epoll_create(int size) SEEN;

static void note(void)
{
    const char *path = getenv("EPOLLS");
    int fd =
        path != NULL ? open(path, O_WRONLY | O_APPEND | O_CREAT | O_CLOEXEC, 0600) : -1;
    char line[16];

    snprintf(line, sizeof line, "%d\n", (int)getpid());
    if (fd < 0 || write(fd, line, strlen(line)) < 0)
        abort();
    close(fd);
}

int epoll_create1(int flags)
{
    note();
    return (int)syscall(SYS_epoll_create1, flags);
}

int epoll_create(int size)
{
    (void)size;
    note();
    return (int)syscall(SYS_epoll_create1, 0);
}
