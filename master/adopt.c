/* SPDX-License-Identifier: MIT */
/*
 * adopt - the master's state becomes an estate, and an estate the master's state. [master]
 *
 * Owns:    nothing. Whatever part of the master must survive an upgrade stands here twice,
 *          in collect_ and in take_; a descriptor of a part of its own is named.
 * Called:  by upgrade.c before exec, by master.c after it, by rehearsal.c for the conf.
 * Fails:   a fault. Taking fails before it has changed anything, so that there is a way back.
 */
#include "master/adopt.h"

#include "common/check.h"
#include "common/clock.h"
#include "common/fd.h"
#include "common/log.h"
#include "common/version.h"
#include "conf/load.h"
#include "master/claim.h"
#include "master/lag.h"
#include "master/reap.h"
#include "master/spawn.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

static const char image_before[] = "image-before";

/* ---- collect ---- */

static void collect_self(const struct master *m, struct estate_self *self)
{
    *self = (struct estate_self){.saved_ms = clock_mono_ms(),
                                 .number = m->running.number,
                                 .last_number = m->last_number,
                                 .want = m->want,
                                 .worker_slots = m->slot_count,
                                 .governor = m->governor,
                                 .flood = m->flood,
                                 .oom = m->oom,
                                 .log_lost = log_get_lost(),
                                 .reload_waits = m->change.wanted,
                                 .upgrade_waits = m->upgrade.wanted,
                                 .is_paused = m->is_paused,
                                 .board_fd = m->heritage.board_fd,
                                 .error_log_fd = m->running.logs.error_fd,
                                 .access_log_fd = m->running.logs.access_fd};
    snprintf(self->binary, sizeof(self->binary), "%s", m->upgrade.binary);
    snprintf(self->version, sizeof(self->version), "%s (%s)", REMUDA_VERSION,
             REMUDA_COMMIT);
}

static void collect_slots(const struct master *m, struct estate *e)
{
    for (unsigned i = 0; i < m->slot_count; i++) {
        struct slot *to = &e->slot[e->slot_count];

        if (m->slots[i].state == SLOT_EMPTY)
            continue;
        *to = m->slots[i];
        if (to->written_fd <= 0)
            to->written_fd = -1;
        if (to->doom != NULL)
            snprintf(to->doom_text, sizeof(to->doom_text), "%s", m->slots[i].doom);
        e->slot_count++;
    }
}

static void collect_control(const struct control *control, struct estate *e)
{
    e->control = (struct estate_control){.socket = control->socket,
                                         .last_number = control->last_number,
                                         .warned_ms = control->warned_ms};
    for (size_t i = 0; i < COUNT_OF(control->peer); i++)
        if (control->peer[i].fd >= 0)
            e->peer[e->peer_count++] = control->peer[i];
}

static void collect_inboxes(const struct heritage *h, struct estate *e)
{
    e->inbox[0] = h->common_inbox;
    memcpy(&e->inbox[1], h->inbox, h->inbox_count * sizeof(h->inbox[0]));
    e->inbox_count = h->inbox_count + 1;
}

static void collect_generation(const struct generation *g, struct estate *e)
{
    memcpy(e->listener, g->listeners.item, sizeof(e->listener));
    e->listener_count = g->listeners.count;
    memcpy(e->image, g->images.item, sizeof(e->image));
    e->image_count = g->images.count;
}

struct telling {
    struct estate *estate;
    bool is_short;
};

static void collect_told(void *arg, const struct conf_told *told)
{
    struct telling *telling = arg;

    if (!estate_add_told(telling->estate, told))
        telling->is_short = true;
}

struct estate *adopt_collect(const struct master *master, const char *refusal,
                             struct fault *fault)
{
    struct telling telling = {.estate = estate_create()};
    struct estate *e = telling.estate;

    fault_set(fault, EXIT_OS, "out of memory");
    if (e == NULL)
        return NULL;
    claim_abi(&e->abi);
    collect_self(master, &e->self);
    snprintf(e->self.refusal, sizeof(e->self.refusal), "%s", refusal);
    collect_slots(master, e);
    collect_control(&master->control, e);
    collect_inboxes(&master->heritage, e);
    collect_generation(&master->running, e);
    conf_retell(master->running.conf, collect_told, &telling);
    if (telling.is_short)
        estate_destroy(&telling.estate);
    return telling.estate;
}

bool adopt_add_before(struct estate *estate, int image_fd)
{
    return estate_add_named(estate, image_before, image_fd);
}

int adopt_take_before(struct estate *estate)
{
    return estate_take_named(estate, image_before);
}

/* ---- take ---- */

struct conf *adopt_conf(const struct estate *estate, struct fault *fault)
{
    const struct conf_source source = {.told = estate->told,
                                       .told_count = estate->told_count};
    struct conf_errors errors;
    struct conf *conf = NULL;
    const int status = conf_load(&source, &conf, &errors);

    if (status != 0)
        fault_set(fault, status, "the running configuration is not understood: %s",
                  errors.count > 0 ? errors.line[0] : "out of memory");
    conf_errors_fini(&errors);
    if (conf != NULL && conf->plugins.count != estate->image_count) {
        fault_set(fault, EXIT_CONFIG, "%zu plugins, but %zu images of them",
                  conf->plugins.count, estate->image_count);
        conf_destroy(&conf);
    }
    return conf;
}

static void take_self(struct master *m, const struct estate_self *self)
{
    m->phase = MASTER_RUNNING;
    m->slot_count = self->worker_slots;
    m->last_number = self->last_number;
    m->want = self->want;
    m->governor = self->governor;
    m->flood = self->flood;
    m->oom = self->oom;
    m->upgrade.wanted = self->upgrade_waits;
    m->change.wanted = self->reload_waits;
    m->is_paused = self->is_paused;
    log_set_lost(self->log_lost);
    m->heritage.board_fd = self->board_fd;
    snprintf(m->upgrade.binary, sizeof(m->upgrade.binary), "%s", self->binary);
}

/* The pause was nobody's fault: every deadline moves by it. */
static void take_slots(struct master *m, const struct estate *e, uint64_t pause_ms)
{
    for (size_t i = 0; i < e->slot_count; i++) {
        struct slot *slot = &m->slots[e->slot[i].index];

        *slot = e->slot[i];
        slot->doom = slot->doom_text[0] == '\0' ? NULL : slot->doom_text;
        slot->deadline_ms += slot->deadline_ms == 0 ? 0 : pause_ms;
    }
}

/* Its loop is not there yet: command_resume() listens again. */
static void take_control(struct control *control, const struct estate *e)
{
    control_init(control);
    control->socket = e->control.socket;
    control->last_number = e->control.last_number;
    control->warned_ms = e->control.warned_ms;
    memcpy(control->peer, e->peer, e->peer_count * sizeof(e->peer[0]));
}

static void take_inboxes(struct heritage *h, const struct estate *e)
{
    h->common_inbox = e->inbox[0];
    h->inbox_count = e->inbox_count - 1;
    memcpy(h->inbox, &e->inbox[1], h->inbox_count * sizeof(h->inbox[0]));
}

static void take_generation(struct generation *g, const struct estate *e)
{
    g->number = e->self.number;
    g->logs = (struct logs){.error_fd = e->self.error_log_fd,
                            .access_fd = e->self.access_log_fd};
    memcpy(g->listeners.item, e->listener, sizeof(e->listener));
    g->listeners.count = e->listener_count;
    memcpy(g->images.item, e->image, sizeof(e->image));
    g->images.count = e->image_count;
    for (size_t i = 0; i < g->images.count; i++)
        g->images.item[i].path = g->conf->plugins.item[i].path;
}

/* They were left open for us over exec; a worker gets those it is told of. */
static void keep_to_us(void *arg, const char *what, int fd)
{
    (void)arg;
    (void)what;
    if (fd > STDERR_FILENO)
        (void)fd_set_cloexec(fd, true);
}

/* What an image with more parts has left: nobody here will ever use it. */
static void close_unclaimed(struct estate *e)
{
    for (size_t i = 0; i < e->named_count; i++)
        fd_close(&e->named[i].fd);
}

int adopt_take(struct master *master, struct estate *estate, struct fault *fault)
{
    const uint64_t now_ms = clock_mono_ms();
    struct conf *conf = adopt_conf(estate, fault);
    struct board *board = conf == NULL ? NULL : board_open(estate->self.board_fd);

    if (conf == NULL)
        return fault->status;
    if (board == NULL) {
        conf_destroy(&conf);
        return fault_set(fault, EXIT_OS, "scoreboard: %s", strerror(errno));
    }
    estate_each_fd(estate, keep_to_us, NULL);
    master->board = master->heritage.board = board;
    master->running.conf = conf;
    spawn_fill_identity(&master->heritage, conf); /* as whom its workers run */
    take_self(master, &estate->self);
    take_slots(master, estate, now_ms - estate->self.saved_ms);
    take_control(&master->control, estate);
    take_inboxes(&master->heritage, estate);
    take_generation(&master->running, estate);
    master->upgrade.before_fd = adopt_take_before(estate);
    close_unclaimed(estate);
    return EXIT_OK;
}

void adopt_begin(struct master *master)
{
    const uint64_t now_ms = clock_mono_ms();

    master->watchdog.judge_from_ms = master->lag.judge_from_ms = now_ms;
    for (unsigned i = 0; i < master->slot_count; i++)
        if (master->slots[i].state != SLOT_EMPTY)
            spawn_adopt(master, &master->slots[i]);
    lag_pace(master);
    reap_all(master); /* who died meanwhile; SIGCHLD may have been for the image before */
}
