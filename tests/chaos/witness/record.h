/* SPDX-License-Identifier: MIT */
/*
 * record - what became of each request and of each connection.            [test tool]
 *
 * All times are CLOCK_MONOTONIC in nanoseconds, which every process of the machine shares:
 * whoever sends a signal knows which requests were under way then.
 *
 * Owns:    the lists; they grow, so a record is named by its number.
 * Called:  by conn.c and main.c.
 * Fails:   out of memory ends the program.
 */
#ifndef WITNESS_RECORD_H
#define WITNESS_RECORD_H

#include "tests/chaos/witness/plan.h"

#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

enum record_outcome {
    RECORD_PENDING,
    RECORD_OK,
    RECORD_REFUSED,   /* no connection */
    RECORD_RESET,     /* the connection was reset */
    RECORD_CLOSED,    /* it ended before the first byte of the answer */
    RECORD_SHORT,     /* it ended, or was reset, in the midst of the answer */
    RECORD_STATUS,    /* a whole head, not 200 */
    RECORD_BYTES,     /* 200, and other bytes than planned */
    RECORD_MALFORMED, /* no HTTP/1.1 */
    RECORD_TIMEOUT,   /* nothing of use within the limit */
    RECORD_LOCAL,     /* this side ran out of descriptors, ports or memory */
    RECORD_OUTCOMES
};

struct record {
    uint64_t due_ns;
    uint64_t begun_ns; /* its first byte was written; 0: none was */
    uint64_t sent_ns;  /* its last byte was written; 0: it was not */
    uint64_t ended_ns;
    int32_t held_by; /* pid of who had answered last on that connection; 0: nobody yet */
    int32_t worker;  /* pid of who answered; 0: nobody */
    uint32_t nth;    /* request on that connection, from 1 */
    uint16_t port;   /* the client's */
    uint16_t status;
    int16_t error; /* errno of RESET, REFUSED, LOCAL */
    uint8_t outcome;
    uint8_t is_piped; /* second of two that were sent together */
    const char *why;
};

/* A kept connection that ended by itself, without a request under way. */
enum record_drop {
    RECORD_DROP_SAID,   /* "Connection: close" with an answer, on a kept connection */
    RECORD_DROP_CLOSED, /* by the server, between two requests */
    RECORD_DROP_RESET,  /* the same, or behind an answer that closes */
    RECORD_DROPS
};

/** A new record, RECORD_PENDING; its number is the request's. */
uint64_t record_add(uint64_t due_ns);
struct record *record_at(uint64_t id);
uint64_t record_count(void);
uint64_t record_ended(void);
uint64_t record_failed(void);

void record_end(uint64_t id, enum record_outcome outcome, uint64_t now_ns);

void record_drop(enum record_drop kind, enum plan_group group, uint16_t port,
                 int32_t worker, uint64_t now_ns);

/** One object: how many of each outcome, and each that failed (of the first 100,000). */
void record_write_json(const struct plan_mix *mix, FILE *out);

/** A line for each request, fields apart by tabs, in the order of the head line. */
void record_write_table(const struct plan_mix *mix, FILE *out);

void record_free(void);

#endif
