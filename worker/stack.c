/* SPDX-License-Identifier: MIT */
/*
 * stack - the handler of WORKER_SIGNAL_STACK: the frames of a thread, to the error log.
 *                                                                [worker, any thread]
 * Owns:    the action of that signal.
 * Called:  by worker.c at boot; the handler on the loop thread when the master has found the
 *          loop blocked, on a thread of the pool when overtime.c asks.
 * Rule:    only async-signal-safe calls in the handler.
 * Fails:   silently; what the log says already stands without it.
 *
 * The frames are those of a coroutine if one is blocked: the unwinder goes through the signal
 * frame, and the coroutine's own stack needs no room for the handler.
 */
#include "worker/stack.h"

#include "common/check.h"
#include "common/log.h"
#include "common/running.h"
#include "worker/access_log.h"
#include "worker/frame.h"
#include "worker/plugin.h"
#include "worker/pool.h"
#include "worker/self.h"
#include "worker/worker.h"

#include <errno.h>
#include <signal.h>
#include <stdatomic.h>
#include <unistd.h>

static struct {
    struct worker *worker;
    const struct route *_Atomic of_thread; /* what the thread that was asked last runs */
} stack;

static void write_what_runs(const char *who, const struct route *route)
{
    const char *const texts[] = {"stack: ",
                                 route != NULL ? who : "no handler",
                                 " runs",
                                 route != NULL ? " " : "",
                                 route != NULL ? route->label : "",
                                 route != NULL ? " of plugin " : "",
                                 route != NULL ? route->plugin->name : ""};
    log_texts(LOG_LEVEL_WARN, texts, COUNT_OF(texts));
}

/* ---- the handler ---- */

/* The master says which piece it means: another may run by now, or the loop may sleep. */
static bool is_still_blocked(const struct worker *w, const struct running *what,
                             const siginfo_t *info)
{
    return what->count == (uint32_t)info->si_value.sival_int &&
           board_get(&w->entry->awake_since_ms) != 0;
}

static void show_loop(const struct worker *w, const siginfo_t *info, const void *machine)
{
    struct running what = running_of(w->entry, w->entry->running);

    if (!is_still_blocked(w, &what, info))
        return;
    access_log_settle(w->access_log); /* before a byte is written here */
    write_what_runs("the loop",
                    what.is_handler ? plugins_route(w->plugins, what.route) : NULL);
    (void)frame_write_all(LOG_LEVEL_WARN, "stack: #", machine, FRAME_MOST);
}

static void show_thread(const siginfo_t *info, const void *machine)
{
    if (info->si_value.sival_ptr != pool_job_here())
        return; /* another job by now */
    write_what_runs("a thread of the pool", atomic_load(&stack.of_thread));
    (void)frame_write_all(LOG_LEVEL_WARN, "stack: #", machine, FRAME_MOST);
}

static void on_ask(int number, siginfo_t *info, void *machine)
{
    int saved = errno;
    struct worker *w = stack.worker;

    (void)number;
    if (info->si_code == SI_QUEUE && info->si_pid == getppid() && is_on_loop(w))
        show_loop(w, info, machine);
    else if (info->si_code == SI_QUEUE && info->si_pid == w->pid && !is_on_loop(w))
        show_thread(info, machine);
    errno = saved;
}

/* ---- a thread of the pool ---- */

void stack_show(struct pool_job *job, const struct route *route)
{
    struct worker *w = stack.worker;

    if (w == NULL)
        return;
    atomic_store(&stack.of_thread, route);
    (void)pool_signal(w->pool, job, WORKER_SIGNAL_STACK);
}

/* ---- start ---- */

void stack_start(struct worker *w)
{
    struct sigaction action = {.sa_flags = SA_SIGINFO | SA_ONSTACK | SA_RESTART};

    stack.worker = w;
    action.sa_sigaction = on_ask;
    sigemptyset(&action.sa_mask); /* a fault in the handler must still be told of */
    CHECK(sigaction(WORKER_SIGNAL_STACK, &action, NULL) == 0);
}
