/* SPDX-License-Identifier: MIT */
/*
 * staffing - one worker more, one less, or another in the place of one.     [master]
 *
 * Owns:    struct staffing. The number of workers and their states are the herd's; this
 *          moves `want` by one, or feeds one event, and waits for what comes of it.
 * Called:  by command.c; by act.c and herd.c when a worker that was starting fails.
 * Fails:   a successor that does not come ends the order: who should have left stays, the
 *          number is as before, and the crash governor does not hear of it.
 */
#include "master/staffing.h"

#include "common/clock.h"
#include "common/log.h"
#include "master/herd.h"
#include "master/reap.h"

#include <stdio.h>
#include <string.h>

/* ---- pure ---- */

static bool is_its_own(const struct staffing *staffing, const struct slot *slot)
{
    return slot->generation == staffing->generation &&
           slot->started_ms >= staffing->begun_ms;
}

static const struct slot *find_newcomer(const struct staffing *staffing,
                                        const struct staffing_view *view)
{
    for (size_t i = 0; i < view->slot_count; i++)
        if (is_its_own(staffing, &view->slots[i]) && view->slots[i].state == SLOT_SERVING)
            return &view->slots[i];
    return NULL;
}

static bool has_left(const struct staffing *staffing, const struct staffing_view *view)
{
    const struct slot *slot = &view->slots[staffing->index];

    return slot->state == SLOT_EMPTY || slot->pid != staffing->pid;
}

enum staffing_state staffing_judge(const struct staffing *staffing,
                                   const struct staffing_view *view)
{
    bool is_done;

    if (staffing->has_failed)
        return STAFFING_FAILED;
    if (view->generation != staffing->generation)
        return STAFFING_OVERTAKEN;
    is_done = staffing->verb == CONTROL_WORKER_ADD ? find_newcomer(staffing, view) != NULL
                                                   : has_left(staffing, view);
    return is_done ? STAFFING_DONE : STAFFING_WAITS;
}

const struct slot *staffing_choose(const struct staffing_view *view, int worker)
{
    for (size_t i = view->slot_count; i > 0; i--) {
        const struct slot *slot = &view->slots[i - 1];

        if (slot->generation == view->generation && slot->state == SLOT_SERVING &&
            (worker == CONTROL_ANY_WORKER || worker == (int)slot->index))
            return slot;
    }
    return NULL;
}

/* ---- begin ---- */

static struct staffing_view view_of(const struct master *master)
{
    return (struct staffing_view){.generation = master->running.number,
                                  .slots = master->slots,
                                  .slot_count = master->slot_count};
}

static const struct slot *find_retiring(const struct master *master)
{
    for (unsigned i = 0; i < master->slot_count; i++)
        if (master->slots[i].state == SLOT_RETIRING)
            return &master->slots[i];
    return NULL;
}

/* Does anything else change the workers? */
static int check_turn(const struct master *master, struct fault *fault)
{
    const struct slot *retiring = find_retiring(master);

    if (master->phase == MASTER_STARTING)
        return fault_set(fault, EXIT_TEMPORARY, "the server is starting");
    if (upgrade_is_running(master))
        return fault_set(fault, EXIT_TEMPORARY, "an upgrade is running");
    if (master->change.active || master->change.committed_ms != 0)
        return fault_set(fault, EXIT_TEMPORARY, "%s is running",
                         master->change.kind == CHANGE_UPGRADE ? "an upgrade"
                                                               : "a reload");
    if (master->staffing.verb != CONTROL_NOTHING)
        return fault_set(fault, EXIT_TEMPORARY, "another '%s' is running",
                         control_verb_name(master->staffing.verb));
    if (retiring != NULL)
        return fault_set(fault, EXIT_TEMPORARY, "worker %u (pid %d) is being replaced",
                         retiring->index, (int)retiring->pid);
    return EXIT_OK;
}

/* A new worker is to start: would it, and is there an entry for it? */
static int check_room(const struct master *master, struct fault *fault)
{
    if (master->governor.failures > 0)
        return fault_set(fault, EXIT_TEMPORARY,
                         "degraded: workers die before they have answered a request");
    if (policy_count_state(master->slots, master->slot_count, 0, SLOT_EMPTY) == 0)
        return fault_set(fault, EXIT_TEMPORARY,
                         "all %u entries of server.worker_slots are taken; some drain",
                         master->slot_count);
    return EXIT_OK;
}

static void say_number(struct master *master, const char *what, unsigned want)
{
    master->want = want;
    log_info("%s: %u workers, until the next reload", what, want);
}

static int add(struct master *master, const struct slot *slot, struct fault *fault)
{
    (void)slot;
    if (master->want >= master->slot_count)
        return fault_set(fault, EXIT_INTERNAL,
                         "%u workers are as many as server.worker_slots allows",
                         master->want);
    if (check_room(master, fault) != EXIT_OK)
        return fault->status;
    say_number(master, "worker add", master->want + 1);
    return EXIT_OK;
}

static int remove_one(struct master *master, const struct slot *slot, struct fault *fault)
{
    if (master->want <= 1)
        return fault_set(fault, EXIT_INTERNAL, "the last worker stays");
    say_number(master, "worker remove", master->want - 1);
    herd_feed(master, &master->slots[slot->index], SLOT_ON_DRAIN);
    return EXIT_OK;
}

static int recycle(struct master *master, const struct slot *slot, struct fault *fault)
{
    if (check_room(master, fault) != EXIT_OK)
        return fault->status;
    log_info("worker %u (pid %d, generation %u) is to be recycled: a successor starts",
             slot->index, (int)slot->pid, slot->generation);
    herd_feed(master, &master->slots[slot->index], SLOT_ON_RECYCLE);
    return EXIT_OK;
}

static int begin_step(struct master *master, const struct slot *slot, struct fault *fault)
{
    struct staffing *staffing = &master->staffing;

    staffing->begun_ms = clock_mono_ms();
    staffing->index = slot == NULL ? 0 : slot->index;
    staffing->pid = slot == NULL ? 0 : slot->pid;
    staffing->rest[staffing->index] = 0;
    if (staffing->verb == CONTROL_WORKER_ADD || slot == NULL)
        return add(master, slot, fault);
    return staffing->verb == CONTROL_WORKER_REMOVE ? remove_one(master, slot, fault)
                                                   : recycle(master, slot, fault);
}

/* All who serve now; those that come meanwhile are new anyway. */
static void list_rest(struct master *master)
{
    for (unsigned i = 0; i < master->slot_count; i++)
        if (master->slots[i].state == SLOT_SERVING &&
            master->slots[i].generation == master->running.number)
            master->staffing.rest[i] = master->slots[i].pid;
}

int staffing_begin(struct master *master, const struct control_message *ask,
                   uint64_t peer, struct fault *fault)
{
    const struct staffing_view view = view_of(master);
    const struct slot *slot = NULL;

    if (check_turn(master, fault) != EXIT_OK)
        return fault->status;
    if (ask->verb != CONTROL_WORKER_ADD) {
        slot = staffing_choose(&view, ask->worker);
        if (slot == NULL && ask->worker == CONTROL_ANY_WORKER)
            return fault_set(fault, EXIT_INTERNAL, "no worker serves");
        if (slot == NULL)
            return fault_set(fault, EXIT_INTERNAL,
                             "worker %d does not serve, see 'show workers'",
                             (int)ask->worker);
    }
    master->staffing = (struct staffing){.verb = (enum control_verb)ask->verb,
                                         .peer = peer,
                                         .generation = view.generation};
    if (ask->verb == CONTROL_WORKER_RECYCLE && ask->worker == CONTROL_ANY_WORKER)
        list_rest(master);
    if (begin_step(master, slot, fault) != EXIT_OK)
        master->staffing.verb = CONTROL_NOTHING;
    return master->staffing.verb == CONTROL_NOTHING ? fault->status : EXIT_OK;
}

/* ---- the end ---- */

static const struct slot *next_of_rest(const struct master *master)
{
    const struct staffing *staffing = &master->staffing;

    for (unsigned i = 0; i < master->slot_count; i++)
        if (staffing->rest[i] != 0 && master->slots[i].pid == staffing->rest[i] &&
            master->slots[i].state == SLOT_SERVING)
            return &master->slots[i];
    return NULL;
}

/* As many as are to leave one after the other: only while somebody waits for it. */
static enum staffing_state go_on(struct master *master)
{
    struct staffing *staffing = &master->staffing;
    const struct slot *slot = next_of_rest(master);
    struct fault fault;

    staffing->done++;
    if (slot == NULL || control_find(&master->control, staffing->peer) == NULL)
        return STAFFING_DONE;
    if (begin_step(master, slot, &fault) == EXIT_OK)
        return STAFFING_WAITS;
    snprintf(staffing->why, sizeof(staffing->why), "%s", fault.text);
    return STAFFING_FAILED;
}

static void say_done(const struct master *master, struct fault *fault)
{
    const struct staffing *staffing = &master->staffing;
    const struct staffing_view view = view_of(master);
    const struct slot *newcomer = find_newcomer(staffing, &view);
    char capacity[128];

    master_capacity(master, capacity, sizeof(capacity));
    if (staffing->verb == CONTROL_WORKER_ADD && newcomer != NULL)
        fault_set(fault, EXIT_OK, "worker %u (pid %d) serves: %s", newcomer->index,
                  (int)newcomer->pid, capacity);
    else if (staffing->verb == CONTROL_WORKER_REMOVE)
        fault_set(fault, EXIT_OK, "worker %u (pid %d) has left: %s", staffing->index,
                  (int)staffing->pid, capacity);
    else if (staffing->done > 1 || newcomer == NULL)
        fault_set(fault, EXIT_OK, "%u worker%s recycled: %s", staffing->done,
                  staffing->done == 1 ? "" : "s", capacity);
    else
        fault_set(
            fault, EXIT_OK, "worker %u (pid %d) has left, worker %u (pid %d) serves",
            staffing->index, (int)staffing->pid, newcomer->index, (int)newcomer->pid);
}

static void say_failed(const struct staffing *staffing, struct fault *fault)
{
    if (staffing->done > 0)
        fault_set(fault, EXIT_INTERNAL, "%.400s; %u were recycled before that",
                  staffing->why, staffing->done);
    else
        fault_set(fault, EXIT_INTERNAL, "%s", staffing->why);
}

static void say_overtaken(const struct master *master, struct fault *fault)
{
    if (master->staffing.verb == CONTROL_WORKER_RECYCLE)
        fault_set(fault, EXIT_OK, "a reload has replaced all workers");
    else
        fault_set(fault, EXIT_INTERNAL,
                  "a reload came between: %u workers, as configured", master->want);
}

bool staffing_turn(struct master *master, struct fault *fault)
{
    struct staffing *staffing = &master->staffing;
    const struct staffing_view view = view_of(master);
    enum staffing_state state;

    if (staffing->verb == CONTROL_NOTHING)
        return false;
    state = staffing_judge(staffing, &view);
    if (state == STAFFING_DONE && staffing->verb == CONTROL_WORKER_RECYCLE)
        state = go_on(master);
    if (state == STAFFING_WAITS)
        return false;
    if (state == STAFFING_DONE)
        say_done(master, fault);
    else if (state == STAFFING_FAILED)
        say_failed(staffing, fault);
    else
        say_overtaken(master, fault);
    staffing->verb = CONTROL_NOTHING;
    return true;
}

/* ---- it does not come ---- */

static bool awaits_one(const struct master *master)
{
    const struct staffing *staffing = &master->staffing;

    return (staffing->verb == CONTROL_WORKER_ADD ||
            staffing->verb == CONTROL_WORKER_RECYCLE) &&
           !staffing->has_failed && master->running.number == staffing->generation;
}

static bool is_awaited(const struct master *master, const struct slot *slot)
{
    return awaits_one(master) && is_its_own(&master->staffing, slot) &&
           slot->serving_ms == 0;
}

/* The new one has been started, or the old one has not waited for it. */
static bool has_been_started(const struct master *master)
{
    const struct staffing *staffing = &master->staffing;

    for (unsigned i = 0; i < master->slot_count; i++)
        if (slot_is_live(&master->slots[i]) && is_its_own(staffing, &master->slots[i]))
            return true;
    return staffing->verb == CONTROL_WORKER_RECYCLE &&
           master->slots[staffing->index].state != SLOT_RETIRING;
}

void staffing_on_refusal(struct master *master, const struct slot *slot, const char *why)
{
    if (is_awaited(master, slot))
        snprintf(master->staffing.why, sizeof(master->staffing.why),
                 "worker %u (pid %d) cannot start: %s", slot->index, (int)slot->pid, why);
}

/* One whose loop has stood still meanwhile goes as such a one does. */
static void put_back(struct master *master)
{
    const struct staffing *staffing = &master->staffing;
    struct slot *slot = &master->slots[staffing->index];

    if (staffing->verb == CONTROL_WORKER_ADD)
        master->want--;
    else if (slot->pid == staffing->pid && slot->deadline_ms == 0)
        herd_feed(master, slot, SLOT_ON_STAY);
}

bool staffing_on_no_start(struct master *master, const char *why)
{
    struct staffing *staffing = &master->staffing;

    if (!awaits_one(master) || has_been_started(master))
        return false;
    snprintf(staffing->why, sizeof(staffing->why), "%s", why);
    staffing->has_failed = true;
    put_back(master);
    return true;
}

bool staffing_on_death(struct master *master, const struct slot *slot)
{
    struct staffing *staffing = &master->staffing;
    char cause[96];

    if (!is_awaited(master, slot))
        return false;
    reap_format_status(slot->wait_status, cause, sizeof(cause));
    if (staffing->why[0] == '\0')
        snprintf(staffing->why, sizeof(staffing->why), "worker %u (pid %d) %s",
                 slot->index, (int)slot->pid, slot->doom != NULL ? slot->doom : cause);
    staffing->has_failed = true;
    put_back(master);
    return true;
}
