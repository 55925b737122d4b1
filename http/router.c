/* SPDX-License-Identifier: MIT */
/*
 * router - from a method and a path to what was registered for them.
 *
 * Owns:    the tree; a node is one segment, its literal children are sorted for
 *          bisection.
 * Called:  http_router_add at start; http_router_find once per request, from any
 *          thread.
 * Fails:   add leaves the tree as good as before: a node without a route is never
 *          found.
 */
#include "http/router.h"

#include "common/check.h"

#include <stdlib.h>

#define ROUTER_MAGIC 0x68726f75u

struct route {
    struct route *next;
    enum http_method method;
    void *data;
    uint32_t param_count;
    struct slice param[HTTP_PARAMS]; /* names, inside pattern */
    char pattern[];
};

struct node {
    struct node **child; /* literals, by length and then by bytes */
    size_t child_count;
    struct node *param;  /* `:name` */
    struct node *rest;   /* `*rest`; has neither children */
    struct route *route; /* one for each method */
    uint32_t methods;    /* of those, as bits */
    size_t n;
    char text[]; /* the literal */
};

struct http_router {
    unsigned magic;
    struct node *root;
};

/* ---- life ---- */

static struct node *create_node(struct slice text)
{
    struct node *node = calloc(1, sizeof(*node) + text.n + 1);

    if (node == NULL)
        return NULL;
    node->n = text.n;
    memcpy(node->text, text.p, text.n);
    return node;
}

static void destroy_node(struct node *node)
{
    if (node == NULL)
        return;
    for (size_t i = 0; i < node->child_count; i++)
        destroy_node(node->child[i]);
    destroy_node(node->param);
    destroy_node(node->rest);
    while (node->route != NULL) {
        struct route *route = node->route;
        node->route = route->next;
        free(route);
    }
    free(node->child);
    free(node);
}

struct http_router *http_router_create(void)
{
    struct http_router *router = calloc(1, sizeof(*router));

    if (router == NULL)
        return NULL;
    router->magic = ROUTER_MAGIC;
    router->root = create_node(SLICE_LIT(""));
    if (router->root == NULL)
        http_router_destroy(&router);
    return router;
}

void http_router_destroy(struct http_router **router)
{
    if (*router == NULL)
        return;
    CHECK_OBJ(*router, ROUTER_MAGIC);
    destroy_node((*router)->root);
    (*router)->magic = 0;
    free(*router);
    *router = NULL;
}

/* ---- growing ---- */

static int compare(const struct node *node, struct slice text)
{
    if (node->n != text.n)
        return node->n < text.n ? -1 : 1;
    return memcmp(node->text, text.p, text.n);
}

/** Where the literal is, or belongs. */
static size_t bisect(const struct node *node, struct slice text, bool *found_out)
{
    size_t low = 0, high = node->child_count;

    *found_out = false;
    while (low < high) {
        size_t middle = low + (high - low) / 2;
        int order = compare(node->child[middle], text);
        if (order == 0) {
            *found_out = true;
            return middle;
        }
        if (order < 0)
            low = middle + 1;
        else
            high = middle;
    }
    return low;
}

/** The child for that literal, made if it is not there. NULL: out of memory. */
static struct node *literal_child(struct node *node, struct slice text)
{
    bool found;
    size_t at = bisect(node, text, &found);

    if (found) /* so there is one: NOLINTNEXTLINE(clang-analyzer-core.NullDereference) */
        return node->child[at];
    size_t bytes = (node->child_count + 1) * sizeof(*node->child);
    struct node **more = realloc(node->child, bytes);
    if (more == NULL)
        return NULL;
    node->child = more;
    struct node *child = create_node(text);
    if (child == NULL)
        return NULL;
    memmove(&more[at + 1], &more[at], (node->child_count - at) * sizeof(*more));
    more[at] = child;
    node->child_count++;
    return child;
}

/** One step down for a segment of a pattern. NULL: out of memory. */
static struct node *grow(struct node *node, struct slice segment)
{
    char mark = segment.n > 0 ? segment.p[0] : '\0';

    if (mark != ':' && mark != '*')
        return literal_child(node, segment);
    struct node **slot = mark == ':' ? &node->param : &node->rest;
    if (*slot == NULL)
        *slot = create_node(SLICE_LIT(""));
    return *slot;
}

/** The segment that begins at *at (behind its slash); *at moves to the next, or to
 *  NULL. */
static struct slice next_segment(const char **at)
{
    const char *slash = strchr(*at, '/');
    struct slice segment = {*at, slash != NULL ? (size_t)(slash - *at) : strlen(*at)};

    *at = slash != NULL ? slash + 1 : NULL;
    return segment;
}

static const char *check_name(const struct route *route, struct slice name)
{
    if (name.n == 0)
        return "':' and '*' need a name";
    if (route->param_count == HTTP_PARAMS)
        return "more than 16 parameters";
    for (uint32_t i = 0; i < route->param_count; i++)
        if (slice_is(route->param[i], name))
            return "two parameters of one name";
    return NULL;
}

/** Checks one segment, and notes the name of a parameter. */
static const char *check_segment(struct route *route, struct slice segment, bool last)
{
    if (segment.n == 0)
        return last ? NULL : "two slashes in a row";
    if (slice_is(segment, SLICE_LIT(".")) || slice_is(segment, SLICE_LIT("..")))
        return "a dot segment is never requested";
    if (segment.p[0] != ':' && segment.p[0] != '*')
        return NULL;
    if (segment.p[0] == '*' && !last)
        return "'*' must be the last segment";
    struct slice name = {segment.p + 1, segment.n - 1};
    const char *problem = check_name(route, name);
    if (problem == NULL)
        route->param[route->param_count++] = name;
    return problem;
}

static const char *check_pattern(struct route *route)
{
    const char *at = route->pattern + 1;

    if (route->pattern[0] != '/')
        return "a path must begin with '/'";
    for (const char *p = route->pattern; *p != '\0'; p++)
        if ((unsigned char)*p < 0x20 || *p == 0x7f || strchr("%?#", *p) != NULL)
            return "a path is written decoded, without '%', '?', '#' and control bytes";
    while (at != NULL) {
        struct slice segment = next_segment(&at);
        const char *problem = check_segment(route, segment, at == NULL);
        if (problem != NULL)
            return problem;
    }
    return NULL;
}

/** Hangs the route in; it is the tree's when NULL is returned. */
static const char *insert(struct http_router *router, struct route *route)
{
    struct node *node = router->root;
    const char *at = route->pattern + 1;

    while (at != NULL) {
        node = grow(node, next_segment(&at));
        if (node == NULL)
            return "out of memory";
    }
    if (node->methods & 1u << route->method)
        return "the path is taken";
    node->methods |= 1u << route->method;
    route->next = node->route;
    node->route = route;
    return NULL;
}

const char *http_router_add(struct http_router *router, enum http_method method,
                            const char *pattern, void *data)
{
    size_t n = strlen(pattern);

    CHECK_OBJ(router, ROUTER_MAGIC);
    if (method == HTTP_METHOD_NONE || method >= HTTP_METHODS)
        return "unknown method";
    struct route *route = calloc(1, sizeof(*route) + n + 1);
    if (route == NULL)
        return "out of memory";
    route->method = method;
    route->data = data;
    memcpy(route->pattern, pattern, n);
    const char *problem = check_pattern(route);
    if (problem == NULL)
        problem = insert(router, route);
    if (problem != NULL)
        free(route);
    return problem;
}

/* ---- finding ---- */

struct search {
    struct slice path;
    enum http_method method;
    struct http_match *match;
};

static const struct route *route_of(const struct node *node, enum http_method method)
{
    const struct route *route = node->route;

    while (route != NULL && route->method != method)
        route = route->next;
    return route;
}

/** The path ends at this node: does it serve the method? If not, remember which it
 *  does. */
static bool finish(struct search *s, const struct node *node, uint32_t param_count)
{
    struct http_match *match = s->match;
    const struct route *route = route_of(node, s->method);

    if (route == NULL && s->method == HTTP_METHOD_HEAD) {
        route = route_of(node, HTTP_METHOD_GET);
        match->head_from_get = route != NULL;
    }
    if (route == NULL) {
        match->methods |= node->methods;
        return false;
    }
    CHECK(param_count == route->param_count);
    for (uint32_t i = 0; i < param_count; i++)
        match->param[i].name = route->param[i];
    match->status = 200;
    match->data = route->data;
    match->methods = node->methods;
    match->param_count = param_count;
    return true;
}

/** Looks below `node` for the rest of the path from `at`, behind a slash. Each node is
 *  tried at most once, because its depth fixes its place in the path: so is the depth
 *  of this recursion bounded by the patterns, not by what a client sends. */
static bool descend(struct search *s, const struct node *node, size_t at,
                    uint32_t param_count)
{
    const char *p = s->path.p + at;
    const char *slash = memchr(p, '/', s->path.n - at);
    struct slice segment = {p, slash != NULL ? (size_t)(slash - p) : s->path.n - at};
    const struct node *next[2] = {NULL, NULL};
    bool found;

    size_t i = bisect(node, segment, &found);
    if (found)
        next[0] = node->child[i];
    if (segment.n > 0)
        next[1] = node->param;
    for (unsigned way = 0; way < 2; way++) {
        if (next[way] == NULL)
            continue;
        if (way == 1)
            s->match->param[param_count].value = segment;
        if (slash != NULL ? descend(s, next[way], at + segment.n + 1, param_count + way)
                          : finish(s, next[way], param_count + way))
            return true;
    }
    if (node->rest == NULL)
        return false;
    s->match->param[param_count].value = (struct slice){p, s->path.n - at};
    return finish(s, node->rest, param_count + 1);
}

void http_router_find(const struct http_router *router, enum http_method method,
                      struct slice path, struct http_match *out)
{
    struct search search = {path, method, out};

    out->status = 404;
    out->data = NULL;
    out->head_from_get = false;
    out->methods = 0;
    out->param_count = 0;
    if (path.n == 0 || path.p[0] != '/' || descend(&search, router->root, 1, 0))
        return;
    if (out->methods != 0)
        out->status = 405;
}

size_t http_router_allow(uint32_t methods, char out[static HTTP_ALLOW_BYTES])
{
    size_t n = 0;

    methods |= 1u << HTTP_METHOD_OPTIONS;
    if (methods & 1u << HTTP_METHOD_GET)
        methods |= 1u << HTTP_METHOD_HEAD;
    for (unsigned m = HTTP_METHOD_GET; m < HTTP_METHODS; m++) {
        if (!(methods & 1u << m))
            continue;
        const char *name = http_method_name((enum http_method)m);
        size_t length = strlen(name);
        CHECK(n + length + 3 <= HTTP_ALLOW_BYTES);
        if (n > 0) {
            memcpy(out + n, ", ", 2);
            n += 2;
        }
        memcpy(out + n, name, length);
        n += length;
    }
    out[n] = '\0';
    return n;
}
