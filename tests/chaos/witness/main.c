/* SPDX-License-Identifier: MIT */
/*
 * main - witness: a client that sends what is due and never retries.      [test tool]
 *
 * Open loop: requests are due at a steady rate, whatever the server does. Kept connections
 * are opened first and should never end; some of them rest for seconds between two requests;
 * the other requests have a connection each. What became of each is recorded (record.h).
 *
 * It writes a line with their ports when the kept connections stand. On stdin it reads
 *   sent    -> {"sent": N, "failed": N}
 *   end     sends no more once COUNT are sent, awaits what is under way, writes the result
 * and the end of stdin is an `end` that does not wait for COUNT.
 *
 * Owns:    the loop. Called by load.py.
 * Fails:   exit 2 before the first request; 1 when a request failed or a kept connection
 *          ended; 64 for usage.
 */
#include "cli/arrivals.h"
#include "common/check.h"
#include "common/clock.h"
#include "tests/chaos/witness/conn.h"
#include "tests/chaos/witness/options.h"
#include "tests/chaos/witness/plan.h"
#include "tests/chaos/witness/record.h"

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <unistd.h>

enum { EVENTS = 256, CLOSE_CONNS = 1500, PAUSE_MS = 3 };

static const uint64_t ms = UINT64_C(1000000);

/* Requests that are due and find no free connection. */
struct queue {
    uint64_t *id;
    size_t first, n, room;
};

static struct {
    struct options options;
    struct conn_world world;
    struct conn *conn[PLAN_GROUPS];
    size_t conns[PLAN_GROUPS];
    struct queue queue[PLAN_GROUPS];
    struct arrivals arrivals;
    uint64_t start_ns, last_ns, slack_ns; /* slack: sent later than due */
    bool is_ending, is_cut;               /* told `end`; without waiting for count */
} run = {.world = {.epoll_fd = -1}};

/* ---- the queues ---- */

static void queue_put(struct queue *q, uint64_t id)
{
    if (q->first > 0 && q->first + q->n == q->room) {
        memmove(q->id, q->id + q->first, q->n * sizeof *q->id);
        q->first = 0;
    }
    if (q->n == q->room) {
        q->room = q->room == 0 ? 64 : q->room * 2;
        q->id = realloc(q->id, q->room * sizeof *q->id);
        CHECK(q->id != NULL);
    }
    q->id[q->first + q->n++] = id;
}

static uint64_t queue_take(struct queue *q)
{
    CHECK(q->n > 0);
    q->n--;
    return q->id[q->first++];
}

/* ---- sending ---- */

/* The kept ones take turns; of the others the one that was used last, whose memory is warm. */
static struct conn *free_conn(enum plan_group group)
{
    struct list *all = &run.world.free[group];

    if (list_is_empty(all))
        return NULL;
    return LIST_ENTRY(group == PLAN_CLOSE ? all->prev : all->next, struct conn, free);
}

static uint64_t give_up_ns(const struct queue *q)
{
    return record_at(q->id[q->first])->due_ns + run.world.timeout_ns;
}

/* What has waited so long for a connection is not worth sending any more. */
static void give_up(struct queue *q, uint64_t now_ns)
{
    while (q->n > 0 && give_up_ns(q) <= now_ns) {
        const uint64_t id = queue_take(q);
        struct plan_ask ask;

        plan_ask(&run.world.mix, id, &ask);
        record_end(id, RECORD_TIMEOUT, now_ns);
        if (ask.is_pair)
            record_end(id + 1, RECORD_TIMEOUT, now_ns);
    }
}

static void send_queued(enum plan_group group)
{
    struct conn *c;

    give_up(&run.queue[group], clock_mono_ns());
    while (run.queue[group].n > 0 && (c = free_conn(group)) != NULL) {
        const uint64_t id = queue_take(&run.queue[group]), now_ns = clock_mono_ns();
        struct plan_ask asks[CONN_FLIGHTS];
        unsigned count = 1;

        plan_ask(&run.world.mix, id, &asks[0]);
        if (asks[0].is_pair && id + 1 < record_count()) {
            plan_ask(&run.world.mix, id + 1, &asks[1]);
            asks[1].group = group;
            count = 2;
        }
        if (now_ns - record_at(id)->due_ns > run.slack_ns)
            run.slack_ns = now_ns - record_at(id)->due_ns;
        conn_ask(c, asks, count, now_ns);
    }
}

static bool is_over(void)
{
    return run.is_cut || (run.is_ending && record_count() >= run.options.count);
}

static void take_arrivals(uint64_t now_ns)
{
    struct plan_ask ask;

    while (!is_over() && arrivals_peek(&run.arrivals) <= now_ns) {
        const uint64_t due_ns = arrivals_peek(&run.arrivals), id = record_add(due_ns);

        arrivals_take(&run.arrivals);
        plan_ask(&run.world.mix, id, &ask);
        if (ask.is_pair) { /* the next one is due with it */
            record_add(due_ns);
            arrivals_take(&run.arrivals);
        }
        queue_put(&run.queue[ask.group], id);
        run.last_ns = due_ns;
    }
    for (int group = 0; group < PLAN_GROUPS; group++)
        send_queued((enum plan_group)group);
}

/* ---- waiting ---- */

static uint64_t next_ns(void)
{
    struct list *busy = list_first(&run.world.busy);
    struct list *pausing = list_first(&run.world.pausing);
    uint64_t at = is_over() ? UINT64_MAX : arrivals_peek(&run.arrivals);

    if (busy != NULL) {
        const uint64_t due =
            LIST_ENTRY(busy, struct conn, busy)->since_ns + run.world.timeout_ns;
        at = due < at ? due : at;
    }
    if (pausing != NULL) {
        const uint64_t due = LIST_ENTRY(pausing, struct conn, pausing)->resume_ns;
        at = due < at ? due : at;
    }
    for (int group = 0; group < PLAN_GROUPS; group++)
        if (run.queue[group].n > 0 && give_up_ns(&run.queue[group]) < at)
            at = give_up_ns(&run.queue[group]);
    return at;
}

static void expire(uint64_t now_ns)
{
    struct list *first;

    while ((first = list_first(&run.world.pausing)) != NULL) {
        struct conn *c = LIST_ENTRY(first, struct conn, pausing);

        if (c->resume_ns > now_ns)
            break;
        conn_on_pause_over(c, now_ns);
    }
    while ((first = list_first(&run.world.busy)) != NULL) {
        struct conn *c = LIST_ENTRY(first, struct conn, busy);

        if (c->since_ns + run.world.timeout_ns > now_ns)
            break;
        conn_on_deadline(c, now_ns);
    }
}

static void obey(const char *line)
{
    if (strcmp(line, "end") == 0)
        run.is_ending = true;
    else if (strcmp(line, "sent") == 0)
        printf("{\"sent\": %" PRIu64 ", \"failed\": %" PRIu64 "}\n", record_count(),
               record_failed());
    fflush(stdout);
}

static void read_words(void)
{
    static char text[256];
    static size_t used;
    const ssize_t n = read(STDIN_FILENO, text + used, sizeof text - 1 - used);
    char *line = text, *lf;

    if (n <= 0) {
        run.is_cut = run.is_ending = true;
        epoll_ctl(run.world.epoll_fd, EPOLL_CTL_DEL, STDIN_FILENO, NULL);
        return;
    }
    used += (size_t)n;
    text[used] = '\0';
    for (; (lf = strchr(line, '\n')) != NULL; line = lf + 1) {
        *lf = '\0';
        obey(line);
    }
    used = strlen(line);
    memmove(text, line, used);
}

static void turn(uint64_t until_ns)
{
    const uint64_t now_ns = clock_mono_ns();
    const uint64_t wait_ns = until_ns > now_ns ? until_ns - now_ns : 0;
    const struct timespec wait = {.tv_sec = (time_t)(wait_ns / (1000 * ms)),
                                  .tv_nsec = (long)(wait_ns % (1000 * ms))};
    struct epoll_event event[EVENTS];
    const int n = epoll_pwait2(run.world.epoll_fd, event, EVENTS,
                               until_ns == UINT64_MAX ? NULL : &wait, NULL);

    for (int i = 0; i < n; i++) {
        if (event[i].data.ptr == NULL)
            read_words();
        else
            conn_on_event(event[i].data.ptr, event[i].events, clock_mono_ns());
    }
    expire(clock_mono_ns());
}

/* ---- the run ---- */

static bool open_kept(void)
{
    for (int group = 0; group < PLAN_CLOSE; group++)
        for (size_t i = 0; i < run.conns[group]; i++)
            conn_open(&run.conn[group][i], clock_mono_ns());
    while (!list_is_empty(&run.world.busy) && !run.is_cut)
        turn(next_ns());
    for (int group = 0; group < PLAN_CLOSE; group++)
        for (size_t i = 0; i < run.conns[group]; i++)
            if (run.conn[group][i].state != CONN_OPEN)
                return false;
    return true;
}

static void write_connections(FILE *out)
{
    for (int group = 0; group < PLAN_CLOSE; group++) {
        fprintf(out, ", \"%s_ports\": [", plan_group_name((enum plan_group)group));
        for (size_t i = 0; i < run.conns[group]; i++)
            fprintf(out, "%s%u", i == 0 ? "" : ", ",
                    run.conn[group][i].state == CONN_OPEN ? run.conn[group][i].port : 0);
        fprintf(out, "]");
    }
}

static void drive(void)
{
    run.start_ns = clock_mono_ns();
    printf("{\"start_ns\": %" PRIu64, run.start_ns);
    write_connections(stdout);
    printf("}\n");
    fflush(stdout);
    arrivals_init(&run.arrivals, run.options.rate, false, run.options.seed, run.start_ns);
    while (!is_over() || record_ended() < record_count()) {
        take_arrivals(clock_mono_ns());
        turn(next_ns());
    }
}

static void report(void)
{
    printf("{\"connects\": %" PRIu64 ", \"start_ns\": %" PRIu64 ", \"end_ns\": %" PRIu64
           ", \"last_due_ns\": %" PRIu64 ", \"slack_ns\": %" PRIu64 ", ",
           run.world.connects, run.start_ns, clock_mono_ns(), run.last_ns, run.slack_ns);
    record_write_json(&run.world.mix, stdout);
    write_connections(stdout);
    printf("}\n");
    fflush(stdout);
    if (run.options.table != NULL) {
        FILE *out = fopen(run.options.table, "w");

        CHECK(out != NULL);
        record_write_table(&run.world.mix, out);
        CHECK(fclose(out) == 0);
    }
}

/* ---- birth and end ---- */

static void init(void)
{
    struct epoll_event words = {.events = EPOLLIN};

    plan_init(run.options.seed);
    run.conns[PLAN_KEEP] = run.options.kept;
    run.conns[PLAN_IDLE] = run.options.idle;
    run.conns[PLAN_CLOSE] = CLOSE_CONNS;
    run.world.address = run.options.address;
    run.world.mix = run.options.mix;
    run.world.timeout_ns = run.options.timeout_ms * ms;
    run.world.pause_ns = PAUSE_MS * ms;
    list_init(&run.world.busy);
    list_init(&run.world.pausing);
    run.world.buffer = malloc(CONN_READ_BYTES);
    run.world.epoll_fd = epoll_create1(EPOLL_CLOEXEC);
    CHECK(run.world.buffer != NULL && run.world.epoll_fd >= 0);
    CHECK(epoll_ctl(run.world.epoll_fd, EPOLL_CTL_ADD, STDIN_FILENO, &words) == 0);
    for (int group = 0; group < PLAN_GROUPS; group++) {
        list_init(&run.world.free[group]);
        run.conn[group] = calloc(run.conns[group], sizeof(struct conn));
        CHECK(run.conn[group] != NULL);
        for (size_t i = 0; i < run.conns[group]; i++)
            conn_init(&run.conn[group][i], &run.world, (enum plan_group)group);
    }
}

static void fini(void)
{
    for (int group = 0; group < PLAN_GROUPS; group++) {
        for (size_t i = 0; i < run.conns[group]; i++)
            conn_close(&run.conn[group][i]);
        free(run.conn[group]);
        free(run.queue[group].id);
    }
    free(run.world.buffer);
    close(run.world.epoll_fd);
}

int main(int argc, char **argv)
{
    int status = 2;

    if (!options_parse(&run.options, argc, argv)) {
        fprintf(stderr, "witness: see the head of options.h\n");
        return 64;
    }
    init();
    if (open_kept()) {
        drive();
        report();
        status = record_failed() > 0 ? 1 : 0;
    } else {
        fprintf(stderr, "witness: a kept connection cannot be made\n");
    }
    fini();
    record_free();
    return status;
}
