/* SPDX-License-Identifier: MIT */
/*
 * self - the state of this worker process: one struct, one owner (worker.c).   [worker]
 *
 * Rule:    everything belongs to the loop thread unless a line says otherwise.
 */
#ifndef WORKER_SELF_H
#define WORKER_SELF_H

#include "common/arena.h"
#include "common/heritage.h"
#include "common/list.h"
#include "conf/conf.h"
#include "http/parser.h"
#include "worker/address.h"
#include "worker/begun.h"
#include "worker/block.h"
#include "worker/deadline.h"
#include "worker/done.h"
#include "worker/family.h"
#include "worker/identity.h"
#include "worker/lane.h"
#include "worker/overtime.h"
#include "worker/slow.h"
#include "worker/wear.h"

#include <ev.h>
#include <pthread.h>
#include <stdbool.h>

struct access_log;
struct coro_pool;
struct engine;
struct http_router;
struct plugins;
struct pool;
struct request;

#define WORKER_MAGIC 0x776f726bu

enum worker_phase {
    WORKER_BOOTING,  /* loads plugins */
    WORKER_STANDBY,  /* booted; waits for GO */
    WORKER_SERVING,  /* accepts */
    WORKER_DRAINING, /* accepts no more; ends with its last connection */
    WORKER_ENDED     /* the loop is being left */
};

struct worker_listener {
    ev_io io;
    struct worker *worker;
    const struct heritage_listener *from;
};

struct turn {
    uint32_t count;               /* of handlers, and pieces of them, begun on the loop */
    uint64_t longest_ns, last_ns; /* turn of this second, of the one before */
    uint64_t dull_ns;             /* a shorter one is nothing to tell of */
};

struct worker {
    unsigned magic;
    const struct heritage *heritage;
    const struct conf *conf;
    struct board_worker *entry;
    struct board_ring *ring;
    enum worker_phase phase;
    pid_t pid;
    bool is_orphan; /* the master is gone: nobody serves any more, whatever they say */
    bool is_check;  /* the child of -t: nothing is started */

    struct ev_loop *loop;
    pthread_t loop_thread;
    uint64_t now_ms, now_ns; /* monotonic, as of this turn of the loop */
    struct turn turn;        /* that turn as others see it */
    ev_timer second;         /* Date, log, lag, rss */
    ev_io channel;           /* to the master */
    ev_timer graceful;       /* the end of a drain */
    ev_signal term;
    atomic_bool is_draining; /* any thread reads it */

    struct worker_listener listener[HERITAGE_LISTENERS];
    bool accept_on;
    bool is_rotating;      /* more than one worker: epoll.h */
    bool is_paused;        /* by order; accept.h */
    ev_timer accept_pause; /* out of descriptors */
    ev_timer gate; /* while siblings accept in our place, for they have free slots */
    bool is_gated;
    uint64_t accept_warned_ms;
    bool is_leaving_queue; /* drains, and a listener may have connections for it still */
    bool is_taking_last;   /* inside accept_close */

    ev_io inbox;    /* inbox.h */
    ev_io common;   /* the inbox of all who serve */
    ev_timer retry; /* while requests wait that could move, or idle ones that could go */
    bool is_inbox_open;
    bool is_collecting;       /* inside inbox_collect */
    unsigned neighbour_count; /* other entries in use; handoff.c */
    uint32_t fd_base;         /* descriptors that connections may have */
    uint32_t random;          /* breaks ties */
    uint32_t adoptions;       /* connections taken in */
    uint32_t arriving; /* the one that is being taken in, and not yet counted as seen */
    uint64_t handoff_warned_ms, fd_counted_ms;
    unsigned inbox_sweep;

    struct proxies proxies;
    struct http_limits limits; /* of conf, as http/ wants them */
    struct block_pool blocks;
    struct arena scratch; /* bytes for the length of one call */
    struct deadlines deadlines[DEADLINE_KINDS];
    struct deadlines silences; /* of streams of events: stream.h */
    struct list conns;         /* every struct conn */
    unsigned conn_count;
    struct request *free_requests;
    struct spare free_request_count;
    unsigned relaxed; /* lifecycle.c: given back to malloc, but not yet by malloc */
    uint64_t request_number; /* of the newest request */
    struct wear wear;
    struct begun begun; /* those that have no line in the access log yet */

    const struct engine *engine; /* event or thread */
    struct lane slots;           /* `threads` of them */
    struct lane flights;         /* max_inflight: ASYNC and EVENT in the event class */
    struct list turn_come; /* requests that have entered a lane and do not run yet */
    bool is_running_turns;
    bool is_serving_tasks;
    struct pool *pool;
    struct coro_pool *coros;
    struct done done;     /* what other threads have ended */
    struct family family; /* tasks and semaphores; has a lock of its own */

    struct plugins *plugins;
    struct http_router *router;
    struct access_log *access_log; /* NULL: off */
    struct overtime_log overtime;
    struct slow slow;
    struct addresses addresses;
};

/** Is this the thread of the loop? */
static inline bool is_on_loop(const struct worker *w)
{
    return pthread_equal(pthread_self(), w->loop_thread);
}

/** Aborts unless it is. */
#define ON_LOOP(w) CHECK(is_on_loop(w))

#endif
