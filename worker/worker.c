/* SPDX-License-Identifier: MIT */
/*
 * worker - order of birth, the loop, order of death.             [worker]
 *
 * Owns:    the one struct worker of this process.
 * Called:  by the master's spawn.c in the child; never returns.
 * Fails:   dies with one line and a MESSAGE_READY that carries it and the exit status:
 *          70 a start that failed, 71 the system, 78 a plugin or its options.
 *
 * Birth and death mirror each other: begin_* and end_*, in opposite order.
 */
#include "worker/worker.h"

#include "common/check.h"
#include "common/clock.h"
#include "common/fd.h"
#include "common/log.h"
#include "common/message.h"
#include "http/date.h"
#include "http/router.h"
#include "worker/accept.h"
#include "worker/access_log.h"
#include "worker/body.h"
#include "worker/conn.h"
#include "worker/coro.h"
#include "worker/drain.h"
#include "worker/engine.h"
#include "worker/fault.h"
#include "worker/handoff.h"
#include "worker/identity.h"
#include "worker/handoff_message.h"
#include "worker/inbox.h"
#include "worker/lifecycle.h"
#include "worker/patience.h"
#include "worker/plugin.h"
#include "worker/pool.h"
#include "worker/request.h"
#include "worker/self.h"
#include "worker/stack.h"
#include "worker/stream.h"
#include "worker/wear.h"

#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

enum {
    EXIT_SYSTEM = 71,
    EXIT_BAD_PLUGIN = 78,
    TABLE_SPARE = 256,     /* descriptors beside those of connections */
    FRAMING_BYTES = 16384, /* of a chunked body that are not data */
    BODY_LOOK_MS = 1000,
    WRITE_LOOK_MS = 1000
};

static struct worker self;

/* ---- complaints of the boot: logged by the first worker of a generation, told to the
 * master by each ---- */

static char first_complaint[MESSAGE_TEXT];

static void complain(const char *line)
{
    if (first_complaint[0] == '\0')
        snprintf(first_complaint, sizeof first_complaint, "%s", line);
    if (self.is_check)
        fprintf(stderr, "%s\n", line);
    else if (self.heritage->list_routes)
        log_error("%s", line);
}

static _Noreturn void die_unready(int status)
{
    const struct heritage *h = self.heritage;
    (void)message_send(h->channel, MESSAGE_READY, h->generation, (int32_t)getpid(),
                       (uint64_t)status, first_complaint, -1);
    _exit(status);
}

static void must(bool is_done, const char *what)
{
    if (is_done)
        return;
    char line[128];
    snprintf(line, sizeof line, "%s: %s", what, strerror(errno));
    complain(line);
    die_unready(EXIT_SYSTEM);
}

/* ---- birth ---- */

/* A worker takes its orders from the channel; a terminal's or a group's signals are the
 * master's. SIGTERM alone is heard: lifecycle.c. */
static void begin_signals(void)
{
    static const int ignored[] = {SIGPIPE, SIGHUP,  SIGINT,  SIGQUIT,  SIGUSR1,
                                  SIGUSR2, SIGTTIN, SIGTTOU, SIGWINCH, SIGXFSZ};
    struct sigaction ignore = {.sa_handler = SIG_IGN};
    for (size_t i = 0; i < COUNT_OF(ignored); i++)
        CHECK(sigaction(ignored[i], &ignore, NULL) == 0);
    sigset_t none;
    sigemptyset(&none);
    CHECK(sigprocmask(SIG_SETMASK, &none, NULL) == 0);
}

/* Descriptors for connections, for what is open already (both ends of every inbox) and for
 * what handlers hold; a socket that is received from another worker must not find the table
 * too small (fd.h). */
static void begin_table(struct worker *w)
{
    int open = fd_count();
    fd_grow_table((uint64_t)w->conf->limits.worker_connections +
                  (unsigned)(open > 0 ? open : 0) + TABLE_SPARE);
}

static void begin_loop(struct worker *w)
{
    w->loop = ev_loop_new(EVBACKEND_EPOLL | EVFLAG_NOENV);
    must(w->loop != NULL, "the event loop");
    w->loop_thread = pthread_self();
    w->now_ns = clock_mono_ns();
    w->now_ms = w->now_ns / 1000000;
    http_date_refresh((time_t)(clock_wall_ms() / 1000));
}

static void begin_limits(struct worker *w)
{
    const struct conf_limits *limits = &w->conf->limits;
    w->limits = (struct http_limits){
        .request_line_bytes = (uint32_t)limits->request_line_bytes,
        .header_bytes = (uint32_t)limits->header_size_bytes,
        .header_fields = limits->header_fields,
        .framing_bytes = FRAMING_BYTES,
        .body_bytes = limits->body_bytes,
    };
    const uint64_t length_ms[DEADLINE_KINDS] = {
        [DEADLINE_KEEPALIVE] = limits->keepalive_ms,
        [DEADLINE_HEAD] = limits->head_timeout_ms,
        [DEADLINE_BODY] = BODY_LOOK_MS,
        [DEADLINE_QUEUE] = limits->queue_timeout_ms,
        [DEADLINE_WRITE] = limits->write_timeout_ms < WRITE_LOOK_MS
                               ? limits->write_timeout_ms
                               : WRITE_LOOK_MS,
        [DEADLINE_LAST] = CONN_LAST_MS,
        [DEADLINE_LINGER] = CONN_LINGER_MS,
    };
    for (int kind = 0; kind < DEADLINE_KINDS; kind++)
        deadlines_init(&w->deadlines[kind], w->loop, &w->now_ms, length_ms[kind],
                       patience_on_deadline);
    deadlines_init(&w->silences, w->loop, &w->now_ms, w->conf->worker.event_heartbeat_ms,
                   stream_on_silence);
    slow_init(w);
    must(address_init(w), "the table of addresses");
}

/* From the first request on, in front of everything that could begin one. */
static void begin_ledger(struct worker *w)
{
    const struct heritage *h = w->heritage;
    must(begun_init(&w->begun, &h->board->ledger[h->index]) == 0, "the ledger");
}

static void begin_access_log(struct worker *w)
{
    const struct conf_log *log = &w->conf->log;
    if (strcmp(log->access, "off") == 0)
        return;
    char why[256];
    w->access_log = access_log_create(log->access_format, w->ring,
                                      &w->entry->counters.log_dropped, why, sizeof why);
    if (w->access_log != NULL) {
        (void)access_log_set_fd(w->access_log, w->heritage->access_log_fd);
        access_log_count_by(w->access_log, w->heritage->written_fd);
        return;
    }
    complain(why);
    die_unready(EXIT_BAD_PLUGIN);
}

static void begin_engine(struct worker *w)
{
    bool is_event = w->conf->server.klass == CONF_CLASS_EVENT;
    unsigned threads = w->conf->server.threads, flights = w->conf->worker.max_inflight;
    w->engine = is_event ? &engine_event : &engine_thread;
    must(lane_init(&w->slots, LOAD_SLOTS, threads, w->entry->slot, BOARD_SLOTS) == 0,
         "the slots");
    must(lane_init(&w->flights, LOAD_FLIGHTS, flights, w->entry->flight,
                   BOARD_INFLIGHT) == 0,
         "the flights");
    board_set32(&w->entry->flights_limit, is_event ? flights : 0);
    w->flights.unrecorded = &w->entry->inflight_unrecorded;
    done_init(&w->done, w->loop, engine_on_done);
    family_init(w);
    w->pool = pool_create(threads);
    must(w->pool != NULL, "the thread pool");
    w->coros = coro_pool_create((size_t)w->conf->worker.coroutine_stack_bytes, CORO_CAP,
                                coro_cap());
    must(w->coros != NULL, "the coroutines");
}

static void begin_plugins(struct worker *w)
{
    int status = plugins_load(w, complain);
    if (status == 0)
        status = plugins_start(w, complain);
    if (status != 0)
        die_unready(status);
    if (w->heritage->list_routes)
        plugins_log_routes(w);
}

static void init_self(struct worker *w, const struct heritage *h)
{
    *w = (struct worker){.magic = WORKER_MAGIC, .heritage = h, .conf = h->conf};
    w->pid = getpid();
    list_init(&w->conns);
    list_init(&w->turn_come);
    arena_init(&w->scratch);
}

static void begin(struct worker *w, const struct heritage *h)
{
    init_self(w, h);
    w->entry = &h->board->worker[h->index];
    w->ring = &h->board->ring[h->index];
    must(conf_env_apply(w->conf) == 0, "the environment");
    must(fault_start(w) == 0, "the fault handler");
    begin_table(w);
    begin_loop(w);
    begin_limits(w);
    body_init(w);
    must(identity_init(w), "trusted_proxies");
    begin_access_log(w);
    begin_ledger(w);
    begin_engine(w);
    begin_plugins(w);
    begin_signals();
    stack_start(w);
    accept_init(w);
    inbox_init(w);
    handoff_init(w);
    wear_init(w);
    lifecycle_start(w);
}

/* The loop turns: only now is the worker ready. */
static void on_first_turn(struct ev_loop *loop, ev_timer *timer, int events)
{
    (void)loop;
    (void)events;
    struct worker *w = timer->data;
    const struct heritage *h = w->heritage;
    w->phase = WORKER_STANDBY;
    inbox_announce(w);
    (void)message_send(h->channel, MESSAGE_READY, h->generation, (int32_t)getpid(), 0,
                       NULL, -1);
}

/* ---- death ---- */

static void end(struct worker *w)
{
    bool is_clean = w->slots.busy == 0 && w->flights.busy == 0;
    LIST_FOREACH (link, &w->conns)
        drain_cut(LIST_ENTRY(link, struct conn, link));
    inbox_stop(w);
    handoff_stop(w);
    lifecycle_stop(w);
    if (w->access_log != NULL)
        access_log_flush(w->access_log);
    (void)message_send(w->heritage->channel, MESSAGE_BYE, w->heritage->generation,
                       (int32_t)getpid(), 0, NULL, -1);
    if (!is_clean)
        _exit(0); /* a handler still has its stack or its thread: nothing may be freed */
    plugins_stop(w);
    pool_destroy(&w->pool);
    coro_pool_destroy(&w->coros);
    family_fini(w);
    done_fini(&w->done);
    lane_fini(&w->flights);
    lane_fini(&w->slots);
    begun_fini(&w->begun);
    if (w->access_log != NULL)
        access_log_destroy(&w->access_log);
    for (int kind = 0; kind < DEADLINE_KINDS; kind++)
        deadlines_fini(&w->deadlines[kind]);
    deadlines_fini(&w->silences);
    http_router_destroy(&w->router);
    plugins_destroy(&w->plugins);
    request_free_all(w);
    block_pool_fini(&w->blocks);
    address_fini(w);
    arena_fini(&w->scratch);
    identity_fini(w);
    ev_loop_destroy(w->loop);
}

uint32_t worker_inbox_version(void)
{
    return HANDOFF_VERSION;
}

_Noreturn void worker_main(const struct heritage *heritage)
{
    begin(&self, heritage);
    ev_timer first;
    ev_timer_init(&first, on_first_turn, 0., 0.);
    first.data = &self;
    ev_timer_start(self.loop, &first);
    ev_run(self.loop, 0);
    end(&self);
    exit(0);
}

_Noreturn void worker_check(const struct heritage *heritage)
{
    init_self(&self, heritage);
    self.is_check = true;
    self.loop_thread = pthread_self();
    must(conf_env_apply(self.conf) == 0, "the environment");
    must(fault_start(&self) == 0, "the fault handler");
    int status = plugins_load(&self, complain);
    http_router_destroy(&self.router);
    plugins_destroy(&self.plugins);
    exit(status);
}
