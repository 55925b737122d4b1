/* SPDX-License-Identifier: MIT */
/*
 * spawn - the birth of a worker.                            [master, then the child]
 *
 * Owns:    nothing; fills the heritage, which the child reads in its own copy.
 * Called:  by herd.c.
 * Fails:   -1 with errno where fork or the channel fails. A child that cannot become what
 *          it should says so over its channel and exits: it never runs foreign code with
 *          the master's rights.
 * Order:   signals, descriptors, identity, worker_main: nothing later may need what an
 *          earlier step took away.
 */
#include "master/spawn.h"

#include "common/check.h"
#include "common/clock.h"
#include "common/fd.h"
#include "common/log.h"
#include "common/message.h"
#include "common/written.h"
#include "conf/conf.h"
#include "master/herd.h"
#include "master/privdrop.h"
#include "worker/worker.h"

#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

/* board, two logs, the common inbox, the channel */
enum { FIXED_FDS = 6 };
enum { MAX_KEPT = FIXED_FDS + HERITAGE_LISTENERS + HERITAGE_IMAGES + 2 * BOARD_WORKERS };

/* ---- the child ---- */

/* The master has no handlers, it only ignores; what does have one is a sanitizer's. */
void spawn_reset_signals(void)
{
    const struct sigaction standard = {.sa_handler = SIG_DFL};
    struct sigaction now;

    for (int number = 1; number < NSIG; number++)
        if (sigaction(number, NULL, &now) == 0 && now.sa_handler == SIG_IGN)
            (void)sigaction(number, &standard, NULL);
    (void)setpgid(0, 0); /* a terminal's Ctrl-C is for the master */
}

static size_t list_kept(const struct heritage *h, int kept[static MAX_KEPT])
{
    size_t n = 0;

    kept[n++] = h->board_fd;
    kept[n++] = h->access_log_fd;
    kept[n++] = h->error_log_fd;
    kept[n++] = h->common_inbox.rx;
    kept[n++] = h->common_inbox.tx;
    kept[n++] = h->channel;
    for (size_t i = 0; i < h->listener_count; i++)
        kept[n++] = h->listener[i].fd;
    for (size_t i = 0; i < h->image_count; i++)
        kept[n++] = h->image[i].fd;
    for (size_t i = 0; i < h->inbox_count; i++) {
        kept[n++] = h->inbox[i].rx;
        kept[n++] = h->inbox[i].tx;
    }
    CHECK(n <= MAX_KEPT);
    return n;
}

static _Noreturn void refuse(const struct heritage *h, const char *what)
{
    const int status = fault_status_of(errno, EXIT_OS);
    char text[MESSAGE_TEXT];

    snprintf(text, sizeof(text), "%s: %s", what, strerror(errno));
    (void)message_send(h->channel, MESSAGE_READY, h->generation, (int32_t)getpid(),
                       (uint64_t)status, text, -1);
    _exit(status);
}

static _Noreturn void run_child(struct heritage *h)
{
    int kept[MAX_KEPT];
    char role[24];

    spawn_reset_signals();
    snprintf(role, sizeof(role), "worker %u", h->index);
    log_set_role(role);
    log_set_fd(h->error_log_fd);
    fd_close_others(kept, list_kept(h, kept));
    h->written_fd = written_open(getpid()); /* another user might not open it */
    if (h->conf->server.chdir[0] != '\0' && chdir(h->conf->server.chdir) < 0)
        refuse(h, "server.chdir");
    if (privdrop_become(h->uid, h->gid, h->user) < 0)
        refuse(h, "cannot drop privileges");
    worker_main(h);
}

/* ---- the master ---- */

void spawn_fill_identity(struct heritage *heritage, const struct conf *conf)
{
    heritage->uid = conf->server.uid;
    heritage->gid = conf->server.gid;
    heritage->user = conf->server.user[0] == '\0' ? NULL : conf->server.user;
}

static void fill_listeners(struct heritage *heritage, const struct listeners *listeners)
{
    heritage->listener_count = listeners->count;
    for (size_t i = 0; i < listeners->count; i++) {
        struct heritage_listener *to = &heritage->listener[i];

        to->fd = listeners->item[i].fd;
        to->unix_socket = listeners->item[i].unix_socket;
        snprintf(to->name, sizeof(to->name), "%s", listeners->item[i].name);
    }
}

static void fill_heritage(struct master *master, const struct generation *generation,
                          const struct slot *slot, int channel)
{
    struct heritage *h = &master->heritage;

    h->conf = generation->conf;
    fill_listeners(h, &generation->listeners);
    memcpy(h->image, generation->images.item, sizeof(h->image));
    h->image_count = generation->images.count;
    h->access_log_fd = generation->logs.access_fd;
    h->error_log_fd = generation->logs.error_fd;
    h->index = slot->index;
    h->generation = generation->number;
    h->channel = channel;
    h->list_routes =
        policy_count_live(master->slots, master->slot_count, generation->number) == 0 &&
        generation == &master->change.next;
    spawn_fill_identity(h, generation->conf);
}

static void fill_board(struct master *master, const struct generation *generation,
                       const struct slot *slot)
{
    struct board_worker *worker = &master->board->worker[slot->index];

    board_set32(&worker->generation, generation->number);
    board_set32(&worker->threads, generation->conf->server.threads);
    board_set(&worker->started_ms, slot->started_ms);
    board_set32(&worker->state, SLOT_STARTING);
}

/* Blocked around fork, so that no signal meant for the master is handled in the child. */
static pid_t fork_blocked(struct heritage *heritage)
{
    sigset_t all, before;
    pid_t pid;

    sigfillset(&all);
    sigprocmask(SIG_SETMASK, &all, &before);
    pid = fork();
    if (pid == 0)
        run_child(heritage);
    sigprocmask(SIG_SETMASK, &before, NULL);
    return pid;
}

static void on_message(struct channel *channel, const struct message *message)
{
    herd_hear(CONTAINER_OF(channel, struct slot, channel), message);
}

static void hear(struct master *master, struct slot *slot, int channel)
{
    channel_open(&slot->channel, master->loop, channel, on_message);
    channel_set_peer(&slot->channel, slot->pid, slot->generation);
}

void spawn_adopt(struct master *master, struct slot *slot)
{
    const bool complained = slot->channel.complained;

    hear(master, slot, slot->channel.fd);
    slot->channel.complained = complained;
}

int spawn_worker(struct master *master, const struct generation *generation,
                 struct slot *slot)
{
    const struct conf_worker *conf = &generation->conf->worker;
    int pair[2];

    if (fd_pair(pair) < 0)
        return -1;
    slot->generation = generation->number;
    slot->started_ms = clock_mono_ms();
    slot->limits = (struct slot_limits){.boot = conf->boot_timeout_ms,
                                        .heartbeat = conf->heartbeat_timeout_ms,
                                        .graceful = conf->graceful_timeout_ms,
                                        .loop_block = conf->loop_block_ms};
    fill_heritage(master, generation, slot, pair[1]);
    fill_board(master, generation, slot);
    slot->pid = fork_blocked(&master->heritage);
    fd_close(&pair[1]);
    if (slot->pid < 0) {
        fd_close(&pair[0]);
        board_retire(master->board, slot->index);
        slot->pid = 0;
        return -1;
    }
    master->board->worker[slot->index].pid = slot->pid;
    slot->written_fd = written_open(slot->pid);
    hear(master, slot, pair[0]);
    return 0;
}
