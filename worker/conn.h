/* SPDX-License-Identifier: MIT */
/*
 * conn - one client's connection, from accept to close.          [worker]
 *
 * It reads one request at a time, hands it over, writes the answer, and goes on with what
 * the client had sent behind it. All answers of one read leave in one send.
 */
#ifndef WORKER_CONN_H
#define WORKER_CONN_H

#include "common/limit.h"
#include "common/list.h"
#include "worker/deadline.h"
#include "worker/in.h"
#include "worker/out.h"

#include <ev.h>
#include <stdbool.h>
#include <sys/socket.h>

struct address;
struct handoff_message;
struct handoff_parts;
struct request;
struct worker;

#define CONN_MAGIC 0x636f6e6eu

/** Each state owns exactly one deadline. */
enum conn_state {
    CONN_TURN, /* in the middle of a turn: none */
    CONN_HEAD, /* new, or a head has begun to arrive: head_timeout */
    CONN_BODY, /* the head is complete, its body is arriving, its handler may run already:
                  body_timeout, body_min_rate */
    CONN_WAIT, /* a request waits for a slot: queue_timeout from its arrival */
    CONN_RUN,  /* a request is with its handler: none of ours */
    CONN_WRITE, /* answers wait until the client reads: write_timeout, write_min_rate */
    CONN_IDLE,  /* kept alive; nothing of a next request has come: keepalive */
    CONN_LAST,  /* as IDLE or a new one, while the worker drains: 0.5 s */
    CONN_LINGER /* we have ended our side; what still comes is dropped: 1 s; 0.5 s after
                   LAST */
};

enum {
    CONN_PEER_BYTES = 48,
    CONN_OUT_HIGH = 65536, /* more than this in the output: no further request is begun,
                               and a stream's writer waits */
    CONN_LAST_MS = 500,    /* for a request that is on its way: a round trip, and some */
    CONN_LINGER_MS = 1000
};

/** What another worker knew of a request that waited there. All 0: nothing. */
struct conn_past {
    uint32_t hops, sender;
    uint64_t begun_ns, queued_ns; /* monotonic */
    uint64_t ticket;              /* in the sender's ledger; 0: none */
};

/** How fast a client takes its answers, while they wait for it. */
struct conn_taking {
    uint64_t since_ms; /* 0: nothing waits */
    uint64_t look_ms;  /* the last look at it */
    uint64_t given;    /* to the kernel since then, and what that had already */
};

struct conn {
    unsigned magic;
    enum conn_state state;
    struct worker *worker;
    struct list link;         /* worker->conns */
    struct deadline deadline; /* of `state` */
    ev_io io;
    struct in in;
    struct out out;
    struct request *request; /* being read, or handed over; NULL between two */
    uint64_t read_ms;        /* when the client last sent something */
    struct conn_taking taking;
    struct address *address; /* where it is counted; NULL: nowhere */
    bool is_handed;          /* the request waits for a slot or is with its handler */
    bool is_processing;      /* step is at work: whoever ends a request only says so */
    bool is_stalled;         /* requests are there, the output is too full for them */
    bool is_eof;             /* the client will send no more */
    bool is_closing;         /* no further request is begun: answer what is due, close */
    bool is_lingering;       /* the close is our idea: the client may be sending */
    bool is_broken;          /* a write failed */
    bool is_trusted;         /* its peer is one of trusted_proxies */
    bool is_header_due;      /* of the PROXY protocol, before the first request */
    uint32_t adoption;     /* while it is worker->arriving it counts as on its way here */
    bool is_shared;        /* another process has, or had, its descriptor too */
    uint32_t requests;     /* begun on it, in other workers too */
    struct conn_past past; /* of the next request, when it has waited elsewhere */
    char peer[CONN_PEER_BYTES]; /* "203.0.113.7"; "unix:" for a unix socket */
};

/** Nothing of a request, nor of what is due before the first, has come and is not answered. */
static inline bool conn_is_between(const struct conn *c)
{
    return c->request == NULL && in_count(&c->in) == 0;
}

/** Takes the descriptor (non-blocking) over and reads what is there; the connection may be
 *  over on return. Out of memory: the descriptor is closed. */
void conn_open(struct worker *w, int fd, const struct sockaddr *peer, socklen_t length);

/** Who the client is, for all that follows. */
void conn_set_peer(struct conn *c, const struct sockaddr *peer, socklen_t length);
/** False: it has more than per_address. A proxy stands for many, and is not counted. */
bool conn_count_address(struct conn *c);
/** Takes over what another worker has sent, descriptors included. */
void conn_adopt(struct worker *w, const struct handoff_message *m,
                struct handoff_parts *parts);

/** Another worker has it now: it goes, unheard by the client. Its request waits. */
void conn_leave(struct conn *c);

/** Ends it whatever it does: a request with its handler lives on without it. */
void conn_close(struct conn *c);

/** The answer of its request is in the output; the request may be let go. */
void conn_on_answer(struct conn *c);

/** The same, though the handler still runs: they part, and the client goes on. */
void conn_part(struct conn *c);

/** Something was put in the output, or a request's input may be read on. */
void conn_on_output(struct conn *c);

/** Writes what the socket takes, now; a failure is noted in is_broken. */
void conn_try_write(struct conn *c);

/** Enters the state, and its deadline begins; to stay in one changes nothing. */
void conn_set_state(struct conn *c, enum conn_state state);

/** Its request waits for a slot. */
bool conn_is_waiting(const struct conn *c);

/** That one is answered 503; conn_turn goes on. `limit`: why, or LIMIT_NONE. */
void conn_shed(struct conn *c, enum limit limit);

/** Processes what was read, writes, settles in a state. It may be gone on return. */
void conn_turn(struct conn *c);

/** n and errno are those of a receive, whatever it was for. It may be gone on return. */
void conn_on_received(struct conn *c, long n);

/** The client is told that there will be no more; if the close is our idea it has CONN_LINGER_MS
 *  since then to end its side. */
void conn_end_our_side(struct conn *c, uint64_t since_ms);

#endif
