/* SPDX-License-Identifier: MIT */
/*
 * policy - how many workers to start or to drain, and when to ask again.    [master]
 *
 * Owns:    nothing. Every function is a function of its arguments, the clock included, so
 *          the supervisor is tested without forking.
 * Called:  by herd.c at the end of every turn of the loop.
 * Fails:   never.
 */
#include "master/policy.h"

#include "common/check.h"

unsigned policy_count_state(const struct slot *slots, size_t count, uint32_t generation,
                            enum slot_state state)
{
    unsigned n = 0;

    for (size_t i = 0; i < count; i++)
        n += slots[i].state == state &&
             (state == SLOT_EMPTY || slots[i].generation == generation);
    return n;
}

unsigned policy_count_live(const struct slot *slots, size_t count, uint32_t generation)
{
    unsigned n = 0;

    for (size_t i = 0; i < count; i++)
        n += slots[i].generation == generation && slot_is_live(&slots[i]);
    return n;
}

/* The first slot in the table speaks for its generation. */
static bool is_first_of_generation(const struct slot *slots, size_t i)
{
    for (size_t j = 0; j < i; j++)
        if (slots[j].state != SLOT_EMPTY && slots[j].generation == slots[i].generation)
            return false;
    return true;
}

unsigned policy_count_old(const struct slot *slots, size_t count, uint32_t generation)
{
    unsigned n = 0;

    for (size_t i = 0; i < count; i++)
        n += slots[i].state != SLOT_EMPTY && slots[i].generation < generation &&
             is_first_of_generation(slots, i);
    return n;
}

struct slot *policy_choose_surplus(struct slot *slots, size_t count, uint32_t generation)
{
    struct slot *serving = NULL;

    for (size_t i = count; i > 0; i--) {
        struct slot *slot = &slots[i - 1];

        if (slot->generation != generation || !slot_is_live(slot))
            continue;
        if (slot->state != SLOT_SERVING)
            return slot;
        if (serving == NULL)
            serving = slot;
    }
    return serving;
}

uint64_t policy_next_deadline(const struct slot *slots, size_t count)
{
    uint64_t next = UINT64_MAX;

    for (size_t i = 0; i < count; i++)
        if (slots[i].deadline_ms != 0 && slots[i].deadline_ms < next)
            next = slots[i].deadline_ms;
    return next;
}

/* While the probe lives, the rest waits for its verdict, which governor_on_alive() or its death
 * gives. */
static bool is_probing(const struct policy_view *view)
{
    for (size_t i = 0; i < view->slot_count; i++) {
        const struct slot *slot = &view->slots[i];
        if (slot->generation == view->generation && slot_is_live(slot) &&
            slot->started_ms >= view->governor->probe_from_ms)
            return true;
    }
    return false;
}

static unsigned decide_start(const struct policy_view *view, unsigned missing,
                             uint64_t *wake_ms)
{
    if (view->governor->failures == 0)
        return missing;
    if (view->now_ms < view->governor->not_before_ms) {
        *wake_ms = view->governor->not_before_ms;
        return 0;
    }
    return is_probing(view) ? 0 : 1;
}

void policy_decide(const struct policy_view *view, struct policy_verdict *out)
{
    const unsigned live =
        policy_count_live(view->slots, view->slot_count, view->generation);
    const unsigned room =
        policy_count_state(view->slots, view->slot_count, 0, SLOT_EMPTY);

    *out = (struct policy_verdict){.wake_ms = UINT64_MAX};
    if (live > view->want)
        out->surplus = live - view->want;
    if (live < view->want)
        out->start = decide_start(view, view->want - live, &out->wake_ms);
    if (out->start > room)
        out->start = room; /* an entry that gets free wakes us by its SIGCHLD */
    CHECK(out->start == 0 || out->surplus == 0);
}

bool governor_on_enough(struct governor *governor, const struct policy_view *view)
{
    if (governor->failures == 0 || view->now_ms < governor->not_before_ms ||
        is_probing(view) ||
        policy_count_live(view->slots, view->slot_count, view->generation) < view->want)
        return false;
    *governor = (struct governor){0};
    return true;
}

uint64_t governor_delay_ms(const struct governor *governor)
{
    uint64_t seconds = 1;

    if (governor->failures == 0)
        return 0;
    for (unsigned i = 1; i < governor->failures && seconds < POLICY_DELAY_MAX_S; i++)
        seconds *= 2;
    return (seconds < POLICY_DELAY_MAX_S ? seconds : POLICY_DELAY_MAX_S) * 1000;
}

/* Workers that die together earn one delay, not one each. */
bool governor_on_death(struct governor *governor, uint64_t now_ms)
{
    if (governor->failures > 0 && now_ms < governor->not_before_ms)
        return false;
    governor->failures++;
    governor->not_before_ms = now_ms + governor_delay_ms(governor);
    governor->probe_from_ms = governor->not_before_ms;
    return true;
}

static bool has_lived(const struct governor *governor, const struct slot *slot,
                      uint64_t now_ms)
{
    const uint64_t delay_ms = governor_delay_ms(governor);
    const uint64_t least_ms = delay_ms > POLICY_PROBE_MS ? delay_ms : POLICY_PROBE_MS;

    return slot->started_ms >= governor->probe_from_ms &&
           now_ms >= slot->serving_ms + least_ms;
}

/* One after the other, if they are asked nothing: what makes a worker die may need a while. */
enum governor_news governor_on_alive(struct governor *governor, const struct slot *slot,
                                     bool served, unsigned missing, uint64_t now_ms)
{
    if (governor->failures == 0 || slot->started_ms < governor->not_before_ms)
        return GOVERNOR_SILENT;
    if (!served && !has_lived(governor, slot, now_ms))
        return GOVERNOR_SILENT;
    if (!served && missing > 0) {
        governor->probe_from_ms = now_ms;
        return GOVERNOR_NEXT;
    }
    *governor = (struct governor){0};
    return GOVERNOR_RECOVERED;
}
