/* SPDX-License-Identifier: MIT */
/*
 * test_worker_lane - who runs, who waits, and which record is whose.
 */
#include "worker/lane.h"

#include "worker/plugin.h"
#include "worker/request.h"
#include "worker/self.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <cmocka.h>

enum { LIMIT = 3, RECORDS = 2, REQUESTS = 6 };

struct lanes {
    struct worker worker;
    struct route route;
    struct board_record record[RECORDS];
    struct lane lane;
    struct request request[REQUESTS];
};

static int open_state(void **state)
{
    struct lanes *t = calloc(1, sizeof *t);
    assert_non_null(t);
    for (size_t i = 0; i < REQUESTS; i++) {
        t->request[i].ctx.worker = &t->worker;
        t->request[i].route = &t->route;
        t->request[i].path = SLICE_LIT("/");
        list_init(&t->request[i].lane_link);
    }
    *state = t;
    return lane_init(&t->lane, LOAD_SLOTS, LIMIT, t->record, RECORDS);
}

static int close_state(void **state)
{
    struct lanes *t = *state;
    lane_fini(&t->lane);
    free(t);
    return 0;
}

/* A step of a story: request i enters, leaves or is abandoned; then who runs next, how many
 * are busy and wait, and the record of i. */
struct step {
    char what;
    unsigned i;
    int want; /* '+': does it run; '-': the next one, -1 none */
    unsigned busy, waiting;
};

static const struct step story[] = {
    {'+', 0, 1, 1, 0},  {'+', 1, 1, 2, 0},  {'+', 2, 1, 3, 0}, {'+', 3, 0, 3, 1},
    {'+', 4, 0, 3, 2},  {'+', 5, 0, 3, 3},  {'x', 4, 0, 3, 2}, {'-', 1, 3, 3, 1},
    {'-', 0, 5, 3, 0},  {'-', 3, -1, 2, 0}, {'+', 4, 1, 3, 0}, {'-', 5, -1, 2, 0},
    {'-', 4, -1, 1, 0}, {'-', 2, -1, 0, 0},
};

static void test_story(void **state)
{
    struct lanes *t = *state;
    for (size_t i = 0; i < COUNT_OF(story); i++) {
        const struct step *s = &story[i];
        struct request *req = &t->request[s->i];
        if (s->what == '+') {
            assert_int_equal(lane_enter(&t->lane, req), s->want);
        } else if (s->what == '-') {
            struct request *next = lane_leave(&t->lane, req);
            assert_ptr_equal(next, s->want < 0 ? NULL : &t->request[s->want]);
        } else {
            lane_abandon(&t->lane, req);
        }
        assert_int_equal(t->lane.busy, s->busy);
        assert_int_equal(t->lane.waiting_count, s->waiting);
    }
    assert_int_equal(t->lane.free_count, RECORDS);
}

/* Those that come from other workers have waited there already. */
static void test_the_oldest_goes_first(void **state)
{
    struct lanes *t = *state;
    static const uint64_t arrived[REQUESTS] = {1, 2, 3, 40, 60, 50};
    static const unsigned order[] = {3, 5, 4};
    for (size_t i = 0; i < REQUESTS; i++) {
        t->request[i].queued_ns = arrived[i];
        assert_int_equal(lane_enter(&t->lane, &t->request[i]), i < LIMIT);
    }
    for (size_t i = 0; i < COUNT_OF(order); i++)
        assert_ptr_equal(lane_leave(&t->lane, &t->request[i]), &t->request[order[i]]);
}

static void test_records_are_shared_out(void **state)
{
    struct lanes *t = *state;
    _Atomic uint32_t unrecorded = 0;
    t->lane.unrecorded = &unrecorded;
    for (size_t i = 0; i < LIMIT; i++)
        assert_true(lane_enter(&t->lane, &t->request[i]));
    assert_int_equal(unrecorded, LIMIT - RECORDS);
    assert_int_equal(t->request[0].record, 0);
    assert_int_equal(t->request[1].record, 1);
    assert_int_equal(t->request[2].record, LANE_NO_RECORD);
    assert_false(lane_enter(&t->lane, &t->request[3]));
    assert_ptr_equal(lane_leave(&t->lane, &t->request[0]), &t->request[3]);
    assert_int_equal(t->request[3].record, 0);
    assert_int_equal(unrecorded, LIMIT - RECORDS);
    assert_null(lane_leave(&t->lane, &t->request[2]));
    assert_int_equal(unrecorded, 0);
}

/* A task waits before all requests, and is not counted among the waiting. */
static void test_tasks_go_first(void **state)
{
    struct lanes *t = *state;
    struct lane_task task[2];
    for (size_t i = 0; i < LIMIT; i++)
        assert_true(lane_enter(&t->lane, &t->request[i]));
    assert_false(lane_enter(&t->lane, &t->request[3]));
    assert_false(lane_enter_task(&t->lane, &task[0]));
    assert_false(lane_enter_task(&t->lane, &task[1]));
    assert_int_equal(t->lane.waiting_count, 1);
    assert_null(lane_leave(&t->lane, &t->request[0]));
    assert_ptr_equal(list_first(&t->lane.granted), &task[0].link);
    list_remove(&task[0].link);
    lane_record_task(&t->lane, &task[0], &t->request[1]);
    assert_int_equal(task[0].record, 0);
    lane_abandon_task(&t->lane, &task[1]);
    assert_int_equal(t->lane.task_waiting_count, 0);
    assert_int_equal(t->lane.task_busy, 1);
    assert_ptr_equal(lane_leave_task(&t->lane, &task[0]), &t->request[3]);
    assert_int_equal(t->lane.task_busy, 0);
    assert_int_equal(t->lane.busy, LIMIT);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(test_story, open_state, close_state),
        cmocka_unit_test_setup_teardown(test_the_oldest_goes_first, open_state,
                                        close_state),
        cmocka_unit_test_setup_teardown(test_records_are_shared_out, open_state,
                                        close_state),
        cmocka_unit_test_setup_teardown(test_tasks_go_first, open_state, close_state),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
