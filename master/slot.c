/* SPDX-License-Identifier: MIT */
/*
 * slot - the life of one worker process, as a table of state x event.      [master]
 *
 * Owns:    the table. Nothing here acts: herd.c does what a cell orders.
 * Called:  by herd.c for every event; by policy.c and the log for names and counts.
 * Fails:   never. A cell that cannot happen says SLOT_DO_BUG and stays in its state: a
 *          wrong guess about a child must not end the service.
 */
#include "master/slot.h"

#include "common/check.h"

#define STEP(next_, action_)                                                             \
    {                                                                                    \
        SLOT_##next_, SLOT_DO_##action_                                                  \
    }

static const struct slot_step table[SLOT_STATES][SLOT_EVENTS] =
    {
        [SLOT_EMPTY] =
            {
                [SLOT_ON_SPAWNED] = STEP(STARTING, AWAIT_READY),
                [SLOT_ON_READY] = STEP(EMPTY, BUG),
                [SLOT_ON_GO] = STEP(EMPTY, BUG),
                [SLOT_ON_TICK_LATE] = STEP(EMPTY, NOTHING),
                [SLOT_ON_RECYCLE] = STEP(EMPTY, NOTHING),
                [SLOT_ON_STAY] = STEP(EMPTY, NOTHING),
                [SLOT_ON_DEADLINE] = STEP(EMPTY, NOTHING),
                [SLOT_ON_EXIT] = STEP(EMPTY, BUG),
                [SLOT_ON_DRAIN] = STEP(EMPTY, NOTHING),
                [SLOT_ON_STOP_NOW] = STEP(EMPTY, NOTHING),
            },
        [SLOT_STARTING] =
            {
                [SLOT_ON_SPAWNED] = STEP(STARTING, BUG),
                [SLOT_ON_READY] = STEP(STANDBY, STAND_BY),
                [SLOT_ON_GO] = STEP(STARTING, BUG),
                [SLOT_ON_TICK_LATE] = STEP(STARTING, NOTHING),
                [SLOT_ON_RECYCLE] = STEP(STARTING, NOTHING),
                [SLOT_ON_STAY] = STEP(STARTING, NOTHING),
                [SLOT_ON_DEADLINE] = STEP(KILLED, KILL),
                [SLOT_ON_EXIT] = STEP(EMPTY, FREE_DEAD),
                [SLOT_ON_DRAIN] = STEP(KILLED, KILL),
                [SLOT_ON_STOP_NOW] = STEP(KILLED, KILL),
            },
        [SLOT_STANDBY] =
            {
                [SLOT_ON_SPAWNED] = STEP(STANDBY, BUG),
                [SLOT_ON_READY] = STEP(STANDBY, NOTHING),
                [SLOT_ON_GO] = STEP(SERVING, GO),
                [SLOT_ON_TICK_LATE] = STEP(KILLED, KILL),
                [SLOT_ON_RECYCLE] = STEP(STANDBY, NOTHING),
                [SLOT_ON_STAY] = STEP(STANDBY, NOTHING),
                [SLOT_ON_DEADLINE] = STEP(STANDBY, NOTHING),
                [SLOT_ON_EXIT] = STEP(EMPTY, FREE_DEAD),
                [SLOT_ON_DRAIN] = STEP(KILLED, KILL),
                [SLOT_ON_STOP_NOW] = STEP(KILLED, KILL),
            },
        [SLOT_SERVING] =
            {
                [SLOT_ON_SPAWNED] = STEP(SERVING, BUG),
                [SLOT_ON_READY] = STEP(SERVING, NOTHING),
                [SLOT_ON_GO] = STEP(SERVING, NOTHING),
                [SLOT_ON_TICK_LATE] = STEP(RETIRING, RETIRE),
                [SLOT_ON_RECYCLE] = STEP(RETIRING, NOTHING),
                [SLOT_ON_STAY] = STEP(SERVING, NOTHING),
                [SLOT_ON_DEADLINE] = STEP(SERVING, NOTHING),
                [SLOT_ON_EXIT] = STEP(EMPTY, FREE_DEAD),
                [SLOT_ON_DRAIN] = STEP(DRAINING, DRAIN),
                [SLOT_ON_STOP_NOW] = STEP(KILLED, KILL),
            },
        [SLOT_RETIRING] =
            {
                [SLOT_ON_SPAWNED] = STEP(RETIRING, BUG),
                [SLOT_ON_READY] = STEP(RETIRING, NOTHING),
                [SLOT_ON_GO] = STEP(RETIRING, NOTHING),
                [SLOT_ON_TICK_LATE] = STEP(RETIRING, RETIRE),
                [SLOT_ON_RECYCLE] = STEP(RETIRING, NOTHING),
                [SLOT_ON_STAY] = STEP(SERVING, NOTHING),
                [SLOT_ON_DEADLINE] = STEP(KILLED, ABORT),
                [SLOT_ON_EXIT] = STEP(EMPTY, FREE),
                [SLOT_ON_DRAIN] = STEP(DRAINING, DRAIN),
                [SLOT_ON_STOP_NOW] = STEP(KILLED, KILL),
            },
        [SLOT_DRAINING] =
            {
                [SLOT_ON_SPAWNED] = STEP(DRAINING, BUG),
                [SLOT_ON_READY] = STEP(DRAINING, NOTHING),
                [SLOT_ON_GO] = STEP(DRAINING, NOTHING),
                [SLOT_ON_TICK_LATE] = STEP(DRAINING, NOTHING),
                [SLOT_ON_RECYCLE] = STEP(DRAINING, NOTHING),
                [SLOT_ON_STAY] = STEP(DRAINING, NOTHING),
                [SLOT_ON_DEADLINE] = STEP(KILLED, KILL),
                [SLOT_ON_EXIT] = STEP(EMPTY, FREE),
                [SLOT_ON_DRAIN] = STEP(DRAINING, NOTHING),
                [SLOT_ON_STOP_NOW] = STEP(KILLED, KILL),
            },
        [SLOT_KILLED] =
            {
                [SLOT_ON_SPAWNED] = STEP(KILLED, BUG),
                [SLOT_ON_READY] = STEP(KILLED, NOTHING),
                [SLOT_ON_GO] = STEP(KILLED, NOTHING),
                [SLOT_ON_TICK_LATE] = STEP(KILLED, NOTHING),
                [SLOT_ON_RECYCLE] = STEP(KILLED, NOTHING),
                [SLOT_ON_STAY] = STEP(KILLED, NOTHING),
                [SLOT_ON_DEADLINE] = STEP(KILLED, KILL_AGAIN),
                [SLOT_ON_EXIT] = STEP(EMPTY, FREE),
                [SLOT_ON_DRAIN] = STEP(KILLED, NOTHING),
                [SLOT_ON_STOP_NOW] = STEP(KILLED, NOTHING),
            },
};

static const char *const state_name[SLOT_STATES] = {
    [SLOT_EMPTY] = "empty",       [SLOT_STARTING] = "starting",
    [SLOT_STANDBY] = "standby",   [SLOT_SERVING] = "serving",
    [SLOT_RETIRING] = "retiring", [SLOT_DRAINING] = "draining",
    [SLOT_KILLED] = "killed",
};

static const char *const event_name[SLOT_EVENTS] = {
    [SLOT_ON_SPAWNED] = "spawned",
    [SLOT_ON_READY] = "ready",
    [SLOT_ON_GO] = "go",
    [SLOT_ON_TICK_LATE] = "tick-late",
    [SLOT_ON_RECYCLE] = "recycle",
    [SLOT_ON_STAY] = "stay",
    [SLOT_ON_DEADLINE] = "deadline",
    [SLOT_ON_EXIT] = "exit",
    [SLOT_ON_DRAIN] = "drain",
    [SLOT_ON_STOP_NOW] = "stop-now",
};

struct slot_step slot_next(enum slot_state state, enum slot_event event)
{
    CHECK((size_t)state < COUNT_OF(table) && (size_t)event < COUNT_OF(table[0]));
    return table[state][event];
}

const char *slot_state_name(enum slot_state state)
{
    CHECK((size_t)state < COUNT_OF(state_name));
    return state_name[state];
}

const char *slot_event_name(enum slot_event event)
{
    CHECK((size_t)event < COUNT_OF(event_name));
    return event_name[event];
}

bool slot_is_live(const struct slot *slot)
{
    return slot->state == SLOT_STARTING || slot->state == SLOT_STANDBY ||
           slot->state == SLOT_SERVING;
}
