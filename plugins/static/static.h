/* SPDX-License-Identifier: MIT */
/*
 * static - what the parts of the static plugin know of each other.
 *
 * range.c, date.c and condition.c are pure: text and numbers in, an answer out. open.c
 * and type.c know the file system; static.c is the handler.
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
struct validators {
    const char *etag; /* strong */
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

/* ---- type.c ---- */

/** Content-Type by the extension, in any case. */
const char *type_of(const char *path);

/* ---- open.c: a descriptor of what is below the root, or -errno ---- */

int open_beneath(int root, const char *path);

/** The same without openat2: follows no symbolic link. `path` is cut into its names. */
int open_by_walking(int root, char *path);

#endif
