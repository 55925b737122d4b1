/* SPDX-License-Identifier: MIT */
/*
 * herd - all workers of all generations: feeds the table, asks the policy.    [master]
 *
 * Owns:    the slots and their entries in the scoreboard.
 * Called:  by signals, reap, watchdog and reload with events; by the loop for its turn.
 *          Calls act.c for what a cell orders, spawn.c for how many policy.c says.
 * Fails:   a fork that fails counts as a death: the governor tries again later.
 * Rule:    everything here is triggered by level, not by edge: each turn looks at what is
 *          and at what should be, so no lost wake-up can leave a worker behind.
 */
#include "master/herd.h"

#include "common/check.h"
#include "common/clock.h"
#include "common/log.h"
#include "master/act.h"
#include "master/command.h"
#include "master/lag.h"
#include "master/recycle.h"
#include "master/reload.h"
#include "master/spawn.h"
#include "master/watchdog.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

enum { LOST_MARGIN_MS = 2000 }; /* between EOF on the channel and the exit */

/* ---- events ---- */

static void hear_ready(struct master *master, struct slot *slot,
                       const struct message *message)
{
    if (message->arg == 0) {
        herd_feed(master, slot, SLOT_ON_READY);
        return;
    }
    log_error("worker %u (pid %d, generation %u) cannot start: %s", slot->index,
              (int)slot->pid, slot->generation, message->text);
    reload_on_refusal(master, slot, message);
    staffing_on_refusal(master, slot, message->text);
}

static void hear_retire(struct master *master, struct slot *slot,
                        const struct message *message)
{
    if (message->arg == MESSAGE_RETIRE_WORN)
        herd_recycle(master, slot, message->text);
    if (message->arg != MESSAGE_RETIRE_LATE || slot->state != SLOT_SERVING)
        return;
    log_warn("worker %u (pid %d, generation %u): %s: a successor starts", slot->index,
             (int)slot->pid, slot->generation, message->text);
    herd_feed(master, slot, SLOT_ON_RECYCLE);
}

static void hear_eof(struct slot *slot)
{
    const uint64_t limit_ms = clock_mono_ms() + LOST_MARGIN_MS;

    if (slot->state == SLOT_DRAINING || slot->state == SLOT_KILLED)
        return; /* it leaves anyway, and has its deadline */
    slot->lost = true;
    if (slot->deadline_ms == 0 || slot->deadline_ms > limit_ms)
        slot->deadline_ms = limit_ms;
}

void herd_hear(struct slot *slot, const struct message *message)
{
    struct master *master = ev_userdata(slot->channel.loop);

    CHECK_OBJ(master, MASTER_MAGIC);
    if (message == NULL)
        hear_eof(slot);
    else if (message->type == MESSAGE_READY)
        hear_ready(master, slot, message);
    else if (message->type == MESSAGE_BYE)
        slot->said_bye = true;
    else
        hear_retire(master, slot, message);
}

static const char *reason_of(enum slot_state state, enum slot_event event)
{
    if (state == SLOT_STARTING && event == SLOT_ON_DEADLINE)
        return "did not become ready within boot_timeout";
    if (event == SLOT_ON_TICK_LATE)
        return "its loop stood still before it served";
    if (event != SLOT_ON_DEADLINE)
        return "not needed any more";
    return state == SLOT_DRAINING
               ? "not drained within graceful_timeout"
               : "its loop stood still for longer than heartbeat_timeout";
}

/* It has failed, though it lives: whoever waits for it hears so now, for one that we kill is
 * not mourned. */
static void give_up(struct master *master, struct slot *slot)
{
    slot->served = herd_has_served(master, slot);
    act_mourn(master, slot);
}

static bool fails_to_start(enum slot_state state, enum slot_event event)
{
    return (state == SLOT_STARTING && event == SLOT_ON_DEADLINE) ||
           (state == SLOT_STANDBY && event == SLOT_ON_TICK_LATE);
}

void herd_feed(struct master *master, struct slot *slot, enum slot_event event)
{
    const struct slot_step step = slot_next(slot->state, event);

    if (step.next == SLOT_KILLED && slot->doom == NULL)
        slot->doom = reason_of(slot->state, event);
    if (fails_to_start(slot->state, event))
        give_up(master, slot);
    if (step.next != slot->state || event == SLOT_ON_DEADLINE)
        slot->deadline_ms = 0;
    if (step.action != SLOT_DO_BUG)
        slot->state = step.next;
    /* first: what the worker is told it may act upon at once, and its siblings with it */
    board_set32(&master->board->worker[slot->index].state, slot->state);
    act_do(master, slot, step.action);
    board_set32(&master->board->worker[slot->index].state, slot->state);
}

void herd_end(struct master *master, struct slot *slot, enum slot_event event,
              const char *why)
{
    if (slot->state != SLOT_EMPTY && slot->doom == NULL && event == SLOT_ON_STOP_NOW)
        slot->doom = why;
    herd_feed(master, slot, event);
}

void herd_end_all(struct master *master, enum slot_event event, const char *why)
{
    for (unsigned i = 0; i < master->slot_count; i++)
        herd_end(master, &master->slots[i], event, why);
}

void herd_end_generation(struct master *master, uint32_t generation,
                         enum slot_event event, const char *why)
{
    for (unsigned i = 0; i < master->slot_count; i++)
        if (master->slots[i].generation == generation)
            herd_end(master, &master->slots[i], event, why);
}

void herd_go_generation(struct master *master, uint32_t generation)
{
    for (unsigned i = 0; i < master->slot_count; i++)
        if (master->slots[i].generation == generation &&
            master->slots[i].state == SLOT_STANDBY)
            herd_feed(master, &master->slots[i], SLOT_ON_GO);
}

void herd_tell_refusing(struct master *master, uint32_t except)
{
    for (unsigned i = 0; i < master->slot_count; i++)
        if (master->slots[i].state != SLOT_EMPTY && master->slots[i].generation != except)
            board_set32(&master->board->worker[i].refusing, 1);
}

void herd_recycle(struct master *master, struct slot *slot, const char *why)
{
    if (slot->state != SLOT_SERVING || slot->generation != master->running.number ||
        slot->recycle.since_ms != 0)
        return;
    slot->recycle.since_ms = clock_mono_ms();
    snprintf(slot->recycle.why, sizeof(slot->recycle.why), "%s", why);
}

struct slot *herd_find(struct master *master, pid_t pid)
{
    for (unsigned i = 0; i < master->slot_count; i++)
        if (master->slots[i].state != SLOT_EMPTY && master->slots[i].pid == pid)
            return &master->slots[i];
    return NULL;
}

unsigned herd_count(const struct master *master)
{
    return master->slot_count -
           policy_count_state(master->slots, master->slot_count, 0, SLOT_EMPTY);
}

/* ---- a turn ---- */

int herd_start(struct master *master, const struct generation *generation, unsigned count)
{
    for (unsigned i = 0; i < master->slot_count && count > 0; i++) {
        if (master->slots[i].state != SLOT_EMPTY)
            continue;
        if (spawn_worker(master, generation, &master->slots[i]) < 0)
            return -1;
        herd_feed(master, &master->slots[i], SLOT_ON_SPAWNED);
        lag_pace(master);
        count--;
    }
    return 0;
}

static void end_lost(struct master *master, struct slot *slot)
{
    slot->doom = "it closed its channel and stayed";
    give_up(master, slot);
    herd_feed(master, slot, SLOT_ON_STOP_NOW);
}

static void expire(struct master *master, uint64_t now_ms)
{
    for (unsigned i = 0; i < master->slot_count; i++) {
        struct slot *slot = &master->slots[i];

        if (slot->deadline_ms == 0 || slot->deadline_ms > now_ms)
            continue;
        if (slot->lost && slot->state != SLOT_KILLED && slot->state != SLOT_DRAINING)
            end_lost(master, slot);
        else if (slot->state == SLOT_RETIRING && watchdog_turns(master, slot, now_ms))
            slot->deadline_ms = 0; /* it came back, and serves until its successor does */
        else
            herd_feed(master, slot, SLOT_ON_DEADLINE);
    }
}

bool herd_has_served(const struct master *master, const struct slot *slot)
{
    const struct board_counters *counters = &master->board->worker[slot->index].counters;

    for (size_t class = 1; class < COUNT_OF(counters->responses); class ++)
        if (counters->responses[class] > 0)
            return true;
    return false;
}

static void release(struct master *master, const struct policy_view *view)
{
    const uint32_t generation = view->generation;
    const unsigned live =
        policy_count_live(master->slots, master->slot_count, generation);
    const unsigned missing = live < view->want ? view->want - live : 0;

    for (unsigned i = 0; i < master->slot_count; i++) {
        const struct slot *slot = &master->slots[i];

        if (slot->state != SLOT_SERVING || slot->generation != generation)
            continue;
        if (governor_on_alive(&master->governor, slot, herd_has_served(master, slot),
                              missing, view->now_ms) == GOVERNOR_RECOVERED)
            log_info("recovered: generation %u: what was started since serves",
                     generation);
    }
    if (governor_on_enough(&master->governor, view))
        log_info("recovered: generation %u: no worker is missing any more", generation);
}

/* One that serves is never given up for one that still starts: nobody might serve then. */
static void drain_surplus(struct master *master, unsigned surplus)
{
    struct slot *slot;

    for (; surplus > 0; surplus--) {
        slot = policy_choose_surplus(master->slots, master->slot_count,
                                     master->running.number);
        if (slot == NULL)
            return;
        herd_feed(master, slot, SLOT_ON_DRAIN);
    }
}

/* A retiring worker leaves when as many serve as are wanted. One whose loop still stands
 * would not hear it: its deadline comes, with SIGABRT. */
static void dismiss_retired(struct master *master, uint64_t now_ms)
{
    const uint32_t generation = master->running.number;

    if (policy_count_state(master->slots, master->slot_count, generation, SLOT_SERVING) <
        master->want)
        return;
    for (unsigned i = 0; i < master->slot_count; i++)
        if (master->slots[i].state == SLOT_RETIRING &&
            watchdog_turns(master, &master->slots[i], now_ms))
            herd_feed(master, &master->slots[i], SLOT_ON_DRAIN);
}

/* When it is tried again. */
static uint64_t lament(struct master *master, int error)
{
    char what[128];

    snprintf(what, sizeof(what), "cannot start a worker: %s", strerror(error));
    if (!staffing_on_no_start(master, what))
        act_degrade(master, what);
    return master->governor.not_before_ms;
}

static uint64_t supply(struct master *master, uint64_t now_ms)
{
    const struct policy_view view = {
        .now_ms = now_ms,
        .generation = master->running.number,
        .want = master->want,
        .governor = &master->governor,
        .slots = master->slots,
        .slot_count = master->slot_count,
    };
    struct policy_verdict verdict;

    release(master, &view);
    recycle_turn(master);
    policy_decide(&view, &verdict);
    drain_surplus(master, verdict.surplus);
    if (herd_start(master, &master->running, verdict.start) < 0)
        verdict.wake_ms = lament(master, errno);
    board_set32(&master->board->degraded, master->governor.failures);
    herd_go_generation(master, master->running.number);
    dismiss_retired(master, now_ms);
    return verdict.wake_ms;
}

static uint64_t earlier(uint64_t a, uint64_t b)
{
    return a < b ? a : b;
}

static void wake_at(struct master *master, uint64_t when_ms, uint64_t now_ms)
{
    const uint64_t wait_ms = when_ms > now_ms ? when_ms - now_ms : 1;

    ev_timer_stop(master->loop, &master->wake);
    if (when_ms == UINT64_MAX)
        return;
    ev_now_update(master->loop);
    ev_timer_set(&master->wake, clock_ms_as_s(wait_ms), 0.);
    ev_timer_start(master->loop, &master->wake);
}

void herd_turn(struct master *master)
{
    const uint64_t now_ms = clock_mono_ms();
    uint64_t wake_ms, deadline_ms;

    (void)watchdog_forgive(master, now_ms);
    expire(master, now_ms);
    wake_ms = upgrade_turn(master);
    wake_ms = earlier(wake_ms, earlier(reload_turn(master), stop_turn(master)));
    if (master_is_serving(master))
        wake_ms = earlier(wake_ms, supply(master, now_ms));
    if (stop_is_last_stage(master) && herd_count(master) == 0) {
        ev_break(master->loop, EVBREAK_ALL);
        return;
    }
    master_tell_status(master);
    wake_ms = earlier(wake_ms, command_turn(master));
    deadline_ms = policy_next_deadline(master->slots, master->slot_count);
    wake_at(master, earlier(deadline_ms, wake_ms), now_ms);
}
