/* SPDX-License-Identifier: MIT */
/*
 * blocker - handlers that hold up the thread they run on for ?ms=N: the loop's, or one of the
 * pool, which may be held up.
 *
 * GET /async/block, /event/block, /sync/block    in a system call
 * GET /async/spin                                in arithmetic
 * GET /async/task                                in a task on the loop
 * GET /async/pool                                in a task on the pool
 * GET /async/sleep                               not at all: as one should
 * GET /sync/refuse                               503, at once
 */
#include <remuda.h>

#include <errno.h>
#include <stdlib.h>
#include <time.h>

/* Exported, so that a stack shows their names. */
__attribute__((visibility("default"), noinline)) void blocker_hold(unsigned long ms);
__attribute__((visibility("default"), noinline)) void blocker_spin(unsigned long ms);

static unsigned long ms_of(remuda_ctx *c)
{
    const char *text = remuda_query(c, "ms");

    return text != NULL ? strtoul(text, NULL, 10) : 0;
}

/* The signal that asks for the stack cuts a sleep short. */
void blocker_hold(unsigned long ms)
{
    struct timespec left = {(time_t)(ms / 1000), (long)(ms % 1000) * 1000000};

    while (nanosleep(&left, &left) < 0 && errno == EINTR)
        continue;
}

static unsigned long now_ms(void)
{
    struct timespec now;

    clock_gettime(CLOCK_MONOTONIC, &now);
    return (unsigned long)now.tv_sec * 1000 + (unsigned long)now.tv_nsec / 1000000;
}

void blocker_spin(unsigned long ms)
{
    unsigned long begun = now_ms();

    while (now_ms() - begun < ms)
        continue;
}

static int block(remuda_ctx *c)
{
    blocker_hold(ms_of(c));
    return remuda_text(c, 200, "held\n");
}

static int spin(remuda_ctx *c)
{
    blocker_spin(ms_of(c));
    return remuda_text(c, 200, "spun\n");
}

static int hold_as_task(remuda_ctx *c, void *arg)
{
    (void)c;
    blocker_hold(*(unsigned long *)arg);
    return 0;
}

static int run_task(remuda_ctx *c, int where)
{
    unsigned long ms = ms_of(c);
    remuda_task *task = remuda_spawn(c, where, hold_as_task, &ms);
    int rc = remuda_wait(c, &task, 1, REMUDA_ALL, REMUDA_FOREVER);

    return rc < 0 ? rc : remuda_text(c, 200, "held\n");
}

static int task(remuda_ctx *c)
{
    return run_task(c, REMUDA_ON_LOOP);
}

static int pool(remuda_ctx *c)
{
    return run_task(c, REMUDA_ON_POOL);
}

static int doze(remuda_ctx *c)
{
    int rc = remuda_sleep(c, (uint32_t)ms_of(c));

    return rc < 0 ? rc : remuda_text(c, 200, "slept\n");
}

static int refuse(remuda_ctx *c)
{
    (void)c;
    return 503;
}

REMUDA_PLUGIN(.name = "blocker",
              REMUDA_ROUTES(REMUDA_GET("/async/block", block, .mode = REMUDA_ASYNC),
                            REMUDA_GET("/event/block", block, .mode = REMUDA_EVENT),
                            REMUDA_GET("/sync/block", block),
                            REMUDA_GET("/sync/refuse", refuse),
                            REMUDA_GET("/async/spin", spin, .mode = REMUDA_ASYNC),
                            REMUDA_GET("/async/task", task, .mode = REMUDA_ASYNC),
                            REMUDA_GET("/async/pool", pool, .mode = REMUDA_ASYNC),
                            REMUDA_GET("/async/sleep", doze, .mode = REMUDA_ASYNC)));
