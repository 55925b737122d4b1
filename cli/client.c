/* SPDX-License-Identifier: MIT */
/*
 * client - connect, send, receive, without ever waiting.                 [clients]
 *
 * The socket is watched edge-triggered for everything, once: a request costs one send,
 * one recv, and its share of an epoll_wait.
 *
 * Called:  by load.c.
 * Fails:   with the kind of failure; the world's, not ours.
 */
#include "cli/client.h"

#include "common/fd.h"

#include <errno.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <sys/epoll.h>
#include <sys/socket.h>

void client_init(struct client *client)
{
    client->state = CLIENT_CLOSED;
    client->fd = -1;
    list_init(&client->free);
    list_init(&client->busy);
}

void client_close(struct client *client)
{
    fd_close(&client->fd);
    client->state = CLIENT_CLOSED;
    client->has_request = false;
}

static enum client_outcome fail(struct client *client, enum load_failure kind)
{
    client_close(client);
    client->failure = kind;
    return CLIENT_FAILED;
}

/* Which of our kinds an errno is. */
static enum load_failure kind_of(int error, enum load_failure otherwise)
{
    switch (error) {
    case EMFILE:
    case ENFILE:
    case ENOBUFS:
    case ENOMEM:
    case ENOSPC:
    case EADDRNOTAVAIL:
        return LOAD_LOCAL;
    case ETIMEDOUT:
        return LOAD_TIMEOUT;
    default:
        return otherwise;
    }
}

static enum client_outcome answer(struct client *client, const struct client_wire *wire)
{
    /* a server that answered before it had everything: the rest would be the next head */
    const bool is_unfinished = client->written < wire->plan->request.n;

    if (wire->plan->is_close || is_unfinished ||
        !client_http_is_reusable(&client->reader))
        client_close(client);
    client->has_request = false;
    return CLIENT_ANSWERED;
}

/* Bytes that nobody asked for are the last ones: a 408, or a server gone mad. */
static enum client_outcome take(struct client *client, const struct client_wire *wire,
                                size_t n)
{
    size_t used;

    if (!client->has_request) {
        client_close(client);
        return CLIENT_PENDING;
    }
    switch (client_http_feed(&client->reader, wire->buffer, n, &used)) {
    case CLIENT_HTTP_MORE:
        return CLIENT_PENDING;
    case CLIENT_HTTP_BAD:
        return fail(client, LOAD_MALFORMED);
    case CLIENT_HTTP_DONE:
        break;
    }
    return used < n ? fail(client, LOAD_MALFORMED) : answer(client, wire);
}

static enum client_outcome take_end(struct client *client, const struct client_wire *wire)
{
    if (!client->has_request) {
        client_close(client);
        return CLIENT_PENDING;
    }
    if (client_http_close(&client->reader) == CLIENT_HTTP_DONE)
        return answer(client, wire);
    return fail(client, LOAD_SHORT);
}

static enum client_outcome receive(struct client *client, const struct client_wire *wire,
                                   unsigned events)
{
    enum client_outcome outcome = CLIENT_PENDING;

    while (client->state == CLIENT_OPEN && outcome == CLIENT_PENDING) {
        const ssize_t n = recv(client->fd, wire->buffer, wire->size, 0);

        if (n > 0)
            outcome = take(client, wire, (size_t)n);
        else if (n == 0)
            return take_end(client, wire);
        else if (errno == EAGAIN)
            return CLIENT_PENDING;
        else if (errno != EINTR && client->has_request)
            return fail(client, kind_of(errno, LOAD_RESET));
        else if (errno != EINTR)
            client_close(client);
        /* a read that did not fill the buffer has emptied the socket (epoll(7)), unless
         * the end is behind it */
        if (n > 0 && (size_t)n < wire->size && (events & (EPOLLRDHUP | EPOLLHUP)) == 0)
            return outcome;
    }
    return outcome;
}

/* A peer that no longer reads may have answered first, so its answer is looked for. */
static enum client_outcome transmit(struct client *client, const struct client_wire *wire)
{
    const struct slice request = wire->plan->request;

    while (client->written < request.n) {
        const ssize_t n = send(client->fd, request.p + client->written,
                               request.n - client->written, MSG_NOSIGNAL);

        if (n >= 0)
            client->written += (size_t)n;
        else if (errno == EAGAIN)
            return CLIENT_PENDING;
        else if (errno == EPIPE || errno == ECONNRESET)
            return receive(client, wire, EPOLLHUP);
        else if (errno != EINTR)
            return fail(client, kind_of(errno, LOAD_RESET));
    }
    return CLIENT_PENDING;
}

static enum client_outcome connected(struct client *client,
                                     const struct client_wire *wire)
{
    client->state = CLIENT_OPEN;
    return client->has_request ? transmit(client, wire) : CLIENT_CONNECTED;
}

static enum client_outcome open_socket(struct client *client, struct client_wire *wire)
{
    const struct addr *to = &wire->plan->address;
    const int one = 1;
    struct epoll_event event = {
        .events = EPOLLIN | EPOLLOUT | EPOLLRDHUP | EPOLLET,
        .data.ptr = client,
    };

    wire->connects++;
    client->fd =
        socket(to->storage.ss_family, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
    if (client->fd < 0)
        return fail(client, LOAD_LOCAL);
    if (to->kind != ADDR_UNIX)
        setsockopt(client->fd, IPPROTO_TCP, TCP_NODELAY, &one, sizeof(one));
    if (epoll_ctl(wire->epoll_fd, EPOLL_CTL_ADD, client->fd, &event) < 0)
        return fail(client, LOAD_LOCAL);
    client->state = CLIENT_CONNECTING;
    if (connect(client->fd, (const struct sockaddr *)&to->storage, to->length) == 0)
        return connected(client, wire);
    return errno == EINPROGRESS ? CLIENT_PENDING
                                : fail(client, kind_of(errno, LOAD_REFUSED));
}

enum client_outcome client_connect(struct client *client, struct client_wire *wire,
                                   uint64_t now_ns)
{
    client->began_ns = now_ns;
    client->has_request = false;
    return open_socket(client, wire);
}

enum client_outcome client_ask(struct client *client, struct client_wire *wire,
                               uint64_t due_ns, uint64_t now_ns)
{
    client->due_ns = due_ns;
    client->began_ns = now_ns;
    client->has_request = true;
    client->written = 0;
    client_http_begin(&client->reader, wire->plan->is_head);
    return client->state == CLIENT_OPEN ? transmit(client, wire)
                                        : open_socket(client, wire);
}

static enum client_outcome end_connect(struct client *client, struct client_wire *wire)
{
    socklen_t size = sizeof(int);
    int error = 0;

    if (getsockopt(client->fd, SOL_SOCKET, SO_ERROR, &error, &size) < 0)
        error = errno;
    if (error == 0)
        return connected(client, wire);
    errno = error;
    return fail(client, kind_of(error, LOAD_REFUSED));
}

enum client_outcome client_on_event(struct client *client, struct client_wire *wire,
                                    unsigned events)
{
    enum client_outcome outcome = CLIENT_PENDING, received = CLIENT_PENDING;

    if (client->state == CLIENT_CONNECTING &&
        (events & (EPOLLOUT | EPOLLERR | EPOLLHUP)) != 0)
        outcome = end_connect(client, wire);
    else if (client->state == CLIENT_OPEN && client->has_request &&
             (events & EPOLLOUT) != 0)
        outcome = transmit(client, wire);
    if (client->state != CLIENT_OPEN || outcome == CLIENT_ANSWERED)
        return outcome;
    if ((events & (EPOLLIN | EPOLLRDHUP | EPOLLHUP | EPOLLERR)) != 0)
        received = receive(client, wire, events);
    /* the edge is spent: nothing would tell us again that the server has closed */
    if (received == CLIENT_ANSWERED && (events & (EPOLLRDHUP | EPOLLHUP)) != 0)
        client_close(client);
    return received == CLIENT_PENDING ? outcome : received;
}
