/* SPDX-License-Identifier: MIT */
/*
 * client - one simulated client: a connection, and at most one request on it.   [clients]
 *
 * Owns:    its socket. It decides nothing: each call returns what became of the request.
 * Called:  by load.c.
 * Fails:   with CLIENT_FAILED and the kind; the connection is closed then. Never retries.
 */
#ifndef CLI_CLIENT_H
#define CLI_CLIENT_H

#include "cli/client_http.h"
#include "cli/load.h"
#include "common/list.h"

#include <stdbool.h>
#include <stdint.h>

/* What all clients of a load share. */
struct client_wire {
    int epoll_fd;
    const struct load_plan *plan;
    char *buffer; /* of a read */
    size_t size;
    uint64_t connects;
};

enum client_state {
    CLIENT_CLOSED,
    CLIENT_CONNECTING, /* deadline: timeout_ms from began_ns */
    CLIENT_OPEN        /* with a request the same deadline, else none */
};

enum client_outcome {
    CLIENT_PENDING,
    CLIENT_CONNECTED, /* a connection without a request stands */
    CLIENT_ANSWERED,  /* reader says what came; the client is free */
    CLIENT_FAILED
};

struct client {
    struct list free; /* or waiting: on one list of load.c at most */
    struct list busy; /* has a deadline */
    enum client_state state;
    bool has_request;
    int fd; /* -1: CLIENT_CLOSED */
    size_t written;
    uint64_t due_ns;   /* of the request: latency counts from here; waiting: until then */
    uint64_t began_ns; /* the deadline counts from here */
    enum load_failure failure; /* of CLIENT_FAILED */
    struct client_http reader;
};

void client_init(struct client *client);

/** Closes the connection, whatever is under way on it. */
void client_close(struct client *client);

/** Opens the connection ahead of any request. */
enum client_outcome client_connect(struct client *client, struct client_wire *wire,
                                   uint64_t now_ns);

/** Begins a request that was due at due_ns, over a connection made now if none stands. */
enum client_outcome client_ask(struct client *client, struct client_wire *wire,
                               uint64_t due_ns, uint64_t now_ns);

/** After epoll said so. */
enum client_outcome client_on_event(struct client *client, struct client_wire *wire,
                                    unsigned events);

#endif
