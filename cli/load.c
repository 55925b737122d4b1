/* SPDX-License-Identifier: MIT */
/*
 * load - when each client asks, waits, gives up.                         [clients]
 *
 * Everything that is due hangs on a list in the order of its time (the delays are
 * constants, so the end of a list is nearly always the place), and one timer waits for
 * the first. Arrivals of an open loop are computed one ahead: those that are due and find
 * no client need no queue, only the next one's time.
 *
 * Owns:    the clients, the epoll and its timer.
 * Called:  by bench.c. Calls client.c, arrivals.c, tally.c.
 * Fails:   before the first request only.
 */
#include "cli/load.h"

#include "cli/arrivals.h"
#include "cli/client.h"
#include "cli/tally.h"
#include "common/clock.h"
#include "common/fd.h"

#include <errno.h>
#include <stdlib.h>
#include <sys/epoll.h>
#include <sys/resource.h>
#include <sys/timerfd.h>
#include <unistd.h>

enum { EVENTS = 256, BUFFER_BYTES = 64 << 10, SPARE_FDS = 32 };

static const uint64_t ms = UINT64_C(1000000);
static const uint64_t never = UINT64_MAX;
static const uint64_t retry_ns = 50 * UINT64_C(1000000); /* after a failed connection */

enum phase { PHASE_CONNECT, PHASE_SEND, PHASE_AWAIT };

struct load {
    const struct load_plan *plan;
    struct tally tally;
    struct client_wire wire;
    struct client *client;
    enum phase phase;
    struct list idle;    /* open loop: who waited longest asks next */
    struct list waiting; /* closed loop: thinking, or holding back after a failure */
    struct list busy;    /* has a deadline */
    size_t started;      /* of the first requests */
    size_t opened, settled, failed; /* in PHASE_CONNECT */
    struct arrivals arrivals;
    int timer_fd;
    uint64_t armed_ns;
};

static uint64_t earlier(uint64_t a, uint64_t b)
{
    return a < b ? a : b;
}

/* ---- one client ---- */

static enum client_outcome begin(struct load *l, struct client *client, uint64_t due_ns,
                                 uint64_t now_ns)
{
    list_append(&l->busy, &client->busy);
    tally_sent(&l->tally, due_ns, now_ns);
    return client_ask(client, &l->wire, due_ns, now_ns);
}

static void hold(struct load *l, struct client *client, uint64_t until_ns)
{
    struct list *after = l->waiting.prev;

    client->due_ns = until_ns;
    while (after != &l->waiting &&
           LIST_ENTRY(after, struct client, free)->due_ns > until_ns)
        after = after->prev;
    list_append(after->next, &client->free);
}

static void count(struct load *l, struct client *client, enum client_outcome outcome,
                  uint64_t now_ns)
{
    if (outcome == CLIENT_ANSWERED)
        tally_response(&l->tally, (size_t)(client - l->client), &client->reader,
                       client->due_ns, now_ns);
    else if (l->phase != PHASE_CONNECT)
        tally_failure(&l->tally, client->failure, client->due_ns, now_ns);
    else if (outcome == CLIENT_FAILED)
        l->tally.result->failed[client->failure]++;
}

static enum client_outcome go_on(struct load *l, struct client *client,
                                 enum client_outcome outcome, uint64_t now_ns)
{
    const uint64_t pause_ns =
        outcome == CLIENT_FAILED ? retry_ns : l->plan->think_ms * ms;

    if (l->phase == PHASE_CONNECT) {
        l->settled++;
        l->failed += outcome == CLIENT_FAILED;
    } else if (l->plan->rate > 0) {
        list_append(&l->idle, &client->free);
    } else if (now_ns < l->tally.end_ns) {
        if (pause_ns == 0)
            return begin(l, client, now_ns, now_ns);
        hold(l, client, now_ns + pause_ns);
    }
    return CLIENT_PENDING;
}

/* A loop, not a recursion: a server may answer faster than we return. */
static void follow(struct load *l, struct client *client, enum client_outcome outcome)
{
    while (outcome != CLIENT_PENDING) {
        const uint64_t now_ns = clock_mono_ns();

        list_remove(&client->busy);
        count(l, client, outcome, now_ns);
        outcome = go_on(l, client, outcome, now_ns);
    }
}

/* ---- waiting ---- */

static uint64_t deadline_of(const struct load *l, const struct client *client)
{
    return client->began_ns + l->plan->timeout_ms * ms;
}

static void expire(struct load *l)
{
    const uint64_t now_ns = clock_mono_ns();
    struct list *first;

    while ((first = list_first(&l->busy)) != NULL) {
        struct client *client = LIST_ENTRY(first, struct client, busy);

        if (deadline_of(l, client) > now_ns)
            return;
        client_close(client);
        client->failure = LOAD_TIMEOUT;
        errno = ETIMEDOUT;
        follow(l, client, CLIENT_FAILED);
    }
}

/* A timer that rings too early costs one turn; setting it anew each time costs more. */
static void arm(struct load *l, uint64_t due_ns)
{
    struct itimerspec at = {.it_value.tv_nsec = 1};

    if (due_ns >= l->armed_ns)
        return;
    if (due_ns > 0) {
        at.it_value.tv_sec = (time_t)(due_ns / UINT64_C(1000000000));
        at.it_value.tv_nsec = (long)(due_ns % UINT64_C(1000000000));
    }
    timerfd_settime(l->timer_fd, TFD_TIMER_ABSTIME, &at, NULL);
    l->armed_ns = due_ns;
}

static void take_timer(struct load *l)
{
    uint64_t rings;

    if (read(l->timer_fd, &rings, sizeof(rings)) > 0)
        l->armed_ns = never;
}

/* Sleeps until due_ns, a deadline, or news from a socket. */
static void turn(struct load *l, uint64_t due_ns)
{
    struct epoll_event event[EVENTS];
    struct list *first = list_first(&l->busy);
    int n;

    if (first != NULL)
        due_ns = earlier(due_ns, deadline_of(l, LIST_ENTRY(first, struct client, busy)));
    arm(l, due_ns);
    n = epoll_wait(l->wire.epoll_fd, event, EVENTS, -1);
    for (int i = 0; i < n; i++) {
        struct client *client = event[i].data.ptr;

        if (client == NULL)
            take_timer(l);
        else
            follow(l, client, client_on_event(client, &l->wire, event[i].events));
    }
    expire(l);
}

/* 0: go on; 1: send no more; 2: wait for nothing either. */
static int stop_level(const struct load *l)
{
    return l->plan->stop == NULL ? 0 : *l->plan->stop;
}

/* ---- the connections, before any request ---- */

static void open_some(struct load *l)
{
    const size_t all = l->plan->clients;
    size_t many = l->plan->connect_burst;

    if (many == LOAD_CONNECT_ALL)
        many = all;
    for (; many > 0 && l->opened < all; many--) {
        struct client *client = &l->client[l->opened++];
        const uint64_t now_ns = clock_mono_ns();

        list_append(&l->busy, &client->busy);
        follow(l, client, client_connect(client, &l->wire, now_ns));
    }
}

/* errno is that of the last one that failed. */
static const char *connect_all(struct load *l)
{
    const uint64_t start_ns = clock_mono_ns();

    while (l->settled < l->plan->clients) {
        if (stop_level(l) != 0) {
            errno = 0;
            return "interrupted before the first request";
        }
        if (l->opened == l->settled)
            open_some(l);
        else
            turn(l, never);
    }
    l->tally.result->connect_ns = clock_mono_ns() - start_ns;
    return l->failed == l->plan->clients ? "no connection could be made" : NULL;
}

/* ---- the load ---- */

/* Client i of n asks first at i/n of half the warm-up. */
static uint64_t first_due(const struct load *l, size_t i)
{
    const uint64_t over_ns = l->plan->is_spread ? l->plan->warmup_ms * ms / 2 : 0;

    return l->tally.start_ns + over_ns * i / l->plan->clients;
}

static void pump_closed(struct load *l, uint64_t now_ns)
{
    struct list *first;

    for (; l->started < l->plan->clients && first_due(l, l->started) <= now_ns;
         l->started++) {
        struct client *client = &l->client[l->started];

        follow(l, client, begin(l, client, now_ns, now_ns));
    }
    while ((first = list_first(&l->waiting)) != NULL) {
        struct client *client = LIST_ENTRY(first, struct client, free);

        if (client->due_ns > now_ns)
            return;
        list_remove(first);
        follow(l, client, begin(l, client, now_ns, now_ns));
    }
}

static void pump_open(struct load *l, uint64_t now_ns)
{
    struct list *first;

    while ((first = list_first(&l->idle)) != NULL) {
        const uint64_t due_ns = arrivals_peek(&l->arrivals);
        struct client *client = LIST_ENTRY(first, struct client, free);

        if (due_ns > now_ns || due_ns >= l->tally.end_ns)
            return;
        arrivals_take(&l->arrivals);
        list_remove(first);
        follow(l, client, begin(l, client, due_ns, clock_mono_ns()));
    }
}

static uint64_t next_due(struct load *l)
{
    uint64_t due_ns = tally_next_tick(&l->tally);

    if (l->phase == PHASE_AWAIT)
        return due_ns;
    due_ns = earlier(due_ns, l->tally.end_ns);
    if (l->plan->rate > 0)
        return list_is_empty(&l->idle) ? due_ns
                                       : earlier(due_ns, arrivals_peek(&l->arrivals));
    if (l->started < l->plan->clients)
        due_ns = earlier(due_ns, first_due(l, l->started));
    if (!list_is_empty(&l->waiting))
        due_ns =
            earlier(due_ns, LIST_ENTRY(l->waiting.next, struct client, free)->due_ns);
    return due_ns;
}

static void pump(struct load *l, uint64_t now_ns)
{
    if (stop_level(l) != 0)
        tally_cut(&l->tally, now_ns);
    if (l->phase == PHASE_SEND && l->plan->rate > 0)
        pump_open(l, now_ns);
    else if (l->phase == PHASE_SEND && now_ns < l->tally.end_ns)
        pump_closed(l, now_ns);
    if (now_ns >= l->tally.end_ns)
        l->phase = PHASE_AWAIT;
    tally_tick(&l->tally, now_ns);
}

/* What was due and never sent is a failure, and its wait is part of the latencies. */
static void give_up_arrivals(struct load *l)
{
    for (; arrivals_peek(&l->arrivals) < l->tally.end_ns; arrivals_take(&l->arrivals))
        tally_failure(&l->tally, LOAD_UNSENT, arrivals_peek(&l->arrivals),
                      l->tally.end_ns);
}

static void drive(struct load *l)
{
    const uint64_t start_ns = clock_mono_ns();

    l->phase = PHASE_SEND;
    tally_begin(&l->tally, start_ns);
    if (l->plan->rate > 0) {
        arrivals_init(&l->arrivals, l->plan->rate, l->plan->is_poisson, l->plan->seed,
                      start_ns);
        for (size_t i = 0; i < l->plan->clients; i++)
            list_append(&l->idle, &l->client[i].free);
    }
    pump(l, start_ns);
    while (l->phase != PHASE_AWAIT || (!list_is_empty(&l->busy) && stop_level(l) < 2)) {
        turn(l, next_due(l));
        pump(l, clock_mono_ns());
    }
    if (l->plan->rate > 0)
        give_up_arrivals(l);
    l->tally.result->connects = l->wire.connects;
    tally_end(&l->tally);
}

/* ---- birth and end ---- */

/* As many descriptors as we may have: the soft limit is for programs that use select. */
static const char *make_room(unsigned clients)
{
    struct rlimit limit;

    if (getrlimit(RLIMIT_NOFILE, &limit) == 0 && limit.rlim_cur < limit.rlim_max) {
        limit.rlim_cur = limit.rlim_max;
        setrlimit(RLIMIT_NOFILE, &limit);
    }
    errno = 0;
    if (getrlimit(RLIMIT_NOFILE, &limit) == 0 && limit.rlim_cur < clients + SPARE_FDS)
        return "more connections than this process may open (ulimit -n)";
    return NULL;
}

static const char *init(struct load *l, const struct load_plan *plan,
                        struct load_result *result)
{
    struct epoll_event ring = {.events = EPOLLIN};

    *l = (struct load){.plan = plan, .timer_fd = -1, .armed_ns = never};
    l->wire = (struct client_wire){.plan = plan, .epoll_fd = -1, .size = BUFFER_BYTES};
    list_init(&l->idle);
    list_init(&l->waiting);
    list_init(&l->busy);
    l->client = calloc(plan->clients, sizeof(*l->client));
    l->wire.buffer = malloc(BUFFER_BYTES);
    if (!tally_init(&l->tally, plan, result) || l->client == NULL ||
        l->wire.buffer == NULL)
        return "out of memory";
    for (size_t i = 0; i < plan->clients; i++)
        client_init(&l->client[i]);
    l->wire.epoll_fd = epoll_create1(EPOLL_CLOEXEC);
    l->timer_fd = timerfd_create(CLOCK_MONOTONIC, TFD_CLOEXEC | TFD_NONBLOCK);
    if (l->wire.epoll_fd < 0 || l->timer_fd < 0 ||
        epoll_ctl(l->wire.epoll_fd, EPOLL_CTL_ADD, l->timer_fd, &ring) < 0)
        return "no epoll or timer";
    return make_room(plan->clients);
}

static void fini(struct load *l)
{
    const int error = errno;

    for (size_t i = 0; l->client != NULL && i < l->plan->clients; i++)
        if (l->client[i].state != CLIENT_CLOSED)
            client_close(&l->client[i]);
    free(l->client);
    free(l->wire.buffer);
    tally_fini(&l->tally);
    fd_close(&l->timer_fd);
    fd_close(&l->wire.epoll_fd);
    errno = error;
}

const char *load_run(const struct load_plan *plan, struct load_result *result)
{
    struct load load;
    const char *why;

    CHECK(plan->clients > 0 && plan->duration_ms > plan->warmup_ms &&
          plan->timeout_ms > 0);
    why = init(&load, plan, result);
    if (why == NULL && !plan->is_close)
        why = connect_all(&load);
    if (why == NULL)
        drive(&load);
    fini(&load);
    return why;
}
