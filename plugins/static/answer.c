/* SPDX-License-Identifier: MIT */
/*
 * answer - what is said of an open file: whole, in part, or "you have it".
 *
 * Owns:    nothing; takes the file's descriptor.
 * Called:  by static.c.
 * Fails:   what remuda_ functions return; the host says 500.
 */
#ifndef _GNU_SOURCE
#define _GNU_SOURCE
#endif
#include <remuda.h>

#include "static.h"

#include <stdlib.h>
#include <string.h>
#include <unistd.h>

/* ---- fields ---- */

static int set(remuda_ctx *c, int rc, const char *name, const char *value)
{
    return rc < 0 || value[0] == '\0' ? rc : remuda_set(c, name, value);
}

/* Those of a 304 are all that a cache needs to find and keep its copy: 15.4.5. */
static int set_fields(remuda_ctx *c, const struct file *f, bool is_304)
{
    char date[DATE_BYTES];
    int rc = set(c, 0, "ETag", f->is.etag);

    rc = set(c, rc, "Cache-Control", remuda_conf(c, "cache_control"));
    /* whether there is a sibling or not: for the others there would be another answer */
    if (f->type->is_compressible && remuda_conf_num(c, "precompressed") != 0)
        rc = set(c, rc, "Vary", "Accept-Encoding");
    if (is_304)
        return rc;
    if (f->coding != NULL)
        rc = set(c, rc, "Content-Encoding", f->coding->name);
    date_format(f->is.modified_s, date);
    rc = set(c, rc, "Last-Modified", date);
    rc = set(c, rc, "Accept-Ranges", "bytes");
    return set(c, rc, "X-Content-Type-Options", "nosniff");
}

/* ---- answers; each takes the file ---- */

static int send_not_modified(remuda_ctx *c, const struct file *f)
{
    int rc = set_fields(c, f, true);

    close(f->fd);
    return rc < 0 ? rc : remuda_send(c, 304, NULL, "", 0, REMUDA_STATIC);
}

static int send_outside(remuda_ctx *c, const struct file *f)
{
    static const char text[] = "416 Range Not Satisfiable\n";
    int rc = set(c, 0, "Content-Range",
                 remuda_format(c, "bytes */%llu", (unsigned long long)f->size));

    close(f->fd);
    return rc < 0 ? rc
                  : remuda_send(c, 416, "text/plain; charset=utf-8", text,
                                sizeof(text) - 1, REMUDA_STATIC);
}

static int send_whole(remuda_ctx *c, const struct file *f)
{
    int rc = set_fields(c, f, false);

    if (rc < 0) {
        close(f->fd);
        return rc;
    }
    return remuda_file(c, 200, f->type->name, f->fd, 0, f->size);
}

static int send_range(remuda_ctx *c, const struct file *f, struct span span)
{
    int rc = set_fields(c, f, false);

    rc = set(c, rc, "Content-Range",
             remuda_format(c, "bytes %llu-%llu/%llu", (unsigned long long)span.first,
                           (unsigned long long)(span.first + span.count - 1),
                           (unsigned long long)f->size));
    if (rc < 0) {
        close(f->fd);
        return rc;
    }
    return remuda_file(c, 206, f->type->name, f->fd, span.first, span.count);
}

/* In memory, so that a slow client holds no slot. */
static int send_ranges(remuda_ctx *c, const struct file *f,
                       const struct range_set *ranges)
{
    struct part_of of = {f->fd, f->type->name, f->size};
    struct multipart m;
    int rc = set_fields(c, f, false);

    if (rc == 0)
        rc = multipart_create(&m, &of, ranges);
    close(f->fd);
    if (rc < 0)
        return rc;
    return remuda_send(c, 206,
                       remuda_format(c, "multipart/byteranges; boundary=%s", m.boundary),
                       m.bytes, m.n, free);
}

static int send_part(remuda_ctx *c, const struct file *f, const struct range_set *ranges)
{
    if (ranges->count == 1)
        return send_range(c, f, ranges->span[0]);
    /* the coding would be said of the parts and what stands between them */
    if (f->coding == NULL &&
        range_sum(ranges) <= (uint64_t)remuda_conf_num(c, "multipart"))
        return send_ranges(c, f, ranges);
    return send_whole(c, f);
}

int answer_with(remuda_ctx *c, const struct file *f)
{
    struct conditions asked = {
        .match = remuda_header(c, "If-Match"),
        .none_match = remuda_header(c, "If-None-Match"),
        .modified_since = remuda_header(c, "If-Modified-Since"),
        .unmodified_since = remuda_header(c, "If-Unmodified-Since"),
        .range = remuda_header(c, "If-Range"),
    };
    int status = condition_check(&asked, &f->is);
    enum range_kind kind = RANGE_NONE;
    struct range_set ranges;

    if (status == 304)
        return send_not_modified(c, f);
    if (status != 0) {
        close(f->fd);
        return status;
    }
    if (strcmp(remuda_get(c, REMUDA_METHOD), "GET") == 0 &&
        condition_holds_range(&asked, &f->is))
        kind = range_parse(remuda_header(c, "Range"), f->size, &ranges);
    if (kind == RANGE_OUTSIDE)
        return send_outside(c, f);
    return kind == RANGE_SOME ? send_part(c, f, &ranges) : send_whole(c, f);
}
