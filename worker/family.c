/* SPDX-License-Identifier: MIT */
/*
 * family - the tree of ctxs under one lock, and the way to the loop.  [worker]
 *
 * Owns:    the lock, the two lists to the loop and their ev_async.
 * Called:  by ctx.c, task.c, join.c, semaphore.c, from every thread that runs a ctx.
 * Fails:   never.
 *
 * A ctx is on a list of ours only while it lives: it leaves them, under the lock, before its
 * memory goes. So whoever finds it there under the lock may touch it.
 */
#include "worker/family.h"

#include "common/check.h"
#include "worker/self.h"
#include "worker/semaphore.h"
#include "worker/task.h"
#include "worker/wait.h"

#include <errno.h>

void family_lock(struct family *f)
{
    CHECK(pthread_mutex_lock(&f->lock) == 0);
}

void family_unlock(struct family *f)
{
    CHECK(pthread_mutex_unlock(&f->lock) == 0);
}

/* ---- on the loop ---- */

static void wake_coroutines(struct family *f)
{
    struct list *link;
    family_lock(f);
    while ((link = list_first(&f->wakes)) != NULL) {
        list_remove(link);
        struct remuda_ctx *c = LIST_ENTRY(link, struct remuda_ctx, wake_link);
        struct waiter *waiter = atomic_load(&c->waiter);
        if (waiter != NULL)
            waiter_wake(waiter); /* it runs on after this, in a turn of its own */
    }
    family_unlock(f);
}

/* Those that are there now; what they spawn has its turn after the sockets have had theirs. */
static void look_at_posted(struct family *f)
{
    struct list batch, *link;
    list_init(&batch);
    family_lock(f);
    while ((link = list_first(&f->posted)) != NULL) {
        list_remove(link);
        list_append(&batch, link);
    }
    while ((link = list_first(&batch)) != NULL) {
        struct task *task = LIST_ENTRY(link, struct task, post_link);
        list_remove(link);
        task_note_seen(task);
        family_unlock(f);
        task_on_posted(task);
        family_lock(f);
    }
    family_unlock(f);
}

static void on_news(struct ev_loop *loop, ev_async *news, int events)
{
    (void)loop;
    (void)events;
    wake_coroutines(news->data);
    look_at_posted(news->data);
}

void family_forget(struct remuda_ctx *c)
{
    struct family *f = &c->worker->family;
    ON_LOOP(c->worker);
    family_lock(f);
    list_remove(&c->wake_link);
    family_unlock(f);
}

/* ---- anywhere ---- */

void family_wake(struct remuda_ctx *c)
{
    struct family *f = &c->worker->family;
    struct waiter *waiter = atomic_load(&c->waiter);
    if (waiter == NULL)
        return; /* it has not begun, or has ended: it looks before it waits */
    if (c->place == CTX_ON_POOL || is_on_loop(c->worker)) {
        waiter_wake(waiter);
        return;
    }
    if (!list_is_empty(&c->wake_link))
        return;
    list_append(&f->wakes, &c->wake_link);
    ev_async_send(c->worker->loop, &f->news);
}

void family_cancel(struct remuda_ctx *c, int error)
{
    int before = 0;
    while (!atomic_compare_exchange_strong(&c->cancelled, &before, error)) {
        if (before != -ESHUTDOWN || error == -ESHUTDOWN)
            return; /* and so were those below */
    }
    family_wake(c);
    LIST_FOREACH (link, &c->children)
        family_cancel(LIST_ENTRY(link, struct remuda_ctx, sibling), error);
}

void family_lower_ns(_Atomic uint64_t *at_ns, uint64_t to_ns)
{
    uint64_t before = atomic_load(at_ns);
    while (to_ns != 0 && (before == 0 || to_ns < before)) {
        if (atomic_compare_exchange_weak(at_ns, &before, to_ns))
            return;
    }
}

void family_shorten(struct remuda_ctx *c)
{
    LIST_FOREACH (link, &c->children) {
        struct remuda_ctx *child = LIST_ENTRY(link, struct remuda_ctx, sibling);
        family_lower_ns(&child->deadline_ns, c->deadline_ns);
        family_wake(child);
        family_shorten(child);
    }
}

void family_cut(struct remuda_ctx *c, uint64_t at_ns)
{
    family_lower_ns(&c->cutoff_ns, at_ns);
    family_wake(c);
    LIST_FOREACH (link, &c->children)
        family_cut(LIST_ENTRY(link, struct remuda_ctx, sibling), at_ns);
}

void family_post(struct task *task)
{
    struct family *f = &task->ctx.worker->family;
    if (!list_is_empty(&task->post_link))
        return;
    list_append(&f->posted, &task->post_link);
    ev_async_send(task->ctx.worker->loop, &f->news);
}

/* ---- birth and death ---- */

void family_init(struct worker *w)
{
    struct family *f = &w->family;
    *f = (struct family){.worker = w};
    list_init(&f->posted);
    list_init(&f->wakes);
    list_init(&f->semaphores);
    CHECK(pthread_mutex_init(&f->lock, NULL) == 0);
    ev_async_init(&f->news, on_news);
    f->news.data = f;
    ev_async_start(w->loop, &f->news);
}

void family_fini(struct worker *w)
{
    struct family *f = &w->family;
    look_at_posted(
        f); /* slots that were lent, given back after the last turn of the loop */
    CHECK(list_is_empty(&f->posted) && list_is_empty(&f->wakes));
    ev_async_stop(w->loop, &f->news);
    semaphore_free_all(w);
    CHECK(pthread_mutex_destroy(&f->lock) == 0);
}
