/* SPDX-License-Identifier: MIT */
/*
 * address - how many connections each client's address has with this worker.   [worker]
 *
 * Owns:    the table: one entry for each address that has a connection, so no more of them
 *          than worker_connections.
 * Called:  by conn.c, at the begin and the end of each connection.
 * Fails:   closed: a connection that cannot be counted is refused.
 */
#include "worker/address.h"

#include "common/log.h"
#include "http/response.h"
#include "worker/conn.h"
#include "worker/self.h"

#include <arpa/inet.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/random.h>
#include <sys/socket.h>

enum { ADDRESS_BITS = 12, ADDRESS_BUCKETS = 1 << ADDRESS_BITS, ADDRESS_WARN_MS = 10000 };

struct address {
    struct address *next;
    uint64_t key;
    unsigned count; /* connections */
};

bool address_init(struct worker *w)
{
    struct addresses *a = &w->addresses;
    if (w->conf->limits.per_address == 0)
        return true;
    if (getrandom(&a->seed, sizeof a->seed, GRND_NONBLOCK) < 0)
        a->seed = w->now_ns;
    a->bucket = calloc(ADDRESS_BUCKETS, sizeof(*a->bucket));
    return a->bucket != NULL;
}

void address_fini(struct worker *w)
{
    free(w->addresses.bucket);
    w->addresses.bucket = NULL;
}

/* 0: neither IPv4 nor IPv6. */
static uint64_t key_of(const char *peer)
{
    struct in_addr four;
    struct in6_addr six;
    uint64_t prefix;
    if (inet_pton(AF_INET, peer, &four) == 1)
        return UINT64_C(0xffff) << 32 | ntohl(four.s_addr);
    if (inet_pton(AF_INET6, peer, &six) != 1)
        return 0;
    memcpy(&prefix, &six, sizeof prefix);
    return prefix != 0 ? prefix : 1; /* ::1 */
}

static struct address **bucket_of(const struct addresses *a, uint64_t key)
{
    uint64_t mixed = (key ^ a->seed) * UINT64_C(0x9e3779b97f4a7c15);
    mixed = (mixed ^ mixed >> 29 ^ a->seed) * UINT64_C(0xbf58476d1ce4e5b9);
    return &a->bucket[mixed >> (64 - ADDRESS_BITS)];
}

static struct address *find(const struct addresses *a, uint64_t key)
{
    struct address **bucket = bucket_of(a, key), *one = *bucket;
    while (one != NULL && one->key != key)
        one = one->next;
    if (one != NULL || (one = malloc(sizeof *one)) == NULL)
        return one;
    *one = (struct address){.next = *bucket, .key = key};
    *bucket = one;
    return one;
}

bool address_enter(struct conn *c)
{
    const struct worker *w = c->worker;
    uint64_t key = key_of(c->peer);
    if (key == 0)
        return true;
    c->address = find(&w->addresses, key);
    return c->address != NULL && ++c->address->count <= w->conf->limits.per_address;
}

void address_leave(struct conn *c)
{
    struct address *one = c->address;
    c->address = NULL;
    if (one == NULL || --one->count > 0)
        return;
    struct address **at = bucket_of(&c->worker->addresses, one->key);
    while (*at != one)
        at = &(*at)->next;
    *at = one->next;
    free(one);
}

static void warn(const struct conn *c)
{
    struct worker *w = c->worker;
    struct addresses *a = &w->addresses;
    if (a->warned_ms != 0 && w->now_ms - a->warned_ms < ADDRESS_WARN_MS)
        return;
    a->warned_ms = w->now_ms;
    log_warn("%s has %u connections, per_address: more are refused", c->peer,
             w->conf->limits.per_address);
}

/* What it has sent by now is read, or the close would be a reset, which can overtake the answer.
 * No lingering: a thousand of these are to cost nothing. */
void address_refuse(struct conn *c)
{
    struct http_response r = {
        .status = 429, .minor = 1, .fields = SLICE_LIT("Retry-After: 1\r\n")};
    char answer[512];
    char scrap[2048];
    board_add(&c->worker->entry->counters.limits[LIMIT_PER_ADDRESS], 1);
    warn(c);
    http_response_plan(&r);
    size_t n = http_response_head(answer, sizeof answer, &r);
    (void)send(c->io.fd, answer, n, MSG_NOSIGNAL | MSG_DONTWAIT);
    (void)shutdown(c->io.fd, SHUT_WR);
    (void)recv(c->io.fd, scrap, sizeof scrap, MSG_DONTWAIT);
    conn_close(c);
}
