/* SPDX-License-Identifier: MIT */
/*
 * fake_io - recv, send and their like, for descriptors that are fakes.   [tests]
 *
 * A fake's descriptor is a timer that nobody sets: real to epoll, and never ready there.
 */
#include "tests/fuzz/fake_io.h"

#include "tests/fuzz/must.h"

#include <errno.h>
#include <linux/sockios.h>
#include <stdarg.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <sys/timerfd.h>
#include <sys/uio.h>
#include <time.h>
#include <unistd.h>

enum { FAKE_FDS = 1024 };

static struct fake *fake_of[FAKE_FDS];
uint64_t fake_now_ns = 1000000000;

long __real_recv(int fd, void *buffer, size_t n, int flags);
long __real_send(int fd, const void *bytes, size_t n, int flags);
long __real_sendmsg(int fd, const struct msghdr *m, int flags);
long __real_sendfile(int fd, int from, off_t *offset, size_t n);
int __real_shutdown(int fd, int how);
int __real_close(int fd);
int __real_ioctl(int fd, unsigned long request, void *arg);

long __wrap_recv(int fd, void *buffer, size_t n, int flags);
long __wrap_send(int fd, const void *bytes, size_t n, int flags);
long __wrap_sendmsg(int fd, const struct msghdr *m, int flags);
long __wrap_sendfile(int fd, int from, off_t *offset, size_t n);
int __wrap_shutdown(int fd, int how);
int __wrap_close(int fd);
int __wrap_ioctl(int fd, unsigned long request, void *arg);
uint64_t __wrap_clock_mono_ns(void);

static struct fake *find(int fd)
{
    return fd >= 0 && fd < FAKE_FDS ? fake_of[fd] : NULL;
}

void fake_open(struct fake *fake)
{
    *fake = (struct fake){.room = FAKE_MOST, .is_eager = true};
    fake->fd = timerfd_create(CLOCK_MONOTONIC, TFD_NONBLOCK | TFD_CLOEXEC);
    fake->out = malloc(FAKE_MOST);
    must(fake->fd >= 0 && fake->fd < FAKE_FDS && fake->out != NULL, "a fake");
    fake_of[fake->fd] = fake;
}

void fake_fini(struct fake *fake)
{
    must(fake->fd == -1, "a connection is still open");
    free(fake->out);
    fake->out = NULL;
}

void fake_read(struct fake *fake, size_t n)
{
    fake->unread -= n < fake->unread ? n : fake->unread;
}

void fake_read_all(struct fake *fake)
{
    fake->is_eager = true;
    fake->unread = 0;
}

bool fake_is_readable(const struct fake *fake)
{
    return fake->fd >= 0 && (fake->in_taken < fake->in_bytes || fake->has_ended ||
                             fake->is_reset || fake->next_recv_errno != 0);
}

bool fake_is_writable(const struct fake *fake)
{
    return fake->fd >= 0 &&
           (fake->is_reset || fake->next_send_errno != 0 || fake->unread < fake->room);
}

/* -1 with errno, or how much of n may be taken. */
static long admit(struct fake *fake, size_t n)
{
    must(!fake->is_shut, "written behind the end of our side");
    int error = fake->next_send_errno;
    fake->next_send_errno = 0;
    if (fake->is_reset)
        error = EPIPE;
    else if (error == 0 && fake->unread >= fake->room)
        error = EAGAIN;
    errno = error;
    if (error != 0)
        return -1;
    size_t room = fake->room - fake->unread;
    must(fake->out_bytes + n <= FAKE_MOST, "too much for a fake");
    return (long)(n < room ? n : room);
}

static void take(struct fake *fake, const void *bytes, size_t n)
{
    if (n > 0)
        memcpy(fake->out + fake->out_bytes, bytes, n);
    fake->out_bytes += n;
    fake->unread += fake->is_eager ? 0 : n;
}

long __wrap_recv(int fd, void *buffer, size_t n, int flags)
{
    struct fake *fake = find(fd);
    if (fake == NULL)
        return __real_recv(fd, buffer, n, flags);
    must(n > 0, "a receive without room");
    int error = fake->next_recv_errno;
    size_t left = fake->in_bytes - fake->in_taken;
    fake->next_recv_errno = 0;
    if (fake->is_reset)
        error = ECONNRESET;
    else if (error == 0 && left == 0 && !fake->has_ended)
        error = EAGAIN;
    errno = error;
    if (error != 0)
        return -1;
    n = n < left ? n : left;
    if (n > 0)
        memcpy(buffer, fake->in + fake->in_taken, n);
    fake->in_taken += n;
    return (long)n;
}

long __wrap_send(int fd, const void *bytes, size_t n, int flags)
{
    struct fake *fake = find(fd);
    if (fake == NULL)
        return __real_send(fd, bytes, n, flags);
    must((flags & MSG_NOSIGNAL) != 0, "a send that could raise SIGPIPE");
    long taken = admit(fake, n);
    if (taken > 0)
        take(fake, bytes, (size_t)taken);
    return taken;
}

long __wrap_sendmsg(int fd, const struct msghdr *m, int flags)
{
    struct fake *fake = find(fd);
    if (fake == NULL)
        return __real_sendmsg(fd, m, flags);
    must((flags & MSG_NOSIGNAL) != 0, "a send that could raise SIGPIPE");
    size_t n = 0;
    for (size_t i = 0; i < m->msg_iovlen; i++)
        n += m->msg_iov[i].iov_len;
    long taken = admit(fake, n), left = taken;
    for (size_t i = 0; left > 0; i++) {
        size_t here = m->msg_iov[i].iov_len;
        here = here < (size_t)left ? here : (size_t)left;
        take(fake, m->msg_iov[i].iov_base, here);
        left -= (long)here;
    }
    return taken;
}

long __wrap_sendfile(int fd, int from, off_t *offset, size_t n)
{
    char bytes[4096];
    struct fake *fake = find(fd);
    if (fake == NULL)
        return __real_sendfile(fd, from, offset, n);
    long most = admit(fake, n < sizeof bytes ? n : sizeof bytes);
    if (most < 0)
        return -1;
    long got = pread(from, bytes, (size_t)most, *offset);
    if (got > 0) {
        take(fake, bytes, (size_t)got);
        *offset += got;
    }
    return got;
}

int __wrap_shutdown(int fd, int how)
{
    struct fake *fake = find(fd);
    if (fake == NULL)
        return __real_shutdown(fd, how);
    must(how == SHUT_WR, "a shutdown of the reading side");
    errno = ENOTCONN;
    if (fake->is_reset)
        return -1;
    fake->is_shut = true;
    return 0;
}

int __wrap_close(int fd)
{
    struct fake *fake = find(fd);
    if (fake != NULL) {
        fake->fd = -1;
        fake_of[fd] = NULL;
    }
    return __real_close(fd);
}

int __wrap_ioctl(int fd, unsigned long request, void *arg)
{
    struct fake *fake = find(fd);
    if (fake == NULL || request != SIOCOUTQ)
        return __real_ioctl(fd, request, arg);
    *(int *)arg = (int)fake->unread;
    return 0;
}

uint64_t __wrap_clock_mono_ns(void)
{
    return fake_now_ns;
}
