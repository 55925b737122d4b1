/* SPDX-License-Identifier: MIT */
/*
 * api - the table that every plugin is given.                    [worker]
 *
 * Owns:    api_table. Append only: a released entry never moves, none is NULL.
 * Called:  by plugins. What is not built yet answers -ENOSYS, as the ABI promises.
 * Fails:   never.
 */
#include "worker/api.h"

#include <errno.h>

/* The one task and the one semaphore there are: both say -ENOSYS. */
struct remuda_task {
    char none;
};
struct remuda_sem {
    char none;
};

static struct remuda_task no_task;
static struct remuda_sem no_sem;

static int no_event(remuda_ctx *c, const char *name, const char *data, size_t n)
{
    (void)c, (void)name, (void)data, (void)n;
    return -ENOSYS;
}

static remuda_task *no_spawn(remuda_ctx *c, int where, remuda_fn fn, void *arg)
{
    (void)c, (void)where, (void)fn, (void)arg;
    return &no_task;
}

static int no_wait(remuda_ctx *c, remuda_task *const *t, size_t n, int how, uint32_t ms)
{
    (void)c, (void)t, (void)n, (void)how, (void)ms;
    return -ENOSYS;
}

static int no_result(remuda_task *t)
{
    (void)t;
    return -ENOSYS;
}

static remuda_sem *no_semaphore(remuda_ctx *c, const char *name, uint32_t permits)
{
    (void)c, (void)name, (void)permits;
    return &no_sem;
}

static int no_acquire(remuda_ctx *c, remuda_sem *s, uint32_t ms)
{
    (void)c, (void)s, (void)ms;
    return -ENOSYS;
}

static void no_release(remuda_ctx *c, remuda_sem *s)
{
    (void)c, (void)s;
}

static int no_call(remuda_ctx *c, const char *job, remuda_bytes in, remuda_bytes *out,
                   uint32_t ms)
{
    (void)c, (void)job, (void)in, (void)out, (void)ms;
    return -ENOSYS;
}

const remuda_api api_table = {
    .size = sizeof api_table,
    .abi = REMUDA_ABI,
    .minor = REMUDA_ABI_MINOR,
    .get = api_get,
    .header = api_header,
    .header_at = api_header_at,
    .query = api_query,
    .param = api_param,
    .body = api_body,
    .read = api_read,
    .set = api_set,
    .add = api_add,
    .send = api_send,
    .file = api_file,
    .begin = api_begin,
    .write = api_write,
    .event = no_event,
    .sleep = api_sleep,
    .ready = api_ready,
    .spawn = no_spawn,
    .wait = no_wait,
    .result = no_result,
    .deadline = api_deadline,
    .cancelled = api_cancelled,
    .draining = api_draining,
    .sem = no_semaphore,
    .acquire = no_acquire,
    .release = no_release,
    .call = no_call,
    .finish = api_finish,
    .alloc = api_alloc,
    .mark = api_mark,
    .rewind = api_rewind,
    .cleanup = api_cleanup,
    .conf = api_conf,
    .conf_num = api_conf_num,
    .state = api_state,
    .arg = api_arg,
    .log = api_log,
    .loop = api_loop,
};
