/* SPDX-License-Identifier: MIT */
/*
 * static - what the parts of the static plugin know of each other.
 *
 * range.c, date.c, condition.c, coding.c and type.c are pure: text and numbers in, an
 * answer out. open.c and multipart.c know files; static.c finds the file that is meant,
 * answer.c says what is to be said of it.
 */
#ifndef STATIC_H
#define STATIC_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* ---- date.c: HTTP-date, RFC 9110 5.6.7 ---- */

enum { DATE_BYTES = 30 }; /* with its NUL */

/** Seconds since 1970 of a date in one of the three forms. `now_s` tells which century
 *  two digits mean. False: it is no date. */
bool date_parse(const char *text, int64_t now_s, int64_t *out);

/** Sun, 06 Nov 1994 08:49:37 GMT; the years 0 to 9999. */
void date_format(int64_t at_s, char out[static DATE_BYTES]);

/* ---- condition.c: RFC 9110 13 ---- */

/** The request's fields; NULL: absent. */
struct conditions {
    const char *match, *none_match, *modified_since, *unmodified_since, *range;
};

/** What the file is now. */
enum { ETAG_BYTES = 64 };

struct validators {
    char etag[ETAG_BYTES]; /* strong, with its quotes */
    int64_t modified_s;
    int64_t now_s;
    bool is_date_strong; /* no further change within that second is possible */
};

/** 304, 412, or 0 to go on; for GET and HEAD, in the order of 13.2.2. */
int condition_check(const struct conditions *c, const struct validators *v);

/** If-Range: may Range be obeyed? */
bool condition_holds_range(const struct conditions *c, const struct validators *v);

/* ---- range.c: RFC 9110 14 ---- */

enum { RANGES_MOST = 16, RANGE_SPECS_MOST = 64, RANGE_GAP = 128 };

struct span {
    uint64_t first, count; /* bytes */
};

enum range_kind {
    RANGE_NONE,    /* absent, malformed, another unit, too many: the whole file */
    RANGE_SOME,    /* those of the set */
    RANGE_OUTSIDE, /* 416 */
};

struct range_set {
    size_t count;
    struct span span[RANGES_MOST]; /* in the order asked for, none near another */
};

enum range_kind range_parse(const char *text, uint64_t size, struct range_set *out);

/** How many bytes they are together. */
uint64_t range_sum(const struct range_set *ranges);

/* ---- multipart.c ---- */

enum { MULTIPART_BOUNDARY = 32, MULTIPART_MOST = 16 << 20 };

struct part_of {
    int fd;
    const char *type;
    uint64_t size;
};

struct multipart {
    char *bytes; /* from malloc: the caller's */
    size_t n;
    char boundary[MULTIPART_BOUNDARY + 1];
};

/** Reads them all. 0, or -errno and nothing is left. */
int multipart_create(struct multipart *m, const struct part_of *of,
                     const struct range_set *ranges);

/* ---- type.c ---- */

struct type {
    const char *extension, *name; /* Content-Type */
    bool is_compressible;
};

/** By the extension, in any case. Never NULL. */
const struct type *type_of(const char *path);

/* ---- coding.c: RFC 9110 12.5.3 ---- */

enum { CODINGS = 2 };

struct coding {
    const char *name, *alias; /* in Accept-Encoding; `name` in Content-Encoding */
    const char *suffix;       /* of the sibling's name */
};

extern const struct coding codings[CODINGS]; /* the best first */

/** Those that the client would rather have than the file as it is, in its order, then in
 *  ours: how many. */
size_t coding_choose(const char *accept, const struct coding *out[static CODINGS]);

/* ---- answer.c ---- */

/** An open regular file. */
struct file {
    int fd;
    uint64_t size;
    int64_t changed_s; /* as the file system has it */
    const struct type *type;
    const struct coding *coding; /* NULL: none */
    struct validators is;
};

struct remuda_ctx;

/** Answers with it, or with a part of it, or that it is known: what a handler returns.
 *  Takes f->fd. */
int answer_with(struct remuda_ctx *c, const struct file *f);

/* ---- open.c: a descriptor of what is below the root, or -errno ---- */

int open_beneath(int root, const char *path);

/** The same without openat2: follows no symbolic link. `path` is cut into its names. */
int open_by_walking(int root, char *path);

#endif
