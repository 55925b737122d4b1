/* SPDX-License-Identifier: MIT */
/*
 * test_master_slot - the table of one worker's life, every pair of state and event.
 *
 * The table below is the one of docs/ARCHITECTURE.md, written a second time by hand: a
 * cell that is changed in slot.c alone turns this red.
 */
#include "common/check.h"
#include "master/slot.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <string.h>
#include <cmocka.h>

/* "next:action" for each event, in the order of enum slot_event. */
static const struct {
    enum slot_state state;
    const char *want[SLOT_EVENTS];
} rows[] = {
    {SLOT_EMPTY, {"starting:await", "bug", "bug", "-", "-", "-", "-", "bug", "-", "-"}},
    {SLOT_STARTING,
     {"bug", "standby:standby", "bug", "-", "-", "-", "killed:kill", "empty:dead",
      "killed:kill", "killed:kill"}},
    {SLOT_STANDBY,
     {"bug", "-", "serving:go", "killed:kill", "-", "-", "-", "empty:dead", "killed:kill",
      "killed:kill"}},
    {SLOT_SERVING,
     {"bug", "-", "-", "retiring:retire", "retiring", "-", "-", "empty:dead",
      "draining:drain", "killed:kill"}},
    {SLOT_RETIRING,
     {"bug", "-", "-", "retiring:retire", "-", "serving", "killed:abort", "empty:free",
      "draining:drain", "killed:kill"}},
    {SLOT_DRAINING,
     {"bug", "-", "-", "-", "-", "-", "killed:kill", "empty:free", "-", "killed:kill"}},
    {SLOT_KILLED,
     {"bug", "-", "-", "-", "-", "-", "killed:again", "empty:free", "-", "-"}},
};

static const char *const action_name[] = {
    [SLOT_DO_BUG] = "bug",
    [SLOT_DO_NOTHING] = "-",
    [SLOT_DO_AWAIT_READY] = "await",
    [SLOT_DO_STAND_BY] = "standby",
    [SLOT_DO_GO] = "go",
    [SLOT_DO_RETIRE] = "retire",
    [SLOT_DO_DRAIN] = "drain",
    [SLOT_DO_KILL] = "kill",
    [SLOT_DO_ABORT] = "abort",
    [SLOT_DO_KILL_AGAIN] = "again",
    [SLOT_DO_FREE] = "free",
    [SLOT_DO_FREE_DEAD] = "dead",
};

static void describe(enum slot_state state, struct slot_step step, char *out, size_t size)
{
    if (step.action == SLOT_DO_BUG || step.action == SLOT_DO_NOTHING)
        snprintf(out, size, "%s",
                 step.next == state ? action_name[step.action]
                                    : slot_state_name(step.next));
    else
        snprintf(out, size, "%s:%s", slot_state_name(step.next),
                 action_name[step.action]);
}

static void every_pair_does_what_the_table_says(void **state)
{
    (void)state;
    assert_int_equal(COUNT_OF(rows), SLOT_STATES);
    for (size_t s = 0; s < COUNT_OF(rows); s++)
        for (int e = 0; e < SLOT_EVENTS; e++) {
            char got[64];

            assert_int_equal(rows[s].state, (int)s);
            describe(rows[s].state, slot_next(rows[s].state, (enum slot_event)e), got,
                     sizeof(got));
            if (strcmp(got, rows[s].want[e]) != 0)
                fail_msg("%s on %s: %s, expected %s", slot_state_name(rows[s].state),
                         slot_event_name((enum slot_event)e), got, rows[s].want[e]);
        }
}

/* Whatever happens to a worker, its exit leads to a free entry. */
static void every_life_ends_in_an_empty_entry(void **state)
{
    (void)state;
    for (int s = SLOT_STARTING; s < SLOT_STATES; s++)
        assert_int_equal(slot_next((enum slot_state)s, SLOT_ON_EXIT).next, SLOT_EMPTY);
}

/* And from every state a quick stop gets there. */
static void stop_now_always_leads_to_killed(void **state)
{
    (void)state;
    for (int s = SLOT_STARTING; s < SLOT_STATES; s++)
        assert_int_equal(slot_next((enum slot_state)s, SLOT_ON_STOP_NOW).next,
                         SLOT_KILLED);
}

static void names_are_distinct(void **state)
{
    (void)state;
    for (int a = 0; a < SLOT_STATES; a++)
        for (int b = 0; b < a; b++)
            assert_string_not_equal(slot_state_name((enum slot_state)a),
                                    slot_state_name((enum slot_state)b));
    for (int a = 0; a < SLOT_EVENTS; a++)
        for (int b = 0; b < a; b++)
            assert_string_not_equal(slot_event_name((enum slot_event)a),
                                    slot_event_name((enum slot_event)b));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_pair_does_what_the_table_says),
        cmocka_unit_test(every_life_ends_in_an_empty_entry),
        cmocka_unit_test(stop_now_always_leads_to_killed),
        cmocka_unit_test(names_are_distinct),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
