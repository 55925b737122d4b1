/* SPDX-License-Identifier: MIT */
/*
 * ctl_talk - finds a server's control socket, asks, waits for the answer.   [ctl]
 *
 * Owns:    the connection, and a descriptor of the server's process: a stop has taken when
 *          that has ended, not when its socket is closed.
 * Called:  by ctl.c.
 * Fails:   with a line on stderr and an exit status. Never waits where --timeout is not
 *          looked at.
 * Rule:    what the server says is printed without its control bytes: it may hold what a
 *          client of the server has sent.
 */
#include "cli/ctl_talk.h"

#include "cli/ctl_say.h"
#include "common/clock.h"
#include "common/control_path.h"
#include "common/fd.h"
#include "common/version.h"

#include <errno.h>
#include <limits.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/pidfd.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

enum {
    WELCOME_MS = 10000, /* a master that turns its loop answers at once */
    BUSY_POLL_MS = 20,  /* while its queue of connections is full */
    PROGRESS_MS = 1000
};

static const char default_file[] = REMUDA_CONF_DIR "/remuda.ini";

/* ---- where ---- */

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

/* The first that answers; else the error that says most. */
static int find(struct ctl_talk *talk, const struct ctl_args *args, uint64_t until_ms)
{
    char name[CONTROL_NAME], path[CONTROL_PATH], tried[CONTROL_HOMES * CONTROL_PATH] = "";
    int status = CTL_NO_SERVER;
    size_t n = 0;

    (void)control_name(args->file == NULL ? default_file : args->file, name);
    for (int home = 0; home < CONTROL_HOMES; home++) {
        if (!control_path((enum control_home)home, name, path))
            continue;
        talk->fd = connect_to(path, until_ms);
        if (talk->fd >= 0)
            return CTL_OK;
        if (status == CTL_NO_SERVER)
            status = status_of(errno);
        n += (size_t)snprintf(tried + n, sizeof(tried) - n, "%s%s", n == 0 ? "" : ", ",
                              path);
    }
    ctl_complain("%s: looked at %s",
                 status == CTL_PERMISSION ? "not allowed to open the control socket"
                 : status == CTL_AGAIN    ? "the server is busy"
                                          : "no server answers",
                 tried);
    return status;
}

static int reach(struct ctl_talk *talk, const struct ctl_args *args, uint64_t until_ms)
{
    if (args->socket == NULL)
        return find(talk, args, until_ms);
    talk->fd = connect_to(args->socket, until_ms);
    if (talk->fd >= 0)
        return CTL_OK;
    const int error = errno;
    ctl_complain("%s: %s", args->socket, strerror(error));
    return status_of(error);
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

/* ---- talking ---- */

static uint64_t earlier(uint64_t a, uint64_t b)
{
    return a < b ? a : b;
}

/* Waits for a message, or a moment. 1, 0: EOF, -1 with errno; ETIMEDOUT. */
static int hear(const struct ctl_talk *talk, uint64_t until_ms,
                struct control_message *out, int *passed)
{
    struct pollfd server = {.fd = talk->fd, .events = POLLIN};
    int got;

    *passed = -1;
    while ((got = control_recv(talk->fd, out, passed)) < 0 && errno == EAGAIN) {
        const uint64_t now_ms = clock_mono_ms();

        if (now_ms >= until_ms) {
            errno = ETIMEDOUT;
            return -1;
        }
        (void)poll(&server, 1,
                   until_ms - now_ms < INT_MAX ? (int)(until_ms - now_ms) : INT_MAX);
    }
    return got < 0 && errno == ECONNRESET ? 0 : got;
}

static int refuse(const struct control_message *message)
{
    ctl_complain("%s", message->text);
    return message->status == CTL_OK ? CTL_REFUSED : message->status;
}

/* A descriptor that comes before the answer is nobody's. */
static int be_welcomed(const struct ctl_talk *talk, const struct ctl_args *args,
                       uint64_t until_ms)
{
    struct control_message message;
    int passed;
    const int got = hear(talk, until_ms, &message, &passed);

    fd_close(&passed);
    if (got < 0 && errno == ETIMEDOUT) {
        ctl_complain("the server does not answer");
        return CTL_AGAIN;
    }
    if (got <= 0) {
        ctl_complain("what answers is no server of this version");
        return CTL_REFUSED;
    }
    if (message.type == CONTROL_DONE)
        return refuse(&message);
    if (args->file == NULL || args->socket != NULL || is_meant(args->file, message.text))
        return CTL_OK;
    ctl_complain("the server of that name runs with %s, not with %s",
                 message.text[0] == '\0' ? "no file" : message.text, args->file);
    return CTL_NO_SERVER;
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
    uint64_t until_ms = now_ms + WELCOME_MS;
    int status;

    *talk = (struct ctl_talk){.fd = -1, .process_fd = -1, .until_ms = UINT64_MAX};
    if (args->timeout_ms != 0)
        talk->until_ms = now_ms + args->timeout_ms;
    until_ms = earlier(until_ms, talk->until_ms);
    status = reach(talk, args, until_ms);
    if (status == CTL_OK)
        status = be_welcomed(talk, args, until_ms);
    if (status == CTL_OK)
        watch_process(talk);
    else
        ctl_close(talk);
    return status;
}

void ctl_close(struct ctl_talk *talk)
{
    fd_close(&talk->fd);
    fd_close(&talk->process_fd);
}

/* ---- an order ---- */

/* Its socket is closed as one of the last things; the process is gone a little later. */
static int await_end(const struct ctl_talk *talk)
{
    struct pollfd process = {.fd = talk->process_fd, .events = POLLIN};
    uint64_t now_ms = clock_mono_ms();

    while (process.fd >= 0 && now_ms < talk->until_ms) {
        const uint64_t left_ms = earlier(talk->until_ms - now_ms, INT_MAX);

        if (poll(&process, 1, (int)left_ms) > 0)
            return CTL_OK;
        now_ms = clock_mono_ms();
    }
    return process.fd < 0 ? CTL_OK : CTL_AGAIN;
}

static int on_silence(const struct ctl_args *args)
{
    ctl_complain("%s: not done within --timeout; the server goes on with it",
                 control_verb_name(args->verb));
    return CTL_AGAIN;
}

static int on_eof(const struct ctl_talk *talk, const struct ctl_args *args)
{
    if (args->verb == CONTROL_STOP)
        return await_end(talk) == CTL_OK ? CTL_OK : on_silence(args);
    ctl_complain("the server has gone before it had answered");
    return CTL_REFUSED;
}

/* Until the answer, EOF or the end of patience; a terminal sees that time passes. */
static int await(const struct ctl_talk *talk, const struct ctl_args *args,
                 struct ctl_answer *answer)
{
    const uint64_t begin_ms = clock_mono_ms();
    uint64_t look_ms = begin_ms + PROGRESS_MS;
    struct control_message message;
    int got;

    for (;;) {
        got = hear(talk, earlier(look_ms, talk->until_ms), &message, &answer->fd);
        if (got < 0 && errno == ETIMEDOUT && clock_mono_ms() < talk->until_ms) {
            ctl_progress(control_verb_name(args->verb),
                         (look_ms - begin_ms) / PROGRESS_MS, answer->text);
            look_ms += PROGRESS_MS;
            continue;
        }
        if (got < 0 && errno == ETIMEDOUT)
            return on_silence(args);
        if (got <= 0)
            return on_eof(talk, args);
        if (message.type == CONTROL_DONE) {
            memcpy(answer->text, message.text, sizeof(answer->text));
            return message.status == CTL_OK ? CTL_OK : refuse(&message);
        }
        fd_close(&answer->fd);
        if (message.type == CONTROL_NOTE)
            ctl_complain("%s", message.text);
        else
            memcpy(answer->text, message.text, sizeof(answer->text));
    }
}

int ctl_ask(struct ctl_talk *talk, const struct ctl_args *args, struct ctl_answer *answer)
{
    struct control_message ask = {.type = CONTROL_ASK,
                                  .verb = args->verb,
                                  .worker = args->worker,
                                  .flags = (args->is_quick ? CONTROL_QUICK : 0) |
                                           (args->is_json ? CONTROL_JSON : 0) |
                                           (args->has_defaults ? CONTROL_DEFAULTS : 0)};
    int status;

    *answer = (struct ctl_answer){.fd = -1};
    if (control_send(talk->fd, &ask, -1) < 0) {
        ctl_complain("the server does not listen: %s", strerror(errno));
        return CTL_REFUSED;
    }
    status = await(talk, args, answer);
    ctl_progress_end();
    if (status != CTL_OK)
        fd_close(&answer->fd);
    return status;
}
