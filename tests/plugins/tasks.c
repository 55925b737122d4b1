/* SPDX-License-Identifier: MIT */
/*
 * tasks - tasks, waits, deadlines and semaphores, in every mode.
 *
 * GET /{sync,async}/gather?where=loop|pool&ms=100,150,50   waits for all: "0 RESULT ..."
 * GET /{sync,async}/any?where=&ms=                         the index of the first, results
 * GET /{sync,async}/within?where=&ms=&limit=30             waits at most so long
 * GET /{sync,async}/fail?where=                            one fails at once, one sleeps
 * GET /{sync,async}/deep?where=both&wide=3&deep=3          how many leaves were reached
 * GET /{sync,async}/deadline?ms=50                         around a sleep of 100 ms
 * GET /{sync,async}/task-deadline?where=&ms=50             around a task that sleeps
 * GET /{sync,async}/task-deadline?where=&ms=50&inherit=1   the same, set before its birth
 * GET /{sync,async}/permit?ms=100                          one of 5 permits, held so long
 * GET /{sync,async}/keep?ms=100                            the same, and never released
 * GET /{sync,async}/doze?where=                            a task sleeps until cancelled
 * GET /{sync,async}/leave?where=                           returns with a live task
 * GET /{sync,async}/many?where=&n=1000                     so many tasks, one after another
 * GET /{sync,async}/ask?where=                             what a task sees of the request
 * GET /event/wait                                          EDEADLK
 * GET /event/leave                                         finishes with a live task
 */
#include <remuda.h>

#include <stdatomic.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

enum { MOST = 16, SLEEP_MS = 100, PERMITS = 5 };

static unsigned long number(remuda_ctx *c, const char *name, unsigned long fallback)
{
    const char *text = remuda_query(c, name);

    return text != NULL ? strtoul(text, NULL, 10) : fallback;
}

static int where(remuda_ctx *c)
{
    const char *text = remuda_query(c, "where");

    return text != NULL && strcmp(text, "pool") == 0 ? REMUDA_ON_POOL : REMUDA_ON_LOOP;
}

static unsigned long now_ms(void)
{
    struct timespec now;

    clock_gettime(CLOCK_MONOTONIC, &now);
    return (unsigned long)now.tv_sec * 1000 + (unsigned long)now.tv_nsec / 1000000;
}

static int nap(remuda_ctx *c, void *arg)
{
    return remuda_sleep(c, *(const uint32_t *)arg);
}

/* "RC after MS:" and the result of each. */
static int answer(remuda_ctx *c, int rc, unsigned long begun_ms, remuda_task *const *task,
                  size_t n)
{
    const char *text = "";

    for (size_t i = 0; i < n; i++)
        text = remuda_format(c, "%s %d", text, remuda_result(task[i]));
    return remuda_text(c, 200, "%d after %lu:%s\n", rc, now_ms() - begun_ms, text);
}

static int sleepers(remuda_ctx *c, int how, uint32_t limit_ms)
{
    remuda_task *task[MOST];
    uint32_t ms[MOST];
    unsigned long begun_ms = now_ms();
    const char *at = remuda_query(c, "ms");
    size_t n = 0;

    for (; at != NULL && n < MOST; n++) {
        ms[n] = (uint32_t)strtoul(at, NULL, 10);
        task[n] = remuda_spawn(c, where(c), nap, &ms[n]);
        at = strchr(at, ',');
        at = at != NULL ? at + 1 : NULL;
    }
    return answer(c, remuda_wait(c, task, n, how, limit_ms), begun_ms, task, n);
}

static int gather(remuda_ctx *c)
{
    return sleepers(c, REMUDA_ALL, REMUDA_FOREVER);
}

static int any(remuda_ctx *c)
{
    return sleepers(c, REMUDA_ANY, REMUDA_FOREVER);
}

static int within(remuda_ctx *c)
{
    return sleepers(c, REMUDA_ALL, (uint32_t)number(c, "limit", 30));
}

static int give_up(remuda_ctx *c, void *arg)
{
    (void)arg;
    int rc = remuda_sleep(c, 10);
    return rc < 0 ? rc : -EIO;
}

static int fail(remuda_ctx *c)
{
    uint32_t ms = 10000;
    unsigned long begun_ms = now_ms();
    remuda_task *task[] = {remuda_spawn(c, where(c), nap, &ms),
                           remuda_spawn(c, REMUDA_ON_LOOP, give_up, NULL)};

    return answer(c, remuda_wait(c, task, 2, REMUDA_ALL, REMUDA_FOREVER), begun_ms, task,
                  2);
}

/* ---- a tree: where=both has the pool at even heights, the loop at odd ones ---- */

struct level {
    unsigned wide, deep;
    atomic_uint *leaves;
};

static int branch(remuda_ctx *c, void *arg)
{
    const struct level *own = arg;
    struct level below = {own->wide, own->deep - 1, own->leaves};
    remuda_task *task[MOST];

    if (own->deep == 0) {
        atomic_fetch_add(own->leaves, 1);
        return remuda_sleep(c, 1);
    }
    const char *text = remuda_query(c, "where");
    int on = text == NULL || strcmp(text, "both") != 0 ? where(c)
             : own->deep % 2 == 0                      ? REMUDA_ON_POOL
                                                       : REMUDA_ON_LOOP;
    for (unsigned i = 0; i < own->wide; i++)
        task[i] = remuda_spawn(c, on, branch, &below);
    return remuda_wait(c, task, own->wide, REMUDA_ALL, REMUDA_FOREVER);
}

static int deep(remuda_ctx *c)
{
    atomic_uint leaves = 0;
    struct level top = {(unsigned)number(c, "wide", 3), (unsigned)number(c, "deep", 3),
                        &leaves};
    int rc = branch(c, &top);

    return rc < 0 ? rc : remuda_text(c, 200, "%u\n", atomic_load(&leaves));
}

/* ---- time ---- */

static int deadline(remuda_ctx *c)
{
    remuda_deadline(c, (uint32_t)number(c, "ms", 50));
    return remuda_sleep(c, SLEEP_MS);
}

static int task_deadline(remuda_ctx *c)
{
    uint32_t ms = SLEEP_MS, until_ms = (uint32_t)number(c, "ms", 50);
    bool is_inherited = number(c, "inherit", 0) != 0;

    if (is_inherited)
        remuda_deadline(c, until_ms);
    remuda_task *task = remuda_spawn(c, where(c), nap, &ms);
    if (!is_inherited)
        remuda_deadline(c, until_ms);
    int rc = remuda_wait(c, &task, 1, REMUDA_ALL, REMUDA_FOREVER);
    remuda_log(c, REMUDA_INFO, "wait %d, task %d", rc, remuda_result(task));
    return rc;
}

/* ---- permits ---- */

static int hold(remuda_ctx *c, int gives_back)
{
    remuda_sem *sem = remuda_semaphore(c, "five", PERMITS);
    int rc = remuda_acquire(c, sem, REMUDA_FOREVER);

    remuda_log(c, REMUDA_INFO, "holding");
    if (rc == 0)
        rc = remuda_sleep(c, (uint32_t)number(c, "ms", SLEEP_MS));
    if (rc == 0 && gives_back)
        remuda_release(c, sem);
    return rc < 0 ? rc : remuda_text(c, 200, "held\n");
}

static int permit(remuda_ctx *c)
{
    return hold(c, 1);
}

static int keep(remuda_ctx *c)
{
    return hold(c, 0);
}

/* ---- ends ---- */

static int doze_task(remuda_ctx *c, void *arg)
{
    (void)arg;
    remuda_log(c, REMUDA_INFO, "dozing");
    int rc = remuda_sleep(c, REMUDA_FOREVER);
    remuda_log(c, REMUDA_INFO, "task woke: %d", rc);
    return rc;
}

static int doze(remuda_ctx *c)
{
    remuda_task *task = remuda_spawn(c, where(c), doze_task, NULL);

    return remuda_wait(c, &task, 1, REMUDA_ALL, REMUDA_FOREVER);
}

static int leave(remuda_ctx *c)
{
    (void)remuda_spawn(c, where(c), doze_task, NULL);
    return remuda_text(c, 200, "never seen\n");
}

static int leave_event(remuda_ctx *c)
{
    remuda_finish(c, leave(c));
    return REMUDA_PENDING;
}

static int nothing(remuda_ctx *c, void *arg)
{
    (void)arg;
    memset(remuda_alloc(c, 1000), 1, 1000);
    return 0;
}

static int many(remuda_ctx *c)
{
    for (unsigned long i = 0, n = number(c, "n", 1000); i < n; i++) {
        remuda_task *task = remuda_spawn(c, where(c), nothing, NULL);
        int rc = remuda_wait(c, &task, 1, REMUDA_ALL, REMUDA_FOREVER);

        if (rc < 0)
            return rc;
    }
    return remuda_text(c, 200, "done\n");
}

/* ---- what a task may do ---- */

static int look(remuda_ctx *c, void *arg)
{
    char **text_out = arg;
    const char *text = remuda_format(c, "%s %s %s, set %d, text %d, write %d",
                                     remuda_get(c, REMUDA_PATH), remuda_query(c, "where"),
                                     remuda_header(c, "X-Two"), remuda_set(c, "A", "b"),
                                     remuda_text(c, 200, "no"), remuda_write(c, "x", 1));

    *text_out = strdup(text); /* what is in our arena goes with us */
    return *text_out != NULL ? 0 : -ENOMEM;
}

static int ask(remuda_ctx *c)
{
    char *seen[4] = {0};
    remuda_task *task[4];
    int rc;

    for (size_t i = 0; i < 4; i++)
        task[i] = remuda_spawn(c, where(c), look, &seen[i]);
    rc = remuda_wait(c, task, 4, REMUDA_ALL, REMUDA_FOREVER);
    const char *text = "";
    for (size_t i = 0; i < 4; i++) {
        text = remuda_format(c, "%s%s\n", text, seen[i]);
        free(seen[i]);
    }
    return rc < 0 ? rc : remuda_text(c, 200, "%s", text);
}

static int wait_event(remuda_ctx *c)
{
    remuda_task *task = NULL;
    remuda_sem *sem = remuda_semaphore(c, "other", 1);

    return remuda_text(c, 200, "%d %d\n",
                       remuda_wait(c, &task, 0, REMUDA_ALL, REMUDA_FOREVER) == -EDEADLK,
                       remuda_acquire(c, sem, 0) == -EDEADLK);
}

#define BOTH(path, fn)                                                                   \
    REMUDA_GET("/sync" path, fn), REMUDA_GET("/async" path, fn, .mode = REMUDA_ASYNC)

REMUDA_PLUGIN(.name = "tasks",
              REMUDA_ROUTES(
                  BOTH("/gather", gather), BOTH("/any", any), BOTH("/within", within),
                  BOTH("/fail", fail), BOTH("/deep", deep), BOTH("/deadline", deadline),
                  BOTH("/task-deadline", task_deadline), BOTH("/permit", permit),
                  BOTH("/keep", keep), BOTH("/doze", doze), BOTH("/leave", leave),
                  BOTH("/many", many), BOTH("/ask", ask),
                  REMUDA_GET("/event/wait", wait_event, .mode = REMUDA_EVENT),
                  REMUDA_GET("/event/leave", leave_event, .mode = REMUDA_EVENT)));
