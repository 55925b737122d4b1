/* SPDX-License-Identifier: MIT */
/*
 * address - how many connections each client's address has with this worker.   [worker]
 *
 * Only where per_address is set. An IPv6 address counts as its /64, which one subscriber has.
 * Whoever connects through a unix socket is not counted.
 */
#ifndef WORKER_ADDRESS_H
#define WORKER_ADDRESS_H

#include <stdbool.h>
#include <stdint.h>

struct address;
struct conn;
struct worker;

/** Part of struct worker. */
struct addresses {
    struct address **bucket; /* NULL: per_address is off */
    uint64_t seed;           /* so that no client can choose its bucket */
    uint64_t warned_ms;
};

/** False: out of memory. */
bool address_init(struct worker *w);
void address_fini(struct worker *w);

/** Counts a connection with its peer known. False: its address has per_address without it, or
 *  there is no memory to count it; address_leave is due all the same. */
bool address_enter(struct conn *c);
void address_leave(struct conn *c);

/** Tells such a client, as far as one packet does. */
void address_refuse(struct conn *c);

#endif
