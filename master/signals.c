/* SPDX-License-Identifier: MIT */
/*
 * signals - what each signal to the master means, as a table.                [master]
 *
 * Owns:    the signalfd. The signals stay blocked for life: no handler ever runs, so
 *          nothing here has to be async-signal-safe, and none is lost as PID 1 either.
 * Called:  by the loop; calls one function per signal.
 * Fails:   only at start.
 */
#include "master/signals.h"

#include "common/check.h"
#include "common/fd.h"
#include "common/log.h"
#include "master/reap.h"
#include "master/reload.h"

#include <signal.h>
#include <sys/signalfd.h>
#include <unistd.h>

typedef void signal_fn(struct master *master);

static void on_term(struct master *master)
{
    master_stop(master, false);
}

static void on_quit(struct master *master)
{
    master_stop(master, true);
}

/* The second one at a terminal means it. */
static void on_int(struct master *master)
{
    master_stop(master, master->interrupted);
    master->interrupted = true;
}

static void on_ttin(struct master *master)
{
    master_scale(master, +1);
}

static void on_ttou(struct master *master)
{
    master_scale(master, -1);
}

/* A terminal that is resized must not stop a server. */
static void on_winch(struct master *master)
{
    (void)master;
}

static const struct {
    int number;
    signal_fn *act;
} table[] = {
    {SIGTERM, on_term},
    {SIGINT, on_int},
    {SIGQUIT, on_quit},
    {SIGHUP, reload_request},
    {SIGUSR1, master_reopen_logs},
    {SIGUSR2, upgrade_begin},
    {SIGTTIN, on_ttin},
    {SIGTTOU, on_ttou},
    {SIGWINCH, on_winch},
    {SIGCHLD, reap_all},
};

static void fill_set(sigset_t *set)
{
    sigemptyset(set);
    for (size_t i = 0; i < COUNT_OF(table); i++)
        sigaddset(set, table[i].number);
}

void signals_block(void)
{
    const struct sigaction ignore = {.sa_handler = SIG_IGN};
    const struct sigaction standard = {.sa_handler = SIG_DFL};
    sigset_t set;

    /* a parent that ignores SIGCHLD would have the kernel reap our workers */
    sigaction(SIGCHLD, &standard, NULL);
    sigaction(SIGPIPE, &ignore, NULL);
    fill_set(&set);
    sigprocmask(SIG_BLOCK, &set, NULL);
}

static void dispatch(struct master *master, int number)
{
    for (size_t i = 0; i < COUNT_OF(table); i++)
        if (table[i].number == number)
            table[i].act(master);
}

static void on_signal(struct ev_loop *loop, ev_io *watcher, int events)
{
    struct master *master = ev_userdata(loop);
    struct signalfd_siginfo info;

    (void)watcher;
    (void)events;
    CHECK_OBJ(master, MASTER_MAGIC);
    while (read(master->signal_fd, &info, sizeof(info)) == (ssize_t)sizeof(info))
        dispatch(master, (int)info.ssi_signo);
}

int signals_start(struct master *master)
{
    sigset_t set;

    fill_set(&set);
    master->signal_fd = signalfd(-1, &set, SFD_NONBLOCK | SFD_CLOEXEC);
    if (master->signal_fd < 0)
        return -1;
    ev_io_init(&master->signal_watcher, on_signal, master->signal_fd, EV_READ);
    ev_io_start(master->loop, &master->signal_watcher);
    return 0;
}

void signals_stop(struct master *master)
{
    if (master->signal_fd < 0)
        return;
    ev_io_stop(master->loop, &master->signal_watcher);
    fd_close(&master->signal_fd);
}
