/* SPDX-License-Identifier: MIT */
/*
 * done - how another thread tells the loop about a request.      [worker]
 *
 * A list under a mutex and an ev_async: a pool thread that has run a handler, a thread that
 * finishes an event, a stream that has bytes. The loop takes all at once.
 */
#ifndef WORKER_DONE_H
#define WORKER_DONE_H

#include <ev.h>
#include <pthread.h>
#include <stdbool.h>

struct request;

struct done {
    pthread_mutex_t lock;
    struct request *first, *last; /* by done_next; under the lock */
    struct ev_loop *loop;
    ev_async wake;
    void (*on_request)(struct request *, bool has_ended); /* on the loop, in order */
};

void done_init(struct done *d, struct ev_loop *loop,
               void (*on_request)(struct request *, bool has_ended));
void done_fini(struct done *d);

/** Has it been put there as ended, and not been looked at yet? */
bool done_has_ended(struct done *d, const struct request *req);

/** Any thread: look at this request. One that is on the list is not put there again.
 *  has_ended: its handler is through; the caller may not touch it after this call. */
void done_put(struct done *d, struct request *req, bool has_ended);

#endif
