/* SPDX-License-Identifier: MIT */
/*
 * sampler - a thread that looks at a server each millisecond, and what it saw.
 *
 * Owns:    its thread, from sampler_start to sampler_stop.
 * Called:  by experiments and benchmarks, beside a load.
 * Fails:   sampler_start, with errno.
 */
#ifndef CLI_SAMPLER_H
#define CLI_SAMPLER_H

#include "cli/watch.h"

enum {
    SAMPLER_SECONDS = 3600, /* what comes later counts in the last one */
    SAMPLER_GAP_MS = 5      /* between two samples: longer, and it counts as a gap */
};

/* One second, counted from the start. Unsure looks count in `unsure` and nowhere else. */
struct sampler_second {
    uint32_t samples, unsure;
    uint32_t wasteful;     /* a request waited while a slot was free */
    uint32_t most_waiting; /* the sum over all workers */
    uint32_t most_queued;  /* the same with those on their way */
    uint64_t busy;         /* sum over the samples of load - waiting */
};

struct sampler_tally {
    struct sampler_second all;
    uint32_t longest_run; /* of wasteful samples, one after the other */
    uint64_t longest_run_ns;
    struct watch_look worst; /* the last look of that run */
    /* the sampler's own: it is a thread among others, and the kernel lets it wait */
    uint32_t gaps, longest_gap_ms;
    struct sampler_second *second; /* ended by sampler_tally_fini */
    size_t second_count;
};

struct sampler;

/** Looks from now on. `watch` must stay open until sampler_stop. NULL with errno. */
struct sampler *sampler_start(const struct watch *watch);

/** Ends the thread; *sampler is NULL then. What it saw goes to *out. */
void sampler_stop(struct sampler **sampler, struct sampler_tally *out);

void sampler_tally_fini(struct sampler_tally *tally);

/** Counts one look that was taken at now_ns; the thread's own step, apart for tests.
 *  `second` must hold SAMPLER_SECONDS. */
struct sampler_count {
    struct sampler_tally tally;
    uint64_t start_ns, last_ns; /* 0: none yet */
    uint64_t run_start_ns;
    uint32_t run;
};
void sampler_add(struct sampler_count *count, const struct watch_look *look,
                 uint64_t now_ns);

#endif
