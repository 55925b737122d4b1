/* SPDX-License-Identifier: MIT */
/*
 * fd - descriptors: passing, copying into memory, closing.   [every process]
 *
 * Owns:    nothing; a descriptor that is returned is the caller's.
 * Called:  from everywhere; fd_close_others only between fork and the first line of the
 *          child.
 * Fails:   -1 with errno; nothing stays open behind a failure.
 */
#include "common/fd.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/resource.h>
#include <sys/sendfile.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

__attribute__((noinline)) static void close_open(int *fd)
{
    int saved = errno;

    close(*fd);
    *fd = -1;
    errno = saved;
}

/* There is nothing to close twice in each request. */
void fd_close(int *fd)
{
    if (*fd >= 0)
        close_open(fd);
}

int fd_set_nonblock(int fd, bool nonblock)
{
    int flags = fcntl(fd, F_GETFL);

    if (flags < 0)
        return -1;
    return fcntl(fd, F_SETFL, nonblock ? flags | O_NONBLOCK : flags & ~O_NONBLOCK);
}

int fd_set_cloexec(int fd, bool cloexec)
{
    return fcntl(fd, F_SETFD, cloexec ? FD_CLOEXEC : 0);
}

int fd_pair(int out[static 2])
{
    return socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_NONBLOCK | SOCK_CLOEXEC, 0, out);
}

/* ---- datagrams with a descriptor ---- */

/* The room for one descriptor, aligned as cmsg(3) wants it. */
union one_fd {
    struct cmsghdr header;
    char bytes[CMSG_SPACE(sizeof(int))];
};

int fd_send(int fd, const void *bytes, size_t n, int passed)
{
    struct iovec iov = {.iov_base = (void *)(uintptr_t)bytes, .iov_len = n};
    struct msghdr msg = {.msg_iov = &iov, .msg_iovlen = 1};
    union one_fd control;
    ssize_t sent;

    if (passed >= 0) {
        memset(&control, 0, sizeof(control));
        control.header.cmsg_level = SOL_SOCKET;
        control.header.cmsg_type = SCM_RIGHTS;
        control.header.cmsg_len = CMSG_LEN(sizeof(int));
        memcpy(CMSG_DATA(&control.header), &passed, sizeof(passed));
        msg.msg_control = &control;
        msg.msg_controllen = sizeof(control);
    }
    do {
        sent = sendmsg(fd, &msg, MSG_NOSIGNAL | MSG_DONTWAIT);
    } while (sent < 0 && errno == EINTR);
    return sent < 0 ? -1 : 0;
}

long fd_recv(int fd, void *bytes, size_t n, int *passed_out)
{
    struct iovec iov = {.iov_base = bytes, .iov_len = n};
    union one_fd control;
    /* CMSG_LEN, not CMSG_SPACE: the padding would let a hostile sender slip in a second
     * descriptor that nobody closes */
    struct msghdr msg = {.msg_iov = &iov,
                         .msg_iovlen = 1,
                         .msg_control = &control,
                         .msg_controllen = CMSG_LEN(sizeof(int))};
    ssize_t got;

    *passed_out = -1;
    do {
        got = recvmsg(fd, &msg, MSG_DONTWAIT | MSG_CMSG_CLOEXEC | MSG_TRUNC);
    } while (got < 0 && errno == EINTR);
    if (got < 0)
        return -1;
    struct cmsghdr *header = CMSG_FIRSTHDR(&msg);
    if (header != NULL && header->cmsg_level == SOL_SOCKET &&
        header->cmsg_type == SCM_RIGHTS && header->cmsg_len == CMSG_LEN(sizeof(int)))
        memcpy(passed_out, CMSG_DATA(header), sizeof(*passed_out));
    return got;
}

/* ---- images ---- */

static int copy_all(int from, int to, off_t size)
{
    off_t done = 0;

    while (done < size) {
        ssize_t n = sendfile(to, from, &done, (size_t)(size - done));

        if (n < 0 && errno != EINTR)
            return -1;
        if (n == 0) { /* the file has become shorter */
            errno = ETXTBSY;
            return -1;
        }
    }
    return 0;
}

static bool is_same_file(const struct stat *a, const struct stat *b)
{
    return a->st_size == b->st_size && a->st_mtim.tv_sec == b->st_mtim.tv_sec &&
           a->st_mtim.tv_nsec == b->st_mtim.tv_nsec;
}

/* Copies an open file into the memfd and seals it; a file that somebody writes to at this
 * moment is refused, half of it is no library. */
static int fill_image(int from, int to)
{
    struct stat before, after;

    if (fstat(from, &before) != 0)
        return -1;
    if (!S_ISREG(before.st_mode)) {
        errno = S_ISDIR(before.st_mode) ? EISDIR : EINVAL;
        return -1;
    }
    if (copy_all(from, to, before.st_size) != 0 || fstat(from, &after) != 0)
        return -1;
    if (!is_same_file(&before, &after)) {
        errno = ETXTBSY;
        return -1;
    }
    return fcntl(to, F_ADD_SEALS,
                 F_SEAL_SEAL | F_SEAL_SHRINK | F_SEAL_GROW | F_SEAL_WRITE);
}

int fd_image(const char *path, const char *name)
{
    /* O_NONBLOCK: the open of a FIFO would wait for a writer */
    int from = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK);

    if (from < 0)
        return -1;
    int to = memfd_create(name, MFD_CLOEXEC | MFD_ALLOW_SEALING);
    if (to >= 0 && fill_image(from, to) != 0)
        fd_close(&to);
    fd_close(&from);
    return to;
}

/* ---- all of them ---- */

/* Calls visit() for each open descriptor but the one this needs itself. */
static int each_open(void (*visit)(int fd, void *arg), void *arg)
{
    DIR *dir = opendir("/proc/self/fd");
    struct dirent *entry;

    if (dir == NULL)
        return -1;
    while ((entry = readdir(dir)) != NULL) {
        char *end;
        long fd = strtol(entry->d_name, &end, 10);

        if (end != entry->d_name && fd != dirfd(dir))
            visit((int)fd, arg);
    }
    return closedir(dir);
}

struct kept {
    const int *fd;
    size_t count;
};

/* The smallest kept descriptor that is at least `from`; INT_MAX when there is none. */
static int next_kept(const struct kept *kept, int from)
{
    int best = INT_MAX;

    for (size_t i = 0; i < kept->count; i++)
        if (kept->fd[i] >= from && kept->fd[i] < best)
            best = kept->fd[i];
    return best;
}

static void close_unless_kept(int fd, void *arg)
{
    if (fd > 2 && next_kept(arg, fd) != fd)
        close(fd);
}

static int close_span(unsigned first, unsigned last)
{
    return first > last ? 0 : (int)syscall(SYS_close_range, first, last, 0);
}

void fd_close_others(const int *keep, size_t count)
{
    struct kept kept = {keep, count};
    int from = 3;

    for (int next = next_kept(&kept, from); next != INT_MAX;
         next = next_kept(&kept, from)) {
        if (close_span((unsigned)from, (unsigned)next - 1) != 0)
            break;
        from = next + 1;
    }
    if (next_kept(&kept, from) == INT_MAX && close_span((unsigned)from, UINT_MAX) == 0)
        return;
    each_open(close_unless_kept, &kept); /* a kernel before 5.9, or a sandbox */
}

static void count_one(int fd, void *arg)
{
    (void)fd;
    ++*(int *)arg;
}

int fd_count(void)
{
    int count = 0;

    return each_open(count_one, &count) != 0 ? -1 : count;
}

void fd_grow_table(uint64_t count)
{
    struct rlimit limit;
    int high;

    if (count == 0 || getrlimit(RLIMIT_NOFILE, &limit) < 0)
        return;
    if (count > limit.rlim_cur)
        count = limit.rlim_cur;
    if (count > INT_MAX)
        count = INT_MAX;
    high = fcntl(STDERR_FILENO, F_DUPFD_CLOEXEC, (int)count - 1);
    fd_close(&high);
}

int fd_write_all(int fd, const void *bytes, size_t n)
{
    const char *p = bytes;

    while (n > 0) {
        ssize_t written = write(fd, p, n);

        if (written < 0 && errno != EINTR)
            return -1;
        if (written > 0) {
            p += written;
            n -= (size_t)written;
        }
    }
    return 0;
}
