/* SPDX-License-Identifier: MIT */
/*
 * worker_fixture - a worker without a master.                     [tests]
 */
#include "tests/unit/worker_fixture.h"

#include "common/clock.h"
#include "common/fd.h"
#include "http/date.h"
#include "http/router.h"
#include "worker/coro.h"
#include "worker/patience.h"
#include "worker/pool.h"
#include "worker/request.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>

enum { PATIENCE_S = 10, STACK = 128 * 1024, CORO_MOST = 64 };

static void set_limits(struct fixture *f)
{
    f->conf.limits = (struct conf_limits){.request_line_bytes = 8192,
                                          .queue_limit = 1000,
                                          .header_size_bytes = 16384,
                                          .header_fields = 100,
                                          .body_bytes = 1 << 20,
                                          .head_timeout_ms = 10000,
                                          .body_timeout_ms = 20000,
                                          .write_timeout_ms = 30000,
                                          .keepalive_ms = 75000,
                                          .worker_connections = 100};
    f->worker.limits = (struct http_limits){.request_line_bytes = 8192,
                                            .header_bytes = 16384,
                                            .header_fields = 100,
                                            .framing_bytes = 16384,
                                            .body_bytes = 1 << 20};
}

static void start_deadlines(struct fixture *f)
{
    const struct conf_limits *limits = &f->conf.limits;
    const uint64_t length_ms[DEADLINE_KINDS] = {
        [DEADLINE_KEEPALIVE] = limits->keepalive_ms,
        [DEADLINE_HEAD] = limits->head_timeout_ms,
        [DEADLINE_BODY] = 1000,
        [DEADLINE_QUEUE] = limits->queue_timeout_ms,
        [DEADLINE_WRITE] = limits->write_timeout_ms,
        [DEADLINE_LAST] = CONN_LAST_MS,
        [DEADLINE_LINGER] = CONN_LINGER_MS,
    };
    for (int kind = 0; kind < DEADLINE_KINDS; kind++)
        deadlines_init(&f->worker.deadlines[kind], f->worker.loop, &f->worker.now_ms,
                       length_ms[kind], patience_on_deadline);
}

static void add_route(struct fixture *f, const struct fixture_route *from,
                      struct route *r)
{
    *r = (struct route){.plugin = &f->plugin,
                        .fn = from->fn,
                        .mode = from->mode & 0xff,
                        .is_long = (from->mode & REMUDA_LONG) != 0,
                        .label = strdup(from->path),
                        .pattern = strdup(from->path),
                        .body_bytes = f->conf.limits.body_bytes,
                        .body_timeout_ms = f->conf.limits.body_timeout_ms,
                        .body_rate_bytes = f->conf.limits.body_min_rate_bytes};
    r->overtime = r->is_long ? NULL : &f->plugin.overtime;
    static const enum http_method both[] = {HTTP_METHOD_GET, HTTP_METHOD_POST};
    for (size_t i = 0; i < 2; i++)
        assert_null(http_router_add(f->worker.router, both[i], r->pattern, r));
}

struct fixture *fixture_open(enum conf_class klass, const struct fixture_route *routes)
{
    struct fixture *f = calloc(1, sizeof *f);
    assert_non_null(f);
    struct worker *w = &f->worker;
    *w = (struct worker){.magic = WORKER_MAGIC,
                         .heritage = &f->heritage,
                         .conf = &f->conf,
                         .phase = WORKER_SERVING,
                         .loop_thread = pthread_self()};
    f->client = -1;
    f->got = calloc(1, FIXTURE_BYTES + 1);
    f->plugin = (struct plugin){.name = "fixture"};
    set_limits(f);
    list_init(&w->conns);
    list_init(&w->turn_come);
    arena_init(&w->scratch);
    f->heritage.board = board_create(&f->heritage.board_fd);
    assert_non_null(f->heritage.board);
    board_set32(&f->heritage.board->worker_slots, 1);
    w->entry = &f->heritage.board->worker[0];
    board_set32(&w->entry->state, BOARD_SERVING);
    w->loop = ev_loop_new(EVBACKEND_EPOLL | EVFLAG_NOENV);
    w->now_ns = clock_mono_ns();
    w->now_ms = w->now_ns / 1000000;
    http_date_refresh(0);
    start_deadlines(f);
    w->engine = klass == CONF_CLASS_EVENT ? &engine_event : &engine_thread;
    assert_int_equal(lane_init(&w->slots, LOAD_SLOTS, 1, w->entry->slot, BOARD_SLOTS), 0);
    assert_int_equal(
        lane_init(&w->flights, LOAD_FLIGHTS, 1, w->entry->flight, BOARD_INFLIGHT), 0);
    assert_int_equal(begun_init(&w->begun, &f->heritage.board->ledger[0]), 0);
    done_init(&w->done, w->loop, engine_on_done);
    family_init(w);
    w->pool = pool_create(1);
    w->coros = coro_pool_create(STACK, 1, CORO_MOST);
    w->router = http_router_create();
    overtime_init(&f->plugin.overtime, w, FIXTURE_LIMIT_MS);
    for (size_t i = 0; routes[i].path != NULL; i++)
        add_route(f, &routes[i], &f->route[i]);
    return f;
}

unsigned fixture_waiting(const struct fixture *f)
{
    const struct board_worker *entry = f->worker.entry;
    return entry->waiting + entry->flights_waiting;
}

static bool is_empty(struct fixture *f)
{
    const struct worker *w = &f->worker;
    return w->conn_count == 0 && w->slots.busy == 0 && w->flights.busy == 0;
}

void fixture_assert_nothing_is_left(const struct fixture *f)
{
    const struct worker *w = &f->worker;
    const struct board_counters *counters = &w->entry->counters;
    uint64_t ended = 0;
    for (size_t i = 0; i < COUNT_OF(counters->responses); i++)
        ended += counters->responses[i];
    assert_int_equal(w->slots.waiting_count, 0);
    assert_int_equal(w->flights.waiting_count, 0);
    assert_int_equal(w->entry->inflight, 0);
    assert_int_equal(fixture_waiting(f), 0);
    assert_int_equal(w->entry->load, 0);
    assert_int_equal(w->entry->flights_load, 0);
    assert_int_equal(w->entry->connections, 0);
    assert_int_equal(ended, counters->requests);
    const struct board_ledger *ledger = &f->heritage.board->ledger[0];
    struct ledger_entry entry;
    for (unsigned i = 0; i < ledger_count(ledger); i++)
        assert_false(ledger_read(&ledger->entry[i], &entry));
    assert_int_equal(ledger->unrecorded, 0);
}

void fixture_close(struct fixture **fixture)
{
    struct fixture *f = *fixture;
    struct worker *w = &f->worker;
    fd_close(&f->client);
    fixture_turn(f);
    LIST_FOREACH (link, &w->conns)
        conn_close(LIST_ENTRY(link, struct conn, link));
    fixture_until(f, is_empty);
    fixture_assert_nothing_is_left(f);
    pool_destroy(&w->pool);
    coro_pool_destroy(&w->coros);
    family_fini(w);
    done_fini(&w->done);
    lane_fini(&w->flights);
    lane_fini(&w->slots);
    for (int kind = 0; kind < DEADLINE_KINDS; kind++)
        deadlines_fini(&w->deadlines[kind]);
    overtime_fini(&f->plugin.overtime);
    http_router_destroy(&w->router);
    request_free_all(w);
    begun_fini(&w->begun);
    block_pool_fini(&w->blocks);
    arena_fini(&w->scratch);
    ev_loop_destroy(w->loop);
    for (size_t i = 0; i < FIXTURE_ROUTES; i++) {
        free(f->route[i].label);
        free(f->route[i].pattern);
    }
    board_close(&f->heritage.board);
    fd_close(&f->heritage.board_fd);
    free(f->got);
    free(f);
    *fixture = NULL;
}

int fixture_connect(struct fixture *f)
{
    int pair[2];
    struct sockaddr_un peer = {.sun_family = AF_UNIX};
    assert_int_equal(
        socketpair(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0, pair), 0);
    f->client = pair[0];
    conn_open(&f->worker, pair[1], (struct sockaddr *)&peer, sizeof peer);
    return f->client;
}

void fixture_turn(struct fixture *f)
{
    enum { TURNS = 8 };
    for (int i = 0; i < TURNS; i++)
        ev_run(f->worker.loop, EVRUN_NOWAIT);
}

void fixture_send_bytes(struct fixture *f, const char *bytes, size_t n)
{
    while (n > 0) {
        ssize_t sent = send(f->client, bytes, n, MSG_NOSIGNAL);
        assert_true(sent > 0 || errno == EAGAIN);
        bytes += sent > 0 ? sent : 0;
        n -= sent > 0 ? (size_t)sent : 0;
        fixture_turn(f);
    }
}

void fixture_send(struct fixture *f, const char *text)
{
    fixture_send_bytes(f, text, strlen(text));
}

void fixture_end_client(struct fixture *f)
{
    assert_int_equal(shutdown(f->client, SHUT_WR), 0);
    fixture_turn(f);
}

static void on_patience(struct ev_loop *loop, ev_timer *timer, int events)
{
    (void)loop;
    (void)events;
    *(bool *)timer->data = true;
}

void fixture_until(struct fixture *f, bool (*is_so)(struct fixture *f))
{
    bool is_over = false;
    ev_timer patience;
    ev_timer_init(&patience, on_patience, PATIENCE_S, 0.);
    patience.data = &is_over;
    ev_timer_start(f->worker.loop, &patience);
    while (!is_so(f) && !is_over)
        ev_run(f->worker.loop, EVRUN_ONCE);
    ev_timer_stop(f->worker.loop, &patience);
    assert_false(is_over);
    fixture_turn(f);
}

void fixture_pass(struct fixture *f, uint64_t ms)
{
    struct worker *w = &f->worker;
    w->now_ms += ms;
    w->now_ns += ms * 1000000;
    for (int kind = 0; kind < DEADLINE_KINDS; kind++)
        ev_feed_event(w->loop, &w->deadlines[kind].timer, EV_TIMER);
    ev_feed_event(w->loop, &f->plugin.overtime.first.timer, EV_TIMER);
    ev_feed_event(w->loop, &f->plugin.overtime.second.timer, EV_TIMER);
    fixture_turn(f);
}

/* Reads until there is no more; 0 at the end, -1 while more may come. */
static long read_all(struct fixture *f)
{
    for (;;) {
        long n = recv(f->client, f->got + f->got_bytes, FIXTURE_BYTES - f->got_bytes, 0);
        if (n > 0)
            f->got_bytes += (size_t)n;
        fixture_turn(f);
        if (n <= 0)
            return n;
    }
}

const char *fixture_read(struct fixture *f)
{
    f->got_bytes = 0;
    fixture_turn(f);
    (void)read_all(f);
    f->got[f->got_bytes] = '\0';
    return f->got;
}

const char *fixture_read_until(struct fixture *f, bool (*is_so)(struct fixture *f))
{
    size_t before;
    f->got_bytes = 0;
    do {
        before = f->got_bytes;
        fixture_until(f, is_so);
        (void)read_all(f);
    } while (f->got_bytes > before || !is_so(f));
    f->got[f->got_bytes] = '\0';
    return f->got;
}

bool fixture_is_closed(struct fixture *f)
{
    fixture_turn(f);
    return read_all(f) == 0;
}

unsigned fixture_count(const struct fixture *f, const char *text)
{
    unsigned count = 0;
    const char *end = f->got + f->got_bytes;
    for (const char *at = f->got;
         (at = memmem(at, (size_t)(end - at), text, strlen(text))) != NULL; at++)
        count++;
    return count;
}

struct conn *fixture_conn(struct fixture *f)
{
    struct list *first = list_first(&f->worker.conns);
    assert_non_null(first);
    return LIST_ENTRY(first, struct conn, link);
}
