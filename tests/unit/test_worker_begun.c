/* SPDX-License-Identifier: MIT */
/*
 * test_worker_begun - what the ledger says of a request in each of its states. That nothing
 * is left in it is asserted by the fixture, at the end of every test of a worker.
 */
#include "tests/unit/worker_handlers.h"

#include "common/check.h"
#include "worker/begun.h"
#include "worker/request.h"

#include <string.h>
#include <unistd.h>

static struct board_ledger *ledger_of(struct fixture *f)
{
    return &f->heritage.board->ledger[0];
}

/* The entries in use: how many, and the last one. */
static unsigned look(struct fixture *f, struct ledger_entry *last)
{
    unsigned count = 0;
    for (unsigned i = 0; i < ledger_count(ledger_of(f)); i++)
        count += ledger_read(&ledger_of(f)->entry[i], last);
    return count;
}

static void test_being_read(void **state)
{
    struct fixture *f = *state;
    struct ledger_entry e;
    assert_int_equal(look(f, &e), 0); /* a connection is no request */
    fixture_send(f, "GE");
    assert_int_equal(look(f, &e), 1);
    assert_int_equal(e.number, 1);
    assert_int_equal(e.minor, -1);
    assert_int_equal(e.pid, f->worker.pid);
    assert_string_equal(e.peer, "unix:");
    fixture_send(f, "T /sync?a=b HTTP/1.1\r\nHost: x\r\n\r\n");
    (void)worker_answer(f);
    assert_int_equal(look(f, &e), 0);
}

static void test_body_being_read(void **state)
{
    struct fixture *f = *state;
    struct ledger_entry e;
    fixture_send(f,
                 "POST /echo?a=b HTTP/1.1\r\nHost: x\r\nContent-Length: 9\r\n\r\nhalf");
    assert_int_equal(look(f, &e), 1);
    assert_int_equal(e.minor, 1);
    assert_memory_equal(e.method, "POST", e.method_bytes);
    assert_memory_equal(e.target, "/echo?a=b", e.target_bytes);
    assert_int_equal(e.queued_ns, 0);
    fixture_send(f, "-full");
    (void)worker_answer(f);
}

static void test_running_and_waiting(void **state)
{
    struct fixture *f = *state;
    struct ledger_entry e;
    int first = f->client;
    fixture_send(f, GET("/hold"));
    assert_int_equal(look(f, &e), 1);
    assert_true(e.started_ns >= e.queued_ns && e.queued_ns >= e.begun_ns);
    bool has_slot = f->worker.engine == &engine_thread; /* an EVENT has a flight else */
    assert_int_equal(e.slot, has_slot ? 0 : LEDGER_NO_SLOT);
    fixture_connect(f);
    fixture_send(f, GET("/async"));
    assert_int_equal(look(f, &e), 2);
    assert_true(e.queued_ns != 0 && e.started_ns == 0);
    assert_int_equal(e.slot, LEDGER_NO_SLOT);
    close(f->client);
    f->client = first;
    (void)worker_finish_held(NULL);
    (void)worker_answer(f);
    assert_int_equal(look(f, &e), 0);
}

static void test_what_the_host_answers(void **state)
{
    static const char *const texts[] = {
        GET("/nowhere"), "POST /sync HTTP/1.1\r\nHost: x\r\nContent-Length: z\r\n\r\n",
        "GET / HTTP/9.9\r\n\r\n", "nonsense\r\n\r\n"};
    struct fixture *f = *state;
    struct ledger_entry e;
    for (size_t i = 0; i < COUNT_OF(texts); i++) {
        fixture_send(f, texts[i]);
        (void)worker_answer(f);
        assert_int_equal(look(f, &e), 0);
        fixture_connect(f);
    }
}

/* A client that leaves has its line, and its handler may run on. */
static void test_client_leaves(void **state)
{
    struct fixture *f = *state;
    struct ledger_entry e;
    fixture_send(f, GET("/doze"));
    assert_int_equal(look(f, &e), 1);
    worker_client_leaves(f);
    assert_int_equal(look(f, &e), 0);
}

/* ---- moving, without a worker to move to ---- */

static struct request *new_request(struct fixture *f)
{
    static struct conn nobody = {.magic = CONN_MAGIC, .peer = "10.0.0.1"};
    return request_create(&f->worker, &nobody);
}

static void let_go(struct request *req)
{
    req->is_accounted = true; /* no line */
    req->conn = NULL;
    request_release(req);
}

static unsigned room_in(const struct begun *b)
{
    return LEDGER_ENTRIES - b->used + b->free_count;
}

static void test_sent_and_claimed(void **state)
{
    struct fixture *f = *state;
    struct begun *b = &f->worker.begun;
    struct ledger_entry e;
    unsigned room = room_in(b);
    struct request *req = new_request(f);
    begun_enter(req, 0, 0);
    uint64_t ticket = begun_send(req);
    begun_unsend(req); /* the inbox was full */
    assert_int_equal(look(f, &e), 1);
    assert_int_equal(e.number & LEDGER_STATE, 0);
    ticket = begun_send(req);
    begun_leave_sent(req);
    let_go(req);
    begun_each_second(b);
    assert_int_equal(ledger_of(f)->unclaimed, 1);
    assert_int_equal(room_in(b), room - 1);

    req = new_request(f); /* the receiver's */
    begun_enter(req, 0, ticket);
    assert_false(req->is_accounted);
    assert_int_equal(req->entry->origin, ticket);
    begun_each_second(b);
    assert_int_equal(ledger_of(f)->unclaimed, 0);
    begun_leave(req);
    let_go(req);
    assert_int_equal(room_in(b), room);
}

/* The master has written its line: the receiver serves it, and writes none. */
static void test_claimed_too_late(void **state)
{
    struct fixture *f = *state;
    struct begun *b = &f->worker.begun;
    struct request *req = new_request(f);
    begun_enter(req, 0, 0);
    uint64_t ticket = begun_send(req);
    struct ledger_entry *sent = req->entry;
    begun_leave_sent(req);
    let_go(req);
    assert_true(ledger_give_up(sent, sent->number));
    req = new_request(f);
    begun_enter(req, 0, ticket);
    assert_true(req->is_accounted);
    let_go(req);
    begun_each_second(b);
    assert_int_equal(sent->number & LEDGER_STATE,
                     LEDGER_LOGGED); /* for who else is late */
    sent->sent_ns -= LEDGER_KEPT_MS * UINT64_C(1000000);
    begun_each_second(b);
    assert_int_equal(sent->number, 0);
}

/* That line was the end of its account, and not of the request. */
static void test_claimed_too_late_and_served(void **state)
{
    static const char *const texts[] = {GET("/sync"), GET("/async"), GET("/event")};
    struct fixture *f = *state;
    struct begun *b = &f->worker.begun;
    struct request *req = new_request(f);
    begun_enter(req, 0, 0);
    const struct conn_past past = {.hops = 1, .ticket = begun_send(req)};
    struct ledger_entry *sent = req->entry;
    begun_leave_sent(req);
    let_go(req);
    assert_true(ledger_give_up(sent, sent->number));
    for (size_t i = 0; i < COUNT_OF(texts); i++) {
        fixture_conn(f)->past = past;
        fixture_send(f, texts[i]);
        assert_non_null(strstr(worker_answer(f), "hello"));
    }
    fixture_conn(f)->past = past;
    fixture_send(f, GET("/three/async"));
    assert_non_null(strstr(worker_answer(f), "\r\n0\r\n\r\n"));
    assert_int_equal(f->worker.entry->counters.responses[2], 0);
    sent->sent_ns -= LEDGER_KEPT_MS * UINT64_C(1000000);
    begun_each_second(b);
}

/* This worker stood still before it could send it, for so long that the master did the same. */
static void test_not_sent_too_late(void **state)
{
    struct fixture *f = *state;
    struct begun *b = &f->worker.begun;
    unsigned room = room_in(b);
    struct request *req = new_request(f);
    begun_enter(req, 0, 0);
    (void)begun_send(req);
    assert_true(ledger_give_up(req->entry, req->entry->number));
    begun_unsend(req);
    assert_true(req->is_accounted);
    assert_null(req->entry);
    assert_int_equal(room_in(b), room);
    let_go(req);
}

static void test_more_than_there_is_room_for(void **state)
{
    struct fixture *f = *state;
    struct begun *b = &f->worker.begun;
    struct begun before = *b;
    b->used = LEDGER_ENTRIES;
    b->free_count = 0;
    struct request *req = new_request(f);
    begun_enter(req, 0, 0);
    assert_int_equal(ledger_of(f)->unrecorded, 1);
    assert_int_equal(begun_send(req), 0);
    begun_unsend(req);
    begun_leave(req);
    begun_leave(req);
    assert_int_equal(ledger_of(f)->unrecorded, 0);
    let_go(req);
    *b = before;
}

/* What a dead worker has sent stays for who reads it; its successor takes other entries. */
static void test_successor(void **state)
{
    struct fixture *f = *state;
    struct board_ledger *ledger = &f->heritage.board->ledger[5];
    struct begun b;
    board_set32(&ledger->used, 2);
    ledger_set(&ledger->entry[0], 7 | LEDGER_SENT);
    assert_int_equal(begun_init(&b, ledger), 0);
    assert_int_equal(b.free_count, 1);
    assert_int_equal(b.free[0], 1);
    assert_int_equal(b.used, 2);
    begun_fini(&b);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        WORKER_TEST(being_read),          WORKER_TEST(body_being_read),
        WORKER_TEST(running_and_waiting), WORKER_TEST(what_the_host_answers),
        WORKER_TEST(client_leaves),       WORKER_TEST(sent_and_claimed),
        WORKER_TEST(claimed_too_late),    WORKER_TEST(claimed_too_late_and_served),
        WORKER_TEST(not_sent_too_late),   WORKER_TEST(more_than_there_is_room_for),
        WORKER_TEST(successor),
    };

    return WORKER_RUN(tests);
}
