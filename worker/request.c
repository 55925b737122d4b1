/* SPDX-License-Identifier: MIT */
/*
 * request - birth, holds and end of one request.                 [worker]
 *
 * Owns:    every struct request, and the free list.
 * Called:  by reader.c (birth), conn.c, engine.c, answer.c.
 * Fails:   request_create returns NULL when out of memory.
 */
#include "worker/request.h"

#include "common/check.h"
#include "common/fd.h"
#include "common/scoreboard.h"
#include "worker/body.h"
#include "worker/conn.h"
#include "worker/identity.h"
#include "worker/intake.h"
#include "worker/plugin.h"
#include "worker/self.h"
#include "worker/stream.h"
#include "worker/wear.h"

#include <assert.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>

static struct request *request_new(struct worker *w)
{
    struct request *req = malloc(sizeof *req);
    if (req == NULL)
        return NULL;
    ctx_init(&req->ctx, CTX_REQUEST, w);
    deadline_init(&req->overtime);
    http_parser_init(&req->parser, &w->limits);
    return req;
}

struct request *request_create(struct worker *w, struct conn *conn)
{
    struct request *req = w->free_requests;
    if (req != NULL) {
        w->free_requests = req->next_free;
        spare_take(&w->free_request_count);
        http_parser_reset(&req->parser);
    } else if ((req = request_new(w)) == NULL) {
        return NULL;
    }
    memset(&req->holds, 0,
           offsetof(struct request, overtime) - offsetof(struct request, holds));
    req->magic = REQUEST_MAGIC;
    req->holds = 1;
    req->conn = conn;
    static_assert(sizeof req->peer == sizeof conn->peer, "one size of address");
    memcpy(req->peer, conn->peer, sizeof req->peer);
    req->record = LANE_NO_RECORD;
    req->response.fd = req->body_fd = -1;
    list_init(&req->lane_link);
    req->number = ++w->request_number;
    if (req->number == w->wear.at)
        wear_on_requests(w);
    req->begun_ns = w->now_ns;
    return req;
}

static void give_back_bytes(struct response *r)
{
    if (r->own != REMUDA_COPY && r->own != REMUDA_STATIC) {
        union {
            const void *in;
            void *out;
        } bytes = {r->bytes};
        r->own(bytes.out);
    }
    r->own = REMUDA_COPY;
}

void request_release(struct request *req)
{
    CHECK_OBJ(req, REQUEST_MAGIC);
    CHECK(req->holds > 0);
    if (--req->holds > 0)
        return;
    struct worker *w = req->ctx.worker;
    request_account(req, 0);
    give_back_bytes(&req->response);
    if (req->response.fd >= 0)
        fd_close(&req->response.fd);
    stream_destroy(&req->stream);
    if (req->intake != NULL)
        intake_destroy(&req->intake);
    if (req->body_room > 0) /* else it stood in the input */
        body_release(req);
    in_fini(&req->in);
    ctx_reset(&req->ctx);
    req->magic = 0;
    req->next_free = w->free_requests;
    w->free_requests = req;
    spare_put(&w->free_request_count);
}

static void free_some(struct worker *w, unsigned count)
{
    for (; count > 0; count--) {
        struct request *req = w->free_requests;
        w->free_requests = req->next_free;
        spare_take(&w->free_request_count);
        http_parser_fini(&req->parser);
        ctx_fini(&req->ctx);
        free(req);
    }
}

unsigned request_relax(struct worker *w)
{
    unsigned excess = spare_excess(&w->free_request_count);
    free_some(w, excess);
    return excess;
}

void request_free_all(struct worker *w)
{
    free_some(w, w->free_request_count.count);
}

bool request_claim(struct request *req, enum response_state as)
{
    int none = RESPONSE_NONE;
    return atomic_compare_exchange_strong(&req->response_state, &none, (int)as);
}

void request_client_gone(struct request *req)
{
    if (atomic_exchange(&req->client, CLIENT_GONE) == CLIENT_GONE)
        return;
    ctx_cancel(&req->ctx, -ECANCELED);
}

void request_detach(struct request *req)
{
    CHECK_OBJ(req, REQUEST_MAGIC);
    req->conn = NULL;
    if (req->intake != NULL)
        intake_cut(req);
    request_client_gone(req);
}

void request_record(const struct request *req, struct board_record *record)
{
    const struct worker *w = req->ctx.worker;
    static_assert((int)BOARD_METHOD == HTTP_METHOD_BYTES, "one size of method");
    const char *method = http_method_name(req->parser.request.method);
    board_record_begin(record, w->now_ms, method, req->path, req->peer,
                       req->route->index);
}

static char *put_hex(char *at, uint64_t n)
{
    unsigned shift = 0;
    while (shift < 60 && n >> (shift + 4) != 0)
        shift += 4;
    for (;; shift -= 4) {
        *at++ = "0123456789abcdef"[n >> shift & 15];
        if (shift == 0)
            return at;
    }
}

const char *request_id(const struct request *req, char room[static REQUEST_ID_BYTES])
{
    if (req->identity != NULL && req->identity->id[0] != '\0')
        return req->identity->id;
    const struct worker *w = req->ctx.worker;
    const struct proxies *p = &w->proxies;
    char *at = put_hex(room, p->id_seed != 0 ? p->id_seed : (uint64_t)w->pid);
    *at++ = '-';
    at = put_hex(at, p->id_seed != 0 ? identity_scramble(p, req->number) : req->number);
    *at = '\0';
    return room;
}
