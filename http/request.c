/* SPDX-License-Identifier: MIT */
/*
 * request - names of methods, and look-ups in the fields of one request.
 *
 * Owns:    the table of methods.
 * Called:  by guard.c (the method), router.c (Allow) and the worker (the fields).
 * Fails:   never; an absent field is NULL or -1.
 */
#include "http/request.h"

#include "common/check.h"

#define METHOD(name)                                                                     \
    ((struct slice){(const char[HTTP_METHOD_BYTES]){name}, sizeof(name) - 1})

static const struct slice METHODS[HTTP_METHODS] = {
    [HTTP_METHOD_NONE] = METHOD(""),
    [HTTP_METHOD_GET] = METHOD("GET"),
    [HTTP_METHOD_HEAD] = METHOD("HEAD"),
    [HTTP_METHOD_POST] = METHOD("POST"),
    [HTTP_METHOD_PUT] = METHOD("PUT"),
    [HTTP_METHOD_DELETE] = METHOD("DELETE"),
    [HTTP_METHOD_PATCH] = METHOD("PATCH"),
    [HTTP_METHOD_OPTIONS] = METHOD("OPTIONS"),
    [HTTP_METHOD_TRACE] = METHOD("TRACE"),
    [HTTP_METHOD_CONNECT] = METHOD("CONNECT"),
    [HTTP_METHOD_PROPFIND] = METHOD("PROPFIND"),
    [HTTP_METHOD_PROPPATCH] = METHOD("PROPPATCH"),
    [HTTP_METHOD_MKCOL] = METHOD("MKCOL"),
    [HTTP_METHOD_COPY] = METHOD("COPY"),
    [HTTP_METHOD_MOVE] = METHOD("MOVE"),
    [HTTP_METHOD_LOCK] = METHOD("LOCK"),
    [HTTP_METHOD_UNLOCK] = METHOD("UNLOCK"),
    [HTTP_METHOD_SEARCH] = METHOD("SEARCH"),
    [HTTP_METHOD_REPORT] = METHOD("REPORT"),
};

enum http_method http_method_of(struct slice text)
{
    /* the two that matter come first, without a call */
    if (text.n == 3 && memcmp(text.p, "GET", 3) == 0)
        return HTTP_METHOD_GET;
    if (text.n == 4 && memcmp(text.p, "POST", 4) == 0)
        return HTTP_METHOD_POST;
    for (unsigned m = HTTP_METHOD_GET; m < HTTP_METHODS; m++)
        if (slice_is(METHODS[m], text))
            return (enum http_method)m;
    return HTTP_METHOD_NONE;
}

const char *http_method_name(enum http_method method)
{
    return METHODS[method].p;
}

static void end_span(char *base, struct http_span span)
{
    base[span.at + span.n] = '\0';
}

void http_request_seal(struct http_request *req, char *base)
{
    CHECK(!req->sealed);
    end_span(base, req->method_text);
    end_span(base, req->target);
    for (uint32_t i = 0; i < req->field_count; i++) {
        end_span(base, req->field[i].name);
        end_span(base, req->field[i].value);
    }
    req->sealed = true;
}

/** The next field of that name at or behind *at, which moves behind it. */
static const struct http_field *next_field(const struct http_request *req,
                                           const char *base, struct slice name,
                                           uint32_t *at)
{
    while (*at < req->field_count) {
        const struct http_field *f = &req->field[(*at)++];
        if (slice_is_nocase(http_span_slice(f->name, base), name))
            return f;
    }
    return NULL;
}

const char *http_request_field(const struct http_request *req, const char *base,
                               struct slice name, size_t *n_out)
{
    uint32_t at = 0;
    const struct http_field *f = next_field(req, base, name, &at);

    if (f == NULL)
        return NULL;
    if (n_out != NULL)
        *n_out = f->value.n;
    return base + f->value.at;
}

uint32_t http_request_field_repeats(const struct http_request *req, const char *base,
                                    struct slice name)
{
    uint32_t at = 0, count = 0;

    while (next_field(req, base, name, &at) != NULL)
        count++;
    return count;
}

/** What fits of the piece, at *used of the whole; *used counts what does not fit, too. */
static void join_piece(char *out, size_t room, size_t *used, struct slice piece)
{
    if (*used < room) {
        size_t fits = room - *used;
        memcpy(out + *used, piece.p, piece.n < fits ? piece.n : fits);
    }
    *used += piece.n;
}

long http_request_field_join(const struct http_request *req, const char *base,
                             struct slice name, char *out, size_t room)
{
    uint32_t at = 0;
    size_t used = 0;
    bool found = false;

    for (const struct http_field *f; (f = next_field(req, base, name, &at)) != NULL;
         found = true) {
        if (found)
            join_piece(out, room, &used, SLICE_LIT(", "));
        join_piece(out, room, &used, http_span_slice(f->value, base));
    }
    if (!found)
        return -1;
    if (room > 0)
        out[used < room ? used : room - 1] = '\0';
    return (long)used;
}
