/* SPDX-License-Identifier: MIT */
/*
 * lab_cpu - 9: arithmetic needs a core, and threads do not make cores.      [lab]
 *
 * Called:  by lab_run.c.
 */
#include "cli/lab_experiments.h"

#include "common/check.h"
#include "common/clock.h"
#include "conf/cpus.h"

#include <math.h>

static const double service_s = 0.05;

struct cpu_case {
    struct lab_shape shape;
    struct lab_row *rate, *cores, *exchange;
};

static void measure(struct lab *lab, const struct cpu_case *one)
{
    struct lab_server *server = lab_server_start(lab, &one->shape);
    const double before_s = lab_server_cpu_seconds(server);
    const uint64_t start_ns = clock_mono_ns(); /* queued requests still run at the end */
    struct load_result load;
    const struct load_plan plan = {.clients = 40};

    if (lab_load(lab, server, "/sync/cpu?ms=50", &plan, &load)) {
        const double used_s = lab_server_cpu_seconds(server) - before_s;
        const double elapsed_s = (double)(clock_mono_ns() - start_ns) / 1e9;

        lab_measure(lab, one->rate, load.rate);
        lab_measure(lab, one->cores, used_s / elapsed_s);
        lab_measure(lab, one->exchange,
                    (double)load.answered * service_s / (used_s > 0 ? used_s : NAN));
        lab_point(lab, "50 ms of arithmetic", one->shape.workers * one->shape.threads,
                  one->rate->predicted, load.rate);
    }
    load_result_fini(&load);
    lab_server_stop(lab, server);
}

static void run_cpu(struct lab *lab)
{
    char why[CPUS_WHY];
    const unsigned n = cpus_count_here(why);
    struct cpu_case one[] = {
        {.shape = {.workers = 1, .threads = 1}},
        {.shape = {.workers = 1, .threads = 8}},
        {.shape = {.workers = n, .threads = 1}},
        {.shape = {.workers = 5, .threads = 8}},
    };

    lab_axes(lab, "slots", "answers, req/s", true, false);
    for (size_t i = 0; i < COUNT_OF(one); i++) {
        const unsigned slots = one[i].shape.workers * one[i].shape.threads;
        const struct lab_row rate = {
            .unit = "req/s",
            .predicted = fmin(slots, n) / service_s,
            .tolerance = 0.10, /* the clients need a little of the cores, too */
        };

        one[i].rate = lab_predict(lab, rate, "%u x %u: rate", one[i].shape.workers,
                                  one[i].shape.threads);
        one[i].cores =
            lab_predict(lab, (struct lab_row){.unit = "cores", .rule = LAB_SHOWN},
                        "%u x %u: in use", one[i].shape.workers, one[i].shape.threads);
        /* not judged: the handler itself counts CPU time, so this could only show what
         * the server adds */
        one[i].exchange =
            lab_predict(lab, (struct lab_row){.unit = "", .rule = LAB_SHOWN},
                        "%u x %u: answers x 50 ms / CPU time", one[i].shape.workers,
                        one[i].shape.threads);
    }
    for (size_t i = 0; i < COUNT_OF(one); i++)
        measure(lab, &one[i]);
    lab_note(
        lab,
        "This process may use %u processor%s (%s). Where fewer cores were in use than "
        "predicted, other programs had the rest. The handler computes until it has had "
        "50 ms of CPU time, so answers x 50 ms / CPU time is 1, less what the server "
        "needs itself: that is shown, not judged.",
        n, n == 1 ? "" : "s", why);
}

const struct lab_experiment lab_cpu_bound = {
    .number = 9,
    .name = "cpu-bound",
    .title = "arithmetic: as fast as there are cores, not threads",
    .setup = "The handler computes for 50 ms of CPU time; 40 keep-alive clients; four "
             "shapes, one after the other.",
    .law = "rate = min(slots, cores) / 50 ms. More threads than cores only take turns.",
    .run = run_cpu,
};
