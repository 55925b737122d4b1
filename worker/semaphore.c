/* SPDX-License-Identifier: MIT */
/*
 * semaphore - permits, who holds them and who waits.             [worker]
 *
 * Owns:    every remuda_sem, in worker->family.semaphores, for the life of the worker.
 * Called:  by api_task.c; ctx.c when a ctx ends.
 * Fails:   a semaphore that cannot be made is `refused`: each acquire of it is -EINVAL.
 */
#include "worker/semaphore.h"

#include "common/check.h"
#include "common/clock.h"
#include "common/log.h"
#include "worker/plugin.h"
#include "worker/self.h"
#include "worker/wait.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

struct remuda_sem {
    const struct plugin *plugin;
    char *name;
    uint32_t permits;
    struct list link;
    /* under family.lock */
    uint32_t free;
    struct list waiting; /* struct applicant, oldest first */
};

/* On the stack of the one that waits. */
struct applicant {
    struct list link;
    struct remuda_ctx *ctx;
    bool has_it;
};

/* Of the ctx, on its thread alone. */
struct ctx_permit {
    struct ctx_permit *next;
    remuda_sem *sem;
    uint32_t held;
};

static remuda_sem refused;

/* ---- by name ---- */

static remuda_sem *find(struct remuda_ctx *c, const char *name)
{
    LIST_FOREACH (link, &c->worker->family.semaphores) {
        remuda_sem *s = LIST_ENTRY(link, remuda_sem, link);
        if (s->plugin == c->plugin && strcmp(s->name, name) == 0)
            return s;
    }
    return NULL;
}

static remuda_sem *make(struct remuda_ctx *c, const char *name, uint32_t permits)
{
    remuda_sem *s = calloc(1, sizeof *s);
    char *copy = strdup(name);
    if (s == NULL || copy == NULL) {
        free(s);
        free(copy);
        return NULL;
    }
    *s = (remuda_sem){
        .plugin = c->plugin, .name = copy, .permits = permits, .free = permits};
    list_init(&s->waiting);
    list_append(&c->worker->family.semaphores, &s->link);
    return s;
}

remuda_sem *semaphore_find(struct remuda_ctx *c, const char *name, uint32_t permits)
{
    struct family *f = &c->worker->family;
    if (name == NULL || permits == 0 || c->worker->is_check) {
        log_error("%s: a semaphore has a name, at least one permit, and a worker",
                  c->plugin->name);
        return &refused;
    }
    family_lock(f);
    remuda_sem *s = find(c, name);
    if (s == NULL)
        s = make(c, name, permits);
    family_unlock(f);
    if (s == NULL) {
        log_error("%s: no memory for semaphore %s", c->plugin->name, name);
        return &refused;
    }
    if (s->permits != permits)
        log_warn("%s: semaphore %s has %u permits; %u are ignored", c->plugin->name, name,
                 s->permits, permits);
    return s;
}

void semaphore_free_all(struct worker *w)
{
    struct list *link;
    while ((link = list_first(&w->family.semaphores)) != NULL) {
        remuda_sem *s = LIST_ENTRY(link, remuda_sem, link);
        CHECK(list_is_empty(&s->waiting));
        list_remove(link);
        free(s->name);
        free(s);
    }
}

/* ---- taking ---- */

static struct ctx_permit *permit_of(struct remuda_ctx *c, remuda_sem *s)
{
    for (struct ctx_permit *p = c->permits; p != NULL; p = p->next) {
        if (p->sem == s)
            return p;
    }
    struct ctx_permit *p = ctx_keep(c, sizeof *p);
    *p = (struct ctx_permit){.next = c->permits, .sem = s};
    c->permits = p;
    return p;
}

/* True: it has a permit. Else it waits in the queue. */
static bool apply(struct family *f, remuda_sem *s, struct applicant *a)
{
    family_lock(f);
    a->has_it = s->free > 0 && list_is_empty(&s->waiting);
    if (a->has_it)
        s->free--;
    else
        list_append(&s->waiting, &a->link);
    bool has_it = a->has_it;
    family_unlock(f);
    return has_it;
}

static bool has_it(struct family *f, const struct applicant *a)
{
    family_lock(f);
    bool it_has = a->has_it;
    family_unlock(f);
    return it_has;
}

/* It waits no more; true: it was given a permit in the last moment. */
static bool withdraw(struct family *f, struct applicant *a)
{
    family_lock(f);
    bool it_has = a->has_it;
    list_remove(&a->link);
    family_unlock(f);
    return it_has;
}

/* 0, or why it has to stop. */
static int wait_for(struct remuda_ctx *c, struct applicant *a, uint64_t at_ns)
{
    struct waiter *waiter = atomic_load(&c->waiter);
    while (!has_it(&c->worker->family, a)) {
        int error = ctx_cancelled(c);
        if (error == 0 && clock_mono_ns() >= at_ns)
            error = -ETIMEDOUT;
        if (error != 0)
            return withdraw(&c->worker->family, a) ? 0 : error;
        (void)waiter_wait(waiter, -1, 0, ctx_until_ns(c, at_ns));
    }
    return 0;
}

int semaphore_acquire(struct remuda_ctx *c, remuda_sem *s, uint64_t at_ns)
{
    struct waiter *waiter = waiter_of(c);
    if (waiter == NULL)
        return -EDEADLK;
    if (s == NULL || s == &refused)
        return -EINVAL;
    int error = ctx_cancelled(c);
    if (error != 0)
        return error;
    struct ctx_permit *permit = permit_of(c, s);
    struct applicant a = {.ctx = c};
    list_init(&a.link);
    c->is_shared = true;
    waiter_prepare(waiter);
    if (!apply(&c->worker->family, s, &a))
        error = wait_for(c, &a, at_ns);
    if (error == 0)
        permit->held++;
    return error;
}

/* ---- giving back ---- */

static void give_back(struct family *f, remuda_sem *s)
{
    family_lock(f);
    struct list *link = list_first(&s->waiting);
    if (link != NULL) {
        struct applicant *next = LIST_ENTRY(link, struct applicant, link);
        list_remove(link);
        next->has_it = true;
        family_wake(next->ctx);
    } else {
        s->free++;
        CHECK(s->free <= s->permits);
    }
    family_unlock(f);
}

void semaphore_release(struct remuda_ctx *c, remuda_sem *s)
{
    for (struct ctx_permit *p = c->permits; p != NULL; p = p->next) {
        if (p->sem != s || p->held == 0)
            continue;
        p->held--;
        give_back(&c->worker->family, s);
        return;
    }
    log_error("%s: remuda_release of a permit that is not held; ignored",
              c->plugin->name);
}

void semaphore_release_all(struct remuda_ctx *c)
{
    for (struct ctx_permit *p = c->permits; p != NULL; p = p->next) {
        for (; p->held > 0; p->held--)
            give_back(&c->worker->family, p->sem);
    }
    c->permits = NULL;
}
