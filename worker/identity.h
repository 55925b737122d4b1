/* SPDX-License-Identifier: MIT */
/*
 * identity - who the client is, as far as a trusted proxy may say so.   [worker]
 *
 * A connection comes from whom the kernel names, or, where a PROXY header is due, from whom that
 * names. If that is one of trusted_proxies, it is believed for each request about whom it has
 * heard. Loop thread only.
 */
#ifndef WORKER_IDENTITY_H
#define WORKER_IDENTITY_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct conn;
struct network;
struct request;
struct worker;

/** Part of struct worker. */
struct proxies {
    struct network *network; /* trusted_proxies */
    size_t count;
    uint64_t warned_ms;
    uint64_t id_seed; /* of request ids that leave this machine; 0: they do not */
    uint64_t id_key[4];
};

/** What a trusted proxy said of one request. Strings end with a NUL; "": nothing was said. */
struct identity {
    const char *scheme; /* "http" or "https" */
    const char *host;
    const char *id;
};

/** Of the config, once. False: out of memory. */
bool identity_init(struct worker *w);
void identity_fini(struct worker *w);

/** c->peer is known, and there are trusted_proxies. False: proxy_protocol is required, and it is
 *  none of those that may send a header. */
bool identity_begin(struct conn *c);

/** It comes from another worker. A header that was due is read only from whom is trusted now. */
void identity_adopt(struct conn *c, bool is_header_due);

/** While c->is_header_due, and there are bytes. True: it is over, and HTTP begins with the next
 *  byte, which is there. False: more bytes first, or what came is refused. */
bool identity_take_header(struct conn *c);

/** The second half of the id of a request with that number: each is another one, and who sees
 *  some can tell neither the others nor how many there were. */
uint64_t identity_scramble(const struct proxies *proxies, uint64_t number);

/** The head is complete, and c->is_trusted: sets the request's peer and identity. */
void identity_read(struct request *req, const char *base);

#endif
