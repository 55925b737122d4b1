/* SPDX-License-Identifier: MIT */
/*
 * fault - the last words of a worker that a plugin kills at boot.  [worker]
 *
 * Owns:    the actions of the fatal signals between fault_begin and fault_end.
 * Called:  by worker.c and plugin.c; the handler by the kernel: async-signal-safe.
 * Fails:   never; the signal kills the process afterwards, as it would have.
 */
#include "worker/fault.h"

#include "common/check.h"

#include <signal.h>
#include <string.h>
#include <sys/uio.h>

static const struct {
    int number;
    const char *name;
} fatal[] = {{SIGSEGV, "SEGV"},
             {SIGBUS, "BUS"},
             {SIGFPE, "FPE"},
             {SIGILL, "ILL"},
             {SIGABRT, "ABRT"}};

static struct sigaction before[COUNT_OF(fatal)];
static int fault_fd = 2;
static const char *volatile plugin_name;

static void write_line(const char *plugin, const char *signal_name)
{
    const char *parts[] = {"plugin ", plugin,
                           ": crashed while it was being loaded or started (",
                           signal_name, ")\n"};
    struct iovec vectors[COUNT_OF(parts)];
    for (size_t i = 0; i < COUNT_OF(parts); i++) {
        union {
            const char *in;
            void *out;
        } part = {parts[i]};
        vectors[i] = (struct iovec){part.out, strlen(parts[i])};
    }
    (void)!writev(fault_fd, vectors, COUNT_OF(parts));
}

/* The faulting instruction runs again on return and meets the former action; an abort and
 * a signal that somebody sent have to be raised anew. */
static void on_fault(int number, siginfo_t *info, void *machine)
{
    (void)machine;
    const char *plugin = plugin_name;
    for (size_t i = 0; i < COUNT_OF(fatal); i++) {
        if (fatal[i].number != number)
            continue;
        if (plugin != NULL)
            write_line(plugin, fatal[i].name);
        (void)sigaction(number, &before[i], NULL);
    }
    if (info->si_code <= 0)
        (void)raise(number);
}

void fault_begin(int fd)
{
    fault_fd = fd;
    struct sigaction action = {.sa_sigaction = on_fault,
                               .sa_flags = SA_SIGINFO | SA_ONSTACK};
    for (size_t i = 0; i < COUNT_OF(fatal); i++)
        CHECK(sigaction(fatal[i].number, &action, &before[i]) == 0);
}

void fault_end(void)
{
    plugin_name = NULL;
    for (size_t i = 0; i < COUNT_OF(fatal); i++)
        CHECK(sigaction(fatal[i].number, &before[i], NULL) == 0);
}

void fault_set_plugin(const char *name)
{
    plugin_name = name;
}
