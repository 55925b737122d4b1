/* SPDX-License-Identifier: MIT */
/*
 * options - what the witness is told on its command line.                 [test tool]
 *
 *   witness -a ADDRESS -n COUNT -r RATE [-s SEED] [-t TIMEOUT_MS] [-k KEPT] [-i IDLE]
 *           [-o TABLE] [-m NAME=SHARE]... [-x PATH] [-S]
 *
 * -k, -i  kept connections that are asked all the time, and now and then
 * -o      a file for a line about each request
 * -m      a share of the requests in millionths: wait5, wait100, stream, echo, idle, close,
 *         split, pair, extra; or stream_pieces, stream_pause_ms
 * -x      the path of the extra ones
 * -S      SYNC handlers alone
 *
 * Fails:   false for what it does not know.
 */
#ifndef WITNESS_OPTIONS_H
#define WITNESS_OPTIONS_H

#include "common/addr.h"
#include "tests/chaos/witness/plan.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct options {
    struct addr address;
    struct plan_mix mix;
    uint64_t count, seed, timeout_ms;
    size_t kept, idle;
    double rate; /* per second */
    const char *table;
};

bool options_parse(struct options *out, int argc, char **argv);

#endif
