/* SPDX-License-Identifier: MIT */
/*
 * status - how things are, in sentences: for the log and for systemd.         [master]
 *
 * Owns:    the last sentence told, so that only changes are.
 * Called:  by master.c, reload.c and at the end of each turn.
 * Fails:   never.
 */
#include "common/log.h"
#include "conf/conf.h"
#include "master/herd.h"
#include "master/master.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

void master_capacity(const struct master *master, char *out, size_t size)
{
    const struct conf_server *server = &master->running.conf->server;

    snprintf(out, size, "%u worker%s x %u thread%s = %u slots", master->want,
             master->want == 1 ? "" : "s", server->threads,
             server->threads == 1 ? "" : "s", master->want * server->threads);
}

/* One that is recycled counts until its successor does; one that stands still does not. */
static unsigned count_serving(const struct master *master)
{
    const uint32_t generation = master->running.number;
    unsigned n = 0;

    for (unsigned i = 0; i < master->slot_count; i++) {
        const struct slot *slot = &master->slots[i];

        n += slot->generation == generation &&
             (slot->state == SLOT_SERVING ||
              (slot->state == SLOT_RETIRING && slot->deadline_ms == 0));
    }
    return n;
}

/* One that was ordered and does not serve yet is not missing. */
static bool is_degraded(const struct master *master)
{
    const unsigned ordered = master->staffing.verb == CONTROL_WORKER_ADD ? 1 : 0;

    return master->governor.failures > 0 ||
           count_serving(master) + ordered < master->want;
}

static enum board_readiness judge_readiness(const struct master *master)
{
    if (master->phase == MASTER_STOPPING)
        return BOARD_IS_STOPPING;
    if (master->phase == MASTER_STARTING)
        return BOARD_IS_STARTING;
    if (board_get32(&master->board->closing) != BOARD_OPEN)
        return BOARD_IS_DRAINING;
    if (master->is_paused)
        return BOARD_IS_PAUSED;
    return is_degraded(master) ? BOARD_IS_DEGRADED : BOARD_IS_READY;
}

static void compose_status(const struct master *master, char *out, size_t size)
{
    char capacity[128];

    if (master->stop.stage == STOP_ANNOUNCED) {
        snprintf(out, size, "stopping: serves until drain_delay is over");
        return;
    }
    if (master->phase == MASTER_STOPPING) {
        snprintf(out, size, "stopping: %u still draining", herd_count(master));
        return;
    }
    if (master->phase == MASTER_STARTING) {
        snprintf(out, size, "starting");
        return;
    }
    master_capacity(master, capacity, sizeof(capacity));
    if (upgrade_is_running(master) ||
        (master->change.active && master->change.kind == CHANGE_UPGRADE))
        snprintf(out, size, "upgrading: %s serve meanwhile", capacity);
    else if (master->change.active)
        snprintf(out, size, "reloading: %s serve meanwhile", capacity);
    else if (board_get32(&master->board->closing) != BOARD_OPEN)
        snprintf(out, size, "draining%s: %s, each answer closes its connection",
                 master->is_paused ? " and paused" : "", capacity);
    else if (master->is_paused)
        snprintf(out, size, "paused: %s, nothing new is accepted", capacity);
    else if (is_degraded(master))
        snprintf(out, size, "degraded: %u of %u workers serve", count_serving(master),
                 master->want);
    else
        snprintf(out, size, "ready: %s", capacity);
}

void master_tell_status(struct master *master)
{
    const enum board_readiness readiness = judge_readiness(master);
    char status[sizeof(master->status)];

    board_set32(&master->board->readiness, readiness);
    compose_status(master, status, sizeof(status));
    if (strcmp(status, master->status) == 0)
        return;
    memcpy(master->status, status, sizeof(status));
    notify_status(&master->notify, status);
}

void master_tell_ready(struct master *master)
{
    compose_status(master, master->status, sizeof(master->status));
    notify_ready(&master->notify, master->status);
}

void master_tell_refusal(struct master *master, const char *what, const char *why)
{
    char status[512];

    compose_status(master, master->status, sizeof(master->status));
    snprintf(status, sizeof(status), "%s refused: %.200s; %s", what, why, master->status);
    notify_refused(&master->notify, status, EINVAL);
}

void master_log_plan(const struct generation *generation)
{
    const struct conf *conf = generation->conf;
    const unsigned workers = conf->server.workers, threads = conf->server.threads;

    listeners_log(&generation->listeners);
    log_info("%u worker%s x %u thread%s = %u slots (%s), class %s", workers,
             workers == 1 ? "" : "s", threads, threads == 1 ? "" : "s", workers * threads,
             conf->server.workers_why,
             conf->server.klass == CONF_CLASS_EVENT ? "event" : "thread");
    for (size_t i = 0; i < conf->plugins.count; i++)
        log_info("plugin %s: %s at %s", conf->plugins.item[i].name,
                 conf->plugins.item[i].path, conf->plugins.item[i].mount);
    if (geteuid() == 0 && conf->server.uid == (uid_t)-1)
        log_warn("server.user is not set: workers and their plugins run as root, though "
                 "without its capabilities");
}
