/* SPDX-License-Identifier: MIT */
/*
 * stop - the end of the server, in its order.                                [master]
 *
 * Owns:    struct stop.
 * Called:  by signals.c (TERM, INT, QUIT); by herd.c once per turn.
 * Fails:   never; a worker that would not end is killed at its deadline (act.c).
 * Order:   readiness off, and for drain_delay all is served with `Connection: close`; then
 *          nobody new gets in, for as long as handshakes take; then each worker accepts what
 *          is queued, closes its listeners and drains. So of the requests that were sent
 *          before the listeners closed none is lost.
 */
#include "master/stop.h"

#include "common/clock.h"
#include "common/log.h"
#include "conf/conf.h"
#include "master/herd.h"
#include "master/master.h"
#include "master/reload.h"

#include <inttypes.h>

static uint64_t drain_delay_ms(const struct master *master)
{
    const struct conf *conf = master->running.conf; /* NULL: nothing serves yet */

    return conf == NULL ? 0 : conf->worker.drain_delay_ms;
}

/* Old generations have limits of their own. */
static uint64_t longest_drain_ms(const struct master *master)
{
    uint64_t longest_ms = 0;

    for (unsigned i = 0; i < master->slot_count; i++)
        if (master->slots[i].state != SLOT_EMPTY &&
            master->slots[i].limits.graceful > longest_ms)
            longest_ms = master->slots[i].limits.graceful;
    return longest_ms;
}

static void announce(struct master *master, uint64_t delay_ms)
{
    if (delay_ms > 0)
        log_info("stopping: not ready any more, serves for another %" PRIu64 " ms",
                 delay_ms);
    else
        log_info("stopping");
    master->phase = MASTER_STOPPING;
    board_set32(&master->board->readiness, BOARD_IS_STOPPING);
    board_set32(&master->board->closing, BOARD_CLOSING);
    notify_stopping(&master->notify, "stopping");
    notify_extend(&master->notify, delay_ms + longest_drain_ms(master));
    reload_cancel(master);
    master->stop =
        (struct stop){.stage = STOP_ANNOUNCED, .until_ms = clock_mono_ms() + delay_ms};
}

static void refuse(struct master *master, uint64_t now_ms)
{
    herd_tell_refusing(master, 0);
    const bool is_under_way = listeners_refuse(&master->running.listeners);

    master->stop = (struct stop){.stage = STOP_REFUSING,
                                 .until_ms = now_ms + (is_under_way ? HANDSHAKE_MS : 0)};
}

/* The word comes before the order: whoever drains must know that it has no heir. */
static void end_all(struct master *master, enum slot_event event)
{
    board_set32(&master->board->closing, BOARD_CLOSED);
    listeners_close(&master->running.listeners);
    master->stop = (struct stop){.stage = STOP_ENDING};
    herd_end_all(master, event, "quick stop");
}

void master_stop(struct master *master, bool quick)
{
    const bool is_new = master->phase != MASTER_STOPPING;

    if (is_new)
        announce(master, quick ? 0 : drain_delay_ms(master));
    if (!quick)
        return; /* the turn goes on with it */
    if (!is_new)
        log_info("stopping at once");
    end_all(master, SLOT_ON_STOP_NOW);
}

uint64_t stop_turn(struct master *master)
{
    const uint64_t now_ms = clock_mono_ms();
    struct stop *stop = &master->stop;

    if (stop->stage == STOP_ANNOUNCED && now_ms >= stop->until_ms)
        refuse(master, now_ms);
    if (stop->stage == STOP_REFUSING && now_ms >= stop->until_ms)
        end_all(master, SLOT_ON_DRAIN);
    return stop->stage == STOP_ANNOUNCED || stop->stage == STOP_REFUSING ? stop->until_ms
                                                                         : UINT64_MAX;
}

bool stop_is_last_stage(const struct master *master)
{
    return master->phase == MASTER_STOPPING && master->stop.stage == STOP_ENDING;
}

bool master_is_serving(const struct master *master)
{
    return master->phase == MASTER_RUNNING || master->stop.stage == STOP_ANNOUNCED;
}
