/* SPDX-License-Identifier: MIT */
/*
 * lab_slots - 1 to 4: rate = min(clients, slots) / service time, whatever the shape.  [lab]
 *
 * Called:  by lab_run.c.
 */
#include "cli/lab_experiments.h"

#include "common/check.h"

#include <math.h>

static const char sleeping[] = "/sync/noawait?ms=100";

/* ---- 1: one at a time ---- */

static void measure_one(struct lab *lab, struct lab_server *server, unsigned clients,
                        struct lab_row *const row[2])
{
    /* all of them must have waited their whole turn before it counts */
    const struct load_plan plan = {
        .clients = clients,
        .warmup_ms = lab_is_short(lab) ? 1500 : 2500,
        .duration_ms = lab_is_short(lab) ? 3000 : 12500,
    };
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
