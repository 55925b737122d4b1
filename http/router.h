/* SPDX-License-Identifier: MIT */
/*
 * router - from a method and a path to what was registered for them.
 *
 * Owns:    a tree of path segments, built at start, read-only afterwards (any thread).
 * Rule:    patterns are literal segments, `:name` (one segment, not empty) and `*rest`
 *          (last; all that is left, empty too: "/files/" but not "/files"). At each
 *          segment a literal beats `:name`, which beats `*rest`; a dead end, or a route
 *          for other methods only, goes back one step: "/a/:x/c" is found beside
 *          "/a/b". A trailing slash is a segment of its own.
 * Fails:   add says why in a static text; find allocates nothing and cannot fail.
 */
#ifndef HTTP_ROUTER_H
#define HTTP_ROUTER_H

#include "common/slice.h"
#include "http/request.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum {
    HTTP_PARAMS = 16,      /* of one pattern */
    HTTP_ALLOW_BYTES = 192 /* room for any http_router_allow */
};

struct http_router;

struct http_param {
    struct slice name;  /* lives as long as the router */
    struct slice value; /* inside the path given; may hold %2F and %25, see target.h */
};

struct http_match {
    int status;         /* 200, 404, or 405 when only other methods have the path */
    void *data;         /* of the route; NULL unless 200 */
    bool head_from_get; /* HEAD is answered by a GET route */
    uint32_t methods;   /* bits 1 << method; 200: the pattern's, 405: of all that match */
    uint32_t param_count;
    struct http_param param[HTTP_PARAMS];
};

/** NULL when out of memory. */
struct http_router *http_router_create(void);

/** Accepts a half-built one and NULL; `data` stays the caller's. */
void http_router_destroy(struct http_router **router);

/** The pattern is copied, begins with '/' and is written decoded ("/a b", not
 *  "/a%20b"). NULL, or why not: "the path is taken", "a path must begin with '/'", ... */
const char *http_router_add(struct http_router *router, enum http_method method,
                            const char *pattern, void *data);

/** `path` is plain or canonical (target.h). Any thread. Entries of out->param behind
 *  param_count hold nothing. */
void http_router_find(const struct http_router *router, enum http_method method,
                      struct slice path, struct http_match *out);

/** "GET, HEAD, OPTIONS" for a match's methods, with a NUL; HEAD comes with GET, OPTIONS
 *  always. Returns the length. */
size_t http_router_allow(uint32_t methods, char out[static HTTP_ALLOW_BYTES]);

#endif
