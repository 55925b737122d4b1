/* SPDX-License-Identifier: MIT */
/*
 * notify - what systemd is told (sd_notify(3)), without its library.
 */
#ifndef MASTER_NOTIFY_H
#define MASTER_NOTIFY_H

#include <stdbool.h>
#include <stdint.h>
#include <sys/socket.h>
#include <sys/un.h>

struct notify {
    int fd;        /* -1: nobody listens */
    bool watchdog; /* systemd waits for notify_alive() */
    struct sockaddr_un address;
    socklen_t length;
};

/** `path`: $NOTIFY_SOCKET, "/path" or "@abstract"; NULL: every call does nothing. -1 with
 *  errno when it cannot be used; calls then do nothing as well. */
int notify_open(struct notify *notify, const char *path);
void notify_close(struct notify *notify);

/** Each sends one datagram and never waits: a supervisor that does not read must not stop
 *  us. `status` is a sentence for `systemctl status`. */
void notify_ready(const struct notify *notify, const char *status);
void notify_status(const struct notify *notify, const char *status);
void notify_stopping(const struct notify *notify, const char *status);

/** `mono_us`: CLOCK_MONOTONIC now; Type=notify-reload pairs the two. */
void notify_reloading(const struct notify *notify, uint64_t mono_us);

/** What has begun may take so long: systemd's own limits are no shorter then. */
void notify_extend(const struct notify *notify, uint64_t ms);

/** Does this process have a watchdog? As $WATCHDOG_USEC and $WATCHDOG_PID say. */
void notify_expect_watchdog(struct notify *notify, const char *usec, const char *pid);

/** Feeds it. Never withheld for a worker's sake: a restart by systemd would lose what the
 *  crash governor knows. */
void notify_alive(const struct notify *notify);

/** A reload that changed nothing ends in READY=1 as well; `error` is an errno. */
void notify_refused(const struct notify *notify, const char *status, int error);

#endif
