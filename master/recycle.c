/* SPDX-License-Identifier: MIT */
/*
 * recycle - workers that are worn are replaced, one at a time.               [master]
 *
 * Owns:    nothing; the wish stands in the slot.
 * Called:  by herd.c, once per turn.
 * Fails:   never. A wish stays until its turn comes or its worker goes for another reason.
 *
 * A permit makes a worker RETIRING: it serves on, policy.c sees one too few and starts its
 * successor, and herd.c drains it when that serves. So capacity is never below what is
 * configured, and its connections find somebody to go to.
 */
#include "master/recycle.h"

#include "common/log.h"
#include "master/herd.h"

static unsigned count(const struct recycle_view *view, enum slot_state state)
{
    return policy_count_state(view->slots, view->slot_count, view->generation, state);
}

static bool is_free(const struct recycle_view *view)
{
    const unsigned entries = count(view, SLOT_EMPTY);
    const unsigned leaving = count(view, SLOT_DRAINING) + count(view, SLOT_KILLED);

    return count(view, SLOT_SERVING) == view->want && count(view, SLOT_RETIRING) == 0 &&
           count(view, SLOT_STARTING) == 0 && count(view, SLOT_STANDBY) == 0 &&
           entries > (leaving == 0 ? 0 : view->want);
}

const struct slot *recycle_next(const struct recycle_view *view)
{
    const struct slot *first = NULL;

    for (size_t i = 0; i < view->slot_count; i++) {
        const struct slot *slot = &view->slots[i];

        if (slot->generation == view->generation && slot->state == SLOT_SERVING &&
            slot->recycle.since_ms != 0 &&
            (first == NULL || slot->recycle.since_ms < first->recycle.since_ms))
            first = slot;
    }
    return first != NULL && is_free(view) ? first : NULL;
}

static bool is_changing(const struct master *master)
{
    const struct change *change = &master->change;

    return master->phase != MASTER_RUNNING || change->active || change->wanted ||
           change->committed_ms != 0 || master->upgrade.wanted ||
           upgrade_is_running(master) || master->governor.failures > 0 ||
           master->staffing.verb != CONTROL_NOTHING;
}

void recycle_turn(struct master *master)
{
    const struct recycle_view view = {master->running.number, master->want, master->slots,
                                      master->slot_count};
    const struct slot *slot;

    if (is_changing(master))
        return;
    slot = recycle_next(&view);
    if (slot == NULL)
        return;
    log_info("worker %u (pid %d, generation %u) is recycled: %s", slot->index,
             (int)slot->pid, slot->generation, slot->recycle.why);
    herd_feed(master, &master->slots[slot->index], SLOT_ON_RECYCLE);
}
