/* SPDX-License-Identifier: MIT */
/*
 * test_worker_task - the rules of tasks and semaphores that need no real client; a worker
 * with one slot and one thread, in both classes.
 */
#include "tests/unit/worker_handlers.h"

#include "worker/api.h"
#include "worker/request.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

enum { MOST = 8, PATIENCE_MS = 10000 };

static atomic_int ran;
static remuda_task *spawned[MOST];
static remuda_ctx *held;

static int note(remuda_ctx *c, void *arg)
{
    (void)c, (void)arg;
    atomic_fetch_add(&ran, 1);
    return 0;
}

static int doze(remuda_ctx *c, void *arg)
{
    (void)arg;
    return api_sleep(c, REMUDA_FOREVER);
}

static int note_and_doze(remuda_ctx *c, void *arg)
{
    (void)note(c, arg);
    return api_sleep(c, REMUDA_FOREVER);
}

static int number_of(remuda_ctx *c, void *arg)
{
    (void)c;
    return *(int *)arg;
}

static int say(remuda_ctx *c, const int *numbers, size_t n)
{
    char text[128] = "";
    for (size_t i = 0; i < n; i++)
        snprintf(text + strlen(text), sizeof text - strlen(text), "[%d]", numbers[i]);
    return api_send(c, 200, NULL, text, strlen(text), REMUDA_COPY);
}

/* ---- handlers ---- */

/* What cannot start has ended with its error; so has what never began. */
static int refusals(remuda_ctx *c)
{
    remuda_task *bad = api_spawn(c, 7, note, NULL), *none = api_spawn(c, 0, NULL, NULL);
    remuda_task *task = api_spawn(c, REMUDA_ON_POOL, doze, NULL);
    int got[] = {api_result(bad),
                 api_result(none),
                 api_result(task),
                 api_wait(c, &task, 1, 9, 0),
                 api_wait(c, NULL, 0, REMUDA_ALL, 0),
                 api_wait(c, NULL, 0, REMUDA_ANY, 0),
                 api_wait(c, &task, 1, REMUDA_ALL, 0),
                 api_result(task)};
    return say(c, got, COUNT_OF(got));
}

/* Tasks that have ended before the wait: the earliest decides. */
static int earlier(remuda_ctx *c)
{
    int value[] = {0, -EIO, -EPERM};
    remuda_task *task[3];
    for (size_t i = 0; i < 3; i++) {
        task[i] = api_spawn(c, REMUDA_ON_LOOP, number_of, &value[2 - i]);
        (void)api_wait(c, &task[i], 1, REMUDA_ALL, REMUDA_FOREVER);
    }
    int got[] = {api_wait(c, task, 3, REMUDA_ANY, REMUDA_FOREVER),
                 api_wait(c, task + 1, 2, REMUDA_ANY, REMUDA_FOREVER),
                 api_wait(c, task, 3, REMUDA_ALL, 0),
                 api_wait(c, task + 2, 1, REMUDA_ALL, 0)};
    return say(c, got, COUNT_OF(got));
}

static int event_spawns(remuda_ctx *c)
{
    held = c;
    for (size_t i = 0; i < 3; i++)
        spawned[i] = api_spawn(c, REMUDA_ON_POOL, note, NULL);
    return REMUDA_PENDING;
}

static int waits_for_dozer(remuda_ctx *c)
{
    spawned[0] = api_spawn(c, REMUDA_ON_LOOP, doze, NULL);
    worker_last_rc = api_wait(c, spawned, 1, REMUDA_ALL, REMUDA_FOREVER);
    return worker_last_rc;
}

/* It computes: what ends its task is not what it would do itself. */
static int does_not_wait(remuda_ctx *c)
{
    spawned[0] = api_spawn(c, REMUDA_ON_LOOP, note_and_doze, NULL);
    for (int ms = 0; ms < PATIENCE_MS && api_result(spawned[0]) == -EINPROGRESS; ms++)
        usleep(1000);
    worker_last_rc = api_result(spawned[0]);
    return worker_last_rc;
}

/* Its task waits for the one permit; it is given on, oldest first. */
static int take_and_note(remuda_ctx *c, void *arg)
{
    remuda_sem *sem = api_semaphore(c, "one", 1);
    int rc = api_acquire(c, sem, REMUDA_FOREVER);
    if (rc == 0)
        *(int *)arg = atomic_fetch_add(&ran, 1);
    return rc; /* and it goes back with us */
}

static int permits(remuda_ctx *c)
{
    remuda_sem *sem = api_semaphore(c, "one", 1), *none = api_semaphore(c, "zero", 0);
    int order[3] = {-1, -1, -1};
    int got[] = {api_acquire(c, none, 0), api_acquire(c, sem, 0), api_acquire(c, sem, 0),
                 api_semaphore(c, "one", 2) == sem};
    remuda_task *task[3];
    for (size_t i = 0; i < 3; i++)
        task[i] = api_spawn(c, REMUDA_ON_LOOP, take_and_note, &order[i]);
    int rc = api_sleep(c, 5);
    api_release(c, sem);
    api_release(c, sem); /* not held: logged, ignored */
    if (rc == 0)
        rc = api_wait(c, task, 3, REMUDA_ALL, REMUDA_FOREVER);
    int all[] = {got[0], got[1], got[2], got[3], rc, order[0], order[1], order[2]};
    return say(c, all, COUNT_OF(all));
}

static const struct fixture_route routes[] = {
    {"/sync/refusals", refusals, REMUDA_SYNC},
    {"/async/refusals", refusals, REMUDA_ASYNC},
    {"/sync/earlier", earlier, REMUDA_SYNC},
    {"/async/earlier", earlier, REMUDA_ASYNC},
    {"/sync/permits", permits, REMUDA_SYNC},
    {"/async/permits", permits, REMUDA_ASYNC},
    {"/sync/dozer", waits_for_dozer, REMUDA_SYNC},
    {"/async/dozer", waits_for_dozer, REMUDA_ASYNC},
    {"/sync/busy", does_not_wait, REMUDA_SYNC},
    {"/event/spawns", event_spawns, REMUDA_EVENT},
    {NULL, NULL, 0},
};

/* ---- tests ---- */

static int open_state(void **state)
{
    ran = 0;
    return worker_open_routes(state, routes);
}

static void assert_answer(struct fixture *f, const char *path, const char *want)
{
    char text[128];
    snprintf(text, sizeof text, "GET %s HTTP/1.1\r\nHost: x\r\n\r\n", path);
    ran = 0;
    fixture_send(f, text);
    const char *got = worker_answer(f);
    if (strstr(got, want) == NULL)
        fail_msg("%s: %s instead of %s", path, got, want);
}

static void test_refusals(void **state)
{
    static const char want[] = "[-22][-22][-115][-22][0][-22][-110][-125]";
    assert_answer(*state, "/sync/refusals", want);
    assert_answer(*state, "/async/refusals", want);
}

static void test_the_earliest_decides(void **state)
{
    assert_answer(*state, "/sync/earlier", "[0][0][-1][0]");
    assert_answer(*state, "/async/earlier", "[0][0][-1][0]");
}

static void test_permits(void **state)
{
    static const char want[] = "[-22][0][-110][1][0][0][1][2]";
    assert_answer(*state, "/sync/permits", want);
    assert_answer(*state, "/async/permits", want);
}

static bool have_three_ended(struct fixture *f)
{
    (void)f;
    for (size_t i = 0; i < 3; i++) {
        if (api_result(spawned[i]) == -EINPROGRESS)
            return false;
    }
    return true;
}

/* In the thread class the EVENT holds the only slot; its tasks run on it all the same. */
static void test_an_event_spawns(void **state)
{
    struct fixture *f = *state;
    fixture_send(f, GET("/event/spawns"));
    fixture_until(f, have_three_ended);
    assert_int_equal(ran, 3);
    api_finish(held, api_send(held, 200, NULL, "hello", 5, REMUDA_STATIC));
    assert_non_null(strstr(worker_answer(f), "hello"));
}

static void leave_while_it_waits(struct fixture *f, const char *request)
{
    worker_last_rc = 1;
    fixture_send(f, request);
    worker_client_leaves(f);
    fixture_connect(f);
}

static void test_a_client_leaves(void **state)
{
    leave_while_it_waits(*state, GET("/sync/dozer"));
    leave_while_it_waits(*state, GET("/async/dozer"));
}

static bool has_begun(struct fixture *f)
{
    (void)f;
    return ran == 1;
}

static void test_a_client_leaves_one_that_computes(void **state)
{
    struct fixture *f = *state;
    fixture_send(f, GET("/sync/busy"));
    fixture_until(f, has_begun);
    worker_client_leaves(f);
}

#define TEST(name)                                                                       \
    cmocka_unit_test_setup_teardown(test_##name, open_state, worker_close_state)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(refusals),        TEST(the_earliest_decides),
        TEST(permits),         TEST(an_event_spawns),
        TEST(a_client_leaves), TEST(a_client_leaves_one_that_computes),
    };
    return WORKER_RUN(tests);
}
