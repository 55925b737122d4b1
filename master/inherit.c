/* SPDX-License-Identifier: MIT */
/*
 * inherit - listening sockets that systemd passes.                          [master]
 *
 * Owns:    the descriptors 3 and up that LISTEN_FDS counts, for life.
 * Called:  by master.c before anything else is opened, and by listener.c to match them
 *          with the config: by name, then by address.
 * Fails:   a fault; a socket we cannot serve is the operator's to know about.
 */
#include "master/inherit.h"

#include "common/fd.h"
#include "master/bind.h"

#include <errno.h>
#include <netinet/in.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

static long number_in(const char *variable)
{
    const char *text = getenv(variable);
    char *end;
    long n;

    if (text == NULL || *text == '\0')
        return -1;
    n = strtol(text, &end, 10);
    return *end == '\0' ? n : -1;
}

static int get_int(int fd, int option)
{
    int value = -1;
    socklen_t length = sizeof(value);

    return getsockopt(fd, SOL_SOCKET, option, &value, &length) < 0 ? -1 : value;
}

/* The name of descriptor i of LISTEN_FDNAMES, or "unknown", as sd_listen_fds says. */
static void copy_name(const char *names, long i, char out[static INHERIT_NAME])
{
    size_t n;

    for (; names != NULL && i > 0; i--) {
        names = strchr(names, ':');
        names = names == NULL ? NULL : names + 1;
    }
    n = names == NULL ? 0 : strcspn(names, ":");
    if (n == 0) {
        names = "unknown";
        n = strlen(names);
    }
    n = n < INHERIT_NAME ? n : INHERIT_NAME - 1;
    memcpy(out, names, n);
    out[n] = '\0';
}

static void set_kind(struct addr *address)
{
    const sa_family_t family = ((struct sockaddr *)&address->storage)->sa_family;

    address->kind = family == AF_UNIX    ? ADDR_UNIX
                    : family == AF_INET6 ? ADDR_INET6
                                         : ADDR_INET;
}

static int take_one(struct inherited_socket *socket, int fd, struct fault *fault)
{
    socket->fd = fd;
    socket->address.length = sizeof(socket->address.storage);
    if (get_int(fd, SO_TYPE) != SOCK_STREAM || get_int(fd, SO_ACCEPTCONN) != 1)
        return fault_set(
            fault, EXIT_CONFIG,
            "descriptor %d (%s) of LISTEN_FDS is not a listening stream socket", fd,
            socket->name);
    if (fd_set_cloexec(fd, true) < 0 || fd_set_nonblock(fd, true) < 0 ||
        getsockname(fd, (struct sockaddr *)&socket->address.storage,
                    &socket->address.length) < 0)
        return fault_set(fault, EXIT_OS, "descriptor %d of LISTEN_FDS: %s", fd,
                         strerror(errno));
    set_kind(&socket->address);
    bind_tune(fd);
    return EXIT_OK;
}

static int take_all(struct inherited *inherited, long count, struct fault *fault)
{
    if (count > HERITAGE_LISTENERS)
        return fault_set(fault, EXIT_CONFIG, "LISTEN_FDS=%ld, at most %d are possible",
                         count, HERITAGE_LISTENERS);
    for (long i = 0; i < count; i++) {
        struct inherited_socket *socket = &inherited->item[inherited->count];

        copy_name(getenv("LISTEN_FDNAMES"), i, socket->name);
        if (take_one(socket, INHERIT_FIRST_FD + (int)i, fault) != EXIT_OK)
            return fault->status;
        inherited->count++;
    }
    return EXIT_OK;
}

int inherit_take(struct inherited *inherited, struct fault *fault)
{
    const long count = number_in("LISTEN_FDS");
    int status = EXIT_OK;

    memset(inherited, 0, sizeof(*inherited));
    if (number_in("LISTEN_PID") == (long)getpid() && count > 0)
        status = take_all(inherited, count, fault);
    unsetenv("LISTEN_PID");
    unsetenv("LISTEN_FDS");
    unsetenv("LISTEN_FDNAMES");
    return status;
}

const struct inherited_socket *inherit_find_name(const struct inherited *inherited,
                                                 const char *name,
                                                 const struct inherited_socket *from)
{
    const struct inherited_socket *end = inherited->item + inherited->count;

    for (from = from == NULL ? inherited->item : from + 1; from < end; from++)
        if (strcmp(from->name, name) == 0)
            return from;
    return NULL;
}

/* As text: sockaddrs have padding, and a unix address comes in more than one length. */
const struct inherited_socket *inherit_find_address(const struct inherited *inherited,
                                                    const struct addr *address)
{
    char wanted[ADDR_TEXT_MAX], bound[ADDR_TEXT_MAX];

    addr_format((const struct sockaddr *)&address->storage, address->length, wanted,
                sizeof(wanted));
    for (size_t i = 0; i < inherited->count; i++) {
        const struct addr *a = &inherited->item[i].address;

        addr_format((const struct sockaddr *)&a->storage, a->length, bound,
                    sizeof(bound));
        if (a->kind == address->kind && strcmp(wanted, bound) == 0)
            return &inherited->item[i];
    }
    return NULL;
}
