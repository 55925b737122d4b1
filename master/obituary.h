/* SPDX-License-Identifier: MIT */
/*
 * obituary - what the log says of a worker that has ended.
 */
#ifndef MASTER_OBITUARY_H
#define MASTER_OBITUARY_H

#include "master/master.h"

#include <stddef.h>

/** What is known when it has died. */
struct death {
    int wait_status;
    bool is_expected;           /* it has drained, and leaves */
    bool is_memory;             /* the kernel's OOM killer */
    bool is_memory_known;       /* or it would be known */
    const char *doom;           /* why we signalled it; NULL: we did not */
    uint64_t age_ms, rss_bytes; /* rss as of its last second; 0: not known */
    uint64_t requests;          /* begun in its life */
    unsigned lost;              /* of them, that have no answer and no line in the log */
    unsigned unrecorded;        /* and beyond them, of which nothing is known */
};

/** "died: signal 9 (KILL), sent by somebody else, after 12.3 s, 45 requests, 2 of them lost, rss
 *  6.5 MiB". Pure. */
void obituary_format(const struct death *death, char *out, size_t size);

/** Writes it, with the requests that were lost, as far as the storm permits. */
void obituary_write(struct master *master, const struct slot *slot,
                    const struct death *death);

/** Once a second: says what a storm has kept back; gives crashing workers their backtraces
 *  again. */
void obituary_each_second(struct master *master, uint64_t now_ms);

#endif
