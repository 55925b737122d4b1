/* SPDX-License-Identifier: MIT */
/*
 * semaphore - a limit of concurrency by name, for one plugin section in one worker. [worker]
 *
 * First come, first served; under family.lock, so that a permit is never given to one that
 * has gone.
 */
#ifndef WORKER_SEMAPHORE_H
#define WORKER_SEMAPHORE_H

#include "include/remuda.h"

#include <stdint.h>

struct worker;

/** As remuda_semaphore, _acquire (until at_ns, monotonic) and _release. */
remuda_sem *semaphore_find(struct remuda_ctx *c, const char *name, uint32_t permits);
int semaphore_acquire(struct remuda_ctx *c, remuda_sem *s, uint64_t at_ns);
void semaphore_release(struct remuda_ctx *c, remuda_sem *s);

/** c has ended: what it holds goes back. On its thread. */
void semaphore_release_all(struct remuda_ctx *c);

void semaphore_free_all(struct worker *w);

#endif
