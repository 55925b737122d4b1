/* SPDX-License-Identifier: MIT */
/*
 * turn - takes the time around the poll of libev.                [worker]
 *
 * Owns:    w->now_ms and now_ns; tick_ms, awake_since_ms, running and loop_lag_us of the
 *          worker's entry.
 * Called:  by libev directly before and after its poll, which is cheaper than a watcher and
 *          comes before all of them; by engine.c and task.c around handlers.
 * Fails:   never.
 */
#include "worker/turn.h"

#include "common/clock.h"

enum { NS_PER_US = 1000, NS_PER_MS = 1000000 };

/* Of this process, which has one loop. Not the loop's userdata: that is one more call in each
 * of the two below, which every turn pays. */
static struct worker *worker_of_loop;

static void on_acquire(struct ev_loop *loop)
{
    struct worker *w = worker_of_loop;
    struct board_worker *entry = w->entry;
    uint64_t now_ns = clock_mono_ns(), now_ms = now_ns / NS_PER_MS;
    (void)loop;
    w->now_ns = now_ns;
    w->now_ms = now_ms;
    board_set(&entry->tick_ms, now_ms);
    board_set(&entry->awake_since_ms, now_ms);
}

/* The shorter of the two things worth telling: the longest turn, a blocked one. */
static void set_dull(struct worker *w)
{
    uint64_t block_ns = w->conf->worker.loop_block_ms * NS_PER_MS;
    uint64_t longest_ns = w->turn.longest_ns;
    w->turn.dull_ns = block_ns != 0 && block_ns < longest_ns ? block_ns : longest_ns;
}

static void publish_lag(struct worker *w)
{
    uint64_t a = w->turn.longest_ns, b = w->turn.last_ns;
    board_set(&w->entry->loop_lag_us, (a > b ? a : b) / NS_PER_US);
}

/* What has begun in it has done so at its end, for all we know. */
static void hold_back_deadlines(struct worker *w, uint64_t by_ms)
{
    for (int kind = 0; kind < DEADLINE_KINDS; kind++)
        deadlines_hold_back(&w->deadlines[kind], by_ms);
    overtime_hold_back(w, by_ms);
}

static void note_long_turn(struct worker *w, uint64_t length_ns)
{
    hold_back_deadlines(w, length_ns / NS_PER_MS);
    uint64_t block_ms = w->conf->worker.loop_block_ms;
    if (block_ms != 0 && length_ns > block_ms * NS_PER_MS)
        board_add(&w->entry->counters.loop_blocks, 1);
    if (length_ns > w->turn.longest_ns)
        w->turn.longest_ns = length_ns;
    set_dull(w);
    publish_lag(w);
}

static void on_release(struct ev_loop *loop)
{
    struct worker *w = worker_of_loop;
    (void)loop;
    uint64_t length_ns = clock_mono_ns() - w->now_ns;
    board_set(&w->entry->awake_since_ms, 0);
    if (length_ns > w->turn.dull_ns)
        note_long_turn(w, length_ns);
}

void turn_each_second(struct worker *w)
{
    w->turn.last_ns = w->turn.longest_ns;
    w->turn.longest_ns = 0;
    set_dull(w);
    publish_lag(w);
}

void turn_start(struct worker *w)
{
    w->now_ns = clock_mono_ns(); /* what was before, the boot, was no turn */
    w->now_ms = w->now_ns / NS_PER_MS;
    worker_of_loop = w;
    ev_set_loop_release_cb(w->loop, on_release, on_acquire);
}

void turn_stop(struct worker *w)
{
    ev_set_loop_release_cb(w->loop, NULL, NULL);
    board_set(&w->entry->awake_since_ms, 0); /* the rest is the end, not a turn */
}
