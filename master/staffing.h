/* SPDX-License-Identifier: MIT */
/*
 * staffing - one worker more, one less, or another in the place of one, by order of the
 * operator. One order runs at a time, and none beside a reload.
 */
#ifndef MASTER_STAFFING_H
#define MASTER_STAFFING_H

#include "common/control.h"
#include "master/fault.h"
#include "master/slot.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct master;

struct staffing {
    enum control_verb verb; /* CONTROL_NOTHING: no order runs */
    uint64_t peer;          /* who gave it, by the number of control_peer */
    uint32_t generation;    /* that was running then */
    uint64_t begun_ms;      /* this step of it: what starts from then on is its */
    unsigned index;         /* who leaves: its entry and its pid */
    pid_t pid;
    bool has_failed; /* `why` says it; all is as before */
    char why[512];
    pid_t rest[BOARD_WORKERS]; /* of a recycling of all: who is still to go, by entry */
    unsigned done;             /* so many have gone */
};

/** What it looks at. */
struct staffing_view {
    uint32_t generation; /* that runs now */
    const struct slot *slots;
    size_t slot_count;
};

enum staffing_state {
    STAFFING_WAITS,
    STAFFING_DONE,     /* this step: the new one serves, the old one has left */
    STAFFING_FAILED,   /* nothing has changed */
    STAFFING_OVERTAKEN /* a reload came between: all workers are new */
};

/** Pure: how far it has come. */
enum staffing_state staffing_judge(const struct staffing *staffing,
                                   const struct staffing_view *view);

/** Pure: whom an order is about. `worker`: an index, or CONTROL_ANY_WORKER for the last one.
 *  NULL: that one does not serve in this generation. */
const struct slot *staffing_choose(const struct staffing_view *view, int worker);

/** CONTROL_WORKER_ADD, _REMOVE, _RECYCLE (of CONTROL_ANY_WORKER: all, one after the other).
 *  0: it runs; else an exit status and *fault, and nothing has changed. */
int staffing_begin(struct master *master, const struct control_message *ask,
                   uint64_t peer, struct fault *fault);

/** Once per turn. True: it has ended; *fault has 0 or an exit status, and what to say. */
bool staffing_turn(struct master *master, struct fault *fault);

/** A worker says why it cannot start. */
void staffing_on_refusal(struct master *master, const struct slot *slot, const char *why);

/** A worker could not even be forked. True: it was the one that was ordered, and all is as
 *  before. */
bool staffing_on_no_start(struct master *master, const char *why);

/** A worker died, or did not boot in time, before it served. True: it was the one that was
 *  ordered, and all is as before. */
bool staffing_on_death(struct master *master, const struct slot *slot);

#endif
