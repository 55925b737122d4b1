/* SPDX-License-Identifier: MIT */
/*
 * lab_tasks - 10 to 13: what happens to capacity when a handler waits for several things,
 * for another server, for a limited time, or for a permit.                         [lab]
 *
 * Called:  by lab_run.c.
 */
#include "cli/lab_experiments.h"

#include "common/addr.h"
#include "common/check.h"

#include <math.h>
#include <stdio.h>

static double median_seconds(const struct load_result *load)
{
    return (double)histogram_quantile(&load->latency, 0.5) / 1e9;
}

/* ---- 10: gather ---- */

static void run_gather(struct lab *lab)
{
    static const unsigned clients[] = {1, 20};
    const bool is_short = lab_is_short(lab);
    const double longest = is_short ? 0.3 : 1.5;
    const char *target = is_short ? "/async/await-many?ms=200,300,100"
                                  : "/async/await-many?ms=1000,1500,500";
    struct lab_row *row[COUNT_OF(clients)];
    struct lab_server *server;

    lab_axes(lab, "clients", "median latency, s", false, false);
    for (size_t i = 0; i < COUNT_OF(clients); i++)
        row[i] =
            lab_predict(lab, (struct lab_row){.unit = "s", .predicted = longest},
                        "%u client%s: median latency", clients[i], i == 0 ? "" : "s");
    server = lab_server_start(
        lab, &(struct lab_shape){.workers = 1, .threads = 1, .klass = "event"});
    for (size_t i = 0; i < COUNT_OF(clients); i++) {
        const struct load_plan plan = lab_settled(lab, clients[i], is_short ? 500 : 2000);
        struct load_result load;

        if (lab_load(lab, server, target, &plan, &load)) {
            lab_measure(lab, row[i], median_seconds(&load));
            lab_point(lab, "gathered", clients[i], longest, row[i]->measured);
            lab_point(lab, "one after the other", clients[i], 2 * longest, NAN);
        }
        load_result_fini(&load);
    }
}

const struct lab_experiment lab_gather = {
    .number = 10,
    .name = "gather",
    .title = "several waits at once take as long as the longest",
    .setup =
        "1 event worker with 1 thread; an ASYNC handler starts three tasks that sleep "
        "1.0, 1.5 and 0.5 s (0.2, 0.3, 0.1 s with --short) and waits for all.",
    .law = "latency = the longest, 1.5 s; the sum, 3.0 s, would be one after the other. "
           "What only waits needs no slot: 20 clients wait no longer than one.",
    .run = run_gather,
};

/* ---- 11: gather meets capacity ---- */

enum { CALLS = 10, BACK_SLOTS = 40 };
static const double call_s = 0.1;

static double fan_out_latency(unsigned clients)
{
    const double rounds = (double)clients * CALLS / BACK_SLOTS;

    return call_s * (rounds > 1 ? rounds : 1);
}

static struct lab_server *start_front(struct lab *lab, const struct lab_server *back)
{
    char setting[64];
    const char *more[] = {setting, NULL};

    if (back == NULL)
        return NULL;
    snprintf(setting, sizeof(setting), "plugin lab.upstream_port=%u",
             addr_port((const struct sockaddr *)&back->address.storage));
    return lab_server_start(lab, &(struct lab_shape){.klass = "event", .more = more});
}

static void run_fan_out(struct lab *lab)
{
    static const unsigned clients[] = {1, 4, 8, 16};
    struct lab_row *row[COUNT_OF(clients)];
    struct lab_server *back, *front;
    /* the last of ten decides, so a busy machine shows here first */
    const double tolerance = lab_is_short(lab) ? 0.25 : 0.1;

    lab_axes(lab, "clients", "median latency, s", false, false);
    for (size_t i = 0; i < COUNT_OF(clients); i++)
        row[i] =
            lab_predict(lab,
                        (struct lab_row){.unit = "s",
                                         .predicted = fan_out_latency(clients[i]),
                                         .tolerance = tolerance},
                        "%u client%s: median latency", clients[i], i == 0 ? "" : "s");
    back = lab_server_start(lab, &(struct lab_shape){.workers = 5, .threads = 8});
    front = start_front(lab, back);
    for (size_t i = 0; i < COUNT_OF(clients); i++) {
        const struct load_plan plan = lab_settled(lab, clients[i], 1000);
        struct load_result load;

        if (lab_load(lab, front, "/async/call-many?times=10&ms=100", &plan, &load)) {
            lab_measure(lab, row[i], median_seconds(&load));
            lab_point(lab, "front server", clients[i], row[i]->predicted,
                      row[i]->measured);
        }
        load_result_fini(&load);
    }
}

const struct lab_experiment lab_fan_out = {
    .number = 11,
    .name = "fan-out",
    .title = "a gather is only as parallel as what it asks",
    .setup = "An ASYNC handler in 1 event worker asks another server, 5 workers x 8 "
             "threads, ten times at once, 100 ms each.",
    .law = "Of 10 x clients calls 40 run at a time: latency = 0.1 s x clients x 10 / 40, "
           "at least 0.1 s. From the fifth client on, asynchronous code waits like any.",
    .run = run_fan_out,
};

/* ---- 12: deadline ---- */

/* Median latency of 504s, and how many come in a second. The work takes four times its limit: a
 * server that has no processor for the difference finds both over, and answers. */
static void measure_deadline(struct lab *lab, const struct lab_server *server,
                             const char *target, struct lab_row *const row[2])
{
    struct load_plan alone = lab_settled(lab, 1, 500), two = lab_settled(lab, 2, 500);
    struct load_result load;

    alone.duration_ms += lab_is_short(lab) ? 1500 : 0; /* five answers a second */
    two.duration_ms = alone.duration_ms;
    alone.think_ms = 350;
    alone.expect = two.expect = 504;
    if (lab_load(lab, server, target, &alone, &load))
        lab_measure(lab, row[0], (double)histogram_quantile(&load.latency, 0.5) / 1e6);
    load_result_fini(&load);
    if (lab_load(lab, server, target, &two, &load))
        lab_measure(lab, row[1], load.rate);
    load_result_fini(&load);
}

static void run_deadline(struct lab *lab)
{
    static const char *const one_flight[] = {"worker.max_inflight=1", NULL};
    static const char *const limit[] = {"limits.request_timeout=50ms", NULL};
    const struct lab_row when = {.unit = "ms", .predicted = 50, .tolerance = 0.1};
    struct lab_row *async[2], *sync[2];

    async[0] = lab_predict(lab, when, "coroutine: 504 after");
    async[1] = lab_predict(
        lab, (struct lab_row){.unit = "req/s", .predicted = 20, .tolerance = 0.1},
        "coroutine: room for the next, rate");
    sync[0] = lab_predict(lab, when, "thread: 504 after");
    sync[1] = lab_predict(lab, (struct lab_row){.unit = "req/s", .predicted = 5},
                          "thread: slot for the next, rate");
    measure_deadline(
        lab,
        lab_server_start(lab, &(struct lab_shape){.klass = "event", .more = one_flight}),
        "/async/deadline?limit=50&ms=200", async);
    measure_deadline(
        lab, lab_server_start(lab, &(struct lab_shape){.threads = 1, .more = limit}),
        "/sync/noawait?ms=200", sync);
}

const struct lab_experiment lab_deadline = {
    .number = 12,
    .name = "deadline",
    .title = "a time limit ends what waits, and cannot end what blocks",
    .setup = "A time limit of 50 ms around 200 ms of work: remuda_deadline around a task "
             "that suspends (1 event worker, one request at a time), and request_timeout "
             "around a handler that blocks its thread (1 x 1).",
    .law = "Both are answered 504 after 50 ms. The task ends with the limit: the next "
           "runs after 50 ms, 20/s. The thread cannot be stopped: its slot comes back "
           "after 200 ms, 5/s.",
    .run = run_deadline,
};

/* ---- 13: semaphore ---- */

static void run_semaphore(struct lab *lab)
{
    static const unsigned clients[] = {2, 5, 100};
    enum { PERMITS = 5 };
    struct lab_row *row[COUNT_OF(clients)];
    struct lab_server *server;

    lab_axes(lab, "clients", "answers, req/s", true, false);
    for (size_t i = 0; i < COUNT_OF(clients); i++) {
        const unsigned most = clients[i] < PERMITS ? clients[i] : PERMITS;

        row[i] =
            lab_predict(lab, (struct lab_row){.unit = "req/s", .predicted = most / 0.1},
                        "%u clients", clients[i]);
    }
    server = lab_server_start(lab, &(struct lab_shape){.klass = "event"});
    for (size_t i = 0; i < COUNT_OF(clients); i++) {
        struct load_result load;

        if (lab_load(lab, server, "/async/semaphore?permits=5&ms=100",
                     &(struct load_plan){.clients = clients[i]}, &load)) {
            lab_measure(lab, row[i], load.rate);
            lab_point(lab, "5 permits, 100 ms", clients[i], row[i]->predicted, load.rate);
        }
        load_result_fini(&load);
    }
}

const struct lab_experiment lab_semaphore = {
    .number = 13,
    .name = "semaphore",
    .title = "a semaphore of 5 is a capacity of 5",
    .setup = "1 event worker; an ASYNC handler takes one of 5 permits and sleeps 100 ms "
             "with it. Permits are per worker.",
    .law = "rate = min(clients, permits) / service time: at most 5 / 0.1 s = 50 req/s, "
           "though hundreds of coroutines could run.",
    .run = run_semaphore,
};
