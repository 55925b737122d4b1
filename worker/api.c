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
    .event = api_event,
    .sleep = api_sleep,
    .ready = api_ready,
    .spawn = api_spawn,
    .wait = api_wait,
    .result = api_result,
    .deadline = api_deadline,
    .cancelled = api_cancelled,
    .draining = api_draining,
    .sem = api_semaphore,
    .acquire = api_acquire,
    .release = api_release,
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
