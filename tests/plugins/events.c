/* SPDX-License-Identifier: MIT */
/*
 * events - server-sent events, as many and as odd as is asked for.   [test plugin]
 *
 * GET /{sync,async,event}/events?n=N&name=NAME&data=TEXT   N of them
 * GET /{sync,async}/numbers?n=N    1, 2, ... N, each an event named by mark and rewind
 * GET /{sync,async}/large?kib=N    one event of so many KiB, then "end"
 * GET /{sync,async}/silent         REMUDA_LONG: "begun", and "bye" in a drain; logs why it ended
 * GET /{sync,async}/refused        names that are none, and what came of them
 * GET /{sync,async}/typed          begun as a page of another type, with a cache of its own
 */
#include <remuda.h>

#include <stdlib.h>
#include <string.h>

static unsigned long number(remuda_ctx *c, const char *name)
{
    const char *text = remuda_query(c, name);

    return text != NULL ? strtoul(text, NULL, 10) : 0;
}

static int events(remuda_ctx *c)
{
    const char *name = remuda_query(c, "name"), *data = remuda_query(c, "data");
    int rc = 0;

    for (unsigned long i = 0, n = number(c, "n"); rc == 0 && i < n; i++)
        rc = remuda_event(c, name, "%s", data != NULL ? data : "");
    return rc;
}

static int events_event(remuda_ctx *c)
{
    remuda_finish(c, events(c));
    return REMUDA_PENDING;
}

static int numbers(remuda_ctx *c)
{
    int rc = 0;

    for (unsigned long i = 1, n = number(c, "n"); rc == 0 && i <= n; i++)
        rc = remuda_event(c, "number", "%lu", i);
    return rc;
}

static int large(remuda_ctx *c)
{
    size_t n = number(c, "kib") * 1024;
    char *text = remuda_alloc(c, n + 1);

    memset(text, 'x', n);
    text[n] = '\0';
    int rc = remuda_event(c, NULL, "%s", text);
    return rc == 0 ? remuda_event(c, NULL, "end") : rc;
}

static int silent(remuda_ctx *c)
{
    int rc = remuda_event(c, NULL, "begun");

    if (rc == 0)
        rc = remuda_sleep(c, REMUDA_FOREVER);
    remuda_log(c, REMUDA_INFO, "ended by %d", rc);
    return rc == -ESHUTDOWN ? remuda_event(c, NULL, "bye") : rc;
}

static int refused(remuda_ctx *c)
{
    int lf = remuda_event(c, "a\ndata: forged", "x"), cr = remuda_event(c, "a\rb", "x");

    return remuda_text(c, 200, "%d %d", lf == -EINVAL, cr == -EINVAL);
}

static int typed(remuda_ctx *c)
{
    int rc = remuda_set(c, "cache-control", "no-store");

    if (rc == 0)
        rc = remuda_event(c, "", "%s", "");
    return rc == 0 ? remuda_write(c, "retry: 5\n\n", 10) : rc;
}

#define BOTH(path, fn, ...)                                                              \
    REMUDA_GET("/sync" path, fn, .mode = REMUDA_SYNC __VA_ARGS__),                       \
        REMUDA_GET("/async" path, fn, .mode = REMUDA_ASYNC __VA_ARGS__)

REMUDA_PLUGIN(.name = "events",
              REMUDA_ROUTES(BOTH("/events", events, ), BOTH("/numbers", numbers, ),
                            BOTH("/large", large, ),
                            BOTH("/silent", silent, | REMUDA_LONG),
                            BOTH("/refused", refused, ), BOTH("/typed", typed, ),
                            REMUDA_GET("/event/events", events_event,
                                       .mode = REMUDA_EVENT)));
