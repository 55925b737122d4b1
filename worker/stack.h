/* SPDX-License-Identifier: MIT */
/*
 * stack - shows where a thread stands: the loop's when the master asks, one of the pool when
 * its request is over its time.                                  [worker]
 */
#ifndef WORKER_STACK_H
#define WORKER_STACK_H

struct pool_job;
struct route;
struct worker;

/** Answers WORKER_SIGNAL_STACK from now on, until the process ends. On the loop thread, after
 *  fault_start has given it a signal stack. */
void stack_start(struct worker *w);

/** Where the thread stands that runs this job of the pool, for that route: by its own lines,
 *  soon. Nothing if none does. Loop thread, after stack_start; before it nothing happens. */
void stack_show(struct pool_job *job, const struct route *route);

#endif
