/* SPDX-License-Identifier: MIT */
/*
 * intake - bodies that are read while they arrive.               [test plugin]
 *
 * POST /{sync,async}/echo          what was read is written at once
 * POST /{sync,async}/count         bytes and their sum, after the end; logs "first N", "read RC"
 * POST /{sync,async}/late?ms=N     the same, but begins to read after so long
 * POST /{sync,async}/some?n=N      reads N bytes, then answers how many it got
 * POST /{sync,async}/whole         its body at once, twice, and in pieces after that
 * POST /{sync,async}/mixed         what remuda_body says after a read
 * POST /{sync,async}/task?where=PLACE  a task counts
 * POST /{sync,async}/two           two tasks at once: what the second hears
 * POST /{sync,async}/long          count, REMUDA_LONG
 * POST /event/poll                 what a read says that would have to wait
 */
#include <remuda.h>

#include <stdlib.h>
#include <string.h>

enum { PIECE = 10000 };

struct sum {
    unsigned long long bytes, sum;
    int64_t rc;
};

static unsigned long number(remuda_ctx *c, const char *name)
{
    const char *text = remuda_query(c, name);

    return text != NULL ? strtoul(text, NULL, 10) : 0;
}

static struct sum add_up(remuda_ctx *c)
{
    struct sum s = {0, 0, 0};
    unsigned char piece[PIECE];

    while ((s.rc = remuda_read(c, piece, sizeof piece)) > 0) {
        if (s.bytes == 0)
            remuda_log(c, REMUDA_INFO, "first %lld", (long long)s.rc);
        s.bytes += (unsigned long long)s.rc;
        for (int64_t i = 0; i < s.rc; i++)
            s.sum += piece[i];
    }
    remuda_log(c, REMUDA_INFO, "read %lld after %llu", (long long)s.rc, s.bytes);
    return s;
}

static int tell(remuda_ctx *c, const struct sum *s)
{
    return s->rc < 0 ? (int)s->rc : remuda_text(c, 200, "%llu %llu", s->bytes, s->sum);
}

static int count(remuda_ctx *c)
{
    struct sum s = add_up(c);

    return tell(c, &s);
}

static int late(remuda_ctx *c)
{
    int rc = remuda_sleep(c, (uint32_t)number(c, "ms"));

    return rc < 0 ? rc : count(c);
}

static int echo(remuda_ctx *c)
{
    char piece[PIECE];
    int64_t n = 0;
    int rc = remuda_begin(c, 200, "application/octet-stream");

    while (rc == 0 && (n = remuda_read(c, piece, sizeof piece)) > 0)
        rc = remuda_write(c, piece, (size_t)n);
    return rc < 0 ? rc : (int)n;
}

static int some(remuda_ctx *c)
{
    char piece[PIECE];
    size_t wanted = number(c, "n"), seen = 0;

    while (seen < wanted) {
        size_t left = wanted - seen;
        int64_t n = remuda_read(c, piece, left < sizeof piece ? left : sizeof piece);
        if (n < 0)
            return (int)n;
        if (n == 0)
            break;
        seen += (size_t)n;
    }
    return remuda_text(c, 200, "%zu", seen);
}

static int whole(remuda_ctx *c)
{
    remuda_bytes body, again;
    char piece[PIECE];
    int64_t n;
    size_t at = 0;
    int rc = remuda_body(c, &body);

    if (rc == 0)
        rc = remuda_body(c, &again);
    if (rc < 0)
        return rc;
    while ((n = remuda_read(c, piece, sizeof piece)) > 0) {
        if (at + (size_t)n > body.n ||
            memcmp((const char *)body.p + at, piece, (size_t)n) != 0)
            return 500;
        at += (size_t)n;
    }
    if (at != body.n || again.p != body.p)
        return 500;
    return remuda_send(c, 200, "application/octet-stream", body.p, body.n, REMUDA_COPY);
}

static int mixed(remuda_ctx *c)
{
    remuda_bytes body;
    char byte;
    int64_t n = remuda_read(c, &byte, 1);

    if (n < 0)
        return (int)n;
    return remuda_text(c, 200, "%d", remuda_body(c, &body) == -EALREADY);
}

static int in_task(remuda_ctx *c, void *arg)
{
    struct sum *s = arg;

    *s = add_up(c);
    return s->rc < 0 ? (int)s->rc : 0;
}

static int where(remuda_ctx *c)
{
    const char *text = remuda_query(c, "where");

    return text != NULL && strcmp(text, "pool") == 0 ? REMUDA_ON_POOL : REMUDA_ON_LOOP;
}

static int task(remuda_ctx *c)
{
    struct sum s = {0, 0, -EIO};
    remuda_task *one = remuda_spawn(c, where(c), in_task, &s);
    int rc = remuda_wait(c, &one, 1, REMUDA_ALL, REMUDA_FOREVER);

    return rc < 0 ? rc : tell(c, &s);
}

static int two(remuda_ctx *c)
{
    struct sum s[2] = {{0, 0, -EIO}, {0, 0, -EIO}};
    remuda_task *both[2];

    for (int i = 0; i < 2; i++)
        both[i] = remuda_spawn(c, REMUDA_ON_LOOP, in_task, &s[i]);
    int rc = remuda_wait(c, both, 2, REMUDA_ANY, REMUDA_FOREVER);
    return rc < 0 ? rc : remuda_text(c, 200, "%d", remuda_result(both[rc]) == -EBUSY);
}

static int poll_body(remuda_ctx *c)
{
    char piece[PIECE];
    int64_t n;

    while ((n = remuda_read(c, piece, sizeof piece)) > 0)
        ;
    remuda_finish(c, remuda_text(c, 200, "%d", n == -EDEADLK));
    return REMUDA_PENDING;
}

#define BOTH(path, fn, ...)                                                              \
    REMUDA_POST("/sync" path, fn, .mode = REMUDA_SYNC | REMUDA_STREAM_IN __VA_ARGS__),   \
        REMUDA_POST("/async" path, fn,                                                   \
                    .mode = REMUDA_ASYNC | REMUDA_STREAM_IN __VA_ARGS__)

REMUDA_PLUGIN(.name = "intake",
              REMUDA_ROUTES(BOTH("/echo", echo, ), BOTH("/count", count, ),
                            BOTH("/late", late, ), BOTH("/some", some, ),
                            BOTH("/whole", whole, ), BOTH("/mixed", mixed, ),
                            BOTH("/task", task, ), BOTH("/two", two, ),
                            BOTH("/long", count, | REMUDA_LONG),
                            REMUDA_POST("/event/poll", poll_body,
                                        .mode = REMUDA_EVENT | REMUDA_STREAM_IN)));
