/* SPDX-License-Identifier: MIT */
/*
 * pool - the fixed pool of threads of a worker: jobs in, in order, one thread each.
 *
 * Threads are made when they are first needed and stay; a worker that never submits has
 * none. How a job tells the loop that it has ended is the job's business (worker/done.h).
 */
#ifndef WORKER_POOL_H
#define WORKER_POOL_H

#include "common/list.h"

#include <stdbool.h>
#include <stddef.h>

struct pool;

/** Inside what has to be done; zero it, set `run`. The pool does not touch it any more
 *  once run() has been called: run() may give it away or submit it again. */
struct pool_job {
    void (*run)(struct pool_job *job, unsigned thread_index);
    /* the pool's */
    struct list link;
    bool is_queued; /* accepted and not begun */
};

/** At most `threads` of them, with stacks of 1 MiB. NULL with errno. */
struct pool *pool_create(unsigned threads);

/** pool_stop, if that was not done, and frees. */
void pool_destroy(struct pool **pool);

/** Refuses new jobs; returns when all accepted ones have been run and all threads are
 *  gone. */
void pool_stop(struct pool *pool);

/** For threads not made yet. */
void pool_set_stack(struct pool *pool, size_t bytes);

/** Any thread. 0: the job will run once. -1 with errno, and it will not: ECANCELED after
 *  pool_stop, or what pthread_create said when there is no thread at all. */
int pool_submit(struct pool *pool, struct pool_job *job);

/** Any thread. True: it had not begun, and will not. False: it is running or has ended.
 */
bool pool_cancel(struct pool *pool, struct pool_job *job);

/** Any thread. Sends the realtime signal, with the job as its value, to the thread that runs
 *  that job; false: none does. */
bool pool_signal(struct pool *pool, struct pool_job *job, int number);

/** The job that the calling thread runs; NULL: none. Async-signal-safe. */
const struct pool_job *pool_job_here(void);

/** Threads that exist now. */
unsigned pool_thread_count(struct pool *pool);

/** Those of them that run no job. */
unsigned pool_free_count(struct pool *pool);

#endif
