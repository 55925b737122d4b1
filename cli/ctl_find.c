/* SPDX-License-Identifier: MIT */
/*
 * ctl_find - finds the control socket of the server that is meant.          [ctl]
 *
 * Owns:    the connection until ctl_close, and a descriptor of the server's process: a stop
 *          has taken when that has ended, not when its socket is closed.
 * Called:  by ctl.c.
 * Fails:   with a line on stderr that says what was found in each place, and an exit status.
 */
#include "cli/ctl_say.h"
#include "cli/ctl_talk.h"
#include "common/clock.h"
#include "common/control_path.h"
#include "common/fd.h"
#include "common/version.h"

#include <errno.h>
#include <limits.h>
#include <poll.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <sys/pidfd.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

enum {
    WELCOME_MS = 10000, /* a master that turns its loop answers at once */
    BUSY_POLL_MS = 20   /* while its queue of connections is full */
};

static const char default_file[] = REMUDA_CONF_DIR "/remuda.ini";

/* What has been looked at so far. */
struct search {
    const struct ctl_args *args;
    uint64_t until_ms; /* monotonic; to be connected and welcomed */
    int status;        /* that says most */
    char why[2 * CONTROL_TEXT];
};

static void note(struct search *search, int status, const char *format, ...)
    __attribute__((format(printf, 3, 4)));

static void note(struct search *search, int status, const char *format, ...)
{
    const size_t n = strlen(search->why);
    va_list ap;

    if (search->status == CTL_NO_SERVER)
        search->status = status;
    va_start(ap, format);
    (void)snprintf(search->why + n, sizeof(search->why) - n, "%s", n == 0 ? "" : "; ");
    (void)vsnprintf(search->why + strlen(search->why),
                    sizeof(search->why) - strlen(search->why), format, ap);
    va_end(ap);
}

/* ---- is it the one that is meant? ---- */

static bool is_same_file(const char *a, const char *b)
{
    struct stat here, there;

    return stat(a, &here) == 0 && stat(b, &there) == 0 && here.st_dev == there.st_dev &&
           here.st_ino == there.st_ino;
}

/* By its name, or what that leads to: a link may lead to another file since it started. */
static bool is_meant(const char *file, const char *theirs)
{
    char folder[CONTROL_TEXT / 2] = "", named[2 * PATH_MAX];

    if (strlen(theirs) + 1 >= CONTROL_TEXT)
        return true; /* it was cut */
    if (file[0] != '/' && getcwd(folder, sizeof(folder)) == NULL)
        folder[0] = '\0';
    (void)snprintf(named, sizeof(named), "%s%s%s", folder, file[0] == '/' ? "" : "/",
                   file);
    return strcmp(named, theirs) == 0 || is_same_file(file, theirs);
}

/* ---- one place ---- */

static int connect_to(const char *path, uint64_t until_ms)
{
    struct sockaddr_un address = {.sun_family = AF_UNIX};
    int fd = socket(AF_UNIX, SOCK_SEQPACKET | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);

    if (strlen(path) >= sizeof(address.sun_path)) {
        fd_close(&fd);
        errno = ENAMETOOLONG;
        return -1;
    }
    memcpy(address.sun_path, path, strlen(path) + 1);
    while (fd >= 0 &&
           connect(fd, (const struct sockaddr *)&address, sizeof(address)) < 0) {
        if (errno != EAGAIN || clock_mono_ms() >= until_ms)
            fd_close(&fd);
        else
            (void)poll(NULL, 0, BUSY_POLL_MS);
    }
    return fd;
}

static int status_of(int error)
{
    if (error == EACCES || error == EPERM)
        return CTL_PERMISSION;
    return error == EAGAIN ? CTL_AGAIN : CTL_NO_SERVER;
}

/* The first message: it may also be the last. A descriptor with it is nobody's. */
static bool is_welcome(struct search *search, const struct ctl_talk *talk,
                       const char *path)
{
    const char *file = search->args->file;
    struct control_message message;
    int passed;
    const int got = ctl_hear(talk, search->until_ms, &message, &passed);

    fd_close(&passed);
    if (got < 0 && errno == ETIMEDOUT)
        note(search, CTL_AGAIN, "%s: the server does not answer", path);
    else if (got <= 0)
        note(search, CTL_REFUSED, "%s: what answers is no server of this version", path);
    else if (message.type == CONTROL_DONE)
        note(search, ctl_status_of(&message), "%s: %s", path, message.text);
    else if (file == NULL || search->args->socket != NULL || is_meant(file, message.text))
        return true;
    else
        note(search, CTL_NO_SERVER,
             "%s: the server of that name runs with %s, not with %s", path,
             message.text[0] == '\0' ? "no file" : message.text, file);
    return false;
}

static bool visit(struct search *search, struct ctl_talk *talk, const char *path)
{
    talk->fd = connect_to(path, search->until_ms);
    if (talk->fd < 0) {
        const int error = errno;

        note(search, status_of(error), "%s: %s", path, strerror(error));
        return false;
    }
    if (is_welcome(search, talk, path))
        return true;
    fd_close(&talk->fd);
    return false;
}

/* ---- all of them ---- */

static bool find(struct search *search, struct ctl_talk *talk)
{
    const struct ctl_args *args = search->args;
    char name[CONTROL_NAME], path[CONTROL_PATH];

    if (args->socket != NULL)
        return visit(search, talk, args->socket);
    (void)control_name(args->file == NULL ? default_file : args->file, name);
    for (int home = 0; home < CONTROL_HOMES; home++)
        if (control_path((enum control_home)home, name, path) &&
            visit(search, talk, path))
            return true;
    return false;
}

static void watch_process(struct ctl_talk *talk)
{
    struct ucred who;
    socklen_t length = sizeof(who);

    if (getsockopt(talk->fd, SOL_SOCKET, SO_PEERCRED, &who, &length) < 0 || who.pid <= 0)
        return;
    talk->pid = who.pid;
    talk->process_fd = pidfd_open(who.pid, 0);
}

int ctl_open(struct ctl_talk *talk, const struct ctl_args *args)
{
    const uint64_t now_ms = clock_mono_ms();
    struct search search = {
        .args = args, .until_ms = now_ms + WELCOME_MS, .status = CTL_NO_SERVER};

    *talk = (struct ctl_talk){.fd = -1, .process_fd = -1, .until_ms = UINT64_MAX};
    if (args->timeout_ms != 0)
        talk->until_ms = now_ms + args->timeout_ms;
    if (talk->until_ms < search.until_ms)
        search.until_ms = talk->until_ms;
    if (find(&search, talk)) {
        watch_process(talk);
        return CTL_OK;
    }
    ctl_complain("%s%s", search.status == CTL_NO_SERVER ? "no server there: " : "",
                 search.why[0] == '\0' ? "nowhere to look for it" : search.why);
    return search.status;
}

void ctl_close(struct ctl_talk *talk)
{
    fd_close(&talk->fd);
    fd_close(&talk->process_fd);
}
