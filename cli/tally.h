/* SPDX-License-Identifier: MIT */
/*
 * tally - what happened to each request, as numbers.                     [clients]
 *
 * Owns:    the lists of the result (until load_result_fini).
 * Called:  by load.c, with the time of each event; it never looks at a clock.
 * Fails:   tally_begin, when memory is short.
 */
#ifndef CLI_TALLY_H
#define CLI_TALLY_H

#include "cli/client_http.h"
#include "cli/load.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct tally {
    const struct load_plan *plan;
    struct load_result *result;
    uint64_t start_ns, warm_ns, end_ns; /* the window is warm_ns to end_ns */
    uint64_t first_ns, last_ns;         /* completions in the window */
    uint64_t *last_answer_ns;           /* of each client */
    size_t told;                        /* seconds that were reported */
};

/** Clears *result. False: out of memory. Always end with tally_fini. */
bool tally_init(struct tally *t, const struct load_plan *plan,
                struct load_result *result);
void tally_fini(struct tally *t);

/** The first request may be sent now. */
void tally_begin(struct tally *t, uint64_t now_ns);

/** Sending ends earlier than planned. */
void tally_cut(struct tally *t, uint64_t now_ns);

void tally_sent(struct tally *t, uint64_t due_ns, uint64_t now_ns);
void tally_response(struct tally *t, size_t client, const struct client_http *response,
                    uint64_t due_ns, uint64_t now_ns);
void tally_failure(struct tally *t, enum load_failure kind, uint64_t due_ns,
                   uint64_t now_ns);

/** Reports the seconds that are over. */
void tally_tick(struct tally *t, uint64_t now_ns);

/** When the next one will be. */
uint64_t tally_next_tick(const struct tally *t);

/** Rate, silences, fairness. */
void tally_end(struct tally *t);

#endif
