/* SPDX-License-Identifier: MIT */
/*
 * command - what `remuda ctl` may order, as a table.                        [master]
 *
 * Owns:    nothing; control.c has the peers.
 * Called:  by control.c with each order, by herd.c once per turn, by reload.c and upgrade.c
 *          when a reload or an upgrade begins and ends.
 * Calls:   what a signal calls, and staffing.c.
 * Fails:   with an exit status and a reason, which the log has too. An order that was begun
 *          goes on when who gave it goes away.
 * Rule:    answers are by level, as all of herd.c: each turn looks at who waits for what.
 */
#include "master/command.h"

#include "common/check.h"
#include "common/clock.h"
#include "common/fd.h"
#include "common/log.h"
#include "master/herd.h"
#include "master/reload.h"

#include <errno.h>
#include <string.h>

enum {
    WAITS = -1,       /* of an order that has not taken yet */
    HEARD_POLL_MS = 2 /* no event says that a worker has read its message */
};

/* ---- orders: WAITS, or an exit status and what to say in *said ---- */

typedef int begin_fn(struct master *master, struct control_peer *peer,
                     const struct control_message *ask, struct fault *said);

static int begin_reload(struct master *master, struct control_peer *peer,
                        const struct control_message *ask, struct fault *said)
{
    (void)peer;
    (void)ask;
    (void)said;
    reload_request(master);
    return WAITS; /* command_on_end */
}

static int begin_upgrade(struct master *master, struct control_peer *peer,
                         const struct control_message *ask, struct fault *said)
{
    (void)peer;
    (void)ask;
    if (upgrade_is_running(master))
        return fault_set(said, EXIT_TEMPORARY, "another upgrade is running");
    upgrade_begin(master);
    return WAITS; /* command_on_end, perhaps in another image */
}

static int begin_stop(struct master *master, struct control_peer *peer,
                      const struct control_message *ask, struct fault *said)
{
    (void)peer;
    (void)said;
    master_stop(master, (ask->flags & CONTROL_QUICK) != 0);
    return WAITS; /* EOF will say it */
}

static int begin_reopen(struct master *master, struct control_peer *peer,
                        const struct control_message *ask, struct fault *said)
{
    (void)peer;
    (void)ask;
    return master_reopen(master, said) == EXIT_OK ? WAITS : EXIT_INTERNAL;
}

/* The first that cannot be told; NULL: none. One that has closed its channel is on its way
 * out. */
static const struct slot *tell_pause(struct master *master, bool is_paused)
{
    for (unsigned i = 0; i < master->slot_count; i++) {
        struct slot *slot = &master->slots[i];

        if ((slot->state == SLOT_SERVING || slot->state == SLOT_RETIRING) &&
            channel_send(&slot->channel, MESSAGE_PAUSE, is_paused, -1) < 0 &&
            errno != EPIPE && errno != ECONNRESET)
            return slot;
    }
    return NULL;
}

static int begin_pause(struct master *master, struct control_peer *peer,
                       const struct control_message *ask, struct fault *said)
{
    const bool is_paused = ask->verb == CONTROL_PAUSE;
    const struct slot *deaf;

    (void)peer;
    if (master->phase == MASTER_STARTING)
        return fault_set(said, EXIT_TEMPORARY, "the server is starting");
    deaf = tell_pause(master, is_paused);
    if (deaf != NULL) {
        fault_set(said, EXIT_INTERNAL, "worker %u (pid %d) cannot be told: %s",
                  deaf->index, (int)deaf->pid, strerror(errno));
        (void)tell_pause(master, master->is_paused); /* a refusal changes nothing */
        return said->status;
    }
    if (is_paused != master->is_paused)
        log_info("%s", is_paused ? "paused: nothing new is accepted" : "resumed");
    master->is_paused = is_paused;
    return WAITS;
}

/* One word, which each worker reads with its next answer. */
static int begin_drain(struct master *master, struct control_peer *peer,
                       const struct control_message *ask, struct fault *said)
{
    const uint32_t closing = ask->verb == CONTROL_DRAIN ? BOARD_CLOSING : BOARD_OPEN;

    (void)peer;
    if (master->phase == MASTER_STARTING)
        return fault_set(said, EXIT_TEMPORARY, "the server is starting");
    if (board_get32(&master->board->closing) != closing)
        log_info("%s", closing == BOARD_OPEN
                           ? "not draining any more: connections are kept"
                           : "draining: not ready, each answer closes its connection");
    board_set32(&master->board->closing, closing);
    master_tell_status(master);
    return fault_set(said, EXIT_OK, "%s", master->status);
}

static int begin_staffing(struct master *master, struct control_peer *peer,
                          const struct control_message *ask, struct fault *said)
{
    const int status = staffing_begin(master, ask, peer->number, said);

    return status == EXIT_OK ? WAITS : status;
}

/* ---- while it waits ---- */

typedef int look_fn(const struct master *master, struct fault *said);

static bool is_heard(const struct master *master, bool by_those_who_leave)
{
    for (unsigned i = 0; i < master->slot_count; i++) {
        const struct slot *slot = &master->slots[i];
        const bool serves = slot->state == SLOT_SERVING || slot->state == SLOT_RETIRING;

        if (slot->state != SLOT_KILLED && (serves || by_those_who_leave) &&
            channel_is_unheard(&slot->channel))
            return false;
    }
    return true;
}

static int look_paused(const struct master *master, struct fault *said)
{
    return is_heard(master, false) ? fault_set(said, EXIT_OK, "%s", master->status)
                                   : WAITS;
}

static int look_reopened(const struct master *master, struct fault *said)
{
    return is_heard(master, true) ? fault_set(said, EXIT_OK, "logs reopened") : WAITS;
}

/* ---- the table ---- */

static const struct command {
    begin_fn *begin; /* NULL: not to be had */
    look_fn *look;   /* each turn while it waits; NULL: it is told */
} commands[CONTROL_VERBS] = {
    [CONTROL_RELOAD] = {begin_reload, NULL},
    [CONTROL_REOPEN] = {begin_reopen, look_reopened},
    [CONTROL_STOP] = {begin_stop, NULL},
    [CONTROL_PAUSE] = {begin_pause, look_paused},
    [CONTROL_RESUME] = {begin_pause, look_paused},
    [CONTROL_DRAIN] = {begin_drain, NULL},
    [CONTROL_UNDRAIN] = {begin_drain, NULL},
    [CONTROL_WORKER_ADD] = {begin_staffing, NULL},
    [CONTROL_WORKER_REMOVE] = {begin_staffing, NULL},
    [CONTROL_WORKER_RECYCLE] = {begin_staffing, NULL},
    [CONTROL_UPGRADE] = {begin_upgrade, NULL},
};

static void answer(struct control_peer *peer, int status, const char *text)
{
    if (status != EXIT_OK)
        log_warn("control socket: %s refused: %s", control_verb_name(peer->verb), text);
    control_answer(peer, status, text, -1);
}

static bool is_show(uint32_t verb)
{
    return verb == CONTROL_SHOW_BOARD || verb == CONTROL_SHOW_CONFIG ||
           verb == CONTROL_SHOW_LISTENERS;
}

static void show(struct master *master, struct control_peer *peer,
                 const struct control_message *ask)
{
    struct fault fault;
    int fd = -1;

    if (command_show(master, ask, &fd, &fault) == EXIT_OK)
        control_answer(peer, EXIT_OK, master->status, fd);
    else
        control_answer(peer, fault.status, fault.text, -1);
    fd_close(&fd);
}

static void on_ask(struct control_peer *peer, const struct control_message *ask)
{
    struct master *master = ev_userdata(peer->control->loop);
    struct fault said = {.status = EXIT_OK};
    int status = WAITS;

    CHECK_OBJ(master, MASTER_MAGIC);
    if (is_show(ask->verb)) {
        show(master, peer, ask);
        return;
    }
    if (ask->verb >= CONTROL_VERBS || commands[ask->verb].begin == NULL) {
        answer(peer, EXIT_INTERNAL, "this server has no such command");
        return;
    }
    log_info("control socket: %s, by pid %d of user %d", control_verb_name(ask->verb),
             (int)peer->pid, (int)peer->uid);
    if (master->phase == MASTER_STOPPING && ask->verb != CONTROL_STOP)
        status = fault_set(&said, EXIT_INTERNAL, "the server is stopping");
    else
        status = commands[ask->verb].begin(master, peer, ask, &said);
    if (status != WAITS)
        answer(peer, status, said.text);
    else
        (void)control_tell(peer, CONTROL_PROGRESS, master->status);
}

/* ---- a turn ---- */

static void end_staffing(struct master *master)
{
    const uint64_t number = master->staffing.peer;
    const uint32_t verb = master->staffing.verb;
    struct control_peer *peer;
    struct fault said;

    if (!staffing_turn(master, &said))
        return;
    peer = control_find(&master->control, number);
    if (peer != NULL)
        answer(peer, said.status, said.text);
    else if (said.status != EXIT_OK)
        log_warn("%s: %s", control_verb_name(verb), said.text);
}

/* Some wait for it to happen; all others wait in vain. */
static void end_all_but_stops(struct master *master)
{
    master->staffing.verb = CONTROL_NOTHING;
    for (size_t i = 0; i < CONTROL_PEERS; i++) {
        struct control_peer *peer = &master->control.peer[i];

        if (peer->fd >= 0 && peer->verb != CONTROL_NOTHING && peer->verb != CONTROL_STOP)
            answer(peer, EXIT_INTERNAL, "the server is stopping");
    }
}

/* Does it wait for workers to hear something? */
static bool look(struct master *master, struct control_peer *peer)
{
    struct fault said;
    int status;

    if (peer->fd < 0 || peer->verb >= CONTROL_VERBS || commands[peer->verb].look == NULL)
        return false;
    status = commands[peer->verb].look(master, &said);
    if (status == WAITS)
        return true;
    answer(peer, status, said.text);
    return false;
}

/* How things are, told only when that has changed. */
static void tell_progress(struct master *master)
{
    if (strcmp(master->told, master->status) == 0)
        return;
    memcpy(master->told, master->status, sizeof(master->told));
    for (size_t i = 0; i < CONTROL_PEERS; i++)
        if (master->control.peer[i].fd >= 0 &&
            master->control.peer[i].verb != CONTROL_NOTHING)
            (void)control_tell(&master->control.peer[i], CONTROL_PROGRESS,
                               master->status);
}

uint64_t command_turn(struct master *master)
{
    const uint64_t now_ms = clock_mono_ms();
    uint64_t wake_ms;

    end_staffing(master);
    if (master->phase == MASTER_STOPPING)
        end_all_but_stops(master);
    tell_progress(master);
    wake_ms = control_expire(&master->control, now_ms);
    for (size_t i = 0; i < CONTROL_PEERS; i++)
        if (look(master, &master->control.peer[i]))
            wake_ms = now_ms + HEARD_POLL_MS;
    return wake_ms;
}

/* ---- a reload, an upgrade ---- */

static bool waits_for(const struct control_peer *peer, enum control_verb verb)
{
    return peer->fd >= 0 && peer->verb == verb;
}

void command_on_begin(struct master *master, enum control_verb verb)
{
    for (size_t i = 0; i < CONTROL_PEERS; i++)
        if (waits_for(&master->control.peer[i], verb))
            master->control.peer[i].has_begun = true;
}

/* Only one of them runs at a time. */
void command_note(struct master *master, const char *line)
{
    for (size_t i = 0; i < CONTROL_PEERS; i++)
        if (master->control.peer[i].fd >= 0 && master->control.peer[i].has_begun)
            (void)control_tell(&master->control.peer[i], CONTROL_NOTE, line);
}

void command_on_end(struct master *master, enum control_verb verb, bool took,
                    const char *text)
{
    const char *name = control_verb_name(verb);
    struct fault said;

    if (took)
        fault_set(&said, EXIT_OK, "%s done: generation %u, %s", name,
                  master->running.number, text);
    else
        fault_set(&said, EXIT_INTERNAL, "%s refused: %.400s; generation %u goes on", name,
                  text, master->running.number);
    for (size_t i = 0; i < CONTROL_PEERS; i++) {
        struct control_peer *peer = &master->control.peer[i];

        if (waits_for(peer, verb) && peer->has_begun)
            control_answer(peer, said.status, said.text, -1);
    }
}

/* ---- life ---- */

void command_start(struct master *master, const char *group)
{
    const char *file = master->source->file;
    struct control_socket socket;
    struct fault fault;

    if (control_socket_open(&socket, file, group, &fault) != EXIT_OK) {
        log_info("control socket: off: %s", fault.text);
        return;
    }
    control_open(&master->control, master->loop, &socket, file, on_ask);
    log_info("control socket: %s", socket.path);
}

void command_resume(struct master *master)
{
    if (master->control.socket.fd >= 0)
        control_resume(&master->control, master->loop, master->source->file, on_ask);
    else
        command_start(master, master->running.conf->admin.admin_group);
}

void command_stop(struct master *master)
{
    control_close(&master->control);
}
