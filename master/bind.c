/* SPDX-License-Identifier: MIT */
/*
 * bind - one new listening socket: TCP or unix.                             [master]
 *
 * Owns:    nothing; the descriptor is the caller's.
 * Called:  by listener.c and control_socket.c.
 * Fails:   a fault with the address and the exit status: 69 in use, 77 not allowed, 73 a
 *          unix socket that cannot be made, 71 the rest.
 */
#include "master/bind.h"

#include "common/fd.h"

#include <errno.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

static int set_option(int fd, int level, int name)
{
    const int on = 1;

    return setsockopt(fd, level, name, &on, sizeof(on));
}

static int new_socket(int family, int type)
{
    return socket(family, type | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
}

bool bind_lacks_family(int family)
{
    int fd = new_socket(family, SOCK_STREAM);
    bool lacks = fd < 0 && errno == EAFNOSUPPORT;
    struct sockaddr_in6 any = {.sin6_family = AF_INET6, .sin6_addr = IN6ADDR_ANY_INIT};

    /* a kernel with net.ipv6.disable_ipv6 makes the socket and refuses the address */
    if (fd >= 0 && family == AF_INET6)
        lacks =
            bind(fd, (struct sockaddr *)&any, sizeof(any)) < 0 && errno == EADDRNOTAVAIL;
    fd_close(&fd);
    return lacks;
}

void bind_tune(int fd)
{
    (void)set_option(fd, IPPROTO_TCP, TCP_NODELAY); /* a unix socket refuses: fine */
}

int bind_identify(const char *path, dev_t *device_out, ino_t *inode_out)
{
    struct stat st;

    if (lstat(path, &st) < 0)
        return -1;
    if (!S_ISSOCK(st.st_mode)) {
        errno = ENOTSOCK;
        return -1;
    }
    *device_out = st.st_dev;
    *inode_out = st.st_ino;
    return 0;
}

/* ---- TCP ---- */

static int prepare_tcp(int fd, const struct addr *address)
{
    if (set_option(fd, SOL_SOCKET, SO_REUSEADDR) < 0)
        return -1;
    if (address->kind == ADDR_INET6 && set_option(fd, IPPROTO_IPV6, IPV6_V6ONLY) < 0)
        return -1;
    bind_tune(fd);
    return bind(fd, (const struct sockaddr *)&address->storage, address->length);
}

static int status_of_tcp(int error)
{
    if (error == EADDRINUSE)
        return EXIT_UNAVAILABLE;
    return fault_status_of(error, EXIT_OS);
}

static int open_tcp(const struct bind_request *request, struct fault *fault)
{
    const struct addr *address = &request->address;
    int fd = new_socket(address->kind == ADDR_INET6 ? AF_INET6 : AF_INET, SOCK_STREAM);
    char name[ADDR_TEXT_MAX];

    if (fd >= 0 && prepare_tcp(fd, address) == 0 && listen(fd, request->backlog) == 0)
        return fd;
    addr_format((const struct sockaddr *)&address->storage, address->length, name,
                sizeof(name));
    fault_set(fault, status_of_tcp(errno), "cannot listen on %s: %s", name,
              strerror(errno));
    fd_close(&fd);
    return -1;
}

/* ---- unix ---- */

/* What is at the address now: 0 nothing, or a socket nobody serves; else errno. A full
 * queue is an answer too. */
static int probe_unix(const struct sockaddr_un *address, socklen_t length, int type)
{
    int fd, error;
    dev_t device;
    ino_t inode;

    if (bind_identify(address->sun_path, &device, &inode) < 0)
        return errno == ENOENT ? 0 : errno;
    fd = new_socket(AF_UNIX, type);
    if (fd < 0)
        return errno;
    error =
        connect(fd, (const struct sockaddr *)address, length) == 0 ? EADDRINUSE : errno;
    fd_close(&fd);
    if (error == EAGAIN || error == EINPROGRESS)
        return EADDRINUSE;
    return error == ECONNREFUSED || error == ENOENT ? 0 : error;
}

static int own_unix(const struct bind_request *request, const char *path)
{
    if (chmod(path, (mode_t)request->mode) < 0)
        return -1;
    if (request->uid == (uid_t)-1 && request->gid == (gid_t)-1)
        return 0;
    if (geteuid() != 0)
        return 0; /* it is ours already */
    return chown(path, request->uid, request->gid);
}

/* Under a temporary name first: who finds the socket at its own name finds it listening,
 * with the right mode and owner, and never an instant without one. */
static int publish_unix(int fd, const struct bind_request *request,
                        const struct sockaddr_un *address)
{
    struct sockaddr_un temporary = {.sun_family = AF_UNIX};
    int saved;

    if (snprintf(temporary.sun_path, sizeof(temporary.sun_path), "%s.%d",
                 address->sun_path, (int)getpid()) >= (int)sizeof(temporary.sun_path)) {
        errno = ENAMETOOLONG;
        return -1;
    }
    unlink(temporary.sun_path); /* of a namesake that was killed */
    if (bind(fd, (struct sockaddr *)&temporary, sizeof(temporary)) < 0)
        return -1;
    if (own_unix(request, temporary.sun_path) == 0 && listen(fd, request->backlog) == 0 &&
        rename(temporary.sun_path, address->sun_path) == 0)
        return 0;
    saved = errno;
    unlink(temporary.sun_path);
    errno = saved;
    return -1;
}

static int open_unix(const struct bind_request *request, struct fault *fault)
{
    const struct sockaddr_un *address =
        (const struct sockaddr_un *)(const void *)&request->address.storage;
    const int type = request->is_packets ? SOCK_SEQPACKET : SOCK_STREAM;
    int error = probe_unix(address, request->address.length, type);
    int fd;

    if (error != 0) {
        fault_set(fault,
                  error == EADDRINUSE ? EXIT_UNAVAILABLE
                                      : fault_status_of(error, EXIT_CREATE),
                  "cannot listen on unix:%s: %s", address->sun_path, strerror(error));
        return -1;
    }
    fd = new_socket(AF_UNIX, type);
    if (fd >= 0 && publish_unix(fd, request, address) == 0)
        return fd;
    fault_set(fault, fault_status_of(errno, EXIT_CREATE), "cannot listen on unix:%s: %s",
              address->sun_path, strerror(errno));
    fd_close(&fd);
    return -1;
}

int bind_open(const struct bind_request *request, struct fault *fault)
{
    return request->address.kind == ADDR_UNIX ? open_unix(request, fault)
                                              : open_tcp(request, fault);
}
