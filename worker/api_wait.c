/* SPDX-License-Identifier: MIT */
/*
 * api_wait - how a handler waits, and gives an event back.       [worker]
 *
 * Owns:    nothing.
 * Called:  by plugins, through the table in api.c.
 * Fails:   -ECANCELED, -ETIMEDOUT, -ESHUTDOWN; -EDEADLK where waiting is not allowed.
 */
#include "worker/api.h"

#include "common/log.h"
#include "worker/plugin.h"
#include "worker/request.h"
#include "worker/self.h"
#include "worker/wait.h"

#include <errno.h>
#include <poll.h>

int api_sleep(remuda_ctx *c, uint32_t ms)
{
    return ctx_wait(c, -1, 0, wait_until_ns(ms));
}

static int poll_now(int fd, int events)
{
    struct pollfd polled = {.fd = fd, .events = (short)events};
    if (poll(&polled, 1, 0) <= 0)
        return 0;
    bool is_all = (polled.revents & (POLLERR | POLLHUP)) != 0;
    return (polled.revents & POLLNVAL) ? -EBADF
           : is_all                    ? events
                                       : polled.revents & events;
}

int api_ready(remuda_ctx *c, int fd, int events, uint32_t ms)
{
    int wanted = ((events & REMUDA_READABLE) ? EV_READ : 0) |
                 ((events & REMUDA_WRITABLE) ? EV_WRITE : 0);
    if (c->place == CTX_ON_LOOP)
        return -EDEADLK;
    if (fd < 0 || wanted == 0)
        return fd < 0 ? -EBADF : -EINVAL;
    int poll_events =
        ((wanted & EV_READ) ? POLLIN : 0) | ((wanted & EV_WRITE) ? POLLOUT : 0);
    int seen = poll_now(fd, poll_events);
    if (seen < 0)
        return seen;
    if (seen != 0)
        seen = ((seen & POLLIN) ? EV_READ : 0) | ((seen & POLLOUT) ? EV_WRITE : 0);
    else
        seen = ctx_wait(c, fd, wanted, wait_until_ns(ms));
    if (seen <= 0)
        return seen == 0 ? -ETIMEDOUT : seen;
    return ((seen & EV_READ) ? REMUDA_READABLE : 0) |
           ((seen & EV_WRITE) ? REMUDA_WRITABLE : 0);
}

int api_cancelled(remuda_ctx *c)
{
    return ctx_cancelled(c);
}

int api_draining(remuda_ctx *c)
{
    return atomic_load_explicit(&c->worker->is_draining, memory_order_relaxed);
}

void api_finish(remuda_ctx *c, int rc)
{
    if (c->kind != CTX_REQUEST || request_of(c)->route->mode != REMUDA_EVENT) {
        log_error("%s: remuda_finish is for EVENT handlers alone; ignored",
                  c->plugin->name);
        return;
    }
    struct request *req = request_of(c);
    struct worker *w = c->worker;
    req->rc = rc;
    if (is_on_loop(w) && req->is_in_handler)
        req->has_ended_here = true; /* the engine sees it when the callback returns */
    else
        done_put(&w->done, req, true);
}
