/* SPDX-License-Identifier: MIT */
/*
 * laggard - handlers that take ?ms=N, deaf to their cancellation: over any time limit.
 *                                                                [test plugin]
 * GET /sync/block            holds its thread, then answers
 * GET /async/offload         the same in a task on the pool
 * GET /event/later           a thread of its own answers
 * GET /sync/early            answers, then holds its thread
 * GET /{sync,async}/stream   a piece, then it waits, then another; SYNC is deaf
 * GET /sync/begin            begins a stream, holds its thread, writes
 * POST /sync/body            holds its thread; what was sent must be there still
 * GET /{sync,async}/long     REMUDA_LONG: waits, then answers
 * GET /hello                 at once, on the loop
 *
 * Option: boot, how long its start takes.
 * Lines of the log: "RC after N ms", of the answer or the last write.
 */
#define _POSIX_C_SOURCE 200809L
#include <remuda.h>

#include <pthread.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

/* Exported, so that a stack shows its name. */
__attribute__((visibility("default"), noinline)) void laggard_hold(unsigned long ms);

static unsigned long ms_of(remuda_ctx *c)
{
    const char *text = remuda_query(c, "ms");

    return text != NULL ? strtoul(text, NULL, 10) : 0;
}

static unsigned long now_ms(void)
{
    struct timespec now;

    clock_gettime(CLOCK_MONOTONIC, &now);
    return (unsigned long)now.tv_sec * 1000 + (unsigned long)now.tv_nsec / 1000000;
}

/* The signal that asks for the stack cuts a sleep short. */
void laggard_hold(unsigned long ms)
{
    struct timespec left = {(time_t)(ms / 1000), (long)(ms % 1000) * 1000000};

    while (nanosleep(&left, &left) < 0 && errno == EINTR)
        continue;
}

static int say(remuda_ctx *c, int rc, unsigned long begun_ms)
{
    remuda_log(c, REMUDA_INFO, "%d after %lu ms", rc, now_ms() - begun_ms);
    return rc;
}

static int block(remuda_ctx *c)
{
    unsigned long begun_ms = now_ms();

    laggard_hold(ms_of(c));
    return say(c, remuda_text(c, 200, "at last\n"), begun_ms);
}

static int hold_in_task(remuda_ctx *c, void *arg)
{
    (void)c;
    laggard_hold(*(unsigned long *)arg);
    return 0;
}

static int offload(remuda_ctx *c)
{
    unsigned long begun_ms = now_ms(), ms = ms_of(c);
    remuda_task *task = remuda_spawn(c, REMUDA_ON_POOL, hold_in_task, &ms);
    int rc = remuda_wait(c, &task, 1, REMUDA_ALL, REMUDA_FOREVER);

    return say(c, rc < 0 ? rc : remuda_text(c, 200, "at last\n"), begun_ms);
}

static void *finish_later(void *arg)
{
    remuda_ctx *c = arg;
    unsigned long begun_ms = now_ms();

    laggard_hold(ms_of(c));
    remuda_finish(c, say(c, remuda_text(c, 200, "at last\n"), begun_ms));
    return NULL;
}

static int later(remuda_ctx *c)
{
    pthread_t thread;

    if (pthread_create(&thread, NULL, finish_later, c) != 0)
        return 503;
    pthread_detach(thread);
    return REMUDA_PENDING;
}

static int early(remuda_ctx *c)
{
    unsigned long begun_ms = now_ms();
    int rc = remuda_text(c, 200, "early\n");

    laggard_hold(ms_of(c));
    (void)say(c, rc, begun_ms);
    return rc;
}

static int stream(remuda_ctx *c)
{
    unsigned long begun_ms = now_ms();
    int rc = remuda_begin(c, 200, "text/plain");

    if (rc == 0)
        rc = remuda_write(c, "piece", 5);
    if (rc == 0 && strcmp(remuda_get(c, REMUDA_PATH), "/sync/stream") == 0)
        laggard_hold(ms_of(c));
    else if (rc == 0)
        rc = remuda_sleep(c, (uint32_t)ms_of(c));
    if (rc == 0)
        rc = remuda_write(c, "piece", 5);
    return say(c, rc, begun_ms);
}

static int begin(remuda_ctx *c)
{
    unsigned long begun_ms = now_ms();
    int rc = remuda_begin(c, 200, "text/plain");

    laggard_hold(ms_of(c));
    return say(c, rc < 0 ? rc : remuda_write(c, "piece", 5), begun_ms);
}

static int body(remuda_ctx *c)
{
    unsigned long begun_ms = now_ms();
    remuda_bytes sent;

    laggard_hold(ms_of(c));
    int rc = remuda_body(c, &sent);
    if (rc == 0 && (strcmp(remuda_header(c, "X-Mark"), "mark") != 0 || sent.n == 0 ||
                    memchr(sent.p, 'z', sent.n) != NULL))
        rc = -EBADMSG;
    return say(c, rc < 0 ? rc : remuda_text(c, 200, "%zu\n", sent.n), begun_ms);
}

static int wait_long(remuda_ctx *c)
{
    int rc = remuda_sleep(c, (uint32_t)ms_of(c));

    return rc < 0 ? rc : remuda_text(c, 200, "at last\n");
}

static int hello(remuda_ctx *c)
{
    remuda_finish(c, remuda_text(c, 200, "hello\n"));
    return REMUDA_PENDING;
}

static int start(remuda_ctx *c, void **state)
{
    (void)state;
    laggard_hold((unsigned long)remuda_conf_num(c, "boot"));
    return 0;
}

#define BOTH(path, fn, flags)                                                            \
    REMUDA_GET("/sync" path, fn, .mode = (flags)),                                       \
        REMUDA_GET("/async" path, fn, .mode = REMUDA_ASYNC | (flags))

REMUDA_PLUGIN(.name = "laggard", .start = start,
              REMUDA_OPTIONS(REMUDA_OPTION("boot", REMUDA_DURATION, "0s",
                                           .help = "how long its start takes")),
              REMUDA_ROUTES(REMUDA_GET("/sync/block", block),
                            REMUDA_GET("/async/offload", offload, .mode = REMUDA_ASYNC),
                            REMUDA_GET("/event/later", later, .mode = REMUDA_EVENT),
                            REMUDA_GET("/sync/early", early), BOTH("/stream", stream, 0),
                            REMUDA_GET("/sync/begin", begin),
                            REMUDA_POST("/sync/body", body),
                            BOTH("/long", wait_long, REMUDA_LONG),
                            REMUDA_GET("/hello", hello, .mode = REMUDA_EVENT)));
