/* SPDX-License-Identifier: MIT */
/*
 * pool - one mutex, one condition, one queue.                [worker]
 *
 * Owns:    struct pool and its threads; never a job.
 * Called:  by engine.c on the loop.
 * Fails:   when not even one thread can be made. If some can be, jobs wait for those.
 * Cost:    a submit is one lock, and a wake-up only if a thread is free; a thread
 *          whose job has ended takes the next one without sleeping in between.
 */
#include "worker/pool.h"

#include "common/check.h"
#include "common/log.h"
#include "worker/signal_stack.h"
#include "worker/worker.h"

#include <errno.h>
#include <pthread.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { POOL_STACK = 1 << 20, POOL_MAGIC = 0x706f6f6c };

struct pool_thread {
    struct pool *pool;
    unsigned index;
    pthread_t id;
    struct pool_job *_Atomic job; /* that it runs; written under the lock */
};

struct pool {
    unsigned magic;
    unsigned limit;
    pthread_mutex_t lock;
    pthread_cond_t work;
    /* all below: under the lock */
    size_t stack_bytes;
    struct list queue; /* pool_job.link, oldest first */
    unsigned queued;
    unsigned count; /* of threads; only grows until pool_stop */
    unsigned free;  /* of these: asleep, or on their way to the queue */
    bool is_stopping;
    bool is_short; /* said that a thread could not be made */
    struct pool_thread thread[];
};

static _Thread_local struct pool_thread *own_thread; /* NULL: none of a pool */

static void lock(struct pool *p)
{
    CHECK_OBJ(p, POOL_MAGIC);
    CHECK(pthread_mutex_lock(&p->lock) == 0);
}

static void unlock(struct pool *p)
{
    CHECK(p->free <= p->count && p->count <= p->limit);
    CHECK((p->queued == 0) == list_is_empty(&p->queue));
    CHECK(pthread_mutex_unlock(&p->lock) == 0);
}

static void take_off(struct pool *p, struct pool_job *job)
{
    list_remove(&job->link);
    job->is_queued = false;
    p->queued--;
}

/* ---- a thread ---- */

/* Under the lock: waits for a job; NULL when there is none and will be none. */
static struct pool_job *next_job(struct pool *p)
{
    while (list_is_empty(&p->queue) && !p->is_stopping)
        CHECK(pthread_cond_wait(&p->work, &p->lock) == 0);
    struct list *first = list_first(&p->queue);
    if (first == NULL)
        return NULL;
    struct pool_job *job = LIST_ENTRY(first, struct pool_job, link);
    take_off(p, job);
    return job;
}

static void *thread_main(void *arg)
{
    struct pool_thread *self = arg;
    struct pool *p = self->pool;
    struct pool_job *job;
    char name[16];
    void *signal_stack;

    own_thread = self;
    snprintf(name, sizeof(name), "remuda/%u", self->index);
    pthread_setname_np(pthread_self(), name);
    (void)signal_stack_give(&signal_stack); /* without memory it is without one */
    lock(p);
    while ((job = next_job(p)) != NULL) {
        p->free--;
        atomic_store_explicit(&self->job, job, memory_order_relaxed);
        unlock(p);
        job->run(job, self->index); /* and from here on it is not ours */
        lock(p);
        atomic_store_explicit(&self->job, NULL, memory_order_relaxed);
        p->free++;
    }
    unlock(p);
    signal_stack_take(&signal_stack);
    return NULL;
}

/* Signals are the loop's; but those that a fault raises must reach their handler, or the
 * kernel kills the process without a word (signal(7)), and one of ours is meant for a thread. */
static void block_signals(sigset_t *before_out)
{
    static const int faults[] = {SIGSEGV, SIGBUS,  SIGFPE, SIGILL,
                                 SIGABRT, SIGTRAP, SIGSYS};
    sigset_t all;

    sigfillset(&all);
    for (size_t i = 0; i < COUNT_OF(faults); i++)
        sigdelset(&all, faults[i]);
    sigdelset(&all, WORKER_SIGNAL_STACK);
    pthread_sigmask(SIG_SETMASK, &all, before_out);
}

static int start_thread(struct pool *p, struct pool_thread *t)
{
    pthread_attr_t attr;
    sigset_t before;

    int error = pthread_attr_init(&attr);
    if (error != 0)
        return error;
    error = pthread_attr_setstacksize(&attr, p->stack_bytes);
    if (error == 0) {
        block_signals(&before); /* inherited, so that there is no moment without */
        error = pthread_create(&t->id, &attr, thread_main, t);
        pthread_sigmask(SIG_SETMASK, &before, NULL);
    }
    pthread_attr_destroy(&attr);
    return error;
}

/* Under the lock, where the new thread waits until we are through. */
static int add_thread(struct pool *p)
{
    struct pool_thread *t = &p->thread[p->count];

    t->pool = p;
    t->index = p->count;
    int error = start_thread(p, t);
    if (error == 0) {
        p->count++;
        p->free++;
        p->is_short = false;
    } else if (!p->is_short) {
        log_warn("thread %u of %u cannot be made: %s", p->count + 1, p->limit,
                 strerrordesc_np(error));
        p->is_short = true;
    }
    return error;
}

/* ---- jobs ---- */

/* Under the lock: who runs the newest job? A free thread, to be woken; a new one; or,
 * at the limit, whoever is ready first. Without any thread it is an error. */
static int find_thread(struct pool *p, bool *wake_out)
{
    *wake_out = p->queued <= p->free;
    if (*wake_out || p->count == p->limit)
        return 0;
    int error = add_thread(p);
    return p->count > 0 ? 0 : error;
}

int pool_submit(struct pool *p, struct pool_job *job)
{
    int error = ECANCELED;
    bool wake = false;

    lock(p);
    CHECK(!job->is_queued);
    if (!p->is_stopping) {
        list_append(&p->queue, &job->link);
        job->is_queued = true;
        p->queued++;
        error = find_thread(p, &wake);
        if (error != 0)
            take_off(p, job);
    }
    unlock(p);
    if (wake) /* not under the lock: the thread would wake only to wait for it */
        pthread_cond_signal(&p->work);
    if (error == 0)
        return 0;
    errno = error;
    return -1;
}

bool pool_cancel(struct pool *p, struct pool_job *job)
{
    lock(p);
    bool was_queued = job->is_queued;
    if (was_queued)
        take_off(p, job);
    unlock(p);
    return was_queued;
}

/* ---- who runs it ---- */

/* Under the lock no thread goes on to another job. */
bool pool_signal(struct pool *p, struct pool_job *job, int number)
{
    union sigval value = {.sival_ptr = job};
    bool is_sent = false;

    lock(p);
    for (unsigned i = 0; i < p->count && !is_sent; i++)
        is_sent = atomic_load_explicit(&p->thread[i].job, memory_order_relaxed) == job &&
                  pthread_sigqueue(p->thread[i].id, number, value) == 0;
    unlock(p);
    return is_sent;
}

const struct pool_job *pool_job_here(void)
{
    const struct pool_thread *self = own_thread;

    return self == NULL ? NULL : atomic_load_explicit(&self->job, memory_order_relaxed);
}

/* ---- the pool ---- */

struct pool *pool_create(unsigned threads)
{
    CHECK(threads > 0);
    struct pool *p = calloc(1, sizeof(*p) + threads * sizeof(p->thread[0]));

    if (p == NULL)
        return NULL;
    p->magic = POOL_MAGIC;
    p->limit = threads;
    p->stack_bytes = POOL_STACK;
    list_init(&p->queue);
    CHECK(pthread_mutex_init(&p->lock, NULL) == 0);
    CHECK(pthread_cond_init(&p->work, NULL) == 0);
    return p;
}

void pool_set_stack(struct pool *p, size_t bytes)
{
    lock(p);
    p->stack_bytes = bytes;
    unlock(p);
}

unsigned pool_thread_count(struct pool *p)
{
    lock(p);
    unsigned count = p->count;
    unlock(p);
    return count;
}

unsigned pool_free_count(struct pool *p)
{
    lock(p);
    unsigned count = p->free;
    unlock(p);
    return count;
}

void pool_stop(struct pool *p)
{
    lock(p);
    p->is_stopping = true;
    pthread_cond_broadcast(&p->work);
    unlock(p);
    for (unsigned i = 0; i < p->count; i++) /* nobody adds one any more */
        CHECK(pthread_join(p->thread[i].id, NULL) == 0);
    p->count = p->free = 0;
    CHECK(list_is_empty(&p->queue));
}

void pool_destroy(struct pool **pool)
{
    struct pool *p = *pool;

    *pool = NULL;
    if (p == NULL)
        return;
    pool_stop(p);
    p->magic = 0;
    pthread_cond_destroy(&p->work);
    pthread_mutex_destroy(&p->lock);
    free(p);
}
