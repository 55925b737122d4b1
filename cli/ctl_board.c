/* SPDX-License-Identifier: MIT */
/*
 * ctl_board - the scoreboard as rows of a table.                             [ctl]
 *
 * Owns:    nothing.
 * Called:  by ctl_show.c and ctl_json.c.
 * Fails:   never. What a worker has written is looked at as anyone's: a count that cannot
 *          be is cut to what can.
 */
#include "cli/ctl_board.h"

#include "common/check.h"

static const char *const readiness_names[] = {
    [BOARD_IS_STARTING] = "starting", [BOARD_IS_READY] = "ready",
    [BOARD_IS_DEGRADED] = "degraded", [BOARD_IS_PAUSED] = "paused",
    [BOARD_IS_DRAINING] = "draining", [BOARD_IS_STOPPING] = "stopping",
};

static const char *const state_names[] = {
    [BOARD_EMPTY] = "empty",       [BOARD_STARTING] = "starting",
    [BOARD_STANDBY] = "standby",   [BOARD_SERVING] = "serving",
    [BOARD_RETIRING] = "retiring", [BOARD_DRAINING] = "draining",
    [BOARD_KILLED] = "killed",
};

static uint64_t since(uint64_t then_ms, uint64_t now_ms)
{
    return then_ms == 0 || then_ms > now_ms ? 0 : now_ms - then_ms;
}

void ctl_read_summary(struct board *board, uint64_t now_ms, struct ctl_summary *out)
{
    const uint32_t readiness = board_get32(&board->readiness);
    struct board_counters total;

    board_total(board, &total);
    *out = (struct ctl_summary){
        .readiness =
            readiness < COUNT_OF(readiness_names) ? readiness_names[readiness] : "?",
        .generation = board_get32(&board->generation),
        .uptime_ms = since(board_get(&board->started_ms), now_ms),
        .requests = board_get(&total.requests),
    };
}

static unsigned slots_of(const struct board_worker *w)
{
    const uint32_t n = board_get32(&w->threads);

    return n < BOARD_SLOTS ? n : BOARD_SLOTS;
}

static void count_slots(const struct board_worker *w, struct ctl_worker *out)
{
    out->slots = slots_of(w);
    for (unsigned i = 0; i < out->slots; i++) {
        const uint32_t state = board_get32(&w->slot[i].state);

        out->busy += state != BOARD_SLOT_FREE;
        out->late += state == BOARD_SLOT_LATE;
    }
}

bool ctl_read_worker(struct board *board, unsigned index, uint64_t now_ms,
                     struct ctl_worker *out)
{
    const struct board_worker *w = &board->worker[index];
    const uint32_t state = board_state(board, index);

    if (state == BOARD_EMPTY)
        return false;
    *out = (struct ctl_worker){
        .index = index,
        .state = state < COUNT_OF(state_names) ? state_names[state] : "?",
        .pid = atomic_load_explicit(&w->pid, memory_order_relaxed),
        .generation = board_get32(&w->generation),
        .uptime_ms = since(board_get(&w->started_ms), now_ms),
        .load = board_get32(&w->load) + board_get32(&w->flights_load),
        .waiting = board_get32(&w->waiting) + board_get32(&w->flights_waiting),
        .connections = board_get32(&w->connections),
        .requests = board_get(&w->counters.requests),
        .rss_bytes = board_get(&w->rss_bytes),
    };
    count_slots(w, out);
    return true;
}

/* ---- requests ---- */

struct walk {
    unsigned worker;
    uint64_t now_ms;
    ctl_request_fn *fn;
    void *arg;
};

static void read_one(const struct walk *walk, struct board_record *record, int slot)
{
    struct ctl_request request = {.worker = walk->worker, .slot = slot};

    if (!board_record_read(record, &request.record))
        return;
    request.is_late = request.record.state == BOARD_SLOT_LATE;
    request.age_ms = since(request.record.since_ms, walk->now_ms);
    request.method = request.record.method;
    request.path = request.record.path;
    request.client = request.record.peer;
    walk->fn(walk->arg, &request);
}

void ctl_each_request(struct board *board, unsigned index, uint64_t now_ms,
                      ctl_request_fn *fn, void *arg)
{
    struct board_worker *w = &board->worker[index];
    const struct walk walk = {index, now_ms, fn, arg};
    const unsigned slots = slots_of(w);

    if (board_state(board, index) == BOARD_EMPTY)
        return;
    for (unsigned i = 0; i < slots; i++)
        read_one(&walk, &w->slot[i], (int)i);
    for (unsigned i = 0; i < BOARD_INFLIGHT; i++)
        read_one(&walk, &w->flight[i], -1);
}
