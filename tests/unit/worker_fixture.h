/* SPDX-License-Identifier: MIT */
/*
 * worker_fixture - a worker without a master: a loop, lanes, a pool, a few routes.  [tests]
 *
 * The client is the other end of a socketpair. Time is injected: fixture_pass. When a
 * fixture is closed nothing may be counted any more, and each request has been accounted
 * exactly once.
 */
#ifndef WORKER_FIXTURE_H
#define WORKER_FIXTURE_H

#include "conf/conf.h"
#include "worker/conn.h"
#include "worker/engine.h"
#include "worker/plugin.h"
#include "worker/self.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

enum { FIXTURE_ROUTES = 16, FIXTURE_BYTES = 4 << 20 };
enum { FIXTURE_LIMIT_MS = 200000 }; /* request_timeout of all but REMUDA_LONG */

struct fixture_route {
    const char *path;
    remuda_handler fn;
    uint32_t mode;
};

struct fixture {
    struct worker worker;
    struct heritage heritage;
    struct conf conf;
    struct route route[FIXTURE_ROUTES];
    struct plugin plugin;
    int client; /* the newest */
    char *got;  /* what clients have read, with a NUL behind */
    size_t got_bytes;
};

/** Of that class, with one slot and one flight; routes answer GET and POST and end with a
 *  NULL path. */
struct fixture *fixture_open(enum conf_class klass, const struct fixture_route *routes);

/** Closes the client, runs what is left, asserts that nothing is, and frees. */
void fixture_close(struct fixture **f);

/** Nothing is counted that is not there, and each request is accounted. */
void fixture_assert_nothing_is_left(const struct fixture *f);

/** A new connection; its client end is also f->client. */
int fixture_connect(struct fixture *f);

/** The client sends text, or n bytes, and the loop turns. */
void fixture_send(struct fixture *f, const char *text);
void fixture_send_bytes(struct fixture *f, const char *bytes, size_t n);

/** The client ends its side, and the loop turns. */
void fixture_end_client(struct fixture *f);

/** Turns the loop until nothing is ready. */
void fixture_turn(struct fixture *f);

/** Turns the loop, waiting for threads, until `is_so`; fails after some seconds. */
void fixture_until(struct fixture *f, bool (*is_so)(struct fixture *f));

/** Later by ms: the deadlines that are due expire. */
void fixture_pass(struct fixture *f, uint64_t ms);

/** What the client has now, from the first byte of this call on: f->got. */
const char *fixture_read(struct fixture *f);

/** The same, going on until it is so and nothing more comes. */
const char *fixture_read_until(struct fixture *f, bool (*is_so)(struct fixture *f));

/** Has the worker closed its end, once everything is read? */
bool fixture_is_closed(struct fixture *f);

/** How often the text occurs in what was read. */
unsigned fixture_count(const struct fixture *f, const char *text);

/** How many requests wait, in either lane, as the scoreboard has it. */
unsigned fixture_waiting(const struct fixture *f);

/** The one connection. */
struct conn *fixture_conn(struct fixture *f);

#endif
