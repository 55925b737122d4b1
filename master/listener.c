/* SPDX-License-Identifier: MIT */
/*
 * listener - the listening sockets of one generation, as a set.              [master]
 *
 * Owns:    descriptors and names of the sockets we opened. Two generations share what
 *          both want, so a reload never closes a socket that goes on: its queue would be
 *          reset.
 * Called:  by generation.c (open, abandon, commit) and master.c (close).
 * Fails:   a fault; a set is opened whole or not at all.
 */
#include "master/listener.h"

#include "common/check.h"
#include "common/fd.h"
#include "common/log.h"
#include "conf/conf.h"
#include "master/bind.h"
#include "master/refuse.h"

#include <errno.h>
#include <netinet/in.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

/* What opening one set needs to know; lives on the stack of listeners_open. */
struct opening {
    struct listeners *next;
    const struct listeners *running;
    const struct inherited *inherited;
    const struct conf_server *server;
    struct fault *fault;
};

enum {
    UNIX_MODE = 0666
}; /* the folder decides who may connect, and umask if it is set */

static struct listener *add(const struct opening *o, const char *key)
{
    struct listener *listener;

    if (o->next->count == COUNT_OF(o->next->item)) {
        fault_set(o->fault, EXIT_CONFIG, "server.listen: more than %zu sockets",
                  COUNT_OF(o->next->item));
        return NULL;
    }
    listener = &o->next->item[o->next->count++];
    *listener = (struct listener){.fd = -1};
    snprintf(listener->key, sizeof(listener->key), "%s", key);
    return listener;
}

static bool has_fd(const struct listeners *listeners, int fd)
{
    for (size_t i = 0; i < listeners->count; i++)
        if (listeners->item[i].fd == fd)
            return true;
    return false;
}

/* The same key twice (two of 127.0.0.1:0) means two sockets. */
static const struct listener *find_running(const struct opening *o, const char *key)
{
    for (size_t i = 0; o->running != NULL && i < o->running->count; i++) {
        const struct listener *listener = &o->running->item[i];

        if (strcmp(listener->key, key) == 0 && !has_fd(o->next, listener->fd))
            return listener;
    }
    return NULL;
}

static void name_it(struct listener *listener)
{
    struct sockaddr_storage bound = {.ss_family = AF_UNSPEC};
    socklen_t length = sizeof(bound);

    (void)getsockname(listener->fd, (struct sockaddr *)&bound, &length);
    listener->unix_socket = bound.ss_family == AF_UNIX;
    addr_format((struct sockaddr *)&bound, length, listener->name,
                sizeof(listener->name));
}

static int adopt(const struct opening *o, const char *key,
                 const struct inherited_socket *socket)
{
    struct listener *listener = add(o, key);

    if (listener == NULL)
        return o->fault->status;
    listener->fd = socket->fd;
    listener->inherited = true;
    listener->fresh = o->running == NULL || !has_fd(o->running, socket->fd);
    name_it(listener);
    return EXIT_OK;
}

static int open_named(const struct opening *o, const char *key)
{
    const char *name = key + strlen("fd:");
    const struct inherited_socket *socket = inherit_find_name(o->inherited, name, NULL);

    if (socket == NULL)
        return fault_set(o->fault, EXIT_CONFIG,
                         "server.listen: %s: no socket of that name was passed "
                         "(FileDescriptorName= in the socket unit)",
                         key);
    for (; socket != NULL; socket = inherit_find_name(o->inherited, name, socket))
        if (adopt(o, key, socket) != EXIT_OK)
            return o->fault->status;
    return EXIT_OK;
}

/* The kernel still knows a unix socket by the temporary name it was bound under. */
static void name_new(struct listener *listener, const struct addr *address)
{
    if (address->kind != ADDR_UNIX) {
        name_it(listener);
        return;
    }
    listener->unix_socket = true;
    addr_format((const struct sockaddr *)&address->storage, address->length,
                listener->name, sizeof(listener->name));
    (void)bind_identify(listener->name + strlen("unix:"), &listener->device,
                        &listener->inode);
}

static int open_new(const struct opening *o, const char *key, const struct addr *address)
{
    const struct bind_request request = {
        .address = *address,
        .backlog = (int)o->server->backlog,
        .mode = UNIX_MODE & (o->server->umask < 0 ? ~0 : ~o->server->umask),
        .uid = o->server->uid,
        .gid = o->server->gid,
    };
    struct listener *listener = add(o, key);

    if (listener == NULL)
        return o->fault->status;
    listener->fresh = true;
    listener->fd = bind_open(&request, o->fault);
    if (listener->fd < 0) {
        o->next->count--;
        return o->fault->status;
    }
    name_new(listener, address);
    return EXIT_OK;
}

static int share(const struct opening *o, const char *key, const struct listener *running)
{
    struct listener *listener = add(o, key);

    if (listener == NULL)
        return o->fault->status;
    *listener = *running;
    listener->fresh = false;
    (void)listen(listener->fd, (int)o->server->backlog); /* takes a changed backlog */
    return EXIT_OK;
}

/* `key` identifies the socket over reloads; `address` is what to bind if it is new. */
static int open_address(const struct opening *o, const char *key,
                        const struct addr *address)
{
    const struct listener *running = find_running(o, key);
    const struct inherited_socket *socket;

    if (running != NULL)
        return share(o, key, running);
    socket = inherit_find_address(o->inherited, address);
    if (socket != NULL)
        return adopt(o, key, socket);
    return open_new(o, key, address);
}

static int open_text(const struct opening *o, const char *key, const char *text)
{
    struct addr address;
    const char *wrong = addr_parse(text, &address);

    if (wrong != NULL)
        return fault_set(o->fault, EXIT_CONFIG, "server.listen: %s: %s", text, wrong);
    return open_address(o, key, &address);
}

static unsigned bound_port(const struct listener *listener)
{
    struct sockaddr_storage bound;
    socklen_t length = sizeof(bound);

    if (getsockname(listener->fd, (struct sockaddr *)&bound, &length) < 0)
        return 0;
    return addr_port((struct sockaddr *)&bound);
}

/* `*:PORT` is two sockets, IPv4 and IPv6; with port 0 the kernel chooses once for both.
 */
static int open_any(const struct opening *o, const char *key)
{
    char text[ADDR_TEXT_MAX], key6[ADDR_TEXT_MAX];

    snprintf(text, sizeof(text), "0.0.0.0:%s", key + 2);
    if (open_text(o, key, text) != EXIT_OK)
        return o->fault->status;
    if (bind_lacks_family(AF_INET6)) {
        log_info("%s: no IPv6 on this machine, IPv4 only", key);
        return EXIT_OK;
    }
    snprintf(text, sizeof(text), "[::]:%u",
             bound_port(&o->next->item[o->next->count - 1]));
    snprintf(key6, sizeof(key6), "[*]:%s", key + 2);
    return open_text(o, key6, text);
}

static int open_key(const struct opening *o, const char *key)
{
    if (strncmp(key, "fd:", 3) == 0)
        return open_named(o, key);
    if (strncmp(key, "*:", 2) == 0)
        return open_any(o, key);
    return open_text(o, key, key);
}

/* systemd goes on listening on a socket that we close: nobody would ever answer there. */
static int check_unclaimed(const struct opening *o)
{
    for (size_t i = 0; i < o->inherited->count; i++) {
        const struct inherited_socket *socket = &o->inherited->item[i];
        char name[ADDR_TEXT_MAX];

        if (has_fd(o->next, socket->fd))
            continue;
        addr_format((const struct sockaddr *)&socket->address.storage,
                    socket->address.length, name, sizeof(name));
        return fault_set(
            o->fault, EXIT_CONFIG,
            "systemd passes socket %s (%s) that server.listen does not claim: "
            "add listen = fd:%s, or take it out of the socket unit",
            socket->name, name, socket->name);
    }
    return EXIT_OK;
}

int listeners_open(struct listeners *next, const struct listeners *running,
                   const struct inherited *inherited, const struct conf_server *server,
                   struct fault *fault)
{
    const struct opening o = {next, running, inherited, server, fault};
    int status = EXIT_OK;

    next->count = 0;
    for (size_t i = 0; i < server->listen.count && status == EXIT_OK; i++)
        status = open_key(&o, server->listen.item[i]);
    if (status == EXIT_OK)
        status = check_unclaimed(&o);
    if (status != EXIT_OK)
        listeners_abandon(next);
    return status;
}

static void remove_name(const struct listener *listener)
{
    const char *path = listener->name + strlen("unix:");
    dev_t device;
    ino_t inode;

    if (listener->unix_socket && bind_identify(path, &device, &inode) == 0 &&
        device == listener->device && inode == listener->inode)
        unlink(path);
}

/* One of systemd's stays: those that come now are the successor's. */
static void close_one(struct listener *listener)
{
    if (listener->inherited)
        return;
    remove_name(listener);
    if (listener->unix_socket)
        refuse_connect(listener->fd);
    fd_close(&listener->fd);
}

static bool refuse_one(const struct listener *listener)
{
    if (listener->inherited)
        return false;
    if (listener->unix_socket) {
        remove_name(listener);
        return false;
    }
    if (refuse_syn(listener->fd) == 0)
        return true;
    log_warn(
        "%s: cannot stop new connections before the last are taken (%s): some may be "
        "reset",
        listener->name, strerror(errno));
    return false;
}

bool listeners_refuse(struct listeners *listeners)
{
    bool is_under_way = false;

    for (size_t i = 0; i < listeners->count; i++)
        is_under_way |= refuse_one(&listeners->item[i]);
    return is_under_way;
}

void listeners_abandon(struct listeners *next)
{
    for (size_t i = 0; i < next->count; i++)
        if (next->item[i].fresh)
            close_one(&next->item[i]);
    next->count = 0;
}

void listeners_commit(struct listeners *running, struct listeners *next,
                      struct listeners *dropped)
{
    dropped->count = 0;
    for (size_t i = 0; i < running->count; i++)
        if (!has_fd(next, running->item[i].fd))
            dropped->item[dropped->count++] = running->item[i];
    *running = *next;
    next->count = 0;
}

void listeners_close(struct listeners *listeners)
{
    for (size_t i = 0; i < listeners->count; i++)
        close_one(&listeners->item[i]);
    listeners->count = 0;
}

void listeners_log(const struct listeners *listeners)
{
    for (size_t i = 0; i < listeners->count; i++)
        if (listeners->item[i].fresh)
            log_info("listening on %s%s", listeners->item[i].name,
                     listeners->item[i].inherited ? " (passed by systemd)" : "");
}
