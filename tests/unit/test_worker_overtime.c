/* SPDX-License-Identifier: MIT */
/*
 * test_worker_overtime - handlers over request_timeout, in both classes: what the client gets,
 * what the handler is told, what becomes of its slot.
 */
#include "tests/unit/overtime_fixture.h"

#include "common/fd.h"
#include "worker/api.h"
#include "worker/request.h"

#include <errno.h>
#include <sched.h>
#include <stdlib.h>
#include <string.h>

static atomic_int freed;

static void note_free(void *p)
{
    free(p);
    atomic_fetch_add(&freed, 1);
}

/* ---- handlers ---- */

static int hello(remuda_ctx *c)
{
    return api_send(c, 200, "text/plain", "hello", 5, REMUDA_STATIC);
}

static int echo_late(remuda_ctx *c)
{
    remuda_bytes body;
    char *copy = malloc(1);
    assert_non_null(copy);
    block();
    assert_string_equal(api_header(c, "Pad"), "p");
    assert_int_equal(api_body(c, &body), 0);
    assert_int_equal(body.n, 4);
    assert_memory_equal(body.p, "body", 4);
    assert_int_equal(api_cancelled(c), -ECANCELED);
    assert_int_equal(api_sleep(c, REMUDA_FOREVER), -ECANCELED);
    worker_last_rc = api_send(c, 200, NULL, copy, 1, note_free);
    return 0;
}

static int doze(remuda_ctx *c)
{
    worker_last_rc = api_sleep(c, REMUDA_FOREVER);
    return worker_last_rc;
}

/* It says all of it, and goes on. */
static int early(remuda_ctx *c)
{
    char *bytes = malloc(BIG);
    assert_non_null(bytes);
    memset(bytes, 'b', BIG);
    assert_int_equal(api_set(c, "X-Said", "early"), 0);
    worker_last_rc = api_send(c, 200, NULL, bytes, BIG, note_free);
    block();
    return -EIO; /* nobody hears of it */
}

static int begin_and_block(remuda_ctx *c)
{
    assert_int_equal(api_begin(c, 200, NULL), 0);
    block();
    worker_last_rc = api_write(c, "abc", 3);
    return worker_last_rc;
}

static int write_and_block(remuda_ctx *c)
{
    assert_int_equal(api_begin(c, 200, NULL), 0);
    assert_int_equal(api_write(c, "abc", 3), 0);
    block();
    worker_last_rc = api_write(c, "def", 3);
    return 0;
}

/* More than all buffers hold: it waits for its client. */
static int write_for_ever(remuda_ctx *c)
{
    static const char piece[16384];
    worker_last_rc = api_begin(c, 200, NULL);
    while (worker_last_rc == 0)
        worker_last_rc = api_write(c, piece, sizeof piece);
    return worker_last_rc;
}

static int hold(remuda_ctx *c)
{
    worker_held = c;
    return REMUDA_PENDING;
}

static int doze_as_task(remuda_ctx *c, void *arg)
{
    (void)arg;
    worker_last_rc = api_sleep(c, REMUDA_FOREVER);
    return worker_last_rc;
}

static int gather(remuda_ctx *c)
{
    remuda_task *task = api_spawn(c, REMUDA_ON_POOL, doze_as_task, NULL);
    return api_wait(c, &task, 1, REMUDA_ALL, REMUDA_FOREVER);
}

static int block_as_task(remuda_ctx *c, void *arg)
{
    (void)arg;
    block();
    worker_last_rc = api_cancelled(c);
    return 0;
}

/* On a thread it waits until the loop has queued its task for a slot, and runs it then. */
static int offload(remuda_ctx *c)
{
    const struct board_worker *entry = c->worker->entry;
    remuda_task *task = api_spawn(c, REMUDA_ON_POOL, block_as_task, NULL);
    while (c->place == CTX_ON_POOL && board_get32(&entry->load) < 2)
        sched_yield();
    return api_wait(c, &task, 1, REMUDA_ALL, REMUDA_FOREVER);
}

static const struct fixture_route routes[] = {
    {"/hello", hello, REMUDA_EVENT},
    {"/block", echo_late, REMUDA_SYNC},
    {"/doze", doze, REMUDA_ASYNC},
    {"/early", early, REMUDA_SYNC},
    {"/begin", begin_and_block, REMUDA_SYNC},
    {"/write", write_and_block, REMUDA_SYNC},
    {"/flood", write_for_ever, REMUDA_ASYNC},
    {"/hold", hold, REMUDA_EVENT},
    {"/gather", gather, REMUDA_ASYNC},
    {"/offload", offload, REMUDA_ASYNC},
    {"/long", doze, REMUDA_ASYNC | REMUDA_LONG},
    {NULL, NULL, 0},
};

#define POST_BLOCK                                                                       \
    "POST /block HTTP/1.1\r\nHost: x\r\nPad: p\r\nContent-Length: 4\r\n\r\nbody"

static int open_state(void **state)
{
    freed = 0;
    return overtime_open_routes(state, routes);
}

/* ---- what there is to see ---- */

static void assert_late(const struct fixture *f, uint64_t late, uint64_t timeouts)
{
    assert_int_equal(f->worker.entry->counters.late, late);
    assert_int_equal(f->worker.entry->counters.timeouts, timeouts);
}

/* ---- a thread that is blocked ---- */

static void test_504_at_once(void **state)
{
    struct fixture *f = *state;
    run_over_time(f, POST_BLOCK);
    const char *got = fixture_read(f);
    assert_non_null(strstr(got, "HTTP/1.1 504 "));
    assert_null(strstr(got, "Connection: close"));
    assert_int_equal(fixture_conn(f)->state, CONN_IDLE);
    assert_int_equal(f->worker.entry->counters.responses[5], 1);
    assert_late(f, 1, 1);
    let_it_end(f);
    assert_int_equal(worker_last_rc, -ETIMEDOUT);
    assert_int_equal(freed, 1);
    assert_int_equal(f->worker.entry->counters.responses[5], 1);
    fixture_send(f, GET("/hello"));
    assert_non_null(strstr(worker_answer(f), "hello"));
}

/* What came behind it is answered, in whatever pieces; the strings of the late one stay. */
static void test_the_next_request_runs_beside_it(void **state)
{
    struct fixture *f = *state;
    run_over_time(f, POST_BLOCK GET("/hold") "GET /hel");
    assert_non_null(strstr(fixture_read(f), "HTTP/1.1 504 "));
    bool is_beside = f->worker.engine == &engine_event;
    assert_int_equal(worker_held != NULL, is_beside);
    assert_int_equal(fixture_waiting(f), is_beside ? 0 : 1);
    sem_post(&gate);
    while (worker_held == NULL || f->worker.slots.busy > (is_beside ? 0u : 1u))
        ev_run(f->worker.loop, EVRUN_ONCE);
    assert_int_equal(worker_last_rc, -ETIMEDOUT);
    (void)worker_finish_held(NULL);
    assert_non_null(strstr(worker_answer(f), "hello"));
    fixture_send(f, "lo HTTP/1.1\r\nHost: x\r\n\r\n");
    assert_non_null(strstr(worker_answer(f), "hello"));
    assert_int_equal(f->worker.entry->counters.requests, 3);
}

/* More behind it than the input's small block holds. */
static void test_much_behind_it(void **state)
{
    struct fixture *f = *state;
    enum { BEHIND = 60 };
    fixture_send(f, POST_BLOCK);
    for (int i = 0; i < BEHIND; i++)
        fixture_send(f, GET("/none"));
    run_over_time(f, "");
    (void)fixture_read(f);
    assert_int_equal(fixture_count(f, "HTTP/1.1 504 "), 1);
    assert_int_equal(fixture_count(f, "HTTP/1.1 404 "), BEHIND);
    let_it_end(f);
}

static void test_its_client_leaves_after_it(void **state)
{
    struct fixture *f = *state;
    run_over_time(f, POST_BLOCK);
    fd_close(&f->client);
    fixture_turn(f);
    assert_int_equal(f->worker.conn_count, 0);
    assert_int_equal(f->worker.entry->counters.departed, 0);
    let_it_end(f);
}

/* Its close is a reset: an answer that it has not read. */
static void test_its_client_left_before(void **state)
{
    struct fixture *f = *state;
    fixture_send(f, GET("/none") POST_BLOCK);
    fd_close(&f->client);
    run_over_time(f, "");
    assert_int_equal(f->worker.conn_count, 0);
    assert_int_equal(f->worker.entry->counters.departed, 1);
    assert_int_equal(f->worker.entry->counters.responses[5], 1);
    assert_late(f, 1, 1);
    let_it_end(f);
}

static void test_a_half_closed_one(void **state)
{
    struct fixture *f = *state;
    fixture_send(f, POST_BLOCK);
    fixture_end_client(f);
    run_over_time(f, "");
    assert_non_null(strstr(fixture_read(f), "HTTP/1.1 504 "));
    assert_true(fixture_is_closed(f));
    let_it_end(f);
}

/* The loop had no time to look: its answer counts, not the clock. */
static void test_one_that_has_ended_in_time(void **state)
{
    struct fixture *f = *state;
    struct overtime *o = &f->plugin.overtime;
    fixture_send(f, GET("/early"));
    wait_for(&begun);
    sem_post(&gate);
    struct request *req = fixture_conn(f)->request;
    while (!done_has_ended(&f->worker.done, req))
        continue;
    f->worker.now_ms += FIXTURE_LIMIT_MS;
    ev_invoke(f->worker.loop, &o->first.timer, EV_TIMER);
    assert_late(f, 0, 0);
    (void)worker_answer(f);
    assert_true(f->got_bytes > BIG);
}

/* ---- what it has said by then ---- */

static void test_an_answer_before_the_end(void **state)
{
    struct fixture *f = *state;
    run_over_time(f, GET("/early"));
    (void)fixture_read(f);
    assert_int_equal(fixture_count(f, "HTTP/1.1 200 OK\r\n"), 1);
    assert_int_equal(fixture_count(f, "X-Said: early\r\n"), 1);
    assert_true(f->got_bytes > BIG);
    assert_int_equal(fixture_conn(f)->state, CONN_IDLE);
    assert_int_equal(worker_last_rc, 0);
    assert_int_equal(freed, 0);
    assert_late(f, 1, 0);
    let_it_end(f);
    assert_int_equal(freed, 1);
    assert_string_equal(fixture_read(f), "");
}

static void test_a_stream_that_has_not_left(void **state)
{
    struct fixture *f = *state;
    run_over_time(f, GET("/begin") GET("/hello"));
    assert_non_null(strstr(fixture_read(f), "HTTP/1.1 504 "));
    let_it_end(f);
    assert_int_equal(worker_last_rc, -ETIMEDOUT);
    assert_int_equal(f->worker.entry->counters.responses[5], 1);
}

/* No last chunk, and nothing behind it. */
static void test_a_stream_is_cut(void **state)
{
    struct fixture *f = *state;
    run_over_time(f, GET("/write") GET("/hello"));
    const char *got = fixture_read(f);
    assert_string_equal(got + f->got_bytes - strlen("3\r\nabc\r\n"), "3\r\nabc\r\n");
    assert_true(fixture_is_closed(f));
    assert_late(f, 1, 1);
    let_it_end(f);
    assert_int_equal(worker_last_rc, -ECANCELED);
    assert_int_equal(f->worker.entry->counters.responses[2], 1);
}

static void test_a_stream_that_waits_for_its_client(void **state)
{
    struct fixture *f = *state;
    fixture_send(f, GET("/flood"));
    while (fixture_conn(f)->state != CONN_WRITE)
        ev_run(f->worker.loop, EVRUN_ONCE);
    f->worker.deadlines[DEADLINE_WRITE].length_ms = 0;
    deadline_clear(&fixture_conn(f)->deadline);
    fixture_pass(f, FIXTURE_LIMIT_MS);
    (void)worker_answer(f);
    assert_int_equal(worker_last_rc, -ECANCELED);
    assert_true(fixture_is_closed(f));
    assert_late(f, 1, 1);
}

/* ---- handlers that wait ---- */

static void test_a_wait_is_cancelled(void **state)
{
    struct fixture *f = *state;
    static const char *const requests[] = {GET("/doze"), GET("/gather")};
    for (uint64_t i = 0; i < COUNT_OF(requests); i++) {
        worker_last_rc = 1;
        fixture_send(f, requests[i]);
        fixture_pass(f, FIXTURE_LIMIT_MS);
        assert_non_null(strstr(worker_answer(f), "HTTP/1.1 504 "));
        if (i == 0 || worker_last_rc != 1) /* a task that had not begun never does */
            assert_int_equal(worker_last_rc, -ECANCELED);
        assert_late(f, i + 1, i + 1);
    }
    fixture_send(f, GET("/hello"));
    assert_non_null(strstr(worker_answer(f), "hello"));
}

/* The slot is the task's in the event class, the request's in the other. */
static void test_a_task_keeps_its_slot(void **state)
{
    struct fixture *f = *state;
    fixture_send(f, GET("/offload"));
    while (sem_trywait(&begun) != 0)
        ev_run(f->worker.loop, EVRUN_NOWAIT);
    sem_post(&begun);
    run_over_time(f, "");
    assert_non_null(strstr(fixture_read(f), "HTTP/1.1 504 "));
    let_it_end(f);
    assert_int_equal(worker_last_rc, -ECANCELED);
}

static void test_an_event_keeps_its_place(void **state)
{
    struct fixture *f = *state;
    fixture_send(f, GET("/hold"));
    fixture_pass(f, FIXTURE_LIMIT_MS);
    assert_non_null(strstr(fixture_read(f), "HTTP/1.1 504 "));
    assert_int_equal(f->worker.slots.busy + f->worker.flights.busy, 1);
    assert_int_equal(api_cancelled(worker_held), -ECANCELED);
    assert_int_equal(hello(worker_held), -ETIMEDOUT);
    api_finish(worker_held, 0);
    fixture_until(f, worker_is_idle);
    fixture_send(f, GET("/hello"));
    assert_non_null(strstr(worker_answer(f), "hello"));
}

static void test_a_long_one_has_no_limit(void **state)
{
    struct fixture *f = *state;
    fixture_send(f, GET("/long"));
    fixture_pass(f, 2 * FIXTURE_LIMIT_MS);
    assert_string_equal(fixture_read(f), "");
    assert_late(f, 0, 0);
    worker_client_leaves(f);
}

/* The clock begins with the handler, not with the wait for its slot. */
static void test_the_time_in_the_queue_does_not_count(void **state)
{
    struct fixture *f = *state;
    int first = f->client;
    fixture_send(f, GET("/hold"));
    fixture_connect(f);
    fixture_send(f, GET("/doze"));
    assert_int_equal(fixture_waiting(f), 1);
    fixture_pass(f, FIXTURE_LIMIT_MS - 1);
    (void)worker_finish_held(NULL);
    while (fixture_waiting(f) > 0)
        ev_run(f->worker.loop, EVRUN_ONCE);
    fixture_pass(f, FIXTURE_LIMIT_MS - 1);
    assert_string_equal(fixture_read(f), "");
    fixture_pass(f, 1);
    assert_non_null(strstr(worker_answer(f), "HTTP/1.1 504 "));
    fd_close(&first);
}

#define OVERTIME_TEST(name)                                                              \
    cmocka_unit_test_setup_teardown(test_##name, open_state, overtime_close)

int main(void)
{
    const struct CMUnitTest tests[] = {
        OVERTIME_TEST(504_at_once),
        OVERTIME_TEST(the_next_request_runs_beside_it),
        OVERTIME_TEST(much_behind_it),
        OVERTIME_TEST(its_client_leaves_after_it),
        OVERTIME_TEST(its_client_left_before),
        OVERTIME_TEST(a_half_closed_one),
        OVERTIME_TEST(one_that_has_ended_in_time),
        OVERTIME_TEST(an_answer_before_the_end),
        OVERTIME_TEST(a_stream_that_has_not_left),
        OVERTIME_TEST(a_stream_is_cut),
        OVERTIME_TEST(a_stream_that_waits_for_its_client),
        OVERTIME_TEST(a_wait_is_cancelled),
        OVERTIME_TEST(a_task_keeps_its_slot),
        OVERTIME_TEST(an_event_keeps_its_place),
        OVERTIME_TEST(a_long_one_has_no_limit),
        OVERTIME_TEST(the_time_in_the_queue_does_not_count),
    };
    return WORKER_RUN(tests);
}
