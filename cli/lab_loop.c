/* SPDX-License-Identifier: MIT */
/*
 * lab_loop - 6: on an event loop, who waits costs neither a thread nor a slot.    [lab]
 *
 * Called:  by lab_run.c.
 */
#include "cli/lab_experiments.h"

#include "common/check.h"

#include <stdio.h>
#include <sys/resource.h>

struct loop_case {
    unsigned clients, ms;
    struct lab_row *median, *rate;
};

/* Each client is a descriptor here and one in the worker. */
static unsigned clients_possible(unsigned wanted)
{
    enum { SPARE = 200 };
    struct rlimit limit;

    if (getrlimit(RLIMIT_NOFILE, &limit) < 0 || limit.rlim_max == RLIM_INFINITY ||
        limit.rlim_max >= wanted + SPARE)
        return wanted;
    return limit.rlim_max > 2 * SPARE ? (unsigned)limit.rlim_max - SPARE : SPARE;
}

static void predict(struct lab *lab, struct loop_case *one)
{
    one->median = lab_predict(lab, (struct lab_row){.unit = "ms", .predicted = one->ms},
                              "%u clients, %u ms: median", one->clients, one->ms);
    one->rate = lab_predict(
        lab, (struct lab_row){.unit = "req/s", .predicted = one->clients * 1e3 / one->ms},
        "%u clients, %u ms: rate", one->clients, one->ms);
}

static void measure(struct lab *lab, struct lab_server *server,
                    const struct loop_case *one)
{
    const struct load_plan plan = {
        .clients = one->clients,
        .duration_ms = lab_is_short(lab) ? (one->ms < 1000 ? 2500 : 5000) : 12000,
        .warmup_ms = lab_is_short(lab) ? (one->ms < 1000 ? 1000 : 2000) : 2000,
    };
    char target[64];
    struct load_result load;

    (void)snprintf(target, sizeof(target), "/async/await-one?ms=%u", one->ms);
    if (lab_load(lab, server, target, &plan, &load)) {
        const double ms = (double)histogram_quantile(&load.latency, 0.5) / 1e6;

        lab_measure(lab, one->median, ms);
        lab_measure(lab, one->rate, load.rate);
        lab_point(lab, one->ms < 1000 ? "asleep for 100 ms" : "asleep for 1 s",
                  one->clients, one->ms, ms);
    }
    load_result_fini(&load);
}

static void run_event_loop(struct lab *lab)
{
    static const char *const wide[] = {"limits.worker_connections=12000",
                                       "worker.max_inflight=12000", NULL};
    struct loop_case one[] = {
        {40, 100, NULL, NULL},
        {400, 100, NULL, NULL},
        {clients_possible(1000), 100, NULL, NULL},
        {clients_possible(10000), 1000, NULL, NULL},
    };
    struct lab_server *server;

    lab_axes(lab, "clients", "median latency, ms", true, true);
    for (size_t i = 0; i < COUNT_OF(one); i++)
        predict(lab, &one[i]);
    server = lab_server_start(
        lab, &(struct lab_shape){.workers = 1, .klass = "event", .more = wide});
    for (size_t i = 0; i < COUNT_OF(one); i++)
        measure(lab, server, &one[i]);
    lab_note(lab, "At 10,000 requests per second the loop begins to need its core for "
                  "itself: that, and not the number of sleepers, is its limit.");
    if (one[3].clients < 10000)
        lab_note(lab, "10,000 clients need more descriptors than this process may have "
                      "(ulimit -n).");
}

const struct lab_experiment lab_event_loop = {
    .number = 6,
    .name = "event-loop",
    .title = "one event worker, 40 to 10,000 requests at once",
    .setup =
        "1 worker of class event, a handler that awaits a sleep: 100 ms with 40, 400 "
        "and 1,000 clients, 1 s with 10,000.",
    .law =
        "A suspended handler holds no thread and no slot, so latency stays the sleep and "
        "rate = clients / sleep, until the loop's core is busy.",
    .run = run_event_loop,
};
