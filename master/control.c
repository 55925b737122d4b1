/* SPDX-License-Identifier: MIT */
/*
 * control - the control socket's peers.                                     [master]
 *
 * Owns:    the listening socket, at most CONTROL_PEERS connections.
 * Called:  by the loop; by command.c with answers. Calls back with each question.
 * Fails:   towards the master: it never waits for a peer and never dies of one. One that
 *          sends what is no question, asks twice or does not read is dropped; what it has
 *          begun goes on.
 */
#include "master/control.h"

#include "common/check.h"
#include "common/clock.h"
#include "common/fd.h"
#include "common/log.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

enum { WARN_MS = 10000, OVERFLOW_DEFAULT = 65534 };

static const double accept_pause_s = 1.;

/* ---- who may ---- */

/* The kernel's own number for "somebody without a number in this user namespace". */
static uid_t overflow_uid(void)
{
    int fd = open("/proc/sys/kernel/overflowuid", O_RDONLY | O_CLOEXEC);
    char text[24] = "";
    ssize_t n = fd < 0 ? -1 : read(fd, text, sizeof(text) - 1);

    fd_close(&fd);
    return n > 0 ? (uid_t)strtoul(text, NULL, 10) : OVERFLOW_DEFAULT;
}

bool control_may_ask(uid_t uid, uid_t own, uid_t overflow, bool is_for_group)
{
    if (uid == overflow)
        return false; /* it could be anyone */
    return uid == 0 || uid == own || is_for_group;
}

/* One line in a while, however many knock. */
static bool may_warn(struct control *control)
{
    const uint64_t now_ms = clock_mono_ms();

    if (control->warned_ms != 0 && now_ms - control->warned_ms < WARN_MS)
        return false;
    control->warned_ms = now_ms;
    return true;
}

static void warn(const struct control_peer *peer, const char *what)
{
    if (may_warn(peer->control))
        log_warn("control socket: pid %d of user %d: %s", (int)peer->pid, (int)peer->uid,
                 what);
}

/* ---- a peer ---- */

static void drop(struct control_peer *peer)
{
    if (peer->fd < 0)
        return;
    ev_io_stop(peer->control->loop, &peer->watcher);
    fd_close(&peer->fd);
    peer->verb = CONTROL_NOTHING;
    peer->has_begun = false;
    peer->number = 0;
}

static int send_text(const struct control_peer *peer, enum control_type type, int status,
                     const char *text, int passed)
{
    struct control_message message = {.type = type,
                                      .verb = peer->verb,
                                      .status = status,
                                      .worker = CONTROL_ANY_WORKER,
                                      .pid = (int32_t)getpid()};

    control_set_text(&message, text);
    return control_send(peer->fd, &message, passed);
}

void control_answer(struct control_peer *peer, int status, const char *text, int passed)
{
    if (send_text(peer, CONTROL_DONE, status, text, passed) < 0)
        log_debug("control socket: pid %d does not hear its answer: %s", (int)peer->pid,
                  strerror(errno));
    drop(peer);
}

bool control_tell(struct control_peer *peer, enum control_type type, const char *text)
{
    if (send_text(peer, type, 0, text, -1) == 0)
        return true;
    if (errno == EAGAIN)
        warn(peer, "does not read; dropped");
    drop(peer);
    return false;
}

static void hear(struct control_peer *peer, const struct control_message *message)
{
    if (message->type != CONTROL_ASK || message->verb == CONTROL_NOTHING ||
        peer->verb != CONTROL_NOTHING) {
        warn(peer, "speaks out of turn; dropped");
        drop(peer);
        return;
    }
    peer->verb = message->verb;
    peer->control->on_ask(peer, message);
}

static void on_readable(struct ev_loop *loop, ev_io *watcher, int events)
{
    struct control_peer *peer = CONTAINER_OF(watcher, struct control_peer, watcher);
    struct control_message message;
    int passed, got = control_recv(peer->fd, &message, &passed);

    (void)loop;
    (void)events;
    fd_close(&passed); /* nobody sends us one */
    if (got < 0 && (errno == EAGAIN || errno == EINTR))
        return;
    if (got < 0 && errno == EPROTO)
        warn(peer, "sent what is no question; dropped");
    if (got <= 0)
        drop(peer);
    else
        hear(peer, &message);
}

static void listen_to(struct control_peer *peer)
{
    ev_io_init(&peer->watcher, on_readable, peer->fd, EV_READ);
    ev_io_start(peer->control->loop, &peer->watcher);
}

/* ---- the door ---- */

static struct control_peer *free_place(struct control *control)
{
    for (size_t i = 0; i < COUNT_OF(control->peer); i++)
        if (control->peer[i].fd < 0)
            return &control->peer[i];
    return NULL;
}

static void seat(struct control *control, struct control_peer *place,
                 const struct control_peer *guest)
{
    *place = *guest;
    place->number = ++control->last_number;
    place->deadline_ms = clock_mono_ms() + CONTROL_PATIENCE_MS;
    listen_to(place);
    (void)control_tell(place, CONTROL_WELCOME, control->file);
}

/* Takes the descriptor. */
static void admit(struct control *control, int fd)
{
    struct control_peer guest = {.control = control, .fd = fd, .uid = (uid_t)-1};
    struct control_peer *place = free_place(control);
    struct ucred who;
    socklen_t length = sizeof(who);
    bool is_known = getsockopt(fd, SOL_SOCKET, SO_PEERCRED, &who, &length) == 0;

    if (is_known) {
        guest.uid = who.uid;
        guest.pid = who.pid;
    }
    if (!is_known || !control_may_ask(guest.uid, geteuid(), overflow_uid(),
                                      control->socket.is_for_group)) {
        warn(&guest, "may not use it; refused");
        (void)send_text(&guest, CONTROL_DONE, EXIT_PERMISSION,
                        "this user may not use the control socket", -1);
    } else if (place == NULL) {
        (void)send_text(&guest, CONTROL_DONE, EXIT_TEMPORARY,
                        "the control socket is busy: try again", -1);
    } else {
        seat(control, place, &guest);
        return;
    }
    fd_close(&guest.fd);
}

/* Out of descriptors: it would be readable for ever. */
static void pause_accepting(struct control *control)
{
    if (may_warn(control))
        log_warn("control socket: cannot accept: %s; trying again", strerror(errno));
    ev_io_stop(control->loop, &control->watcher);
    ev_timer_set(&control->again, accept_pause_s, 0.);
    ev_timer_start(control->loop, &control->again);
}

static void on_again(struct ev_loop *loop, ev_timer *timer, int events)
{
    struct control *control = CONTAINER_OF(timer, struct control, again);

    (void)events;
    ev_io_start(loop, &control->watcher);
}

static void on_knock(struct ev_loop *loop, ev_io *watcher, int events)
{
    struct control *control = CONTAINER_OF(watcher, struct control, watcher);
    int fd = accept4(control->socket.fd, NULL, NULL, SOCK_NONBLOCK | SOCK_CLOEXEC);

    (void)loop;
    (void)events;
    if (fd >= 0)
        admit(control, fd);
    else if (errno == EMFILE || errno == ENFILE || errno == ENOBUFS || errno == ENOMEM)
        pause_accepting(control);
}

/* ---- life ---- */

void control_init(struct control *control)
{
    memset(control, 0, sizeof(*control));
    control->socket.fd = -1;
    for (size_t i = 0; i < COUNT_OF(control->peer); i++)
        control->peer[i].fd = -1;
}

/* As a client would write it from anywhere; nothing is resolved, for a link may be turned
 * to another file. */
static void set_file(struct control *control, const char *file)
{
    char folder[CONTROL_TEXT / 2];

    if (file == NULL || file[0] == '\0')
        return;
    if (file[0] == '/' || getcwd(folder, sizeof(folder)) == NULL)
        (void)snprintf(control->file, sizeof(control->file), "%s", file);
    else
        (void)snprintf(control->file, sizeof(control->file), "%s/%s", folder, file);
}

void control_open(struct control *control, struct ev_loop *loop,
                  const struct control_socket *socket, const char *file,
                  control_fn *on_ask)
{
    control_init(control);
    control->socket = *socket;
    control_resume(control, loop, file, on_ask);
}

void control_resume(struct control *control, struct ev_loop *loop, const char *file,
                    control_fn *on_ask)
{
    control->loop = loop;
    control->on_ask = on_ask;
    set_file(control, file);
    for (size_t i = 0; i < COUNT_OF(control->peer); i++) {
        control->peer[i].control = control;
        if (control->peer[i].fd >= 0)
            listen_to(&control->peer[i]);
    }
    ev_timer_init(&control->again, on_again, 0., 0.);
    ev_io_init(&control->watcher, on_knock, control->socket.fd, EV_READ);
    ev_io_start(loop, &control->watcher);
}

void control_close(struct control *control)
{
    if (control->socket.fd < 0)
        return;
    for (size_t i = 0; i < COUNT_OF(control->peer); i++)
        drop(&control->peer[i]);
    ev_timer_stop(control->loop, &control->again);
    ev_io_stop(control->loop, &control->watcher);
    control_socket_close(&control->socket);
}

struct control_peer *control_find(struct control *control, uint64_t number)
{
    for (size_t i = 0; i < COUNT_OF(control->peer); i++)
        if (control->peer[i].fd >= 0 && control->peer[i].number == number)
            return &control->peer[i];
    return NULL;
}

uint64_t control_expire(struct control *control, uint64_t now_ms)
{
    uint64_t next_ms = UINT64_MAX;

    for (size_t i = 0; i < COUNT_OF(control->peer); i++) {
        struct control_peer *peer = &control->peer[i];

        if (peer->fd < 0 || peer->verb != CONTROL_NOTHING)
            continue;
        if (peer->deadline_ms <= now_ms)
            drop(peer);
        else if (peer->deadline_ms < next_ms)
            next_ms = peer->deadline_ms;
    }
    return next_ms;
}
