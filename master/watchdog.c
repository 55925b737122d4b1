/* SPDX-License-Identifier: MIT */
/*
 * watchdog - notices workers whose loop stands still, and when it was we who slept.
 * [master]
 *
 * Owns:    the tick of one second.
 * Called:  by its timer, which feeds SLOT_ON_TICK_LATE; by herd.c in each turn, for one may
 *          have begun before we were stopped.
 * Fails:   towards patience. When our own tick comes late, the master was starved,
 *          stopped or the machine slept, and the workers may have been as well: all
 *          deadlines move by the delay and every heartbeat is judged afresh from now on.
 */
#include "master/watchdog.h"

#include "common/check.h"
#include "common/clock.h"
#include "common/log.h"
#include "master/backlog.h"
#include "master/herd.h"
#include "master/lost.h"
#include "master/obituary.h"

#include <inttypes.h>

uint64_t watchdog_delay(uint64_t last_ms, uint64_t now_ms)
{
    const uint64_t expected_ms = last_ms + WATCHDOG_TICK_MS;

    return now_ms > expected_ms + WATCHDOG_LATE_MS ? now_ms - expected_ms : 0;
}

bool watchdog_is_late(uint64_t tick_ms, uint64_t judge_from_ms, uint64_t limit_ms,
                      uint64_t now_ms)
{
    const uint64_t since_ms = tick_ms > judge_from_ms ? tick_ms : judge_from_ms;

    if (tick_ms == 0 || limit_ms == 0)
        return false;
    return now_ms > since_ms && now_ms - since_ms > limit_ms;
}

bool watchdog_is_stuck(const struct master *master, const struct slot *slot,
                       uint64_t now_ms)
{
    const struct board_worker *worker = &master->board->worker[slot->index];
    uint64_t limit_ms = slot->limits.heartbeat;

    if (worker->awake_since_ms == 0 && limit_ms != 0 && limit_ms < WATCHDOG_SLEEP_MS)
        limit_ms = WATCHDOG_SLEEP_MS;
    return watchdog_is_late(worker->tick_ms, master->watchdog.judge_from_ms, limit_ms,
                            now_ms);
}

bool watchdog_is_alive(uint64_t tick_ms, uint64_t judge_from_ms)
{
    return tick_ms > judge_from_ms;
}

bool watchdog_turns(const struct master *master, const struct slot *slot, uint64_t now_ms)
{
    return !watchdog_is_stuck(master, slot, now_ms) &&
           watchdog_is_alive(master->board->worker[slot->index].tick_ms,
                             master->watchdog.judge_from_ms);
}

bool watchdog_forgive(struct master *master, uint64_t now_ms)
{
    const uint64_t delay_ms = watchdog_delay(master->watchdog.last_tick_ms, now_ms);

    if (delay_ms == 0)
        return false;
    log_warn("the master was held up for %" PRIu64 " ms: no worker is judged by that",
             delay_ms);
    master->watchdog.judge_from_ms = now_ms;
    for (unsigned i = 0; i < master->slot_count; i++)
        if (master->slots[i].deadline_ms != 0)
            master->slots[i].deadline_ms += delay_ms;
    if (master->upgrade.trial != 0 && master->upgrade.limit_ms != UINT64_MAX)
        master->upgrade.limit_ms += delay_ms;
    master->watchdog.last_tick_ms = now_ms;
    return true;
}

static void on_tick(struct ev_loop *loop, ev_timer *timer, int events)
{
    struct master *master = ev_userdata(loop);
    const uint64_t now_ms = clock_mono_ms();

    (void)timer;
    (void)events;
    CHECK_OBJ(master, MASTER_MAGIC);
    notify_alive(&master->notify);
    backlog_publish(master->board, &master->running.listeners);
    oom_look(&master->oom, now_ms);
    obituary_each_second(master, now_ms);
    lost_each_second(master);
    if (watchdog_forgive(master, now_ms))
        return;
    master->watchdog.last_tick_ms = now_ms;
    for (unsigned i = 0; i < master->slot_count; i++) {
        struct slot *slot = &master->slots[i];

        if (slot->state != SLOT_EMPTY && watchdog_is_stuck(master, slot, now_ms))
            herd_feed(master, slot, SLOT_ON_TICK_LATE);
    }
}

void watchdog_start(struct master *master)
{
    const double tick_s = clock_ms_as_s(WATCHDOG_TICK_MS);

    master->watchdog.last_tick_ms = clock_mono_ms();
    ev_timer_init(&master->watchdog.tick, on_tick, tick_s, tick_s);
    ev_timer_start(master->loop, &master->watchdog.tick);
}

void watchdog_stop(struct master *master)
{
    ev_timer_stop(master->loop, &master->watchdog.tick);
}
