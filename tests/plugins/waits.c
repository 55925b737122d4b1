/* SPDX-License-Identifier: MIT */
/*
 * waits - every wait there is, until it is cancelled; says when it woke.  [test plugin]
 *
 * GET /{sync,async}/wait?on=KIND&deadline=MS   KIND: sleep, ready, permit, loop or pool (for a
 *                                              task there), write; deadline: before it
 * GET /{sync,async}/other?on=KIND&where=PLACE  a task waits like that; another ends after 30 ms
 * GET /{sync,async}/long?on=KIND               the same as wait, REMUDA_LONG
 * GET /event/refused                           how many of 7 waits are refused: "7"
 *
 * Lines of the log: "begun NS", "first NS" (the other has ended), "woke RC NS"; CLOCK_MONOTONIC.
 */
#define _POSIX_C_SOURCE 200809L
#include <remuda.h>

#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

enum { PIECE = 65536, FIRST_MS = 30 };

static unsigned long long now_ns(void)
{
    struct timespec now;

    clock_gettime(CLOCK_MONOTONIC, &now);
    return (unsigned long long)now.tv_sec * 1000000000 + (unsigned long long)now.tv_nsec;
}

static int sleeper(remuda_ctx *c, void *arg)
{
    (void)arg;
    return remuda_sleep(c, REMUDA_FOREVER);
}

static int on_task(remuda_ctx *c, int where)
{
    remuda_task *task = remuda_spawn(c, where, sleeper, NULL);

    return remuda_wait(c, &task, 1, REMUDA_ALL, REMUDA_FOREVER);
}

/* A pipe into which nobody writes. */
static int on_ready(remuda_ctx *c)
{
    int end[2];

    if (pipe(end) < 0)
        return -errno;
    int rc = remuda_ready(c, end[0], REMUDA_READABLE, REMUDA_FOREVER);
    close(end[0]);
    close(end[1]);
    return rc;
}

/* The second of one permit. */
static int on_permit(remuda_ctx *c)
{
    remuda_sem *one = remuda_semaphore(c, "one", 1);
    int rc = remuda_acquire(c, one, REMUDA_FOREVER);

    return rc < 0 ? rc : remuda_acquire(c, one, REMUDA_FOREVER);
}

/* Until the client's buffers are full, and on. */
static int on_write(remuda_ctx *c)
{
    static const char piece[PIECE];
    int rc = remuda_begin(c, 200, "application/octet-stream");

    while (rc == 0)
        rc = remuda_write(c, piece, sizeof piece);
    return rc;
}

static int wait_on(remuda_ctx *c)
{
    const char *on = remuda_query(c, "on");

    if (strcmp(on, "sleep") == 0)
        return remuda_sleep(c, REMUDA_FOREVER);
    if (strcmp(on, "ready") == 0)
        return on_ready(c);
    if (strcmp(on, "permit") == 0)
        return on_permit(c);
    if (strcmp(on, "write") == 0)
        return on_write(c);
    return on_task(c, strcmp(on, "pool") == 0 ? REMUDA_ON_POOL : REMUDA_ON_LOOP);
}

static int waits(remuda_ctx *c)
{
    const char *deadline = remuda_query(c, "deadline");

    remuda_log(c, REMUDA_INFO, "begun %llu", now_ns());
    if (deadline != NULL)
        remuda_deadline(c, (uint32_t)strtoul(deadline, NULL, 10));
    int rc = wait_on(c);
    remuda_log(c, REMUDA_INFO, "woke %d %llu", rc, now_ns());
    return rc;
}

static int wait_in_task(remuda_ctx *c, void *arg)
{
    (void)arg;
    int rc = wait_on(c);
    remuda_log(c, REMUDA_INFO, "woke %d %llu", rc, now_ns());
    return rc;
}

static int first(remuda_ctx *c, void *arg)
{
    (void)arg;
    int rc = remuda_sleep(c, FIRST_MS);
    remuda_log(c, REMUDA_INFO, "first %llu", now_ns());
    return rc;
}

static int other(remuda_ctx *c)
{
    const char *where = remuda_query(c, "where");
    int on = strcmp(where, "pool") == 0 ? REMUDA_ON_POOL : REMUDA_ON_LOOP;
    remuda_task *task[] = {remuda_spawn(c, on, wait_in_task, NULL),
                           remuda_spawn(c, REMUDA_ON_LOOP, first, NULL)};
    int rc = remuda_wait(c, task, 2, REMUDA_ANY, REMUDA_FOREVER);

    return rc < 0 ? rc : remuda_text(c, 200, "%d\n", rc);
}

static int refused(remuda_ctx *c)
{
    remuda_task *none = NULL;
    remuda_sem *sem = remuda_semaphore(c, "one", 1);
    int answers[] = {remuda_sleep(c, 0),
                     remuda_sleep(c, 10),
                     remuda_ready(c, 0, REMUDA_READABLE, 0),
                     remuda_wait(c, &none, 0, REMUDA_ALL, 0),
                     remuda_wait(c, &none, 0, REMUDA_ANY, REMUDA_FOREVER),
                     remuda_acquire(c, sem, 0),
                     remuda_acquire(c, sem, REMUDA_FOREVER)};
    int count = 0;

    for (size_t i = 0; i < sizeof answers / sizeof *answers; i++)
        count += answers[i] == -EDEADLK;
    return remuda_text(c, 200, "%d\n", count);
}

#define BOTH(path, fn)                                                                   \
    REMUDA_GET("/sync" path, fn), REMUDA_GET("/async" path, fn, .mode = REMUDA_ASYNC)

REMUDA_PLUGIN(.name = "waits",
              REMUDA_ROUTES(BOTH("/wait", waits), BOTH("/other", other),
                            REMUDA_GET("/sync/long", waits, .mode = REMUDA_LONG),
                            REMUDA_GET("/async/long", waits,
                                       .mode = REMUDA_ASYNC | REMUDA_LONG),
                            REMUDA_GET("/event/refused", refused, .mode = REMUDA_EVENT)));
