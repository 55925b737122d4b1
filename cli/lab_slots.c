/* SPDX-License-Identifier: MIT */
/*
 * lab_slots - 1 to 4: rate = min(clients, slots) / service time, whatever the shape.  [lab]
 *
 * Called:  by lab_run.c.
 */
#include "cli/lab_experiments.h"

#include "cli/watch.h"
#include "common/check.h"

#include <errno.h>
#include <math.h>
#include <stdio.h>
#include <string.h>

static const char sleeping[] = "/sync/noawait?ms=100";

/* ---- 1: one at a time ---- */

static void measure_one(struct lab *lab, struct lab_server *server, unsigned clients,
                        struct lab_row *const row[2])
{
    /* all of them must have waited their whole turn before it counts */
    const struct load_plan plan = lab_settled(lab, clients, 500 + 120 * clients);
    struct load_result load;

    if (lab_load(lab, server, sleeping, &plan, &load)) {
        const double seconds = (double)histogram_mean(&load.latency) / 1e9;

        lab_measure(lab, row[0], load.rate);
        lab_measure(lab, row[1], seconds);
        lab_point(lab, "latency", clients, row[1]->predicted, seconds);
    }
    load_result_fini(&load);
}

static void run_one_at_a_time(struct lab *lab)
{
    static const unsigned clients[] = {1, 2, 10};
    struct lab_row *row[COUNT_OF(clients)][2];
    struct lab_server *server;

    lab_axes(lab, "clients", "latency, s", false, false);
    for (size_t i = 0; i < COUNT_OF(clients); i++) {
        row[i][0] = lab_predict(lab, (struct lab_row){.unit = "req/s", .predicted = 10},
                                "%u client%s: rate", clients[i], i == 0 ? "" : "s");
        row[i][1] =
            lab_predict(lab, (struct lab_row){.unit = "s", .predicted = 0.1 * clients[i]},
                        "%u client%s: latency", clients[i], i == 0 ? "" : "s");
    }
    server = lab_server_start(lab, &(struct lab_shape){.workers = 1, .threads = 1});
    for (size_t i = 0; i < COUNT_OF(clients); i++)
        measure_one(lab, server, clients[i], row[i]);
}

const struct lab_experiment lab_one_at_a_time = {
    .number = 1,
    .name = "one-at-a-time",
    .title = "one slot serves one request at a time",
    .setup =
        "1 worker x 1 thread; the handler sleeps 100 ms; keep-alive clients that ask "
        "again as soon as they are answered.",
    .law = "One slot gives 1 / 0.1 s = 10 req/s, however many ask. Each client waits for "
           "all the others: latency = clients x 0.1 s.",
    .run = run_one_at_a_time,
};

/* ---- 2: five by eight ---- */

static void measure_rate(struct lab *lab, struct lab_server *server, unsigned clients,
                         struct lab_row *row)
{
    struct load_result load;

    if (lab_load(lab, server, sleeping, &(struct load_plan){.clients = clients}, &load)) {
        lab_measure(lab, row, load.rate);
        lab_point(lab, "5 x 8, 100 ms", clients, row->predicted, load.rate);
    }
    load_result_fini(&load);
}

static void run_five_by_eight(struct lab *lab)
{
    static const unsigned clients[] = {8, 20, 40, 80, 160};
    struct lab_row *row[COUNT_OF(clients)];
    struct lab_server *server;

    lab_axes(lab, "clients", "answers, req/s", false, false);
    lab_point(lab, "5 x 8, 100 ms", 0, 0, NAN);
    for (size_t i = 0; i < COUNT_OF(clients); i++) {
        const unsigned busy = clients[i] < 40 ? clients[i] : 40;

        row[i] =
            lab_predict(lab, (struct lab_row){.unit = "req/s", .predicted = busy / 0.1},
                        "%u clients", clients[i]);
    }
    server = lab_server_start(lab, &(struct lab_shape){.workers = 5, .threads = 8});
    for (size_t i = 0; i < COUNT_OF(clients); i++)
        measure_rate(lab, server, clients[i], row[i]);
}

const struct lab_experiment lab_five_by_eight = {
    .number = 2,
    .name = "five-by-eight",
    .title = "5 workers x 8 threads = 40 slots",
    .setup = "5 workers x 8 threads; the handler sleeps 100 ms; keep-alive clients, from "
             "fewer than slots to four times as many.",
    .law = "rate = min(clients, workers x threads) / service time, so at most 40 / 0.1 s "
           "= 400 req/s.",
    .run = run_five_by_eight,
};

/* ---- 3: same product, other shape ---- */

struct shape_rows {
    struct lab_row *rate, *memory;
};

static void measure_shape(struct lab *lab, const struct lab_shape *shape,
                          const struct shape_rows *row)
{
    struct lab_server *server = lab_server_start(lab, shape);
    struct load_result load;

    if (lab_load(lab, server, sleeping, &(struct load_plan){.clients = 40}, &load)) {
        lab_measure(lab, row->rate, load.rate);
        lab_measure(lab, row->memory, lab_server_memory_bytes(server) / (1 << 20));
        lab_point(lab, "40 clients, 100 ms", shape->workers, row->rate->predicted,
                  load.rate);
    }
    load_result_fini(&load);
    lab_server_stop(lab, server);
}

static void run_same_product(struct lab *lab)
{
    static const struct lab_shape shape[] = {
        {.workers = 1, .threads = 40},
        {.workers = 5, .threads = 8},
        {.workers = 40, .threads = 1},
    };
    struct shape_rows row[COUNT_OF(shape)];

    lab_axes(lab, "workers (of 40 slots)", "answers, req/s", true, false);
    for (size_t i = 0; i < COUNT_OF(shape); i++) {
        row[i].rate =
            lab_predict(lab, (struct lab_row){.unit = "req/s", .predicted = 400},
                        "%u x %u: rate", shape[i].workers, shape[i].threads);
        row[i].memory =
            lab_predict(lab, (struct lab_row){.unit = "MiB", .rule = LAB_SHOWN},
                        "%u x %u: memory", shape[i].workers, shape[i].threads);
    }
    for (size_t i = 0; i < COUNT_OF(shape); i++)
        measure_shape(lab, &shape[i], &row[i]);
    lab_note(lab,
             "Memory is that of all processes, shared pages counted once. Threads "
             "share one heap, workers share nothing but their code: what a handler "
             "keeps for itself is kept once in 1 x 40 and 40 times in 40 x 1; what a "
             "crash takes with it is the other way round (experiment 15).");
}

const struct lab_experiment lab_same_product = {
    .number = 3,
    .name = "same-product",
    .title = "1 x 40, 5 x 8 and 40 x 1 have the same capacity",
    .setup =
        "Three servers of 40 slots, one after the other; the handler sleeps 100 ms; 40 "
        "keep-alive clients.",
    .law = "Capacity is workers x threads; how the product is made up decides memory, "
           "isolation and use of the cores, not the rate of handlers that wait.",
    .run = run_same_product,
};

/* ---- 4: rate is not concurrency ---- */

struct pace_rows {
    struct lab_row *rate, *busy;
};

/* The server's own figure: of how long a request holds its slot the client knows nothing.
 * NAN: no request yet, or no scoreboard. */
static double mean_service_seconds(struct lab *lab, const struct lab_server *server)
{
    struct board_counters now;
    struct watch watch;
    uint64_t count;

    if (watch_open(server->pid, &watch) < 0) {
        lab_fail(lab, "no scoreboard: %s", strerror(errno));
        return NAN;
    }
    board_total(watch.board, &now);
    watch_close(&watch);
    count = board_get(&now.service.count);
    return count == 0 ? NAN
                      : (double)board_get(&now.service.sum_us) / 1e6 / (double)count;
}

/* A server for each: its mean is of one service time. */
static void measure_pace(struct lab *lab, unsigned ms, const struct pace_rows *row)
{
    struct lab_server *server =
        lab_server_start(lab, &(struct lab_shape){.workers = 1, .threads = 1});
    char target[64];
    struct load_result load;

    (void)snprintf(target, sizeof(target), "/sync/noawait?ms=%u", ms);
    if (lab_load(lab, server, target, &(struct load_plan){.clients = 1}, &load)) {
        lab_measure(lab, row->rate, load.rate);
        lab_measure(lab, row->busy, load.rate * mean_service_seconds(lab, server));
        lab_point(lab, "one slot", ms, row->rate->predicted, load.rate);
    }
    load_result_fini(&load);
    lab_server_stop(lab, server);
}

static void run_rate_and_count(struct lab *lab)
{
    /* 1 ms is so short that waking up from it shows: some 0.1 to 0.4 ms, more where the
     * machine is busy with other things */
    static const struct {
        unsigned ms;
        double tolerance, busy_tolerance;
    } pace[] = {{1, 0.35, 0.20}, {10, 0.10, 0.10}};
    struct pace_rows row[COUNT_OF(pace)];

    lab_axes(lab, "service time, ms", "answers, req/s", true, true);
    for (size_t i = 0; i < COUNT_OF(pace); i++) {
        row[i].rate = lab_predict(lab,
                                  (struct lab_row){.unit = "req/s",
                                                   .predicted = 1000.0 / pace[i].ms,
                                                   .tolerance = pace[i].tolerance},
                                  "%u ms: rate", pace[i].ms);
        row[i].busy = lab_predict(lab,
                                  (struct lab_row){.unit = "",
                                                   .predicted = 1,
                                                   .tolerance = pace[i].busy_tolerance},
                                  "%u ms: in work (rate x service)", pace[i].ms);
    }
    for (size_t i = 0; i < COUNT_OF(pace); i++)
        measure_pace(lab, pace[i].ms, &row[i]);
    lab_note(lab,
             "A thousand requests per second, and never two at once: a rate says "
             "nothing about concurrency without the service time. To a sleep of 1 ms "
             "the machine adds its own 0.1 to 0.4 ms of waking up. The mean service is "
             "the server's own figure; between two requests the slot is free for as long "
             "as the client needs to ask again.");
}

const struct lab_experiment lab_rate_and_count = {
    .number = 4,
    .name = "rate-and-count",
    .title = "requests per second are not requests at once",
    .setup = "1 worker x 1 thread; the handler sleeps 1 ms, then 10 ms; one keep-alive "
             "client.",
    .law =
        "Both serve one request at a time; rate = 1 / service time. Little: requests in "
        "work = rate x service time as the server measures it, one at a time.",
    .run = run_rate_and_count,
};
