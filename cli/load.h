/* SPDX-License-Identifier: MIT */
/*
 * load - a load on an HTTP server and what came of it: one thread, one epoll.   [clients]
 *
 * Closed loop: each client asks again when it was answered (and has thought). Open loop:
 * requests are due at times that do not depend on the server; one that finds no free
 * client waits for one, and its latency counts from when it was due. So a server that
 * stalls is charged for every request that should have been sent meanwhile.
 *
 * Owns:    the sockets, for the time of load_run; the lists in the result.
 * Called:  by bench.c, and by whatever else wants a load.
 * Fails:   what goes wrong with a request is counted; only a load that cannot begin fails.
 */
#ifndef CLI_LOAD_H
#define CLI_LOAD_H

#include "cli/fairness.h"
#include "cli/histogram.h"
#include "common/addr.h"
#include "common/slice.h"

#include <signal.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum load_failure {
    LOAD_REFUSED,   /* no connection */
    LOAD_RESET,     /* the connection was reset */
    LOAD_SHORT,     /* it ended before the response did */
    LOAD_TIMEOUT,   /* no whole response within timeout_ms */
    LOAD_MALFORMED, /* what came is no HTTP response */
    LOAD_STATUS,    /* a whole response, of a status that was not expected */
    LOAD_UNSENT,    /* open loop: due, but every client was busy until the end */
    LOAD_LOCAL,     /* this side ran out of descriptors, ports or memory */
    LOAD_FAILURES
};

enum { LOAD_STATUSES = 600, LOAD_CONNECT_ALL = 0 };

/* What happened in one second, counted from the first request; the last entry of the list
 * has what was awaited after the end of sending. */
struct load_second {
    uint64_t sent, answered; /* answered: as expected */
    uint64_t failed;         /* of any kind, also unexpected statuses */
};

typedef void load_second_fn(void *arg, size_t second, const struct load_second *what);

struct load_plan {
    struct addr address;
    struct slice request;   /* one, whole; it stays the caller's */
    bool is_head;           /* its method is HEAD: responses have no body */
    bool is_close;          /* a connection per request */
    unsigned clients;       /* connections; the most at once when open */
    unsigned connect_burst; /* opened that many at a time; LOAD_CONNECT_ALL: at once */
    double rate;            /* per second; 0: closed loop */
    bool is_poisson;        /* arrivals; else evenly spaced */
    uint64_t seed;          /* of Poisson arrivals */
    uint64_t duration_ms;   /* from the first request, with the warm-up */
    uint64_t warmup_ms;     /* below duration_ms; only what comes after is measured */
    uint64_t timeout_ms;    /* of a connect, and of a request */
    uint64_t think_ms;      /* closed loop: between an answer and the next request */
    bool is_spread;         /* closed loop: first requests over half the warm-up */
    unsigned expect;        /* status; 0: any of 2xx and 3xx */
    unsigned slots;         /* of the server, and its service time: what a client may */
    uint64_t service_ms;    /* wait is known then (fairness.h); 0: unknown */
    load_second_fn *on_second; /* after each second; NULL: none */
    void *arg;
    const volatile sig_atomic_t *stop; /* ends the run early once it is not 0; or NULL */
};

struct load_result {
    /* the whole run, warm-up included */
    uint64_t sent, answered;
    uint64_t failed[LOAD_FAILURES];
    uint64_t status[LOAD_STATUSES];
    uint64_t retry_after; /* responses that had the field */
    uint64_t connects, body_bytes;
    uint64_t connect_ns; /* until all connections stood, before the first request */
    uint64_t run_ns;     /* of sending; what was under way is awaited beyond it */
    struct load_second *second;
    size_t second_count;

    /* the window: from the end of the warm-up to the end of sending */
    uint64_t window_ns, completions;
    double rate;                 /* (completions - 1) / (last - first); 0 below two */
    struct histogram latency;    /* answered, and given up (with the age they had) */
    struct histogram unexpected; /* whole responses of another status */
    struct histogram lag;        /* open loop: sent later than due */
    struct share *share;         /* of each client */
    size_t share_count;
    struct fairness fairness; /* closed loop */
};

/** NULL; or why no request was sent, as a static text, with errno where it helps (else 0).
 * The result is always to be ended with load_result_fini. */
const char *load_run(const struct load_plan *plan, struct load_result *result);
void load_result_fini(struct load_result *result);

/** All kinds together. */
uint64_t load_failures(const struct load_result *result);

/** "refused", "reset", ... */
const char *load_failure_name(enum load_failure kind);

#endif
