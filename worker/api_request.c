/* SPDX-License-Identifier: MIT */
/*
 * api_request - what a handler can ask of its request.           [worker]
 *
 * Owns:    nothing; strings stand in the input or the ctx's own memory, and live as long.
 * Called:  by plugins, through the table in api.c, on the handler's thread and its tasks', at
 *          the same time: the request is only read.
 * Fails:   as include/remuda.h says; a ctx that is no request has no header, no body.
 */
#include "worker/api.h"

#include "http/target.h"
#include "worker/conn.h"
#include "worker/identity.h"
#include "worker/intake.h"
#include "worker/plugin.h"
#include "worker/request.h"
#include "worker/self.h"
#include "worker/task.h"

#include <errno.h>
#include <string.h>

static char *arena_text(remuda_ctx *c, struct slice text)
{
    char *copy = ctx_keep(c, text.n + 1);
    if (text.n > 0)
        memcpy(copy, text.p, text.n);
    copy[text.n] = '\0';
    return copy;
}

static const char *unescaped(remuda_ctx *c, struct slice text)
{
    char *copy = ctx_keep(c, text.n + 1);
    (void)http_target_unescape(text, copy);
    return copy;
}

static const char *own_id(remuda_ctx *c, const struct request *req)
{
    return request_id(req, ctx_keep(c, REQUEST_ID_BYTES));
}

/* What the client has asked for, whatever the proxies in between call us. */
static const char *asked_host(remuda_ctx *c, struct request *req)
{
    if (req->identity != NULL && req->identity->host[0] != '\0')
        return req->identity->host;
    return arena_text(c, request_text(req, req->parser.request.host));
}

static const char *of_request(remuda_ctx *c, struct request *req, int what)
{
    const struct http_request *head = &req->parser.request;
    switch (what) {
    case REMUDA_METHOD:
        return request_text(req, head->method_text).p; /* sealed: ends with a NUL */
    case REMUDA_TARGET:
        return request_text(req, head->target).p;
    case REMUDA_PATH:
        return memchr(req->path.p, '%', req->path.n) ? unescaped(c, req->path)
                                                     : req->path.p;
    case REMUDA_QUERY:
        return arena_text(c, request_text(req, head->query));
    case REMUDA_SCHEME:
        return req->identity != NULL ? req->identity->scheme : "http";
    case REMUDA_PEER:
        return strcmp(req->peer, "unix:") == 0 ? "" : req->peer;
    case REMUDA_ID:
        return own_id(c, req);
    case REMUDA_HOST:
        return asked_host(c, req);
    case REMUDA_PATTERN:
        return req->route->pattern;
    default:
        return "";
    }
}

const char *api_get(remuda_ctx *c, int what)
{
    if (what == REMUDA_ROLE)
        return c->worker->is_check ? "check" : "worker";
    struct request *req = task_request(c);
    return req != NULL ? of_request(c, req, what) : "";
}

const char *api_header(remuda_ctx *c, const char *name)
{
    struct request *req = task_request(c);
    if (req == NULL)
        return NULL;
    const struct http_request *head = &req->parser.request;
    struct slice wanted = slice_of(name);
    const char *first = http_request_field(head, req->base, wanted, NULL);
    if (first == NULL || http_request_field_repeats(head, req->base, wanted) == 1)
        return first;
    long n = http_request_field_join(head, req->base, wanted, NULL, 0);
    char *joined = ctx_keep(c, (size_t)n + 1);
    (void)http_request_field_join(head, req->base, wanted, joined, (size_t)n + 1);
    return joined;
}

int api_header_at(remuda_ctx *c, size_t i, const char **name, const char **value)
{
    struct request *req = task_request(c);
    if (req == NULL)
        return -ENOENT;
    if (i >= req->parser.request.field_count)
        return -ENOENT;
    const struct http_field *field = &req->parser.request.field[i];
    *name = request_text(req, field->name).p;
    *value = request_text(req, field->value).p;
    return 0;
}

const char *api_query(remuda_ctx *c, const char *name)
{
    struct request *req = task_request(c);
    if (req == NULL)
        return NULL;
    struct slice query = request_text(req, req->parser.request.query);
    if (query.n == 0)
        return NULL;
    char value[256];
    long n = http_query_find(query, slice_of(name), value, sizeof value);
    if (n < 0)
        return NULL;
    char *copy = ctx_keep(c, (size_t)n + 1);
    if ((size_t)n < sizeof value)
        memcpy(copy, value, (size_t)n + 1);
    else
        (void)http_query_find(query, slice_of(name), copy, (size_t)n + 1);
    return copy;
}

const char *api_param(remuda_ctx *c, const char *name)
{
    struct request *req = task_request(c);
    if (req == NULL)
        return NULL;
    for (uint32_t i = 0; i < req->match.param_count; i++) {
        if (slice_is(req->match.param[i].name, slice_of(name)))
            return unescaped(c, req->match.param[i].value);
    }
    return NULL;
}

int api_body(remuda_ctx *c, remuda_bytes *out)
{
    struct request *req = task_request(c);
    if (req == NULL)
        return -EPERM;
    if (req->intake != NULL)
        return intake_collect(c, req, out);
    out->p = req->body_bytes > 0 ? req->body : "";
    out->n = req->body_bytes;
    return 0;
}

int64_t api_read(remuda_ctx *c, void *buf, size_t n)
{
    struct request *req = task_request(c);
    if (req == NULL)
        return -EPERM;
    if (req->intake != NULL)
        return intake_read(c, req, buf, n);
    size_t before = atomic_load(&req->body_taken), taken;
    do {
        size_t left = req->body_bytes - before;
        taken = n < left ? n : left;
    } while (!atomic_compare_exchange_weak(&req->body_taken, &before, before + taken));
    if (taken > 0)
        memcpy(buf, req->body + before, taken);
    return (int64_t)taken;
}
