/* SPDX-License-Identifier: MIT */
/*
 * stack - the handler of WORKER_SIGNAL_STACK: the frames of a thread, to the error log.
 *                                                                [worker, any thread]
 * Owns:    the action of that signal.
 * Called:  by worker.c at boot; the handler on the loop thread when the master has found the
 *          loop blocked, on a thread of the pool when overtime.c asks.
 * Rule:    only async-signal-safe calls in the handler. backtrace(3) and dladdr(3) are not on
 *          the list, but after a first call they take no memory, and their lock is one that a
 *          thread may take twice.
 * Fails:   silently; what the master has said about the blocked loop stands without it.
 *
 * The frames are those of a coroutine if one is blocked: the unwinder goes through the signal
 * frame, and the coroutine's own stack needs no room for the handler.
 */
#include "worker/stack.h"

#include "common/check.h"
#include "common/log.h"
#include "common/running.h"
#include "worker/plugin.h"
#include "worker/pool.h"
#include "worker/self.h"
#include "worker/worker.h"

#include "conf/conf.h"

#include <dlfcn.h>
#include <errno.h>
#include <execinfo.h>
#include <signal.h>
#include <stdatomic.h>
#include <string.h>
#include <ucontext.h>
#include <unistd.h>

enum { FRAMES = 48, HEX = 2 + 16 + 1, DECIMAL = 11 };

/* Plugins are loaded from memfds, whose names say nothing. */
struct known {
    const void *base;
    const char *path;
};

static struct {
    struct worker *worker;
    struct known plugin[HERITAGE_IMAGES];
    size_t plugin_count;
    const struct route *_Atomic of_thread; /* what the thread that was asked last runs */
} stack;

/* ---- text ---- */

static const char *put_number(uintptr_t n, unsigned base, char *out, size_t size)
{
    char *at = out + size - 1;

    *at = '\0';
    do {
        *--at = "0123456789abcdef"[n % base];
        n /= base;
    } while (n != 0 && at > out);
    return at;
}

static const char *file_of(const Dl_info *where)
{
    for (size_t i = 0; i < stack.plugin_count; i++)
        if (stack.plugin[i].base == where->dli_fbase)
            return stack.plugin[i].path;
    return where->dli_fname;
}

static uintptr_t distance(const void *from, const void *to)
{
    return (uintptr_t)to - (uintptr_t)from;
}

/* #2 ./slow.so(on_slow+0x1f): as in glibc's own traces, and as addr2line wants it where no
 * name is exported: ./slow.so(+0x11ff). */
static void write_frame(unsigned number, void *frame)
{
    char decimal[DECIMAL], hex[HEX];
    Dl_info where;

    if (dladdr(frame, &where) == 0 || where.dli_fname == NULL) {
        const char *const bare[] = {
            "stack: #", put_number(number, 10, decimal, sizeof decimal), " 0x",
            put_number((uintptr_t)frame, 16, hex, sizeof hex)};
        log_texts(LOG_LEVEL_WARN, bare, COUNT_OF(bare));
        return;
    }
    const void *start = where.dli_sname != NULL ? where.dli_saddr : where.dli_fbase;
    const char *const named[] = {
        "stack: #", put_number(number, 10, decimal, sizeof decimal),
        " ",        file_of(&where),
        "(",        where.dli_sname != NULL ? where.dli_sname : "",
        "+0x",      put_number(distance(start, frame), 16, hex, sizeof hex),
        ")"};
    log_texts(LOG_LEVEL_WARN, named, COUNT_OF(named));
}

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

/* Where the signal met the thread: what is before it in the frames is ours. NULL: not known;
 * then all of them are shown. */
static const void *interrupted_at(const void *machine)
{
    const ucontext_t *at = machine;
#if defined(__x86_64__)
    uintptr_t address = (uintptr_t)at->uc_mcontext.gregs[REG_RIP];
#elif defined(__aarch64__)
    uintptr_t address = (uintptr_t)at->uc_mcontext.pc;
#else
    uintptr_t address = 0;
    (void)at;
#endif
    union {
        uintptr_t in;
        const void *out;
    } pointer = {address};
    return pointer.out;
}

static void write_stack(const void *from)
{
    void *frame[FRAMES];
    int count = backtrace(frame, FRAMES), first = 0;

    while (first < count && frame[first] != from)
        first++;
    if (first == count) /* not found: a sanitizer has called us later */
        first = 0;
    for (int i = first; i < count; i++)
        write_frame((unsigned)(i - first), frame[i]);
}

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
    write_what_runs("the loop",
                    what.is_handler ? plugins_route(w->plugins, what.route) : NULL);
    write_stack(interrupted_at(machine));
}

static void show_thread(const siginfo_t *info, const void *machine)
{
    if (info->si_value.sival_ptr != pool_job_here())
        return; /* another job by now */
    write_what_runs("a thread of the pool", atomic_load(&stack.of_thread));
    write_stack(interrupted_at(machine));
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

static void learn_plugins(const struct worker *w)
{
    const struct route *route;

    for (uint32_t i = 0; (route = plugins_route(w->plugins, i)) != NULL; i++) {
        const struct plugin *p = route->plugin;
        Dl_info where;
        if (stack.plugin_count == HERITAGE_IMAGES || dladdr(p->declared, &where) == 0 ||
            strcmp(file_of(&where), p->conf->path) == 0)
            continue;
        stack.plugin[stack.plugin_count++] =
            (struct known){where.dli_fbase, p->conf->path};
    }
}

void stack_start(struct worker *w)
{
    struct sigaction action = {.sa_flags = SA_SIGINFO | SA_ONSTACK | SA_RESTART};
    void *frame[1];

    stack.worker = w;
    learn_plugins(w);
    (void)backtrace(frame, 1); /* the first call loads libgcc, and takes memory */
    action.sa_sigaction = on_ask;
    sigemptyset(&action.sa_mask); /* a fault in the handler must still be told of */
    CHECK(sigaction(WORKER_SIGNAL_STACK, &action, NULL) == 0);
}
