/* SPDX-License-Identifier: MIT */
/*
 * deadline - equal time-outs, in a list.                         [worker]
 *
 * Owns:    the timer; the deadlines belong to their connections and requests.
 * Called:  by conn.c, at every change of a connection's state, by overtime.c and turn.c.
 * Fails:   never.
 */
#include "worker/deadline.h"

#include "common/clock.h"

static void arm(struct deadlines *ds)
{
    struct list *first = list_first(&ds->queue);
    if (first == NULL || ev_is_active(&ds->timer))
        return;
    uint64_t at = LIST_ENTRY(first, struct deadline, link)->at_ms;
    double wait = at > *ds->now_ms ? clock_ms_as_s(at - *ds->now_ms) : 0.;
    ev_timer_set(&ds->timer, wait + 1e-3, 0.);
    ev_timer_start(ds->loop, &ds->timer);
}

static void on_timer(struct ev_loop *loop, ev_timer *timer, int events)
{
    (void)loop;
    (void)events;
    struct deadlines *ds = timer->data;
    struct list *first;
    while ((first = list_first(&ds->queue)) != NULL) {
        struct deadline *d = LIST_ENTRY(first, struct deadline, link);
        if (d->at_ms > *ds->now_ms)
            break;
        list_remove(first);
        ds->on_expiry(d);
    }
    arm(ds);
}

void deadlines_init(struct deadlines *ds, struct ev_loop *loop, const uint64_t *now_ms,
                    uint64_t length_ms, void (*on_expiry)(struct deadline *))
{
    *ds = (struct deadlines){
        .loop = loop, .now_ms = now_ms, .length_ms = length_ms, .on_expiry = on_expiry};
    list_init(&ds->queue);
    ev_timer_init(&ds->timer, on_timer, 0., 0.);
    ev_set_priority(&ds->timer, EV_MINPRI); /* what this turn has brought came in time */
    ds->timer.data = ds;
}

void deadlines_fini(struct deadlines *ds)
{
    ev_timer_stop(ds->loop, &ds->timer);
}

void deadline_set(struct deadlines *ds, struct deadline *d)
{
    list_remove(&d->link);
    if (ds->length_ms == 0)
        return;
    d->at_ms = *ds->now_ms + ds->length_ms;
    list_append(&ds->queue, &d->link);
    if (!ev_is_active(&ds->timer))
        arm(ds);
}

void deadline_set_since(struct deadlines *ds, struct deadline *d, uint64_t since_ms)
{
    list_remove(&d->link);
    if (ds->length_ms == 0)
        return;
    d->at_ms = since_ms + ds->length_ms;
    struct list *before = ds->queue.prev; /* most are the newest */
    while (before != &ds->queue &&
           LIST_ENTRY(before, struct deadline, link)->at_ms > d->at_ms)
        before = before->prev;
    list_append(before->next, &d->link);
    if (list_first(&ds->queue) == &d->link)
        ev_timer_stop(ds->loop, &ds->timer);
    if (!ev_is_active(&ds->timer))
        arm(ds);
}

void deadlines_hold_back(struct deadlines *ds, uint64_t by_ms)
{
    const uint64_t newest_ms = *ds->now_ms + ds->length_ms;
    for (struct list *at = ds->queue.prev; at != &ds->queue; at = at->prev) {
        struct deadline *d = LIST_ENTRY(at, struct deadline, link);
        if (d->at_ms != newest_ms)
            return;
        d->at_ms += by_ms;
    }
}
