/* SPDX-License-Identifier: MIT */
/*
 * done - the way back to the loop.                               [worker]
 *
 * Owns:    the list and its ev_async.
 * Called:  by engine.c (a pool thread), api_wait.c (finish), stream.c.
 * Fails:   never.
 */
#include "worker/done.h"

#include "common/check.h"
#include "worker/request.h"

enum { DONE_BATCH = 256 }; /* then the loop looks at its sockets again */

static struct request *take(struct done *d, bool *has_ended_out)
{
    CHECK(pthread_mutex_lock(&d->lock) == 0);
    struct request *req = d->first;
    if (req != NULL) {
        d->first = req->done_next;
        if (d->first == NULL)
            d->last = NULL;
        req->done_is_listed = false;
        *has_ended_out = req->done_has_ended; /* as of now: it may be put again */
    }
    CHECK(pthread_mutex_unlock(&d->lock) == 0);
    return req;
}

static void on_wake(struct ev_loop *loop, ev_async *wake, int events)
{
    (void)events;
    struct done *d = wake->data;
    bool has_ended;
    for (int i = 0; i < DONE_BATCH; i++) {
        struct request *req = take(d, &has_ended);
        if (req == NULL)
            return;
        d->on_request(req, has_ended);
    }
    ev_async_send(loop, wake);
}

void done_init(struct done *d, struct ev_loop *loop,
               void (*on_request)(struct request *, bool has_ended))
{
    *d = (struct done){.loop = loop, .on_request = on_request};
    CHECK(pthread_mutex_init(&d->lock, NULL) == 0);
    ev_async_init(&d->wake, on_wake);
    d->wake.data = d;
    ev_async_start(loop, &d->wake);
}

void done_fini(struct done *d)
{
    ev_async_stop(d->loop, &d->wake);
    CHECK(pthread_mutex_destroy(&d->lock) == 0);
}

bool done_has_ended(struct done *d, const struct request *req)
{
    CHECK(pthread_mutex_lock(&d->lock) == 0);
    bool has_ended = req->done_is_listed && req->done_has_ended;
    CHECK(pthread_mutex_unlock(&d->lock) == 0);
    return has_ended;
}

void done_put(struct done *d, struct request *req, bool has_ended)
{
    CHECK(pthread_mutex_lock(&d->lock) == 0);
    bool is_new = !req->done_is_listed;
    req->done_has_ended = has_ended || (!is_new && req->done_has_ended);
    if (is_new) {
        req->done_is_listed = true;
        req->done_next = NULL;
        if (d->last != NULL)
            d->last->done_next = req;
        else
            d->first = req;
        d->last = req;
    }
    CHECK(pthread_mutex_unlock(&d->lock) == 0);
    if (is_new)
        ev_async_send(d->loop, &d->wake);
}
