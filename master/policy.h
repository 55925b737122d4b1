/* SPDX-License-Identifier: MIT */
/*
 * policy - how many workers to start or to drain, and when to ask again. Pure.
 */
#ifndef MASTER_POLICY_H
#define MASTER_POLICY_H

#include "master/slot.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum {
    POLICY_DELAY_MAX_S = 60,
    POLICY_PROBE_MS = 5000 /* a probe that nobody asks anything proves itself by living */
};

/** The crash governor of one generation. Zero: nothing has died. */
struct governor {
    unsigned failures;      /* deaths before the first served request, in a row */
    uint64_t not_before_ms; /* no start before that, monotonic */
    uint64_t probe_from_ms; /* what was started since is the probe on trial */
};

/** What there is, and what there should be. */
struct policy_view {
    uint64_t now_ms;
    uint32_t generation;
    unsigned want; /* workers of that generation */
    const struct governor *governor;
    const struct slot *slots; /* of all generations */
    size_t slot_count;
};

struct policy_verdict {
    unsigned start;   /* so many now; there are as many empty entries */
    unsigned surplus; /* so many too many: drain */
    uint64_t wake_ms; /* ask again then, monotonic; UINT64_MAX: no need */
};

void policy_decide(const struct policy_view *view, struct policy_verdict *out);

/** Whom to give up when one is too many: whoever does not serve yet before one that does, and of
 *  those the last one in the table. NULL: the generation has no live worker. */
struct slot *policy_choose_surplus(struct slot *slots, size_t count, uint32_t generation);

/** When the earliest deadline of any slot passes; UINT64_MAX: none. */
uint64_t policy_next_deadline(const struct slot *slots, size_t count);

/** Live workers of a generation, and those of them in `state`. */
unsigned policy_count_live(const struct slot *slots, size_t count, uint32_t generation);
unsigned policy_count_state(const struct slot *slots, size_t count, uint32_t generation,
                            enum slot_state state);

/** Generations before `generation` that still have a process. */
unsigned policy_count_old(const struct slot *slots, size_t count, uint32_t generation);

/** A worker died before it had served a request: the next start waits 1, 2, 4 ... 60 s.
 *  False: the delay runs already, this death says nothing new. */
bool governor_on_death(struct governor *governor, uint64_t now_ms);

enum governor_news {
    GOVERNOR_SILENT,
    GOVERNOR_NEXT,     /* one more may be tried: the probe has lived long enough */
    GOVERNOR_RECOVERED /* nothing is held back any more */
};

/** A worker serves. One that was started since the last death and has answered a request shows
 *  that the cause is gone. A probe that was asked nothing, but has lived as long as the last
 *  delay and POLICY_PROBE_MS, lets the next one start; where none is missing, that is all. */
enum governor_news governor_on_alive(struct governor *governor, const struct slot *slot,
                                     bool served, unsigned missing, uint64_t now_ms);

/** Is nothing held back any more, though no probe has shown that the cause is gone: none is
 *  missing (TTOU, an order that has failed), and none is on trial? */
bool governor_on_enough(struct governor *governor, const struct policy_view *view);

/** The delay the last death has earned, in ms; 0: none. */
uint64_t governor_delay_ms(const struct governor *governor);

#endif
