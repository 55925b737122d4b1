/* SPDX-License-Identifier: MIT */
/*
 * api_response - how a handler answers.                          [worker]
 *
 * Owns:    nothing; what is said is kept in the request until the loop writes it.
 * Called:  by plugins, through the table in api.c, on the handler's thread.
 * Fails:   -EALREADY, -ETIMEDOUT after the host's answer, -EINVAL, -EPERM without a request.
 *
 * Whatever happens, bytes and descriptors given to send and file are the host's.
 */
#include "worker/api.h"

#include "common/fd.h"
#include "http/response.h"
#include "http/sse.h"
#include "worker/request.h"
#include "worker/stream.h"

#include <errno.h>
#include <string.h>

enum { STATUS_FIRST = 200, STATUS_LAST = 599 };

static struct slice copied(remuda_ctx *c, const char *text)
{
    size_t n = strlen(text);
    return (struct slice){memcpy(ctx_keep(c, n + 1), text, n + 1), n};
}

/* ---- fields ---- */

static int check_field(remuda_ctx *c, const char *name, const char *value)
{
    if (c->kind != CTX_REQUEST)
        return -EPERM;
    if (name == NULL || value == NULL)
        return -EINVAL;
    if (atomic_load(&request_of(c)->response_state) != RESPONSE_NONE)
        return -EALREADY;
    struct slice n = slice_of(name);
    bool is_good = http_field_is_valid(n, slice_of(value)) && !http_field_is_hosts_own(n);
    return is_good ? 0 : -EINVAL;
}

static void append_field(remuda_ctx *c, const char *name, const char *value)
{
    struct response *r = &request_of(c)->response;
    struct response_field *f = ctx_keep(c, sizeof *f);
    *f = (struct response_field){.name = copied(c, name), .value = copied(c, value)};
    if (r->last_field != NULL)
        r->last_field->next = f;
    else
        r->fields = f;
    r->last_field = f;
}

static void remove_fields(struct response *r, struct slice name)
{
    struct response_field **at = &r->fields;
    r->last_field = NULL;
    while (*at != NULL) {
        if (slice_is_nocase((*at)->name, name)) {
            *at = (*at)->next;
        } else {
            r->last_field = *at;
            at = &(*at)->next;
        }
    }
}

int api_set(remuda_ctx *c, const char *name, const char *value)
{
    int error = check_field(c, name, value);
    if (error != 0)
        return error;
    remove_fields(&request_of(c)->response, slice_of(name));
    append_field(c, name, value);
    return 0;
}

int api_add(remuda_ctx *c, const char *name, const char *value)
{
    int error = check_field(c, name, value);
    if (error == 0)
        append_field(c, name, value);
    return error;
}

/* ---- answers ---- */

static int check_answer(remuda_ctx *c, int status, const char *type)
{
    if (c->kind != CTX_REQUEST)
        return -EPERM;
    if (status < STATUS_FIRST || status > STATUS_LAST)
        return -EINVAL;
    if (type != NULL && !http_field_value_is_valid(slice_of(type)))
        return -EINVAL;
    return 0;
}

static int claim(struct request *req, enum response_state as, int status,
                 const char *type)
{
    if (!request_claim(req, as))
        return atomic_load(&req->response_state) == RESPONSE_HOST ? -ETIMEDOUT
                                                                  : -EALREADY;
    req->response.status = status;
    req->response.type = type != NULL ? copied(&req->ctx, type).p : "";
    return 0;
}

static void give_back(const void *p, remuda_free_fn own)
{
    union {
        const void *in;
        void *out;
    } bytes = {p};
    if (own != REMUDA_COPY && own != REMUDA_STATIC)
        own(bytes.out);
}

/* From here on the loop may read it; see answer_late. */
static void say(remuda_ctx *c)
{
    atomic_store_explicit(&request_of(c)->is_said, true, memory_order_release);
}

int api_send(remuda_ctx *c, int status, const char *type, const void *p, size_t n,
             remuda_free_fn own)
{
    int error = p == NULL && n > 0 ? -EINVAL : check_answer(c, status, type);
    if (error == 0)
        error = claim(request_of(c), RESPONSE_HANDLER, status, type);
    if (error != 0) {
        give_back(p, own);
        return error;
    }
    struct response *r = &request_of(c)->response;
    r->byte_count = n;
    r->own = own;
    r->bytes = p;
    if (own == REMUDA_COPY && n > 0)
        r->bytes = memcpy(ctx_keep(c, n), p, n);
    say(c);
    return 0;
}

int api_file(remuda_ctx *c, int status, const char *type, int fd, uint64_t off,
             uint64_t n)
{
    int error = fd < 0 ? -EBADF : check_answer(c, status, type);
    if (error == 0 && (off > INT64_MAX || n > INT64_MAX - off))
        error = -EINVAL;
    if (error == 0)
        error = claim(request_of(c), RESPONSE_HANDLER, status, type);
    if (error != 0) {
        fd_close(&fd);
        return error;
    }
    struct response *r = &request_of(c)->response;
    r->fd = fd;
    r->file_offset = off;
    r->file_bytes = n;
    say(c);
    return 0;
}

int api_begin(remuda_ctx *c, int status, const char *type)
{
    int error = check_answer(c, status, type);
    if (error != 0)
        return error;
    struct request *req = request_of(c);
    if (atomic_load(&req->response_state) == RESPONSE_NONE && req->stream == NULL &&
        stream_begin(req) < 0)
        return -ENOMEM;
    return claim(req, RESPONSE_STREAMING, status, type);
}

int api_write(remuda_ctx *c, const void *p, size_t n)
{
    if (c->kind != CTX_REQUEST)
        return -EPERM;
    struct request *req = request_of(c);
    if (atomic_load(&req->response_state) != RESPONSE_STREAMING)
        return atomic_load(&req->response_state) == RESPONSE_HOST ? -ETIMEDOUT : -EINVAL;
    return stream_write(req, p, n);
}

/* ---- server-sent events ---- */

static void set_default(remuda_ctx *c, const char *name, const char *value)
{
    struct slice wanted = slice_of(name);
    struct response_field *f = request_of(c)->response.fields;
    while (f != NULL && !slice_is_nocase(f->name, wanted))
        f = f->next;
    if (f == NULL)
        append_field(c, name, value);
}

/* A cache would keep the first minutes for everybody; nginx would collect a buffer full. */
static int begin_events(remuda_ctx *c)
{
    if (atomic_load(&request_of(c)->response_state) != RESPONSE_NONE)
        return 0;
    set_default(c, "Cache-Control", "no-cache");
    set_default(c, "X-Accel-Buffering", "no");
    return api_begin(c, 200, HTTP_SSE_TYPE);
}

static int write_event(remuda_ctx *c, struct slice name, struct slice data)
{
    struct request *req = request_of(c);
    int state = atomic_load(&req->response_state);
    if (state != RESPONSE_STREAMING)
        return state == RESPONSE_HOST ? -ETIMEDOUT : -EALREADY;
    size_t mark = arena_mark(&c->arena), n = http_sse_size(name, data);
    char *text = ctx_alloc(c, n);
    (void)http_sse_put(text, name, data);
    int rc = stream_write_event(req, text, n);
    arena_rewind(&c->arena, mark);
    return rc;
}

int api_event(remuda_ctx *c, const char *name, const char *data, size_t n)
{
    struct slice title = slice_of(name != NULL ? name : "");
    if (c->kind != CTX_REQUEST)
        return -EPERM;
    if ((data == NULL && n > 0) || !http_sse_name_is_valid(title))
        return -EINVAL;
    int rc = begin_events(c);
    return rc == 0 ? write_event(c, title, (struct slice){data != NULL ? data : "", n})
                   : rc;
}
