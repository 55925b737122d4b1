/* SPDX-License-Identifier: MIT */
/*
 * lab_crash - 15: a crash takes with it what its process had in work.       [lab]
 *
 * Called:  by lab_run.c.
 */
#include "cli/lab_experiments.h"

#include "common/check.h"

#include <stdio.h>

/* Crashes come at random; several runs if the first has too few of them. */
enum { CRASHES_WANTED = 3, RUNS_MAX = 5, SLOTS = 40 };

struct crash_case {
    struct lab_shape shape;
    struct lab_row *lost, *crashes;
};

static void measure(struct lab *lab, const struct crash_case *one)
{
    struct lab_server *server = lab_server_start(lab, &one->shape);
    const unsigned one_in = lab_is_short(lab) ? 200 : 1000;
    unsigned crashes = 0;
    uint64_t lost = 0;
    char target[64];
    bool is_good = server != NULL;

    (void)snprintf(target, sizeof(target), "/sync/crash?ms=100&one_in=%u", one_in);
    for (int i = 0; is_good && i < RUNS_MAX && crashes < CRASHES_WANTED; i++) {
        struct load_result load;

        is_good = lab_load_failing(lab, server, target,
                                   &(struct load_plan){.clients = SLOTS}, &load);
        lost += load_failures(&load);
        crashes = lab_server_said(server, " died: "); /* a sanitizer ends it otherwise */
        load_result_fini(&load);
    }
    if (is_good && crashes == 0)
        lab_fail(lab, "no request crashed");
    lab_measure(lab, one->lost, crashes == 0 ? 0 : (double)lost / crashes);
    lab_measure(lab, one->crashes, crashes);
    lab_server_stop(lab, server);
}

static void run_crash(struct lab *lab)
{
    struct crash_case one[] = {
        {.shape = {.workers = 5, .threads = 8}},
        {.shape = {.workers = 1, .threads = 40}},
    };

    for (size_t i = 0; i < COUNT_OF(one); i++) {
        const struct lab_shape *shape = &one[i].shape;

        one[i].lost = lab_predict(
            lab,
            (struct lab_row){
                .unit = "requests", .rule = LAB_AT_MOST, .predicted = shape->threads},
            "%u x %u: lost with a crash", shape->workers, shape->threads);
        one[i].crashes = lab_predict(lab, (struct lab_row){.unit = "", .rule = LAB_SHOWN},
                                     "%u x %u: crashes", shape->workers, shape->threads);
    }
    for (size_t i = 0; i < COUNT_OF(one); i++)
        measure(lab, &one[i]);
}

const struct lab_experiment lab_crash = {
    .number = 15,
    .name = "crash",
    .title = "a crash loses what one worker had in work",
    .setup =
        "1 request in 1000 ends in a segmentation fault; the others sleep 100 ms; 40 "
        "keep-alive clients on 40 slots: 5 x 8, then 1 x 40.",
    .law = "A crash ends one process and all that it holds: at most its threads at "
           "clients = slots. The master starts another.",
    .run = run_crash,
};
