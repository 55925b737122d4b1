/* SPDX-License-Identifier: MIT */
/*
 * lab_blocking - 7 and 8: the same blocking call on the loop, and beside it.      [lab]
 *
 * Loop lag is read from the scoreboard as anyone may, once a second: the longest turn of
 * the loop in the last one to two seconds. A bound from above is held against the least of
 * these: what a handler does is in each of them, a pause of a busy machine is not. One from
 * below is held against the greatest: a long turn shows when it has ended, not before.
 *
 * Called:  by lab_run.c.
 */
#include "cli/lab_experiments.h"

#include "cli/watch.h"
#include "common/check.h"

#include <errno.h>
#include <math.h>
#include <string.h>

/* ---- loop lag ---- */

struct lag {
    struct watch watch;
    double least_ms, most_ms;
};

/* Of several workers, the worst counts. */
static void look(void *arg, size_t second, const struct load_second *what)
{
    struct lag *lag = arg;
    struct board *board = lag->watch.board;
    uint64_t worst_us = 0;

    (void)second;
    (void)what;
    for (unsigned i = 0; i < board->worker_slots; i++)
        if (board->worker[i].loop_lag_us > worst_us)
            worst_us = board->worker[i].loop_lag_us;
    lag->least_ms = fmin(lag->least_ms, (double)worst_us / 1000);
    lag->most_ms = fmax(lag->most_ms, (double)worst_us / 1000);
}

/* ---- both experiments: a rate and the lag it costs ---- */

static void measure(struct lab *lab, struct lab_server *server, const char *target,
                    struct load_plan plan, struct lab_row *const row[2])
{
    struct lag lag = {.least_ms = INFINITY};
    struct load_result load;

    if (server == NULL)
        return;
    if (watch_open(server->pid, &lag.watch) < 0) {
        lab_fail(lab, "the scoreboard cannot be read: %s", strerror(errno));
        return;
    }
    plan.on_second = look;
    plan.arg = &lag;
    if (lab_load(lab, server, target, &plan, &load)) {
        look(&lag, 0, NULL);
        lab_measure(lab, row[0], load.rate);
        if (lag.least_ms <= 0) /* no turn takes no time: it would agree with anything */
            lab_fail(lab, "the scoreboard shows no loop lag");
        lab_measure(lab, row[1],
                    row[1]->rule == LAB_AT_MOST ? lag.least_ms : lag.most_ms);
    }
    load_result_fini(&load);
    watch_close(&lag.watch);
}

/* ---- 7: bad blocking ---- */

static void run_bad_blocking(struct lab *lab)
{
    static const char *const block[] = {"worker.loop_block=50ms", NULL};
    /* who has a connection keeps it, and nothing moves off a blocked loop: by new ones a
     * worker gets what the others are too busy to accept */
    const struct load_plan plan = {.clients = 20, .is_close = true};
    struct lab_row *row[2][2], *named;
    struct lab_server *server = NULL;

    lab_axes(lab, "workers", "answers, req/s", false, false);
    lab_point(lab, "100 ms on the loop", 0, 0, NAN);
    for (unsigned i = 0; i < 2; i++) {
        row[i][0] =
            lab_predict(lab, (struct lab_row){.unit = "req/s", .predicted = 10 * (i + 1)},
                        "%u worker%s: rate", i + 1, i == 0 ? "" : "s");
        row[i][1] = lab_predict(
            lab, (struct lab_row){.rule = LAB_AT_LEAST, .unit = "ms", .predicted = 100},
            "%u worker%s: loop lag", i + 1, i == 0 ? "" : "s");
    }
    named = lab_predict(
        lab, (struct lab_row){.rule = LAB_AT_LEAST, .unit = "", .predicted = 1},
        "warnings that name the handler");
    for (unsigned i = 0; i < 2; i++) {
        server = lab_server_start(
            lab, &(struct lab_shape){.workers = i + 1, .klass = "event", .more = block});
        measure(lab, server, "/async/bad-blocking?ms=100", plan, row[i]);
        lab_point(lab, "100 ms on the loop", i + 1, row[i][0]->predicted,
                  row[i][0]->measured);
    }
    if (server != NULL)
        lab_measure(lab, named, lab_server_said(server, "in GET /async/bad-blocking"));
}

const struct lab_experiment lab_bad_blocking = {
    .number = 7,
    .name = "bad-blocking",
    .title = "one blocking call on the loop stops everyone",
    .setup =
        "1 and 2 event workers; an ASYNC handler blocks its thread for 100 ms instead "
        "of waiting; 20 clients, a connection per request; worker.loop_block = 50ms.",
    .law =
        "A loop runs one handler at a time, so a worker gives 1 / 0.1 s = 10 req/s, "
        "whatever its threads. Meanwhile it accepts and answers nothing: its lag is 100 "
        "ms for each request that was ready, and the log says which handler it was.",
    .run = run_bad_blocking,
};

/* ---- 8: offload ---- */

static void run_offload(struct lab *lab)
{
    static const unsigned clients[] = {4, 8, 20};
    enum { THREADS = 8 };
    /* the short form has seconds of a busy machine alone; on the loop it would be 100 */
    const struct lab_row lag = {
        .rule = LAB_AT_MOST, .unit = "ms", .predicted = lab_is_short(lab) ? 25 : 5};
    struct lab_row *row[COUNT_OF(clients)][2];
    struct lab_server *server;

    lab_axes(lab, "clients", "answers, req/s", false, false);
    lab_point(lab, "a pool of 8, 100 ms", 0, 0, NAN);
    for (size_t i = 0; i < COUNT_OF(clients); i++) {
        const unsigned busy = clients[i] < THREADS ? clients[i] : THREADS;

        row[i][0] =
            lab_predict(lab, (struct lab_row){.unit = "req/s", .predicted = busy / 0.1},
                        "%u clients: rate", clients[i]);
        row[i][1] = lab_predict(lab, lag, "%u clients: loop lag", clients[i]);
    }
    server =
        lab_server_start(lab, &(struct lab_shape){.threads = THREADS, .klass = "event"});
    for (size_t i = 0; i < COUNT_OF(clients); i++) {
        measure(lab, server, "/async/wrap-blocking?ms=100",
                (struct load_plan){.clients = clients[i]}, row[i]);
        lab_point(lab, "a pool of 8, 100 ms", clients[i], row[i][0]->predicted,
                  row[i][0]->measured);
    }
}

const struct lab_experiment lab_offload = {
    .number = 8,
    .name = "offload",
    .title = "the same call as a task of the pool",
    .setup =
        "1 event worker with a pool of 8 threads; an ASYNC handler gives the blocking "
        "100 ms to a task ON_POOL and waits for it.",
    .law = "The pool is what blocks: min(clients, 8) / 0.1 s, at most 80 req/s. The loop "
           "stays free: its lag stays below 5 ms (25 with --short).",
    .run = run_offload,
};
