/* SPDX-License-Identifier: MIT */
/*
 * sample - a plugin in the common subset of C99 and C++20 that uses every function, macro
 * and kind of declaration of the header. abi.py compiles it with each compiler there is.
 */
#include <remuda.h>

static int show(remuda_ctx *c)
{
    const char *name = NULL, *value = NULL;
    const char *who = remuda_query(c, "who");

    if (remuda_header_at(c, 0, &name, &value) == -ENOENT ||
        remuda_header(c, "Host") == NULL)
        return 400;
    remuda_set(c, "Cache-Control", "no-store");
    remuda_add(c, "Set-Cookie", "a=1");
    remuda_log(c, REMUDA_INFO, "%s %s", remuda_get(c, REMUDA_METHOD),
               remuda_param(c, "id"));
    return remuda_text(c, 200, "%s\n", who != NULL ? who : remuda_format(c, "%d", 42));
}

static int take(remuda_ctx *c)
{
    remuda_bytes body;
    char piece[64];

    if (remuda_read(c, piece, sizeof piece) < 0 || remuda_body(c, &body) < 0)
        return -EIO;
    return remuda_send(c, 201, NULL, body.p, body.n, REMUDA_COPY);
}

static int flow(remuda_ctx *c)
{
    int rc = remuda_begin(c, 200, "text/event-stream");

    remuda_deadline(c, 1000);
    while (rc == 0 && remuda_cancelled(c) == 0 && remuda_draining(c) == 0) {
        rc = remuda_event(c, "tick", "%d", remuda_ready(c, 0, REMUDA_READABLE, 10));
        rc = rc == 0 ? remuda_write(c, ":\n\n", 3) : rc;
        rc = rc == 0 ? remuda_sleep(c, 10) : rc;
    }
    return rc;
}

static int job(remuda_ctx *c, remuda_bytes in, remuda_bytes *out)
{
    *out = in;
    return remuda_arg(c) == NULL ? 0 : -EINVAL;
}

static int part(remuda_ctx *c, void *arg)
{
    remuda_sem *sem = remuda_semaphore(c, "one", 1);
    remuda_bytes in = {"x", 1};
    int rc = remuda_acquire(c, sem, REMUDA_FOREVER);

    if (rc < 0)
        return rc;
    rc = remuda_call(c, "job", in, (remuda_bytes *)arg, 100);
    remuda_release(c, sem);
    return rc;
}

static int fan(remuda_ctx *c)
{
    remuda_bytes out[2] = {{"", 0}, {"", 0}};
    remuda_task *tasks[2];
    int rc;

    tasks[0] = remuda_spawn(c, REMUDA_ON_LOOP, part, &out[0]);
    tasks[1] = remuda_spawn(c, REMUDA_ON_POOL, part, &out[1]);
    rc = remuda_wait(c, tasks, 2, REMUDA_ALL, 500);
    if (rc < 0 || remuda_result(tasks[0]) < 0)
        return rc;
    return remuda_file(c, 200, "text/plain", 0, 0, 1);
}

static void forget(void *p)
{
    *(int *)p = 0;
}

static int later(remuda_ctx *c)
{
    size_t mark = remuda_mark(c);
    int *count = (int *)remuda_alloc(c, sizeof *count);

    remuda_cleanup(c, forget, count);
    if (remuda_loop(c) == NULL || !REMUDA_HAS(loop))
        remuda_rewind(c, mark);
    remuda_finish(c, 404);
    return REMUDA_PENDING;
}

static int check(remuda_ctx *c)
{
    return remuda_conf_num(c, "count") > 0 ? 0 : -EINVAL;
}

static int start(remuda_ctx *c, void **state)
{
    *state = remuda_state(c);
    return remuda_conf(c, "name") != NULL ? 0 : -EINVAL;
}

static void stop(remuda_ctx *c, void *state)
{
    (void)c;
    (void)state;
}

static int shared = 1;

REMUDA_PLUGIN(
        .name = "sample", .version = "1",
        REMUDA_ROUTES(REMUDA_GET("/show/:id", show, .arg = &shared),
                      REMUDA_POST("/take", take, .mode = REMUDA_SYNC | REMUDA_STREAM_IN),
                      REMUDA_PUT("/take", take),
                      REMUDA_DELETE("/fan", fan, .mode = REMUDA_ASYNC),
                      REMUDA_ROUTE("PATCH", "/later", later, .mode = REMUDA_EVENT),
                      REMUDA_GET("/flow", flow, .mode = REMUDA_ASYNC | REMUDA_LONG)),
        REMUDA_OPTIONS(REMUDA_OPTION("name", REMUDA_STRING, NULL, .help = "required"),
                       REMUDA_OPTION("count", REMUDA_INT, "1", .help = "more than 0"),
                       REMUDA_OPTION("quiet", REMUDA_BOOL, "no")),
        REMUDA_JOBS(REMUDA_JOB("job", job)), .check = check, .start = start,
        .stop = stop);
