/* SPDX-License-Identifier: MIT */
/*
 * lag - one look at each worker, and what is said of it.                    [master]
 *
 * Owns:    the timer of the looks, and what was seen at the last one.
 * Called:  by its timer, and by herd.c for the pace.
 * Fails:   towards patience, as the watchdog: when a look comes late, the master was held up,
 *          and the workers may have been as well; no turn is judged by what was before.
 */
#include "master/lag.h"

#include "common/check.h"
#include "common/clock.h"
#include "common/log.h"
#include "common/running.h"
#include "master/master.h"
#include "master/watchdog.h"
#include "worker/worker.h"

#include <inttypes.h>
#include <stdio.h>
#include <sys/syscall.h>
#include <unistd.h>

/* ---- pure ---- */

bool lag_judge(struct lag_seen *seen, const struct lag_look *look, uint64_t limit_ms,
               uint64_t judge_from_ms, uint64_t now_ms)
{
    const bool is_same = look->awake_since_ms == seen->last.awake_since_ms &&
                         look->running == seen->last.running;

    seen->last = *look;
    if (!is_same || seen->told == look->awake_since_ms ||
        !watchdog_is_late(look->awake_since_ms, judge_from_ms, limit_ms, now_ms))
        return false;
    seen->told = look->awake_since_ms;
    return true;
}

uint64_t lag_period(uint64_t loop_block_ms)
{
    const uint64_t half_ms = loop_block_ms / 2;

    if (loop_block_ms == 0)
        return 0;
    return half_ms < LAG_LEAST_MS  ? LAG_LEAST_MS
           : half_ms > LAG_MOST_MS ? LAG_MOST_MS
                                   : half_ms;
}

/* ---- what is said ---- */

/* The writer stands still, so its record does too. */
static void describe(struct board_worker *worker, uint64_t word, char *out, size_t size)
{
    const struct running what = running_of(worker, word);
    struct board_record record;

    if (!what.is_handler)
        snprintf(out, size, "in no handler");
    else if (what.record == NULL || !board_record_read(what.record, &record))
        snprintf(out, size, "in a handler of route %u, without a record", what.route);
    else
        snprintf(out, size, "in %s %s from %s", record.method, record.path, record.peer);
}

/* To the thread of the loop, which the process began with. A worker that has died is still
 * ours until reap.c has waited for it, so its pid is nobody else's. */
static void ask_for_stack(const struct slot *slot, uint64_t word)
{
    siginfo_t info = {.si_code = SI_QUEUE};

    info.si_signo = WORKER_SIGNAL_STACK;
    info.si_pid = getpid();
    info.si_uid = getuid();
    info.si_value.sival_int = (int)(uint32_t)(word >> 32);
    if (syscall(SYS_rt_tgsigqueueinfo, slot->pid, slot->pid, info.si_signo, &info) < 0)
        log_debug("worker %u (pid %d): no stack: %m", slot->index, (int)slot->pid);
}

static void tell(struct master *master, struct slot *slot, uint64_t now_ms)
{
    struct lag_seen *seen = &slot->lag;
    struct board_worker *worker = &master->board->worker[slot->index];
    char what[192];

    describe(worker, seen->last.running, what, sizeof(what));
    log_warn("worker %u (pid %d, generation %u): its loop is blocked for %" PRIu64
             " ms, %s",
             slot->index, (int)slot->pid, slot->generation, now_ms - seen->told, what);
    if (seen->asked_ms != 0 && now_ms - seen->asked_ms < LAG_STACK_MS)
        return;
    seen->asked_ms = now_ms;
    ask_for_stack(slot, seen->last.running);
}

/* ---- the looks ---- */

static void look_at(struct master *master, struct slot *slot, uint64_t now_ms)
{
    struct board_worker *worker = &master->board->worker[slot->index];
    const struct lag_look look = {.awake_since_ms = worker->awake_since_ms,
                                  .running = worker->running};

    if (lag_judge(&slot->lag, &look, slot->limits.loop_block, master->lag.judge_from_ms,
                  now_ms))
        tell(master, slot, now_ms);
}

static void on_look(struct ev_loop *loop, ev_timer *timer, int events)
{
    struct master *master = ev_userdata(loop);
    struct lag *lag = &master->lag;
    const uint64_t now_ms = clock_mono_ms();

    (void)timer;
    (void)events;
    CHECK_OBJ(master, MASTER_MAGIC);
    if (now_ms - lag->last_look_ms > 2 * lag->period_ms + LAG_LEAST_MS)
        lag->judge_from_ms = now_ms;
    lag->last_look_ms = now_ms;
    for (unsigned i = 0; i < master->slot_count; i++) {
        struct slot *slot = &master->slots[i];

        if (slot->state != SLOT_EMPTY && slot->state != SLOT_KILLED)
            look_at(master, slot, now_ms);
    }
    lag_pace(master);
}

static uint64_t wanted_period(const struct master *master)
{
    uint64_t least_ms = 0;

    for (unsigned i = 0; i < master->slot_count; i++) {
        const struct slot *slot = &master->slots[i];
        const uint64_t period_ms =
            slot->state == SLOT_EMPTY ? 0 : lag_period(slot->limits.loop_block);

        if (period_ms != 0 && (least_ms == 0 || period_ms < least_ms))
            least_ms = period_ms;
    }
    return least_ms;
}

void lag_pace(struct master *master)
{
    struct lag *lag = &master->lag;
    const uint64_t period_ms = wanted_period(master);

    if (period_ms == lag->period_ms)
        return;
    lag_stop(master);
    if (period_ms == 0)
        return;
    lag->period_ms = period_ms;
    lag->last_look_ms = clock_mono_ms();
    ev_now_update(master->loop);
    ev_timer_init(&lag->look, on_look, 0., clock_ms_as_s(period_ms));
    ev_timer_again(master->loop, &lag->look);
}

void lag_stop(struct master *master)
{
    if (master->lag.period_ms != 0)
        ev_timer_stop(master->loop, &master->lag.look);
    master->lag.period_ms = 0;
}
