/* SPDX-License-Identifier: MIT */
/*
 * api_memory - memory, options, state and log of a handler.      [worker]
 *
 * Owns:    nothing.
 * Called:  by plugins, through the table in api.c.
 * Fails:   alloc ends the worker when out of memory; the others cannot fail.
 */
#include "worker/api.h"

#include "common/arena.h"
#include "common/log.h"
#include "worker/plugin.h"
#include "worker/request.h"
#include "worker/self.h"
#include "worker/task.h"

void *api_alloc(remuda_ctx *c, size_t n)
{
    return ctx_alloc(c, n);
}

size_t api_mark(remuda_ctx *c)
{
    return arena_mark(&c->arena);
}

void api_rewind(remuda_ctx *c, size_t mark)
{
    arena_rewind(&c->arena, mark);
}

void api_cleanup(remuda_ctx *c, remuda_free_fn fn, void *p)
{
    struct ctx_cleanup *cleanup = ctx_keep(c, sizeof *cleanup);
    *cleanup = (struct ctx_cleanup){c->cleanups, fn, p};
    c->cleanups = cleanup;
}

const char *api_conf(remuda_ctx *c, const char *name)
{
    const struct plugin_option *option = plugin_option_find(c->plugin, name);
    return option != NULL ? option->text : NULL;
}

int64_t api_conf_num(remuda_ctx *c, const char *name)
{
    const struct plugin_option *option = plugin_option_find(c->plugin, name);
    return option != NULL ? option->number : 0;
}

void *api_state(remuda_ctx *c)
{
    return c->plugin->state;
}

void *api_arg(remuda_ctx *c)
{
    const struct request *req = task_request(c);
    return req != NULL ? req->route->arg : NULL;
}

void api_log(remuda_ctx *c, int level, const char *msg)
{
    enum log_level as = level <= REMUDA_ERROR  ? LOG_LEVEL_ERROR
                        : level == REMUDA_WARN ? LOG_LEVEL_WARN
                        : level <= REMUDA_INFO ? LOG_LEVEL_INFO
                                               : LOG_LEVEL_DEBUG;
    if (!log_is_on(as))
        return;
    char room[REQUEST_ID_BYTES];
    const struct request *req = task_request(c);
    if (req != NULL)
        log_line(as, "%s: %s [%s]", c->plugin->name, msg, request_id(req, room));
    else
        log_line(as, "%s: %s", c->plugin->name, msg);
}

void *api_loop(remuda_ctx *c)
{
    return is_on_loop(c->worker) ? c->worker->loop : NULL;
}
