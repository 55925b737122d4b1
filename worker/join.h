/* SPDX-License-Identifier: MIT */
/*
 * join - remuda_wait: until tasks have ended.                    [worker]
 *
 * A join stands on the stack of the one that waits; a task that ends counts itself off under
 * family.lock. So nobody looks through all tasks each time one ends.
 */
#ifndef WORKER_JOIN_H
#define WORKER_JOIN_H

#include "include/remuda.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct task;

struct join {
    struct remuda_ctx *ctx;
    int how; /* REMUDA_ALL, REMUDA_ANY */
    /* under family.lock */
    unsigned remaining; /* tasks that have not ended */
    bool is_settled;    /* all have ended; one with an error; ANY: one */
    uint64_t settled_ns;
    int error;
    struct remuda_task *first;
    struct task *running; /* in our wait, on our thread */
};

/** As remuda_wait. */
int join_wait(struct remuda_ctx *c, remuda_task *const *t, size_t n, int how,
              uint64_t at_ns);

/** Under family.lock: this one has ended with rc, at now_ns. */
void join_note_end(struct remuda_task *task, int rc, uint64_t now_ns);

#endif
