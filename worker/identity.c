/* SPDX-License-Identifier: MIT */
/*
 * identity - trusted_proxies, proxy_protocol, forwarded_header.   [worker]
 *
 * Owns:    the networks of trusted_proxies.
 * Called:  by conn.c (a new connection, or one from another worker) and reader.c.
 * Fails:   what is malformed is not believed. Out of memory: at start alone.
 */
#include "worker/identity.h"

#include "common/check.h"
#include "common/clock.h"
#include "common/log.h"
#include "common/network.h"
#include "http/chars.h"
#include "http/forwarded.h"
#include "http/proxy_header.h"
#include "http/target.h"
#include "worker/begun.h"
#include "worker/conn.h"
#include "worker/reader.h"
#include "worker/request.h"
#include "worker/self.h"

#include <stdlib.h>
#include <string.h>
#include <sys/random.h>

enum { IDENTITY_ID_MOST = 128, IDENTITY_WARN_MS = 10000, SEED_BITS = 48 };

/* Never 0; weaker where the kernel has none to give, which is enough to tell ids apart. */
static void draw_seed(struct worker *w)
{
    struct proxies *p = &w->proxies;
    if (getrandom(&p->id_seed, sizeof p->id_seed, GRND_NONBLOCK) != sizeof p->id_seed)
        p->id_seed = clock_wall_ms() << 22 ^ (uint64_t)w->pid;
    if (getrandom(p->id_key, sizeof p->id_key, GRND_NONBLOCK) != sizeof p->id_key)
        p->id_key[0] = p->id_seed;
    p->id_seed = p->id_seed >> (64 - SEED_BITS) | 1;
}

/* A Feistel network: a permutation whatever its rounds do, so no two numbers meet. */
uint64_t identity_scramble(const struct proxies *proxies, uint64_t number)
{
    uint32_t left = (uint32_t)(number >> 32), right = (uint32_t)number;
    for (size_t i = 0; i < COUNT_OF(proxies->id_key); i++) {
        uint64_t mixed = (right ^ proxies->id_key[i]) * UINT64_C(0x9e3779b97f4a7c15);
        mixed = (mixed ^ mixed >> 29 ^ proxies->id_key[i]) * UINT64_C(0xbf58476d1ce4e5b9);
        uint32_t next = left ^ (uint32_t)(mixed >> 32);
        left = right;
        right = next;
    }
    return (uint64_t)left << 32 | right;
}

bool identity_init(struct worker *w)
{
    const struct conf_list *list = &w->conf->server.trusted_proxies;
    if (w->conf->server.request_id)
        draw_seed(w);
    if (list->count == 0)
        return true;
    w->proxies.network = calloc(list->count, sizeof *w->proxies.network);
    if (w->proxies.network == NULL)
        return false;
    for (size_t i = 0; i < list->count; i++) /* checked with the config */
        w->proxies.count +=
            network_parse(list->item[i], &w->proxies.network[w->proxies.count]);
    return true;
}

void identity_fini(struct worker *w)
{
    free(w->proxies.network);
    w->proxies.network = NULL;
    w->proxies.count = 0;
}

static bool is_proxy(const void *arg, const char *host)
{
    const struct worker *w = arg;
    return network_has(w->proxies.network, w->proxies.count, host);
}

/* ---- connections ---- */

static void complain(struct conn *c)
{
    struct worker *w = c->worker;
    board_add(&w->entry->counters.refused, 1);
    if (w->proxies.warned_ms != 0 && w->now_ms - w->proxies.warned_ms < IDENTITY_WARN_MS)
        return;
    w->proxies.warned_ms = w->now_ms;
    log_warn("a connection of %s is refused: proxy_protocol = required, and it is not in "
             "trusted_proxies",
             c->peer);
}

bool identity_begin(struct conn *c)
{
    struct worker *w = c->worker;
    enum conf_proxy protocol = w->conf->server.proxy_protocol;
    c->is_trusted = is_proxy(w, c->peer);
    c->is_header_due = c->is_trusted && protocol != CONF_PROXY_OFF;
    if (c->is_trusted || protocol != CONF_PROXY_REQUIRED)
        return true;
    complain(c);
    return false;
}

void identity_adopt(struct conn *c, bool is_header_due)
{
    c->is_trusted = is_proxy(c->worker, c->peer);
    c->is_header_due = is_header_due && c->is_trusted;
}

static bool refuse(struct conn *c, int status, enum limit limit)
{
    log_debug("%s: %d at the PROXY header", c->peer, status);
    reader_refuse_unread(c, status, limit);
    return false;
}

static void use_header(struct conn *c, const struct proxy_header *header)
{
    in_consume(&c->in, (uint32_t)header->bytes);
    if (header->source.ss_family == AF_UNSPEC)
        return;
    conn_set_peer(c, (const struct sockaddr *)&header->source, header->length);
    c->is_trusted = is_proxy(c->worker, c->peer);
}

bool identity_take_header(struct conn *c)
{
    struct proxy_header header;
    const char *bytes = c->in.data + c->in.start;
    bool is_required = c->worker->conf->server.proxy_protocol == CONF_PROXY_REQUIRED;
    enum proxy_verdict verdict = proxy_header_parse(bytes, in_count(&c->in), &header);
    if (verdict == PROXY_MORE)
        return false;
    c->is_header_due = false;
    if (verdict == PROXY_BAD || (verdict == PROXY_ABSENT && is_required))
        return refuse(c, 400, LIMIT_NONE);
    if (verdict == PROXY_DONE)
        use_header(c, &header);
    if (!conn_count_address(c))
        return refuse(c, 429, LIMIT_PER_ADDRESS);
    return in_count(&c->in) > 0;
}

/* ---- requests ---- */

/* All values of that field, joined; n 0: there is none. */
static struct slice field(struct request *req, const char *base, struct slice name)
{
    const struct http_request *head = &req->parser.request;
    long n = http_request_field_join(head, base, name, NULL, 0);
    if (n <= 0)
        return (struct slice){NULL, 0};
    char *text = ctx_keep(&req->ctx, (size_t)n + 1);
    (void)http_request_field_join(head, base, name, text, (size_t)n + 1);
    return (struct slice){text, (size_t)n};
}

static const char *keep(struct request *req, struct slice text)
{
    char *copy = ctx_keep(&req->ctx, text.n + 1);
    memcpy(copy, text.p, text.n);
    copy[text.n] = '\0';
    return copy;
}

/* It goes into log lines and into the response: nothing that could be taken for more. */
static bool is_id(struct slice text)
{
    return text.n > 0 && text.n <= IDENTITY_ID_MOST &&
           http_chars_are(text, HTTP_CHAR_TOKEN);
}

static void read_client(struct request *req, const char *base, struct identity *identity)
{
    const struct worker *w = req->ctx.worker;
    bool is_x = w->conf->server.forwarded_header == CONF_FORWARDED_X;
    struct forwarded said;
    struct slice list =
        field(req, base, is_x ? SLICE_LIT("X-Forwarded-For") : SLICE_LIT("Forwarded"));
    forwarded_read(list, is_x ? FORWARDED_X : FORWARDED_RFC7239, is_proxy, w, &said);
    if (said.client[0] != '\0') {
        memcpy(req->peer, said.client, sizeof req->peer);
        begun_note_peer(req);
    }
    if (is_x) {
        said.proto = forwarded_last(field(req, base, SLICE_LIT("X-Forwarded-Proto")));
        said.host = forwarded_last(field(req, base, SLICE_LIT("X-Forwarded-Host")));
    }
    if (slice_is_nocase(said.proto, SLICE_LIT("https")))
        identity->scheme = "https";
    if (said.host.n > 0 && http_target_host_is_valid(said.host))
        identity->host = keep(req, said.host);
}

void identity_read(struct request *req, const char *base)
{
    struct identity *identity = ctx_keep(&req->ctx, sizeof *identity);
    *identity = (struct identity){.scheme = "http", .host = "", .id = ""};
    read_client(req, base, identity);
    if (req->ctx.worker->conf->server.request_id) {
        struct slice id = field(req, base, SLICE_LIT("X-Request-Id"));
        if (is_id(id))
            identity->id = keep(req, id);
    }
    req->identity = identity;
}
