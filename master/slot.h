/* SPDX-License-Identifier: MIT */
/*
 * slot - the life of one worker process, as a table of state x event.
 */
#ifndef MASTER_SLOT_H
#define MASTER_SLOT_H

#include "common/scoreboard.h"
#include "master/channel.h"
#include "master/lag.h"

#include <stdbool.h>
#include <stdint.h>
#include <sys/types.h>

/** The scoreboard shows the same numbers. */
enum slot_state {
    SLOT_EMPTY = BOARD_EMPTY,       /* no process */
    SLOT_STARTING = BOARD_STARTING, /* forked, loading its plugins */
    SLOT_STANDBY = BOARD_STANDBY,   /* booted, waits for GO, accepts nothing */
    SLOT_SERVING = BOARD_SERVING,   /* accepts */
    SLOT_RETIRING = BOARD_RETIRING, /* still serves; leaves when its successor serves */
    SLOT_DRAINING = BOARD_DRAINING, /* accepts nothing more, ends what it has */
    SLOT_KILLED = BOARD_KILLED,     /* signalled by us, not reaped yet */
    SLOT_STATES
};

enum slot_event {
    SLOT_ON_SPAWNED,   /* fork succeeded */
    SLOT_ON_READY,     /* it says so, over its channel */
    SLOT_ON_GO,        /* the change it belongs to is committed */
    SLOT_ON_TICK_LATE, /* its loop has not turned for heartbeat_timeout */
    SLOT_ON_RECYCLE,   /* it is to leave, as soon as a successor serves */
    SLOT_ON_STAY,      /* that will not come: all is as before */
    SLOT_ON_DEADLINE,  /* the deadline of its state has passed */
    SLOT_ON_EXIT,      /* reaped */
    SLOT_ON_DRAIN,     /* it is not wanted any more */
    SLOT_ON_STOP_NOW,  /* it must go at once */
    SLOT_EVENTS
};

/** What the master does on the way to the next state. 0 is what a forgotten cell would
 *  say, so a gap in the table reads as a bug. */
enum slot_action {
    SLOT_DO_BUG, /* cannot happen: log it, stay */
    SLOT_DO_NOTHING,
    SLOT_DO_AWAIT_READY, /* boot_timeout runs from here */
    SLOT_DO_STAND_BY,
    SLOT_DO_GO,         /* tell it to accept */
    SLOT_DO_RETIRE,     /* order a successor; heartbeat_timeout runs once more */
    SLOT_DO_DRAIN,      /* tell it to drain; graceful_timeout runs */
    SLOT_DO_KILL,       /* SIGKILL */
    SLOT_DO_ABORT,      /* SIGABRT for a core, SIGKILL at the next deadline */
    SLOT_DO_KILL_AGAIN, /* still not reaped: say so, SIGKILL once more */
    SLOT_DO_FREE,       /* the entry is free; policy.c sees what is missing */
    SLOT_DO_FREE_DEAD   /* the same, and the crash governor hears of it */
};

struct slot_step {
    enum slot_state next;
    enum slot_action action;
};

/** That it is to be recycled. */
struct slot_wish {
    uint64_t since_ms; /* monotonic; 0: nobody wishes it */
    char why[96];
};

/** Milliseconds, from the config of its generation; kept here because the config may be
 *  gone before the worker is. 0: no limit. */
struct slot_limits {
    uint64_t boot, heartbeat, graceful, loop_block;
};

/** One entry of the master's table; `index` is also its entry in the scoreboard. */
struct slot {
    unsigned index;
    enum slot_state state;
    pid_t pid;
    uint32_t generation;
    uint64_t started_ms, serving_ms; /* monotonic; serving 0: never got GO */
    uint64_t deadline_ms;            /* of the present state; 0: none */
    struct slot_limits limits;
    const char *doom;   /* why we signalled it; NULL: we did not */
    char doom_text[96]; /* the same, where it had to outlive an upgrade */
    bool served;        /* answered at least one request; set at its death */
    int wait_status;    /* of waitpid(2); set at its death */
    bool said_bye;      /* drained, by our order or by a SIGTERM to it */
    bool lost;          /* EOF on its channel; an exit must follow */
    int written_fd;     /* written.h, of its loop; 0 or less: none */
    struct slot_wish recycle;
    struct lag_seen lag;
    struct channel channel;
};

/** Pure. Out of range is a bug of the caller. */
struct slot_step slot_next(enum slot_state state, enum slot_event event);

const char *slot_state_name(enum slot_state state);
const char *slot_event_name(enum slot_event event);

/** STARTING, STANDBY or SERVING: counts towards the wanted number. */
bool slot_is_live(const struct slot *slot);

#endif
