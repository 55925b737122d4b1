/* SPDX-License-Identifier: MIT */
/* facts - shows what a handler is told: one "name=value" line for each fact. */
#include <remuda.h>

#include <string.h>

static const char *or_none(const char *text)
{
    return text != NULL ? text : "(none)";
}

static int facts(remuda_ctx *c)
{
    return remuda_text(c, 200,
                       "method=%s\npath=%s\nquery=%s\ntarget=%s\npattern=%s\nrole=%"
                       "s\npeer=%s\nscheme=%s\nhost=%s\nrequest-id=%s\n"
                       "id=%s\nrest=%s\nname=%s\nx-list=%s\narg=%s\n",
                       remuda_get(c, REMUDA_METHOD), remuda_get(c, REMUDA_PATH),
                       remuda_get(c, REMUDA_QUERY), remuda_get(c, REMUDA_TARGET),
                       remuda_get(c, REMUDA_PATTERN), remuda_get(c, REMUDA_ROLE),
                       remuda_get(c, REMUDA_PEER), remuda_get(c, REMUDA_SCHEME),
                       remuda_get(c, REMUDA_HOST), remuda_get(c, REMUDA_ID),
                       or_none(remuda_param(c, "id")), or_none(remuda_param(c, "rest")),
                       or_none(remuda_query(c, "name")),
                       or_none(remuda_header(c, "x-list")),
                       or_none((const char *)remuda_arg(c)));
}

/* The body in pieces, as a sum: a handler that starts before the body is there. */
static int sum(remuda_ctx *c)
{
    unsigned char piece[1000];
    unsigned long total = 0, count = 0;
    int64_t n;

    while ((n = remuda_read(c, piece, sizeof piece)) > 0) {
        for (int64_t i = 0; i < n; i++)
            total += piece[i];
        count += (unsigned long)n;
    }
    return n < 0 ? (int)n : remuda_text(c, 200, "%lu %lu", count, total);
}

static int cookies(remuda_ctx *c)
{
    remuda_add(c, "Set-Cookie", "a=1");
    remuda_add(c, "Set-Cookie", "b=2");
    remuda_set(c, "X-Once", "first");
    remuda_set(c, "X-Once", "second");
    return remuda_text(c, 201, "made\n");
}

static int empty(remuda_ctx *c)
{
    return remuda_send(c, 204, NULL, "", 0, REMUDA_STATIC);
}

static char mark[] = "the route's own";

REMUDA_PLUGIN(.name = "facts",
              REMUDA_ROUTES(
                  REMUDA_GET("/facts", facts, .arg = mark),
                  REMUDA_GET("/users/:id", facts), REMUDA_DELETE("/users/:id", facts),
                  REMUDA_GET("/users/me", facts), REMUDA_GET("/tree/*rest", facts),
                  REMUDA_POST("/sum", sum, .mode = REMUDA_STREAM_IN),
                  REMUDA_POST("/sum/async", sum, .mode = REMUDA_ASYNC | REMUDA_STREAM_IN),
                  REMUDA_GET("/cookies", cookies), REMUDA_GET("/empty", empty)));
