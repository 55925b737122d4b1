/* SPDX-License-Identifier: MIT */
/*
 * request - one request, from its first byte until the last holder lets go.    [worker]
 *
 * Three states that move on their own: its handler, its client, its response. The struct goes
 * when nobody holds it: the connection that reads it, the handler, the output that points into
 * its memory. Holds are counted on the loop thread alone.
 */
#ifndef WORKER_REQUEST_H
#define WORKER_REQUEST_H

#include "common/list.h"
#include "common/slice.h"
#include "http/parser.h"
#include "http/router.h"
#include "worker/ctx.h"
#include "worker/deadline.h"
#include "worker/in.h"
#include "worker/pool.h"
#include "worker/response.h"

struct board_record;
struct identity;
struct ledger_entry;
struct conn;
struct intake;
struct lane;
struct route;
struct stream;

#define REQUEST_MAGIC 0x72657175u
enum { REQUEST_PEER_BYTES = 48, REQUEST_ID_BYTES = 32 };

enum handler_state {
    HANDLER_NONE,    /* the request is still being read, or the host answers itself */
    HANDLER_QUEUED,  /* waits for a slot */
    HANDLER_RUNNING, /* plugin code has it; for EVENT until finish */
    HANDLER_ENDED
};

enum client_state { CLIENT_HERE, CLIENT_GONE };

struct request {
    struct remuda_ctx ctx; /* first: a plugin's remuda_ctx * is one of these */
    unsigned magic;
    struct request *next_free;

    int holds;
    struct conn *conn; /* NULL: the client's connection is gone */
    /* what was read */
    struct in in; /* taken over from the connection when it goes, or needs a larger one */
    char *base;   /* first byte of the head, once it will not move */
    uint32_t consumed; /* bytes of the connection's input that are ours */
    bool has_head;
    const char *body;
    size_t body_bytes;        /* so far; all of it once a handler runs */
    atomic_size_t body_taken; /* by remuda_read; tasks may read too */
    char *body_buffer; /* body.c; NULL: in the input, or in a file not yet complete */
    size_t body_room;
    int body_fd, body_status; /* of the file, -1: none; not 0: it could not be kept */
    struct intake *intake; /* the handler runs while it arrives; NULL: it has arrived */
    uint64_t body_begun_ms;
    struct slice path;               /* canonical; inside the input or the arena */
    const struct identity *identity; /* what a trusted proxy said; NULL: nobody spoke */

    /* where it goes */
    const struct route *route; /* NULL: the host answers with host_status */
    int host_status;
    bool keep_alive; /* as the request allows */
    uint32_t hops;   /* between workers, while it waited */

    /* its run */
    enum handler_state handler;
    atomic_int client;         /* enum client_state */
    atomic_int response_state; /* enum response_state; who moves it from NONE answers */
    struct response response;
    struct stream *stream; /* after begin; made by the handler's thread */
    bool is_flowing;       /* on the loop: the head of the stream is out */
    int rc;                /* the handler's */
    bool has_ended_here; /* on the loop: the coroutine is through, or finish was called */
    bool has_left_tasks; /* it returned with live ones, which have ended since */
    bool is_admitted;    /* it may wait: queue_limit was not reached */
    bool has_lent;       /* on the loop: a task runs in its slot, task_slot.c */
    bool is_in_handler;  /* EVENT: the callback has not returned yet */
    bool is_late, is_answered; /* on the loop: over its time; in its handler's place */
    atomic_bool is_said; /* `response` is whole: the loop may read it before the end */
    struct lane *lane;
    struct list lane_link;
    int record;
    struct pool_job job;
    struct request *done_next;
    bool done_is_listed, done_has_ended; /* under done.lock */

    /* its account */
    uint64_t number, begun_ns, queued_ns, started_ns; /* the number is this worker's */
    uint64_t sent_bytes;                              /* of the body */
    bool is_accounted, is_unrecorded;                 /* no entry was free */
    enum limit limit;           /* the one that ended it: its mark in the access log */
    struct ledger_entry *entry; /* until its line is written; NULL: it has none */
    /* the big parts, last: not cleared for each request */
    struct deadline overtime;      /* while the handler runs; on no list else */
    char peer[REQUEST_PEER_BYTES]; /* "203.0.113.7", "unix:"; handlers ask without conn */
    struct http_match match;       /* set with path */
    struct http_parser parser;
};

/** A new one, held by the connection that reads it. NULL when out of memory. */
struct request *request_create(struct worker *w, struct conn *conn);

static inline void request_hold(struct request *req)
{
    req->holds++;
}

/** The last hold frees it. */
void request_release(struct request *req);

/** Once a second: frees some of those that wait for reuse in vain; how many. At the end: all. */
unsigned request_relax(struct worker *w);
void request_free_all(struct worker *w);

static inline struct request *request_of(struct remuda_ctx *c)
{
    CHECK(c->kind == CTX_REQUEST);
    return (struct request *)c;
}

/** The head, sealed; text of a span. */
static inline struct slice request_text(const struct request *req, struct http_span span)
{
    return http_span_slice(span, req->base);
}

/** Who answers? One caller wins; true for that one. Any thread. */
bool request_claim(struct request *req, enum response_state as);
/** The client will not come back: every wait says so. What can be written still is. */
void request_client_gone(struct request *req);

/** The connection is gone: the request lives on for its handler alone. */
void request_detach(struct request *req);
/** Fills the scoreboard's record of a request that begins to run. */
void request_record(const struct request *req, struct board_record *record);
/** Counters and the access-log line, once. status 0: it ended without an answer. */
void request_account(struct request *req, int status);

/** That of a trusted proxy, or ours in `room`: "1a2b-3c", process and number; with
 *  server.request_id something drawn at start and a scrambled number: unique everywhere. */
const char *request_id(const struct request *req, char room[static REQUEST_ID_BYTES]);

#endif
