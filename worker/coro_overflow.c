/* SPDX-License-Identifier: MIT */
/*
 * coro_overflow - a full coroutine stack names its route before the worker dies.
 *                                                                [worker, loop thread]
 * Owns:    the SIGSEGV and SIGBUS action of the worker, and the signal stack of the loop
 *          thread (the full stack cannot hold a handler).
 * Rule:    only async-signal-safe calls in the handler.
 * Fails:   a fault elsewhere goes, unchanged, to the action that was there before.
 */
#include "worker/coro.h"

#include <signal.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

enum { SIGNAL_STACK = 64 * 1024 }; /* bytes; holds any sigframe, AVX-512 and AMX too */

static int overflow_fd = 2;
static struct sigaction segv_before, bus_before;

static size_t append(char *line, size_t at, size_t size, const char *text)
{
    while (*text != '\0' && at < size)
        line[at++] = *text++;
    return at;
}

static void write_obituary(const struct coro *co)
{
    char line[256];
    size_t n = append(line, 0, sizeof(line) - 1, "coroutine stack overflow in route ");

    n = append(line, n, sizeof(line) - 1, coro_label(co));
    line[n++] = '\n';
    if (write(overflow_fd, line, n) < 0)
        return; /* nobody is left to tell */
}

static void on_fault(int signo, siginfo_t *info, void *machine)
{
    struct sigaction action = {.sa_handler = SIG_DFL};
    const struct coro *co = info->si_code > 0 ? coro_fault_address(info->si_addr) : NULL;

    (void)machine;
    if (co != NULL)
        write_obituary(co);
    else
        action = signo == SIGBUS ? bus_before : segv_before;
    sigaction(signo, &action, NULL);
    /* back to the faulting instruction, which now meets the other action; a signal that
     * somebody sent would not come again by itself */
    if (info->si_code <= 0)
        raise(signo);
}

/* Keeps a signal stack that is there and large enough: a sanitizer brings its own. */
static int give_signal_stack(void)
{
    stack_t now;

    if (sigaltstack(NULL, &now) < 0)
        return -1;
    if ((now.ss_flags & SS_DISABLE) == 0 && now.ss_size >= SIGNAL_STACK / 4)
        return 0;
    now = (stack_t){.ss_size = SIGNAL_STACK};
    now.ss_sp = mmap(NULL, SIGNAL_STACK, PROT_READ | PROT_WRITE,
                     MAP_PRIVATE | MAP_ANONYMOUS | MAP_STACK, -1, 0);
    if (now.ss_sp == MAP_FAILED)
        return -1;
    if (sigaltstack(&now, NULL) < 0) {
        munmap(now.ss_sp, SIGNAL_STACK);
        return -1;
    }
    return 0;
}

int coro_install_overflow_handler(int fd)
{
    struct sigaction action = {.sa_flags = SA_SIGINFO | SA_ONSTACK};

    overflow_fd = fd;
    action.sa_sigaction = on_fault;
    sigemptyset(&action.sa_mask);
    if (give_signal_stack() < 0)
        return -1;
    if (sigaction(SIGSEGV, &action, &segv_before) < 0)
        return -1;
    return sigaction(SIGBUS, &action, &bus_before);
}
