/* SPDX-License-Identifier: MIT */
/*
 * fault - the handler of the signals that end a process.       [worker, any thread]
 *
 * Owns:    the actions of those signals, unless somebody replaces them; the signal stack of
 *          the loop thread.
 * Called:  by worker.c at boot; the handler by the kernel.
 * Rule:    only async-signal-safe calls in the handler, and nothing that another thread could
 *          hold: it may be the one that crashed.
 * Fails:   never. What cannot be told is left out; a crash in here ends the process with the
 *          signal that began it, and so does whatever holds it up for BOUND_S.
 *
 * Two threads may crash at once: each has its line, the first has the stack, and the others
 * wait for the end that it makes of the process.
 */
#include "worker/fault.h"

#include "common/check.h"
#include "common/log.h"
#include "common/running.h"
#include "worker/access_log.h"
#include "worker/coro.h"
#include "worker/frame.h"
#include "worker/plugin.h"
#include "worker/request.h"
#include "worker/self.h"
#include "worker/signal_stack.h"

#include <signal.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <time.h>
#include <unistd.h>

enum {
    SHOWN = 32,             /* frames */
    SHOWN_OF_OVERFLOW = 12, /* they repeat */
    NEAR_BYTES = 65536, /* an access so far below the stack pointer is a new frame's */
    WAITS = 200,        /* of 10 ms: for the thread that crashed first to end it all */
    BOUND_S = 5,        /* for all words of a thread */
    TEXTS = 32
};

static const struct {
    int number;
    const char *name;
    const char *code[4]; /* of si_code 1, 2, ... */
} fatal[] = {
    {SIGSEGV, "SEGV", {"MAPERR", "ACCERR", "BNDERR", "PKUERR"}},
    {SIGBUS, "BUS", {"ADRALN", "ADRERR", "OBJERR", "MCEERR_AR"}},
    {SIGFPE, "FPE", {"INTDIV", "INTOVF", "FLTDIV", "FLTOVF"}},
    {SIGILL, "ILL", {"ILLOPC", "ILLOPN", "ILLADR", "ILLTRP"}},
    {SIGABRT, "ABRT", {NULL}},
    {SIGTRAP, "TRAP", {"BRKPT", "TRACE", NULL, NULL}},
    {SIGSYS, "SYS", {"SECCOMP", NULL, NULL, NULL}},
};

static struct {
    struct worker *worker;
    pid_t pid;
    const char *volatile plugin;
    struct sigaction before[COUNT_OF(fatal)];
    sigset_t numbers; /* those of the table above */
    atomic_int floor; /* the thread that crashed first; 0: none has */
} fault;

atomic_bool fault_has_begun;
_Thread_local const struct request *fault_request;
static _Thread_local volatile sig_atomic_t is_inside;
static _Thread_local siginfo_t first_info; /* what brought this thread here */

/* ---- text ---- */

struct text {
    const char *part[TEXTS];
    size_t count;
    char number[6][FRAME_NUMBER];
    size_t number_count;
};

static void put(struct text *t, const char *part)
{
    if (t->count < TEXTS)
        t->part[t->count++] = part;
}

static char *room(struct text *t)
{
    return t->number[t->number_count++ % COUNT_OF(t->number)];
}

static void put_decimal(struct text *t, const char *before, long n)
{
    put(t, before);
    put(t, n < 0 ? "-" : "");
    put(t, frame_decimal(n < 0 ? 0ul - (unsigned long)n : (unsigned long)n, room(t)));
}

static void say(const struct text *t)
{
    log_texts(LOG_LEVEL_ERROR, t->part, t->count);
}

/* As the other complaints of `remuda -t`. */
static void say_bare(const struct text *t)
{
    for (size_t i = 0; i < t->count; i++)
        (void)!write(STDERR_FILENO, t->part[i], strlen(t->part[i]));
    (void)!write(STDERR_FILENO, "\n", 1);
}

static size_t row_of(int number)
{
    size_t i = 0;

    while (i < COUNT_OF(fatal) - 1 && fatal[i].number != number)
        i++;
    return i;
}

/* ---- what happened ---- */

static void put_code(struct text *t, const siginfo_t *info)
{
    const int code = info->si_code;
    const char *name =
        code >= 1 && code <= 4 ? fatal[row_of(info->si_signo)].code[code - 1] : NULL;

    if (code <= 0 && info->si_pid == fault.pid) {
        put(t, " raised by itself");
    } else if (code <= 0) {
        put_decimal(t, " sent by process ", info->si_pid);
        put_decimal(t, " of user ", (long)info->si_uid);
    } else if (name != NULL) {
        put(t, " ");
        put(t, name);
    } else {
        put_decimal(t, " code ", code);
    }
}

/* A SIGSYS has a system call for an address. */
static void put_address(struct text *t, const siginfo_t *info)
{
    if (info->si_code <= 0)
        return;
    if (info->si_signo == SIGSYS) {
        put_decimal(t, ", system call ", info->si_syscall);
    } else if (info->si_signo != SIGTRAP) {
        put(t, " at ");
        put(t, frame_hex((unsigned long)(uintptr_t)info->si_addr, room(t)));
    }
}

/* ---- where, and for whom ---- */

static bool is_of_loop(const struct worker *w)
{
    return w->loop != NULL && is_on_loop(w);
}

static void put_thread(struct text *t, const struct worker *w, char name[static 16])
{
    const struct request *req = fault_request;

    if (is_of_loop(w)) {
        put(t, ", on the loop");
    } else if (req != NULL && req->record != LANE_NO_RECORD) {
        put_decimal(t, ", in slot ", req->record);
    } else {
        (void)prctl(PR_GET_NAME, name);
        put(t, ", in thread ");
        put(t, name);
    }
}

static const struct route *route_here(const struct worker *w)
{
    if (!is_of_loop(w))
        return fault_request != NULL ? fault_request->route : NULL;
    const struct running what = running_of(w->entry, w->entry->running);
    return what.is_handler ? plugins_route(w->plugins, what.route) : NULL;
}

static void put_route(struct text *t, const struct worker *w)
{
    const struct route *route = route_here(w);

    if (route == NULL)
        return;
    put(t, ", in ");
    put(t, route->label);
    put(t, " of plugin ");
    put(t, route->plugin->name);
}

/* ---- the stack ---- */

static const struct coro *full_coroutine(const siginfo_t *info)
{
    bool is_access = info->si_signo == SIGSEGV || info->si_signo == SIGBUS;

    return is_access && info->si_code > 0 ? coro_fault_address(info->si_addr) : NULL;
}

/* Of whatever thread: an access around the stack pointer fails only where the stack ends. */
static bool is_overflow(const siginfo_t *info, const void *machine)
{
    const uintptr_t sp = (uintptr_t)frame_stack_pointer(machine);

    if (sp == 0 || info->si_signo != SIGSEGV || info->si_code <= 0)
        return false;
    return (uintptr_t)info->si_addr - (sp - NEAR_BYTES) < NEAR_BYTES + sizeof(uintptr_t);
}

/* A crash storm does not fill the log with stacks. */
static bool may_show_stack(const struct worker *w)
{
    _Atomic uint32_t *traces = &w->heritage->board->traces;
    uint32_t left = board_get32(traces);

    while (left > 0)
        if (atomic_compare_exchange_weak(traces, &left, left - 1))
            return true;
    return false;
}

static void show_stack(const void *machine, bool is_full)
{
    int shown = frame_write_all(LOG_LEVEL_ERROR, "fault: #", machine,
                                is_full ? SHOWN_OF_OVERFLOW : SHOWN);

    if (shown < 2) /* a jump into nowhere, or a smashed stack */
        frame_write_guesses(LOG_LEVEL_ERROR, "fault: #", machine);
}

/* ---- telling ---- */

static void tell_plugin(const struct worker *w, const char *signal_name)
{
    struct text t = {.count = 0};

    put(&t, "plugin ");
    put(&t, fault.plugin);
    put(&t, ": crashed while it was being loaded or started (");
    put(&t, signal_name);
    put(&t, ")");
    if (w->is_check)
        say_bare(&t);
    else
        say(&t);
}

static void tell_overflow(const struct coro *co)
{
    struct text t = {.count = 0};

    put(&t, "coroutine stack overflow in route ");
    put(&t, coro_label(co));
    say(&t);
}

static void tell_crash(const struct worker *w, const siginfo_t *info, bool is_full)
{
    struct text t = {.count = 0};
    char name[16];

    put(&t, "fault: ");
    put(&t, is_full ? "stack overflow, signal " : "signal ");
    put(&t, fatal[row_of(info->si_signo)].name);
    put_code(&t, info);
    put_address(&t, info);
    put_thread(&t, w, name);
    put_route(&t, w);
    say(&t);
}

/* Who has it now; 0: nobody had, and it is ours. */
static pid_t take_floor(void)
{
    int owner = 0;

    atomic_compare_exchange_strong(&fault.floor, &owner, (int)gettid());
    return owner;
}

/* A sanitizer that we have passed the signal on to aborts: then it is ourselves. */
static void wait_for_the_end(pid_t owner)
{
    for (int i = 0; i < WAITS && owner != gettid(); i++)
        (void)nanosleep(&(struct timespec){.tv_nsec = 10000000}, NULL);
}

static void tell(struct worker *w, const siginfo_t *info, const void *machine)
{
    const struct coro *co = full_coroutine(info);
    const bool is_full = co != NULL || is_overflow(info, machine);
    const pid_t owner = take_floor();

    if (is_of_loop(w)) /* before a byte is written here */
        access_log_settle(w->access_log);
    if (fault.plugin != NULL)
        tell_plugin(w, fatal[row_of(info->si_signo)].name);
    if (w->is_check)
        return;
    if (co != NULL) {
        tell_overflow(co);
        /* enough is said: a sanitizer would not know this stack */
        fault.before[row_of(info->si_signo)] = (struct sigaction){.sa_handler = SIG_DFL};
    }
    tell_crash(w, info, is_full);
    if (owner != 0)
        wait_for_the_end(owner);
    else if (may_show_stack(w))
        show_stack(machine, is_full);
}

/* ---- the signal ---- */

/* The action that was there before, and the signal once more, with all that it brought: it
 * comes when the handler returns, at the instruction that was interrupted. A fault would come
 * again by itself, but not a trap, an abort, or what somebody has sent. */
static void pass_on(siginfo_t *info)
{
    const int number = info->si_signo;

    (void)sigaction(number, &fault.before[row_of(number)], NULL);
    (void)syscall(SYS_rt_tgsigqueueinfo, getpid(), gettid(), number, info);
}

/* A log that nobody reads, a lock whose owner has crashed: whatever holds us up then, our own
 * signal comes once more, to this thread, which is inside. The bare call: it takes no lock. */
static int start_bound(int number)
{
    struct sigevent event = {.sigev_notify = SIGEV_THREAD_ID, .sigev_signo = number};
    const struct itimerspec when = {.it_value.tv_sec = BOUND_S};
    int timer;

    event._sigev_un._tid = gettid();
    if (syscall(SYS_timer_create, CLOCK_MONOTONIC, &event, &timer) < 0)
        return -1;
    (void)syscall(SYS_timer_settime, timer, 0, &when, NULL);
    return timer;
}

/* What a sanitizer has to say then takes its own time. */
static void stop_bound(int timer)
{
    if (timer >= 0)
        (void)syscall(SYS_timer_delete, timer);
}

/* Once more, from in here. What brought us here has no handler of ours any more either: if
 * the first signal does not come, this one kills. */
static void on_second_fault(int number)
{
    pass_on(&first_info);
    (void)sigaction(number, &fault.before[row_of(number)], NULL);
}

static void on_fault(int number, siginfo_t *info, void *machine)
{
    sigset_t once;

    /* whoever has called us may have blocked them: a crash in here has to come through */
    (void)pthread_sigmask(SIG_UNBLOCK, &fault.numbers, NULL);
    if (is_inside) {
        on_second_fault(number);
        return;
    }
    first_info = *info;
    atomic_signal_fence(memory_order_release);
    is_inside = 1;
    if (getpid() == fault.pid) { /* else a child of a plugin's, which is no worker */
        const int timer = start_bound(number);
        atomic_store(&fault_has_begun, true);
        tell(fault.worker, info, machine);
        stop_bound(timer);
    }
    /* not while we are here: once more it comes when we return */
    sigemptyset(&once);
    sigaddset(&once, number);
    (void)pthread_sigmask(SIG_BLOCK, &once, NULL);
    pass_on(info);
    is_inside = 0;
}

void fault_set_plugin(const char *name)
{
    fault.plugin = name;
}

int fault_start(struct worker *w)
{
    struct sigaction action = {.sa_flags = SA_SIGINFO | SA_ONSTACK | SA_NODEFER};
    static void *stack; /* for the life of the process */

    fault.worker = w;
    fault.pid = w->pid;
    action.sa_sigaction = on_fault;
    sigemptyset(&action.sa_mask);
    if (signal_stack_give(&stack) < 0)
        return -1;
    frame_start(w->heritage);
    sigemptyset(&fault.numbers);
    for (size_t i = 0; i < COUNT_OF(fatal); i++)
        sigaddset(&fault.numbers, fatal[i].number);
    for (size_t i = 0; i < COUNT_OF(fatal); i++) {
        if (sigaction(fatal[i].number, &action, &fault.before[i]) < 0)
            return -1;
    }
    /* all are blocked from the fork on; a fault then kills without a word (signal(7)) */
    return pthread_sigmask(SIG_UNBLOCK, &fault.numbers, NULL) == 0 ? 0 : -1;
}
