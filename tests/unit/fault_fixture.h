/* SPDX-License-Identifier: MIT */
/*
 * fault_fixture - a worker that dies in a child, what it says and of what it dies.   [tests]
 */
#ifndef FAULT_FIXTURE_H
#define FAULT_FIXTURE_H

#include "worker/fault.h"

#include "common/check.h"
#include "common/fd.h"
#include "common/log.h"
#include "worker/plugin.h"
#include "worker/request.h"
#include "worker/self.h"

#include <fcntl.h>
#include <pthread.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cmocka.h>

enum { TEXT = 65536, TRACES = 16, PATIENCE_S = 40 };

static struct worker worker;
static struct heritage heritage;
static int board_fd;
/* In the child: a worker with nothing but what the handler looks at. */
static inline void become_worker(void)
{
    heritage.board = board_create(&board_fd);
    board_set32(&heritage.board->traces, TRACES);
    worker = (struct worker){.magic = WORKER_MAGIC,
                             .heritage = &heritage,
                             .entry = &heritage.board->worker[0],
                             .loop_thread = pthread_self(),
                             .loop = (struct ev_loop *)&heritage,
                             .pid = getpid()};
    CHECK(fault_start(&worker) == 0);
}

static const struct {
    int number;
    const char *name;
} fatal[] = {{SIGSEGV, "SEGV"}, {SIGBUS, "BUS"},   {SIGFPE, "FPE"}, {SIGILL, "ILL"},
             {SIGABRT, "ABRT"}, {SIGTRAP, "TRAP"}, {SIGSYS, "SYS"}};

/* cmocka has handlers of its own, sanitizers too. */
static inline void reset_signals(void)
{
    const struct sigaction standard = {.sa_handler = SIG_DFL};

    for (size_t i = 0; i < COUNT_OF(fatal); i++)
        CHECK(sigaction(fatal[i].number, &standard, NULL) == 0);
}

struct death {
    int status;
    char text[TEXT];
};

/* What fn says on its standard error, and how it ends. */
static inline struct death *die(void (*fn)(void))
{
    static struct death d;
    sigset_t all;
    size_t have = 0;
    ssize_t n;
    int ends[2];

    assert_int_equal(pipe2(ends, O_CLOEXEC), 0);
    pid_t pid = fork();
    assert_true(pid >= 0);
    if (pid == 0) {
        struct rlimit none = {.rlim_cur = 0};

        setrlimit(RLIMIT_CORE, &none);
        prctl(PR_SET_PDEATHSIG, SIGKILL);
        alarm(PATIENCE_S); /* a handler that does not end fails the test, no more */
        dup2(ends[1], 2);
        reset_signals();
        sigfillset(&all);
        sigdelset(&all, SIGALRM);
        sigprocmask(SIG_SETMASK, &all, NULL); /* as after the fork of a worker */
        become_worker();
        fn();
        _exit(0);
    }
    fd_close(&ends[1]);
    while (have < TEXT - 1 && (n = read(ends[0], d.text + have, TEXT - 1 - have)) > 0)
        have += (size_t)n;
    d.text[have] = '\0';
    fd_close(&ends[0]);
    assert_int_equal(waitpid(pid, &d.status, 0), pid);
    return &d;
}

static inline void assert_says(const struct death *d, const char *what)
{
    if (strstr(d->text, what) == NULL)
        fail_msg("'%s' is not in:\n%s", what, d->text);
}

static inline void assert_died_of(const struct death *d, int number)
{
    if (!WIFSIGNALED(d->status) || WTERMSIG(d->status) != number)
        fail_msg("status %#x, not signal %d:\n%s", (unsigned)d->status, number, d->text);
}

/* ---- the plainest way to die ---- */

static volatile uintptr_t nothing = 64;

__attribute__((no_sanitize("address", "undefined", "thread"), noinline)) static void
crash(void)
{
    uintptr_t address = nothing;

    *(volatile char *)address = 1;
}

#endif
