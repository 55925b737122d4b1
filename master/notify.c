/* SPDX-License-Identifier: MIT */
/*
 * notify - what systemd is told (sd_notify(3)), without its library.        [master]
 *
 * Owns:    one datagram socket. Only the master speaks: NotifyAccess=main.
 * Called:  by status.c, reload.c, stop.c, and watchdog.c once per second.
 * Fails:   silently: a lost status must not disturb the service.
 */
#include "master/notify.h"

#include "common/fd.h"

#include <errno.h>
#include <inttypes.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

enum { US_PER_MS = 1000, MARGIN_MS = 5000 /* to hear of it, and to end */ };

int notify_open(struct notify *notify, const char *path)
{
    size_t n;

    *notify = (struct notify){.fd = -1, .address.sun_family = AF_UNIX};
    if (path == NULL || path[0] == '\0')
        return 0;
    n = strlen(path);
    if ((path[0] != '/' && path[0] != '@') || n < 2 ||
        n >= sizeof(notify->address.sun_path)) {
        errno = EINVAL;
        return -1;
    }
    memcpy(notify->address.sun_path, path, n);
    if (path[0] == '@') /* abstract: a NUL first, and the length says where it ends */
        notify->address.sun_path[0] = '\0';
    notify->length = (socklen_t)(offsetof(struct sockaddr_un, sun_path) + n +
                                 (path[0] == '/' ? 1 : 0));
    notify->fd = socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
    return notify->fd < 0 ? -1 : 0;
}

void notify_close(struct notify *notify)
{
    fd_close(&notify->fd);
}

static void send_text(const struct notify *notify, const char *text)
{
    if (notify->fd >= 0)
        (void)sendto(notify->fd, text, strlen(text), MSG_NOSIGNAL,
                     (const struct sockaddr *)&notify->address, notify->length);
}

static void send_with_status(const struct notify *notify, const char *head,
                             const char *status)
{
    char text[512];

    snprintf(text, sizeof(text), "%sSTATUS=%s", head, status);
    send_text(notify, text);
}

void notify_ready(const struct notify *notify, const char *status)
{
    send_with_status(notify, "READY=1\n", status);
}

void notify_status(const struct notify *notify, const char *status)
{
    send_with_status(notify, "", status);
}

void notify_stopping(const struct notify *notify, const char *status)
{
    send_with_status(notify, "STOPPING=1\n", status);
}

void notify_reloading(const struct notify *notify, uint64_t mono_us)
{
    char text[96];

    snprintf(text, sizeof(text), "RELOADING=1\nMONOTONIC_USEC=%" PRIu64, mono_us);
    send_text(notify, text);
}

void notify_extend(const struct notify *notify, uint64_t ms)
{
    char text[64];

    snprintf(text, sizeof(text), "EXTEND_TIMEOUT_USEC=%" PRIu64,
             (ms + MARGIN_MS) * US_PER_MS);
    send_text(notify, text);
}

void notify_expect_watchdog(struct notify *notify, const char *usec, const char *pid)
{
    const bool ours = pid == NULL || strtol(pid, NULL, 10) == (long)getpid();

    notify->watchdog = usec != NULL && strtol(usec, NULL, 10) > 0 && ours;
}

void notify_alive(const struct notify *notify)
{
    if (notify->watchdog)
        send_text(notify, "WATCHDOG=1");
}

void notify_refused(const struct notify *notify, const char *status, int error)
{
    char head[48];

    snprintf(head, sizeof(head), "READY=1\nERRNO=%d\n", error);
    send_with_status(notify, head, status);
}
