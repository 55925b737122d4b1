/* SPDX-License-Identifier: MIT */
/*
 * test_master_staffing - orders about workers: whom they mean, how far they have come, and
 * what becomes of them when the new worker does not come.
 */
#include "common/check.h"
#include "common/clock.h"
#include "common/fd.h"
#include "common/log.h"
#include "master/master.h"

#include <fcntl.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>

enum { ENTRIES = 8, BEGUN = 5000, BEFORE = 1000, AFTER = 6000, PID = 100 };

/* One letter per entry: - empty, b starting, s standby, S serving, R retiring, D draining;
 * in lower generation: preceded by an apostrophe; started after the order: by a plus. The
 * pid of entry i is 100 + i. */
static void fill(struct slot slots[static ENTRIES], const char *picture)
{
    static const char letters[] = "-bsSRD";
    unsigned n = 0;

    memset(slots, 0, sizeof(struct slot) * ENTRIES);
    for (const char *p = picture; *p != '\0'; p++) {
        const bool is_old = *p == '\'', is_new = *p == '+';
        struct slot *slot = &slots[n];

        p += is_old || is_new;
        slot->state = (enum slot_state)(strchr(letters, *p) - letters);
        slot->generation = slot->state == SLOT_EMPTY ? 0 : is_old ? 1 : 2;
        slot->started_ms = is_new ? AFTER : BEFORE;
        slot->serving_ms = slot->state >= SLOT_SERVING ? slot->started_ms + 1 : 0;
        slot->pid = slot->state == SLOT_EMPTY ? 0 : PID + (pid_t)n;
        slot->index = n++;
    }
    assert_true(n <= ENTRIES);
}

static const struct {
    const char *name, *picture;
    enum control_verb verb;
    unsigned index;
    pid_t pid;
    uint32_t generation;
    bool has_failed;
    enum staffing_state want;
} cases[] = {
    {"add: it starts", "SS+b", CONTROL_WORKER_ADD, 0, 0, 2, false, STAFFING_WAITS},
    {"add: booted is not serving", "SS+s", CONTROL_WORKER_ADD, 0, 0, 2, false,
     STAFFING_WAITS},
    {"add: it serves", "SS+S", CONTROL_WORKER_ADD, 0, 0, 2, false, STAFFING_DONE},
    {"add: the others are not it", "SSS", CONTROL_WORKER_ADD, 0, 0, 2, false,
     STAFFING_WAITS},
    {"add: it failed", "SS-", CONTROL_WORKER_ADD, 0, 0, 2, true, STAFFING_FAILED},
    {"add: a reload", "'D'DS", CONTROL_WORKER_ADD, 0, 0, 1, false, STAFFING_OVERTAKEN},
    {"remove: it drains", "SD", CONTROL_WORKER_REMOVE, 1, 101, 2, false, STAFFING_WAITS},
    {"remove: it has left", "S-", CONTROL_WORKER_REMOVE, 1, 101, 2, false, STAFFING_DONE},
    {"remove: another in its place", "SS", CONTROL_WORKER_REMOVE, 1, 99, 2, false,
     STAFFING_DONE},
    {"recycle: it serves on", "R+b", CONTROL_WORKER_RECYCLE, 0, 100, 2, false,
     STAFFING_WAITS},
    {"recycle: both serve", "R+S", CONTROL_WORKER_RECYCLE, 0, 100, 2, false,
     STAFFING_WAITS},
    {"recycle: it drains", "D+S", CONTROL_WORKER_RECYCLE, 0, 100, 2, false,
     STAFFING_WAITS},
    {"recycle: it has left", "-+S", CONTROL_WORKER_RECYCLE, 0, 100, 2, false,
     STAFFING_DONE},
    {"recycle: no successor", "S-", CONTROL_WORKER_RECYCLE, 0, 100, 2, true,
     STAFFING_FAILED},
    {"recycle: a reload", "'DS", CONTROL_WORKER_RECYCLE, 0, 100, 1, false,
     STAFFING_OVERTAKEN},
};

static void judges(void **state)
{
    (void)state;
    for (size_t i = 0; i < COUNT_OF(cases); i++) {
        struct slot slots[ENTRIES];
        const struct staffing staffing = {.verb = cases[i].verb,
                                          .generation = cases[i].generation,
                                          .begun_ms = BEGUN,
                                          .index = cases[i].index,
                                          .pid = cases[i].pid,
                                          .has_failed = cases[i].has_failed};
        const struct staffing_view view = {
            .generation = 2, .slots = slots, .slot_count = ENTRIES};

        fill(slots, cases[i].picture);
        if (staffing_judge(&staffing, &view) != cases[i].want)
            fail_msg("%s: %d", cases[i].name, staffing_judge(&staffing, &view));
    }
}

static const struct {
    const char *picture;
    int worker, want; /* -1: nobody */
} choices[] = {
    {"SSS", CONTROL_ANY_WORKER, 2},
    {"SSb", CONTROL_ANY_WORKER, 1},
    {"SS'S", CONTROL_ANY_WORKER, 1},
    {"RD-", CONTROL_ANY_WORKER, -1},
    {"SSS", 0, 0},
    {"SSS", 3, -1},
    {"SSS", 255, -1},
    {"SSS", -7, -1},
    {"SDS", 1, -1},
    {"S'SS", 1, -1},
    {"SRS", 1, -1},
    {"SsS", 1, -1},
};

static void chooses_one_that_serves(void **state)
{
    (void)state;
    for (size_t i = 0; i < COUNT_OF(choices); i++) {
        struct slot slots[ENTRIES];
        const struct staffing_view view = {
            .generation = 2, .slots = slots, .slot_count = ENTRIES};
        const struct slot *got;

        fill(slots, choices[i].picture);
        got = staffing_choose(&view, choices[i].worker);
        if ((got == NULL ? -1 : (int)got->index) != choices[i].want)
            fail_msg("%s, %d: %d", choices[i].picture, choices[i].worker,
                     got == NULL ? -1 : (int)got->index);
    }
}

/* ---- with a master that has no processes ---- */

static int set_up(void **state)
{
    struct master *master = calloc(1, sizeof(*master));

    assert_non_null(master);
    master->magic = MASTER_MAGIC;
    master->phase = MASTER_RUNNING;
    master->board = board_create(&master->heritage.board_fd);
    assert_non_null(master->board);
    master->slot_count = ENTRIES;
    master->running.number = 2;
    control_init(&master->control);
    log_set_fd(open("/dev/null", O_WRONLY | O_CLOEXEC));
    *state = master;
    return 0;
}

static int tear_down(void **state)
{
    struct master *master = *state;
    int null = log_get_fd();

    log_set_fd(2);
    fd_close(&null);
    board_close(&master->board);
    fd_close(&master->heritage.board_fd);
    free(master);
    return 0;
}

static int order(struct master *master, enum control_verb verb, int worker,
                 struct fault *fault)
{
    const struct control_message ask = {.verb = verb, .worker = worker};

    return staffing_begin(master, &ask, 1, fault);
}

/* The new worker, in the first empty entry, as the turn after the order makes it. */
static struct slot *start_one(struct master *master)
{
    for (unsigned i = 0; i < ENTRIES; i++) {
        struct slot *slot = &master->slots[i];

        if (slot->state != SLOT_EMPTY)
            continue;
        *slot = (struct slot){.index = i,
                              .state = SLOT_STARTING,
                              .pid = PID + 50,
                              .generation = master->running.number,
                              .started_ms = clock_mono_ms()};
        return slot;
    }
    return NULL;
}

/* Its entry reads as empty by then: the table comes before what it orders. */
static bool die(struct master *master, struct slot *slot)
{
    const enum slot_state before = slot->state;
    bool is_ours;

    slot->state = SLOT_EMPTY;
    is_ours = staffing_on_death(master, slot);
    slot->state = before;
    return is_ours;
}

static void a_successor_that_dies_leaves_all_as_it_was(void **state)
{
    struct master *master = *state;
    struct fault fault;
    struct slot *successor;

    fill(master->slots, "SS");
    master->want = 2;
    assert_int_equal(order(master, CONTROL_WORKER_RECYCLE, 1, &fault), EXIT_OK);
    assert_int_equal(master->slots[1].state, SLOT_RETIRING);
    assert_int_equal(master->slots[1].deadline_ms, 0);
    successor = start_one(master);
    staffing_on_refusal(master, successor, "no such plugin");
    assert_true(die(master, successor));
    assert_int_equal(master->slots[1].state, SLOT_SERVING);
    assert_true(staffing_turn(master, &fault));
    assert_int_equal(fault.status, EXIT_INTERNAL);
    assert_non_null(strstr(fault.text, "no such plugin"));
    assert_false(staffing_turn(master, &fault));
    assert_false(die(master, successor)); /* the next is the governor's */
}

static void one_more_that_dies_leaves_the_number(void **state)
{
    struct master *master = *state;
    struct fault fault;

    fill(master->slots, "SS");
    master->want = 2;
    assert_int_equal(order(master, CONTROL_WORKER_ADD, CONTROL_ANY_WORKER, &fault),
                     EXIT_OK);
    assert_int_equal(master->want, 3);
    assert_true(die(master, start_one(master)));
    assert_int_equal(master->want, 2);
    assert_true(staffing_turn(master, &fault));
    assert_int_equal(fault.status, EXIT_INTERNAL);
}

static void one_that_cannot_be_forked_leaves_all_as_it_was(void **state)
{
    struct master *master = *state;
    struct fault fault;

    fill(master->slots, "SS");
    master->want = 2;
    assert_false(staffing_on_no_start(master, "no process"));
    assert_int_equal(order(master, CONTROL_WORKER_RECYCLE, 1, &fault), EXIT_OK);
    assert_true(staffing_on_no_start(master, "no process"));
    assert_int_equal(master->slots[1].state, SLOT_SERVING);
    assert_true(staffing_turn(master, &fault));
    assert_int_equal(fault.status, EXIT_INTERNAL);
    assert_string_equal(fault.text, "no process");
    assert_int_equal(order(master, CONTROL_WORKER_ADD, CONTROL_ANY_WORKER, &fault),
                     EXIT_OK);
    start_one(master); /* it has come: what else fails is the governor's */
    assert_false(staffing_on_no_start(master, "no process"));
    assert_int_equal(master->want, 3);
}

/* One that serves and one of another generation are not the awaited one. */
static void other_deaths_are_the_governors(void **state)
{
    struct master *master = *state;
    struct fault fault;
    struct slot *slot;

    fill(master->slots, "SS");
    master->want = 2;
    assert_int_equal(order(master, CONTROL_WORKER_RECYCLE, 0, &fault), EXIT_OK);
    assert_false(die(master, &master->slots[1]));
    slot = start_one(master);
    slot->generation = 3;
    assert_false(die(master, slot));
    slot->generation = 2;
    slot->serving_ms = clock_mono_ms();
    assert_false(die(master, slot));
    assert_int_equal(master->slots[0].state, SLOT_RETIRING);
}

/* A deadline says that its loop stands still: it does not come back by that. */
static void one_that_hangs_does_not_stay(void **state)
{
    struct master *master = *state;
    struct fault fault;

    fill(master->slots, "SS");
    master->want = 2;
    assert_int_equal(order(master, CONTROL_WORKER_RECYCLE, 0, &fault), EXIT_OK);
    master->slots[0].deadline_ms = clock_mono_ms() + 1000;
    assert_true(die(master, start_one(master)));
    assert_int_equal(master->slots[0].state, SLOT_RETIRING);
}

static const struct {
    const char *name, *picture;
    enum control_verb verb;
    int worker;
    unsigned want;
    enum master_phase phase;
    bool reloads, orders, degraded;
    int status;
} refusals[] = {
    {"while it starts", "ss", CONTROL_WORKER_ADD, -1, 2, MASTER_STARTING, false, false,
     false, EXIT_TEMPORARY},
    {"beside a reload", "SS", CONTROL_WORKER_ADD, -1, 2, MASTER_RUNNING, true, false,
     false, EXIT_TEMPORARY},
    {"beside another order", "SS", CONTROL_WORKER_ADD, -1, 2, MASTER_RUNNING, false, true,
     false, EXIT_TEMPORARY},
    {"beside one that is replaced", "SR", CONTROL_WORKER_RECYCLE, 0, 2, MASTER_RUNNING,
     false, false, false, EXIT_TEMPORARY},
    {"while they crash", "SS", CONTROL_WORKER_ADD, -1, 2, MASTER_RUNNING, false, false,
     true, EXIT_TEMPORARY},
    {"no entry for a successor", "SSDDDDDD", CONTROL_WORKER_RECYCLE, 0, 2, MASTER_RUNNING,
     false, false, false, EXIT_TEMPORARY},
    {"all entries", "SSSSSSSS", CONTROL_WORKER_ADD, -1, 8, MASTER_RUNNING, false, false,
     false, EXIT_INTERNAL},
    {"the last one", "S", CONTROL_WORKER_REMOVE, 0, 1, MASTER_RUNNING, false, false,
     false, EXIT_INTERNAL},
    {"nobody there", "SS", CONTROL_WORKER_REMOVE, 5, 2, MASTER_RUNNING, false, false,
     false, EXIT_INTERNAL},
};

static void what_cannot_be_is_refused_and_changes_nothing(void **state)
{
    struct master *master = *state;

    for (size_t i = 0; i < COUNT_OF(refusals); i++) {
        struct fault fault = {.text = ""};
        struct slot before[ENTRIES];

        fill(master->slots, refusals[i].picture);
        memcpy(before, master->slots, sizeof(before));
        master->want = refusals[i].want;
        master->phase = refusals[i].phase;
        master->change.active = refusals[i].reloads;
        master->staffing.verb =
            refusals[i].orders ? CONTROL_WORKER_RECYCLE : CONTROL_NOTHING;
        master->governor.failures = refusals[i].degraded;
        if (order(master, refusals[i].verb, refusals[i].worker, &fault) !=
                refusals[i].status ||
            fault.text[0] == '\0' || master->want != refusals[i].want ||
            memcmp(before, master->slots, sizeof(before)) != 0)
            fail_msg("%s: %s", refusals[i].name, fault.text);
        assert_int_equal(master->staffing.verb != CONTROL_NOTHING, refusals[i].orders);
    }
}

#define WITH_MASTER(test) cmocka_unit_test_setup_teardown(test, set_up, tear_down)

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(judges),
        cmocka_unit_test(chooses_one_that_serves),
        WITH_MASTER(a_successor_that_dies_leaves_all_as_it_was),
        WITH_MASTER(one_more_that_dies_leaves_the_number),
        WITH_MASTER(one_that_cannot_be_forked_leaves_all_as_it_was),
        WITH_MASTER(other_deaths_are_the_governors),
        WITH_MASTER(one_that_hangs_does_not_stay),
        WITH_MASTER(what_cannot_be_is_refused_and_changes_nothing),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
