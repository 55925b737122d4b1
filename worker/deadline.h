/* SPDX-License-Identifier: MIT */
/*
 * deadline - many time-outs of equal length on one timer.        [worker]
 *
 * A list in order of expiry; since all wait equally long, the newest goes to the end. The
 * one ev_timer runs for the first and is left running when it goes: setting and clearing
 * a deadline costs a few pointers, never a heap operation. It comes last in a turn: of a loop
 * that was blocked, what clients have sent meanwhile is heard first. Loop thread only.
 */
#ifndef WORKER_DEADLINE_H
#define WORKER_DEADLINE_H

#include "common/list.h"

#include <ev.h>
#include <stdint.h>

/** Deadlines of one length; each state of a connection owns exactly one (conn.h). */
enum deadline_kind {
    DEADLINE_KEEPALIVE,
    DEADLINE_HEAD,
    DEADLINE_BODY,  /* a look every second: body_timeout, body_min_rate */
    DEADLINE_QUEUE, /* counts from the arrival of a request, in whatever worker */
    DEADLINE_WRITE, /* a look every second: write_timeout, write_min_rate */
    DEADLINE_LAST,
    DEADLINE_LINGER,
    DEADLINE_KINDS
};

struct deadline {
    struct list link;
    uint64_t at_ms; /* monotonic */
};

struct deadlines {
    struct list queue;
    struct ev_loop *loop;
    ev_timer timer;
    const uint64_t *now_ms;                /* the worker's clock */
    uint64_t length_ms;                    /* 0: never */
    void (*on_expiry)(struct deadline *d); /* d is off the list */
};

void deadlines_init(struct deadlines *ds, struct ev_loop *loop, const uint64_t *now_ms,
                    uint64_t length_ms, void (*on_expiry)(struct deadline *));
void deadlines_fini(struct deadlines *ds);

/** Counts from now; whichever list d was on, it leaves. */
void deadline_set(struct deadlines *ds, struct deadline *d);

/** Counts from since_ms, which may lie in the past. */
void deadline_set_since(struct deadlines *ds, struct deadline *d, uint64_t since_ms);

/** Those that were set in this turn of the loop are due by so much later: it was long, and they
 *  counted from its beginning. */
void deadlines_hold_back(struct deadlines *ds, uint64_t by_ms);

static inline void deadline_init(struct deadline *d)
{
    list_init(&d->link);
}

static inline void deadline_clear(struct deadline *d)
{
    list_remove(&d->link);
}

#endif
