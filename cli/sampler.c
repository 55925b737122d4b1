/* SPDX-License-Identifier: MIT */
/*
 * sampler - looks, counts, sleeps until the next millisecond.          [a thread]
 *
 * Owns:    struct sampler. The count is the thread's until it has been joined.
 * Called:  see sampler.h.
 * Fails:   to start, when memory or threads are short.
 *
 * An unsure look neither prolongs nor ends a run: it says nothing. A millisecond that was
 * missed is not made up for, it shows as a gap.
 */
#include "cli/sampler.h"

#include "common/clock.h"

#include <errno.h>
#include <pthread.h>
#include <signal.h>
#include <stdlib.h>
#include <time.h>

static const uint64_t ms = UINT64_C(1000000);
static const uint64_t second = UINT64_C(1000000000);

struct sampler {
    const struct watch *watch;
    pthread_t thread;
    _Atomic bool is_stopping;
    struct sampler_count count;
    struct watch_look look; /* too large for a stack that is only borrowed */
};

/* ---- counting ---- */

static void keep_most(uint32_t *most, uint64_t value)
{
    if (value > *most)
        *most = (uint32_t)value;
}

static void add_to(struct sampler_second *s, const struct watch_look *look)
{
    s->samples++;
    if (!look->is_sure) {
        s->unsure++;
        return;
    }
    s->wasteful += watch_is_wasteful(look);
    s->busy += look->load > look->waiting ? look->load - look->waiting : 0;
    keep_most(&s->most_waiting, look->waiting);
    keep_most(&s->most_queued, look->waiting + look->coming);
}

static void add_to_run(struct sampler_count *c, const struct watch_look *look,
                       uint64_t now_ns)
{
    if (!look->is_sure)
        return;
    if (!watch_is_wasteful(look)) {
        c->run = 0;
        return;
    }
    if (c->run++ == 0)
        c->run_start_ns = now_ns;
    if (c->run <= c->tally.longest_run)
        return;
    c->tally.longest_run = c->run;
    c->tally.longest_run_ns = now_ns - c->run_start_ns;
    c->tally.worst = *look;
}

static void add_gap(struct sampler_count *c, uint64_t now_ns)
{
    const uint64_t gap_ms = c->last_ns == 0 ? 0 : (now_ns - c->last_ns) / ms;

    c->tally.gaps += gap_ms > SAMPLER_GAP_MS;
    keep_most(&c->tally.longest_gap_ms, gap_ms);
    c->last_ns = now_ns;
}

void sampler_add(struct sampler_count *c, const struct watch_look *look, uint64_t now_ns)
{
    struct sampler_tally *t = &c->tally;
    size_t i;

    if (c->start_ns == 0)
        c->start_ns = now_ns;
    i = (size_t)((now_ns - c->start_ns) / second);
    if (i >= SAMPLER_SECONDS)
        i = SAMPLER_SECONDS - 1;
    if (i >= t->second_count)
        t->second_count = i + 1;
    add_gap(c, now_ns);
    add_to(&t->all, look);
    add_to(&t->second[i], look);
    add_to_run(c, look, now_ns);
}

/* ---- the thread ---- */

static void sleep_until(uint64_t at_ns)
{
    const struct timespec at = {.tv_sec = (time_t)(at_ns / second),
                                .tv_nsec = (long)(at_ns % second)};

    while (clock_nanosleep(CLOCK_MONOTONIC, TIMER_ABSTIME, &at, NULL) == EINTR)
        ;
}

static void *run(void *arg)
{
    struct sampler *s = arg;

    while (!atomic_load_explicit(&s->is_stopping, memory_order_acquire)) {
        const uint64_t now_ns = clock_mono_ns();

        watch_look(s->watch, &s->look);
        sampler_add(&s->count, &s->look, now_ns);
        sleep_until(now_ns - now_ns % ms + ms);
    }
    return NULL;
}

/* Signals are for the threads that were there before. */
static int start_thread(struct sampler *s)
{
    sigset_t all, was;

    sigfillset(&all);
    pthread_sigmask(SIG_SETMASK, &all, &was);
    const int error = pthread_create(&s->thread, NULL, run, s);
    pthread_sigmask(SIG_SETMASK, &was, NULL);
    return error;
}

struct sampler *sampler_start(const struct watch *watch)
{
    struct sampler *s = calloc(1, sizeof *s);

    if (s == NULL)
        return NULL;
    s->watch = watch;
    s->count.tally.second = calloc(SAMPLER_SECONDS, sizeof(struct sampler_second));
    errno = s->count.tally.second == NULL ? ENOMEM : start_thread(s);
    if (errno == 0)
        return s;
    sampler_tally_fini(&s->count.tally);
    free(s);
    return NULL;
}

void sampler_stop(struct sampler **sampler, struct sampler_tally *out)
{
    struct sampler *s = *sampler;

    atomic_store_explicit(&s->is_stopping, true, memory_order_release);
    pthread_join(s->thread, NULL);
    *out = s->count.tally;
    free(s);
    *sampler = NULL;
}

void sampler_tally_fini(struct sampler_tally *tally)
{
    free(tally->second);
    tally->second = NULL;
}
