/* SPDX-License-Identifier: MIT */
/*
 * handoff_message - a connection between two requests, as one message.   [worker]
 *
 * A SOCK_SEQPACKET datagram: a fixed header, then raw bytes: the head of the ready request,
 * its body, the rest of what the client has sent. The socket travels beside it, and a body
 * above HANDOFF_BODY_INLINE as a memfd of its own. Never parsed state: the receiver parses
 * and routes anew. The body alone stands there as a handler would see it, without chunks.
 */
#ifndef WORKER_HANDOFF_MESSAGE_H
#define WORKER_HANDOFF_MESSAGE_H

#include "common/slice.h"

#include <stddef.h>
#include <stdint.h>

enum {
    HANDOFF_VERSION = 1,
    HANDOFF_PEER_BYTES = 48,
    HANDOFF_HEADER_BYTES = 128,
    HANDOFF_BODY_INLINE = 32768, /* a longer body goes beside the socket */
    HANDOFF_BYTES_MOST = 131072  /* of a whole message; longer ones stay where they are */
};

enum handoff_type {
    HANDOFF_CONNECTION = 1, /* the socket is yours */
    HANDOFF_ASK             /* the sender has a free slot: give it one that waits */
};

enum handoff_flags {
    HANDOFF_CONTINUED = 1 << 0,   /* 100 Continue has been sent for this request */
    HANDOFF_LAST = 1 << 1,        /* close after this answer */
    HANDOFF_BODY_BESIDE = 1 << 2, /* set by encode: the body is a memfd */
    HANDOFF_CHUNKED = 1 << 3,   /* the body came in chunks; it stands here without them */
    HANDOFF_FLIGHTS = 1 << 4,   /* HANDOFF_ASK: for one that waits in that lane */
    HANDOFF_HEADER_DUE = 1 << 5 /* of the PROXY protocol, before the first request */
};

/** What is said of the connection, in the byte order of this machine. */
struct handoff_message {
    enum handoff_type type;
    uint32_t sender;     /* its entry in the scoreboard */
    uint32_t generation; /* of the sender */
    uint64_t number;     /* of load_send; 0: does not count */
    uint32_t listener;   /* the connection came by */
    uint32_t requests;   /* served on it so far */
    uint32_t hops;       /* of the ready request; 0 for an idle connection */
    uint32_t flags;      /* enum handoff_flags */
    uint64_t begun_ns;   /* monotonic: its first byte was here; 0: no request is ready */
    uint64_t queued_ns;  /* monotonic: it was complete; queue_timeout counts from here */
    uint64_t ticket;     /* of the sender's ledger; 0: none */
    char peer[HANDOFF_PEER_BYTES]; /* the client's address, as struct conn has it */
    uint64_t body_bytes;           /* inline or beside */
    struct slice head, body, rest; /* body: empty when it is beside */
};

/** The message's fixed part. -1 with EMSGSIZE when the whole would be too long. Sets
 *  body_bytes, and HANDOFF_BODY_BESIDE as they want it. */
int handoff_encode(struct handoff_message *m,
                   unsigned char header[static HANDOFF_HEADER_BYTES]);

/** A whole datagram; slices point into it. -1 with EPROTO: not one of ours, whatever the
 *  reason. Looks at no descriptor. */
int handoff_decode(const void *bytes, size_t n, struct handoff_message *out);

/** Sends it over an inbox, without waiting; `socket` is -1 for HANDOFF_ASK. 0: the
 *  connection is the receiver's, and the caller closes its descriptor. -1 with errno:
 *  nothing was sent, keep it here (EAGAIN: the inbox is full; EMSGSIZE: too long;
 *  ETOOMANYREFS, EMFILE, ENOMEM, ENOBUFS: no room for descriptors). No descriptor is left
 *  behind either way. */
int handoff_send(int inbox, struct handoff_message *m, int socket);

enum handoff_result {
    HANDOFF_TAKEN, /* *out is whole; socket and body are the caller's */
    HANDOFF_NONE,  /* the inbox is empty (EAGAIN) or gone (errno says) */
    HANDOFF_LOST, /* *out is well-formed, its descriptors did not come: this process has no
                      room for them. sender and number are to be counted */
    HANDOFF_BAD   /* not one of ours; dropped */
};

/** What came beside a message. */
struct handoff_parts {
    int socket; /* non-blocking, close-on-exec; -1 for HANDOFF_ASK */
    int body;   /* memfd of body_bytes that nobody can change any more; -1: none */
};

/** Takes one message out of an inbox, without waiting. `buffer` has HANDOFF_BYTES_MOST
 *  bytes and lives as long as the slices of *out. With less than HANDOFF_TAKEN no
 *  descriptor is left open. A worker without descriptors to spare must not call it. */
enum handoff_result handoff_receive(int inbox, void *buffer, struct handoff_message *out,
                                    struct handoff_parts *parts);

/** Reads the body that came beside into to[body_bytes]. -1 with errno. */
int handoff_read_body(const struct handoff_parts *parts, uint64_t body_bytes, void *to);

#endif
