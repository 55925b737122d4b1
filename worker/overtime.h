/* SPDX-License-Identifier: MIT */
/*
 * overtime - handlers that are over request_timeout.             [worker]
 *
 * The time of a handler begins when it begins, not while its request waits. When it is over,
 * the client is answered 504 (or gets what was said already, or sees its stream cut) and goes
 * on; every wait of the handler says -ECANCELED; its place stays taken, late, until it ends.
 * If it does not, in as much time again, the master is asked for another worker.
 */
#ifndef WORKER_OVERTIME_H
#define WORKER_OVERTIME_H

#include "worker/deadline.h"

#include <stdint.h>

struct request;
struct worker;

enum {
    OVERTIME_LEAST_MS = 5000, /* a late handler has at least this long to end */
    OVERTIME_LINES = 20,      /* of the log in one second; then they are counted */
    OVERTIME_STACK_MS = 1000  /* between two stacks */
};

/** The handlers of one request_timeout; one for each plugin. */
struct overtime {
    struct deadlines first;  /* from its beginning */
    struct deadlines second; /* from when it became late */
    struct overtime *next;   /* of the worker's plugins */
};

/** The worker's. */
struct overtime_log {
    unsigned lines, unsaid; /* of this second */
    uint64_t stack_ms;      /* when a stack was last asked for; 0: never */
    bool has_asked;         /* for a successor */
    struct overtime *first; /* of its plugins */
};

/** limit_ms 0: none of them is ever late. */
void overtime_init(struct overtime *o, struct worker *w, uint64_t limit_ms);
void overtime_fini(struct overtime *o);

/** Its handler has begun, and has not ended at once. Loop thread, once for each request. */
void overtime_begin(struct request *req);

/** A late one has ended; its record is still there. */
void overtime_end(struct request *req);

/** Those that have begun in this turn of the loop are due by so much later (deadline.h). */
void overtime_hold_back(struct worker *w, uint64_t by_ms);

/** Says how many lines were left out in the last second. */
void overtime_each_second(struct worker *w);

#endif
