/* SPDX-License-Identifier: MIT */
/*
 * conn - one connection of the witness, with one or two requests on it.   [test tool]
 *
 * It never retries and never hides: a connection that ends takes its requests with it, and
 * each is recorded with the way it failed. A kept one that ends between two requests is
 * recorded too.
 *
 * Owns:    its socket, its requests until they end.
 * Called:  by main.c with requests, events and deadlines.
 * Fails:   into the records only.
 */
#ifndef WITNESS_CONN_H
#define WITNESS_CONN_H

#include "common/addr.h"
#include "common/list.h"
#include "tests/chaos/witness/answer.h"
#include "tests/chaos/witness/plan.h"
#include "tests/chaos/witness/record.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum { CONN_FLIGHTS = 2, CONN_READ_BYTES = 64 << 10 };

/* What all connections share. */
struct conn_world {
    int epoll_fd;
    struct addr address;
    struct plan_mix mix;
    uint64_t timeout_ns, pause_ns; /* of a request; between the packets of a split one */
    struct list busy;              /* with a deadline: in the order of since_ns */
    struct list pausing;           /* between two packets: in the order of resume_ns */
    struct list free[PLAN_GROUPS]; /* without a request; who waited longest comes first */
    uint64_t connects;
    char *buffer; /* of a read */
};

enum conn_state {
    CONN_NONE,       /* no socket */
    CONN_CONNECTING, /* with requests, or ahead of any */
    CONN_OPEN,
    CONN_LAST /* answered, told to close: only the end may come */
};

struct conn {
    struct conn_world *world;
    enum plan_group group;
    enum conn_state state;
    struct list free, busy, pausing;
    int fd;
    uint16_t port;
    int32_t worker;    /* pid of who answered last; 0: nobody yet */
    uint32_t requests; /* on this connection */
    uint64_t since_ns; /* busy: the deadline counts from here */
    uint64_t resume_ns;
    struct plan_ask flight[CONN_FLIGHTS]; /* in the order of their answers */
    unsigned flights;
    struct answer answer; /* to flight[0] */
    size_t out_n, out_sent, flight_end[CONN_FLIGHTS];
    size_t cut[PLAN_CUTS];
    unsigned cuts, cuts_done;
    char out[CONN_FLIGHTS * PLAN_BYTES_MAX];
};

void conn_init(struct conn *c, struct conn_world *world, enum plan_group group);

/** Connects ahead of any request. */
void conn_open(struct conn *c, uint64_t now_ns);

/** Sends a request, or two at once, over a connection made now if none stands. The conn is
 *  free; it comes back to its group's list when it is free again. */
void conn_ask(struct conn *c, const struct plan_ask *asks, unsigned count,
              uint64_t now_ns);

void conn_on_event(struct conn *c, unsigned events, uint64_t now_ns);

/** The next packet of a split request. */
void conn_on_pause_over(struct conn *c, uint64_t now_ns);

/** The oldest has taken too long. */
void conn_on_deadline(struct conn *c, uint64_t now_ns);

void conn_close(struct conn *c);

#endif
