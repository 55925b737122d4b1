/* SPDX-License-Identifier: MIT */
/*
 * act - what the cells of the table order, one function each.                [master]
 *
 * Owns:    nothing; sets the slot's deadline.
 * Called:  by herd.c, which has set the state already.
 * Fails:   a worker that cannot be told or killed is logged; its deadline does the rest.
 */
#include "master/act.h"

#include "common/check.h"
#include "common/clock.h"
#include "common/fd.h"
#include "common/log.h"
#include "master/reload.h"

#include <errno.h>
#include <inttypes.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>

enum {
    DRAIN_MARGIN_MS = 1000, /* the worker cuts its requests itself; then it has to exit */
    ABORT_MARGIN_MS = 3000, /* to write a core */
    REAP_MARGIN_MS = 5000,  /* SIGKILL takes effect sooner, unless the kernel is stuck */
};

typedef void action_fn(struct master *master, struct slot *slot);

static void do_nothing(struct master *master, struct slot *slot)
{
    (void)master;
    (void)slot;
}

static void do_bug(struct master *master, struct slot *slot)
{
    (void)master;
    log_error("worker %u: an event that cannot happen in state %s", slot->index,
              slot_state_name(slot->state));
#ifndef NDEBUG
    abort();
#endif
}

static void set_deadline(struct slot *slot, uint64_t after_ms)
{
    slot->deadline_ms = clock_mono_ms() + after_ms;
}

static void do_await_ready(struct master *master, struct slot *slot)
{
    (void)master;
    if (slot->limits.boot > 0)
        set_deadline(slot, slot->limits.boot);
}

static void do_stand_by(struct master *master, struct slot *slot)
{
    (void)master;
    log_info("worker %u (pid %d, generation %u) ready", slot->index, (int)slot->pid,
             slot->generation);
}

static void send_or_warn(struct slot *slot, enum message_type type, uint64_t arg)
{
    if (channel_send(&slot->channel, type, arg, -1) < 0)
        log_warn("worker %u (pid %d) cannot be told: %s", slot->index, (int)slot->pid,
                 strerror(errno));
}

static void do_go(struct master *master, struct slot *slot)
{
    if (master->is_paused)
        send_or_warn(slot, MESSAGE_PAUSE, 1);
    slot->serving_ms = clock_mono_ms();
    send_or_warn(slot, MESSAGE_GO, 0);
}

static void do_retire(struct master *master, struct slot *slot)
{
    (void)master;
    if (slot->deadline_ms != 0)
        return; /* said already */
    log_warn("worker %u (pid %d, generation %u) has not turned its loop for %" PRIu64
             " ms: a successor starts",
             slot->index, (int)slot->pid, slot->generation, slot->limits.heartbeat);
    set_deadline(slot, slot->limits.heartbeat);
}

static void do_drain(struct master *master, struct slot *slot)
{
    (void)master;
    send_or_warn(slot, MESSAGE_DRAIN, slot->limits.graceful);
    set_deadline(slot, slot->limits.graceful + DRAIN_MARGIN_MS);
}

static void do_kill(struct master *master, struct slot *slot)
{
    (void)master;
    (void)kill(slot->pid, SIGKILL);
    set_deadline(slot, REAP_MARGIN_MS);
}

static void do_abort(struct master *master, struct slot *slot)
{
    (void)master;
    (void)kill(slot->pid, SIGABRT);
    set_deadline(slot, ABORT_MARGIN_MS);
}

static void do_kill_again(struct master *master, struct slot *slot)
{
    log_warn("worker %u (pid %d) is still there after our signal: killed once more",
             slot->index, (int)slot->pid);
    do_kill(master, slot);
}

static void do_free(struct master *master, struct slot *slot)
{
    const unsigned index = slot->index;

    (void)master;
    channel_close(&slot->channel);
    if (slot->written_fd > 0)
        fd_close(&slot->written_fd);
    memset(slot, 0, sizeof(*slot));
    slot->index = index;
    channel_init(&slot->channel);
}

void act_degrade(struct master *master, const char *what)
{
    if (governor_on_death(&master->governor, clock_mono_ms()))
        log_warn("degraded: generation %u: %s; next try in %" PRIu64 " s",
                 master->running.number, what,
                 governor_delay_ms(&master->governor) / 1000);
}

void act_mourn(struct master *master, const struct slot *slot)
{
    if (reload_on_death(master, slot) || staffing_on_death(master, slot))
        return;
    if (slot->generation != master->running.number || slot->served || slot->said_bye ||
        !master_is_serving(master))
        return;
    act_degrade(master, "a worker died before it had answered a request");
}

static void do_free_dead(struct master *master, struct slot *slot)
{
    act_mourn(master, slot);
    do_free(master, slot);
}

static action_fn *const actions[] = {
    [SLOT_DO_BUG] = do_bug,
    [SLOT_DO_NOTHING] = do_nothing,
    [SLOT_DO_AWAIT_READY] = do_await_ready,
    [SLOT_DO_STAND_BY] = do_stand_by,
    [SLOT_DO_GO] = do_go,
    [SLOT_DO_RETIRE] = do_retire,
    [SLOT_DO_DRAIN] = do_drain,
    [SLOT_DO_KILL] = do_kill,
    [SLOT_DO_ABORT] = do_abort,
    [SLOT_DO_KILL_AGAIN] = do_kill_again,
    [SLOT_DO_FREE] = do_free,
    [SLOT_DO_FREE_DEAD] = do_free_dead,
};

void act_do(struct master *master, struct slot *slot, enum slot_action action)
{
    CHECK((size_t)action < COUNT_OF(actions) && actions[action] != NULL);
    actions[action](master, slot);
}
