/* SPDX-License-Identifier: MIT */
/*
 * logs - the error log and the access log as descriptors.                   [master]
 *
 * Owns:    both descriptors, unless they are stdout and stderr. The master opens them so
 *          that workers need no right to.
 * Called:  by generation.c, and by master.c for SIGUSR1.
 * Fails:   a fault that names the path; a reopen that fails keeps the old files.
 */
#include "master/logs.h"

#include "common/fd.h"
#include "conf/conf.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

/* O_NONBLOCK is for a fifo without a reader, which would hold up the master for ever; it
 * means nothing for a file. */
static int open_append(const char *path)
{
    return open(path, O_WRONLY | O_APPEND | O_CREAT | O_CLOEXEC | O_NOCTTY | O_NONBLOCK,
                0640);
}

/* Standard output and error are not ours alone: O_NONBLOCK on them would be every process's
 * that has them. A pipe that is opened anew has flags of its own; where that is not allowed,
 * or nobody reads, it stays what it is. Sockets need no flag (send(2), MSG_DONTWAIT). */
static int own_description(int standard)
{
    struct stat st;
    char path[32];
    int fd;

    if (fstat(standard, &st) < 0 || !S_ISFIFO(st.st_mode))
        return standard;
    snprintf(path, sizeof(path), "/proc/self/fd/%d", standard);
    fd = open(path, O_WRONLY | O_APPEND | O_CLOEXEC | O_NOCTTY | O_NONBLOCK);
    return fd < 0 ? standard : fd;
}

static int open_one(const char *key, const char *path, int standard, int *fd_out,
                    struct fault *fault)
{
    *fd_out = strcmp(path, "-") == 0 ? own_description(standard) : open_append(path);
    if (*fd_out >= 0)
        return EXIT_OK;
    return fault_set(fault, fault_status_of(errno, EXIT_CREATE), "log.%s: %s: %s", key,
                     path, strerror(errno));
}

int logs_open(struct logs *logs, const struct conf_log *conf, struct fault *fault)
{
    *logs = (struct logs){.error_fd = LOGS_CLOSED, .access_fd = LOGS_CLOSED};
    if (open_one("error", conf->error, STDERR_FILENO, &logs->error_fd, fault) != EXIT_OK)
        return fault->status;
    if (strcmp(conf->access, "off") == 0)
        return EXIT_OK;
    if (open_one("access", conf->access, STDOUT_FILENO, &logs->access_fd, fault) !=
        EXIT_OK) {
        logs_close(logs);
        return fault->status;
    }
    return EXIT_OK;
}

bool logs_is_stderr(int fd)
{
    struct stat ours, theirs;

    return fstat(fd, &ours) == 0 && fstat(STDERR_FILENO, &theirs) == 0 &&
           ours.st_dev == theirs.st_dev && ours.st_ino == theirs.st_ino;
}

static void close_one(int *fd)
{
    if (*fd > STDERR_FILENO)
        fd_close(fd);
    *fd = LOGS_CLOSED;
}

void logs_close(struct logs *logs)
{
    close_one(&logs->error_fd);
    close_one(&logs->access_fd);
}
