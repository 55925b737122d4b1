/* SPDX-License-Identifier: MIT */
/*
 * reload - a change of generation with a commit point.                       [master]
 *
 * Owns:    struct change: the generation that is being prepared beside the running one.
 * Called:  by signals.c (HUP), master.c (first start, stop), herd.c (once per turn).
 * Fails:   before the commit nothing has changed: the workers of the new generation are
 *          in STANDBY at most and accept nothing. Any mistake, death or time-out ends
 *          them, and the running generation never hears of it. A start that fails ends
 *          the master. Commit: all new workers in STANDBY; then GO to all of them and
 *          DRAIN to all others (after a moment, where listeners were dropped).
 */
#include "master/reload.h"

#include "common/clock.h"
#include "common/log.h"
#include "common/version.h"
#include "conf/conf.h"
#include "master/command.h"
#include "master/descriptors.h"
#include "master/herd.h"
#include "master/reap.h"
#include "master/revise.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

enum {
    OLD_GENERATIONS = 2, /* that may drain at a time */
    CONCLUDE_MS = 1000,  /* for the old workers to hear that they drain */
    CONCLUDE_POLL_MS = 2 /* no event says that they did */
};

static const enum control_verb verb_of[] = {[CHANGE_START] = CONTROL_NOTHING,
                                            [CHANGE_RELOAD] = CONTROL_RELOAD,
                                            [CHANGE_UPGRADE] = CONTROL_UPGRADE};

/* ---- the new generation fails ---- */

static void fail(struct master *master, int status, const char *text)
{
    if (master->change.failed)
        return; /* the first cause is the one to name */
    master->change.failed = true;
    fault_set(&master->change.fault, status, "%s", text);
}

static bool is_candidate(const struct master *master, const struct slot *slot)
{
    return master->change.active && slot->generation == master->change.next.number;
}

bool reload_on_death(struct master *master, const struct slot *slot)
{
    char cause[96], text[256];

    if (!is_candidate(master, slot))
        return false;
    reap_format_status(slot->wait_status, cause, sizeof(cause));
    snprintf(text, sizeof(text), "worker %u (pid %d, generation %u) %s", slot->index,
             (int)slot->pid, slot->generation, slot->doom != NULL ? slot->doom : cause);
    /* a verdict of its own came before, over the channel; an exit status may be anyone's */
    fail(master, EXIT_INTERNAL, text);
    return true;
}

void reload_on_refusal(struct master *master, const struct slot *slot,
                       const struct message *message)
{
    const bool known = message->arg >= EXIT_USAGE && message->arg <= EXIT_CONFIG;

    if (is_candidate(master, slot))
        fail(master, known ? (int)message->arg : EXIT_INTERNAL, message->text);
}

static void end_change(struct master *master, const char *why)
{
    herd_end_generation(master, master->change.next.number, SLOT_ON_STOP_NOW, why);
    generation_abandon(&master->change.next);
    master->change.active = false;
    master->change.failed = false;
}

/* The generation that runs is of the image before: it would not want ours for its heirs. */
static void leave(struct master *master, struct fault *fault)
{
    struct fault why_not;

    upgrade_go_back(master, fault->text, &why_not);
    log_error(
        "there is no way back: %s; the new binary goes on with the workers of the old",
        why_not.text);
}

static void refuse(struct master *master, struct fault *fault)
{
    const enum control_verb verb = verb_of[master->change.kind];
    const char *name = control_verb_name(verb);

    if (master->change.kind == CHANGE_UPGRADE)
        leave(master, fault);
    log_error("%s refused: %s; generation %u goes on", name, fault->text,
              master->running.number);
    command_on_end(master, verb, false, fault->text);
    master_tell_refusal(master, name, fault->text);
}

static void roll_back(struct master *master)
{
    struct fault fault = master->change.fault;

    end_change(master, "the change it belonged to failed");
    if (master->phase == MASTER_STARTING)
        master_give_up(master, &fault);
    else
        refuse(master, &fault);
}

void reload_cancel(struct master *master)
{
    master->change.wanted = false;
    master->change.committed_ms = 0;
    master->change.drain_ms = 0; /* all are told to drain */
    listeners_close(&master->change.dropped);
    upgrade_cancel(master);
    if (master->change.active)
        end_change(master, "stopped before it served");
}

/* ---- commit ---- */

static void drain_old(struct master *master)
{
    for (unsigned i = 0; i < master->slot_count; i++)
        if (master->slots[i].generation != master->running.number)
            herd_feed(master, &master->slots[i], SLOT_ON_DRAIN);
}

/* The old workers take what is queued in the listeners that were dropped: first nobody new
 * gets in, and those whose handshake has begun are given the time to end it. */
static void leave_dropped(struct master *master)
{
    struct change *change = &master->change;

    for (size_t i = 0; i < change->dropped.count; i++)
        log_info("no longer listening on %s", change->dropped.item[i].name);
    change->drain_ms = change->committed_ms;
    herd_tell_refusing(master, master->running.number);
    if (listeners_refuse(&change->dropped))
        change->drain_ms += HANDSHAKE_MS;
}

static void dismiss_old(struct master *master)
{
    listeners_close(&master->change.dropped);
    drain_old(master);
    master->change.drain_ms = 0;
}

static void take_over(struct master *master)
{
    const unsigned before = master->want;
    const unsigned workers = master->change.next.conf->server.workers;
    const bool scaled =
        master->running.conf != NULL && before != master->running.conf->server.workers;

    if (scaled)
        log_info("workers: %u, as configured; TTIN and TTOU no longer count", workers);
    log_set_level(master->change.next.conf->log.level);
    log_set_fd(master->change.next.logs.error_fd);
    generation_commit(&master->running, &master->change.next, &master->change.dropped);
    master->want = workers;
    master->governor = (struct governor){0};
    board_set32(&master->board->generation, master->running.number);
    master->change.active = false;
}

static void remove_old_address_file(const struct master *master)
{
    const char *before = master->running.conf->server.address_file;

    if (before[0] != '\0' &&
        strcmp(before, master->change.next.conf->server.address_file) != 0)
        unlink(before);
}

static void commit_reload(struct master *master)
{
    struct fault fault;

    listeners_log(&master->change.next.listeners);
    remove_old_address_file(master);
    herd_go_generation(master, master->change.next.number);
    take_over(master);
    if (master_publish_addresses(master, &fault) != EXIT_OK)
        log_error("%s", fault.text);
    master->change.committed_ms = clock_mono_ms();
    leave_dropped(master);
    upgrade_settle(master);
}

static bool is_unheard_by_old(const struct master *master)
{
    for (unsigned i = 0; i < master->slot_count; i++)
        if (master->slots[i].state == SLOT_DRAINING &&
            channel_is_unheard(&master->slots[i].channel))
            return true;
    return false;
}

/* "Done" means that every new connection gets a new worker: each old one has read its DRAIN
 * and so accepts nothing more. One whose loop stands still is not waited for. */
static void conclude(struct master *master)
{
    const uint64_t limit_ms = master->change.committed_ms + CONCLUDE_MS;
    const uint64_t now_ms = clock_mono_ms();
    const enum control_verb verb = verb_of[master->change.kind];
    char capacity[128], text[256];

    if (now_ms < master->change.drain_ms)
        return;
    if (master->change.drain_ms != 0)
        dismiss_old(master);
    if (is_unheard_by_old(master) && now_ms < limit_ms)
        return;
    master->change.committed_ms = 0;
    master_capacity(master, capacity, sizeof(capacity));
    if (master->change.kind == CHANGE_UPGRADE)
        snprintf(text, sizeof(text), "remuda %s (%s), %s", REMUDA_VERSION, REMUDA_COMMIT,
                 capacity);
    else
        snprintf(text, sizeof(text), "%s", capacity);
    log_info("%s done: generation %u, %s", control_verb_name(verb),
             master->running.number, text);
    command_on_end(master, verb, true, text);
    master_tell_ready(master);
}

static void commit_start(struct master *master)
{
    struct fault fault;

    take_over(master);
    if (master_welcome(master, &fault) != EXIT_OK)
        master_give_up(master, &fault);
}

static void advance(struct master *master)
{
    const struct generation *next = &master->change.next;
    const unsigned want = next->conf->server.workers;
    const struct policy_view view = {
        .now_ms = clock_mono_ms(),
        .generation = next->number,
        .want = want,
        .governor =
            &(struct governor){0}, /* a death ends the change: nothing to govern */
        .slots = master->slots,
        .slot_count = master->slot_count,
    };
    struct policy_verdict verdict;
    char why[128];

    policy_decide(&view, &verdict);
    if (herd_start(master, next, verdict.start) < 0) {
        const int status = errno == EAGAIN ? EXIT_TEMPORARY : EXIT_OS;

        snprintf(why, sizeof(why), "cannot start a worker: %s", strerror(errno));
        fail(master, status, why);
        roll_back(master);
        return;
    }
    if (policy_count_state(master->slots, master->slot_count, next->number,
                           SLOT_STANDBY) < want)
        return;
    if (master->phase == MASTER_STARTING)
        commit_start(master);
    else
        commit_reload(master);
}

/* ---- begin ---- */

static int open_next(struct master *master, struct conf *conf, struct fault *fault)
{
    struct change *change = &master->change;

    if (generation_open(&change->next, &master->running, &master->inherited, conf,
                        fault) != EXIT_OK)
        return fault->status;
    descriptors_compare(conf);
    notify_extend(&master->notify, conf->worker.boot_timeout_ms);
    change->next.number = ++master->last_number;
    change->active = true;
    change->failed = false;
    return EXIT_OK;
}

int reload_start(struct master *master, struct conf *conf, struct fault *fault)
{
    return open_next(master, conf, fault);
}

/* What is wrong with a configuration. */
struct mistakes {
    struct master *master;
    unsigned told;
};

/* A line of its own, also for who ordered the reload. */
static void note(void *arg, const char *line)
{
    struct mistakes *mistakes = arg;

    log_error("%s", line);
    if (mistakes->told++ < REVISE_TOLD_MOST)
        command_note(mistakes->master, line);
}

static void begin(struct master *master, enum change_kind kind)
{
    struct mistakes mistakes = {.master = master};
    struct fault fault;
    struct conf *conf;

    master->change.kind = kind;
    log_info("%s: generation %u runs, the configuration is read again",
             control_verb_name(verb_of[kind]), master->running.number);
    notify_reloading(&master->notify, clock_mono_ns() / 1000);
    if (kind == CHANGE_RELOAD) /* an upgrade began before exec */
        command_on_begin(master, CONTROL_RELOAD);
    conf = revise_load(master->source, note, &mistakes, &fault);
    if (conf == NULL) {
        refuse(master, &fault);
    } else if (revise_check(master->running.conf, conf, master->want, master->slot_count,
                            note, &mistakes, &fault) != EXIT_OK) {
        conf_destroy(&conf);
        refuse(master, &fault);
    } else if (open_next(master, conf, &fault) != EXIT_OK) {
        refuse(master, &fault);
    }
}

void reload_after_upgrade(struct master *master)
{
    begin(master, CHANGE_UPGRADE);
}

bool reload_can_begin(struct master *master, const char *what, bool *told)
{
    if (master->phase != MASTER_RUNNING || master->change.active ||
        master->change.committed_ms != 0 || upgrade_is_running(master))
        return false;
    if (policy_count_old(master->slots, master->slot_count, master->running.number) <
        OLD_GENERATIONS)
        return true;
    if (!*told)
        log_info("%s waits: %d old generations still drain", what, OLD_GENERATIONS);
    *told = true;
    return false;
}

void reload_request(struct master *master)
{
    if (master->phase == MASTER_STOPPING) {
        log_info("reload ignored: stopping");
        return;
    }
    if (master->change.active)
        log_info("reload waits: %s",
                 master->phase == MASTER_STARTING ? "still starting" : "one is running");
    else if (upgrade_is_running(master))
        log_info("reload waits: an upgrade is tried");
    master->change.wanted = true;
    master->change.told = false;
}

uint64_t reload_turn(struct master *master)
{
    if (master->change.active && master->change.failed)
        roll_back(master);
    else if (master->change.active)
        advance(master);
    if (master->change.committed_ms != 0)
        conclude(master);
    if (master->change.wanted &&
        reload_can_begin(master, "reload", &master->change.told)) {
        master->change.wanted = false;
        begin(master, CHANGE_RELOAD);
        if (master->change.active)
            advance(master);
    }
    return master->change.committed_ms == 0 ? UINT64_MAX
                                            : clock_mono_ms() + CONCLUDE_POLL_MS;
}
