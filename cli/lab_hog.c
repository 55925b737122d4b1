/* SPDX-License-Identifier: MIT */
/*
 * lab_hog - 5: a few slow requests, and everybody behind them.              [lab]
 *
 * Called:  by lab_run.c.
 *
 * Open loop, or the experiment would hide its own result: clients that wait for a hog
 * would not ask meanwhile, and their waiting would count once instead of each time.
 */
#include "cli/lab_experiments.h"

#include "common/check.h"

/* A hog in 560 requests, which is what the median needs, fails to come once in 280 runs. */
static const double rate = 80;

struct hog_case {
    const char *label, *target;
    struct lab_shape shape;
    struct lab_row judged; /* of the median */
    bool drowns;           /* requests give up */
    struct lab_row *median, *worst;
};

static double in_ms(const struct histogram *h, double share)
{
    return (double)histogram_quantile(h, share) / 1e6;
}

static void measure(struct lab *lab, const struct hog_case *one)
{
    const struct load_plan plan = {
        .rate = rate,
        .clients = 1000, /* all of them may wait at once; a worker takes 1024 */
        .duration_ms = lab_is_short(lab) ? 9000 : 12000,
        .warmup_ms = 2000,
        .timeout_ms = 10000, /* those still waiting then count as that old */
    };
    struct lab_server *server = lab_server_start(lab, &one->shape);
    struct load_result load = {0};

    if ((one->drowns ? lab_load_failing : lab_load)(lab, server, one->target, &plan,
                                                    &load)) {
        lab_measure(lab, one->median, in_ms(&load.latency, 0.5));
        lab_measure(lab, one->worst, in_ms(&load.latency, 0.9));
    }
    load_result_fini(&load);
    lab_server_stop(lab, server);
}

static void run_hog(struct lab *lab)
{
    static const char *const patient[] = {"limits.queue_timeout=60s",
                                          "limits.request_timeout=0", NULL};
    static const char hogs[] = "/sync/hog?ms=10&one_in=100&hog=5000";
    const struct lab_row stays = {.unit = "ms", .predicted = 10, .tolerance = 0.5};
    struct hog_case one[] = {
        {.label = "1 x 1 without hogs",
         .target = "/sync/noawait?ms=10",
         .shape = {.workers = 1, .threads = 1, .more = patient},
         .judged = stays},
        {.label = "1 x 1",
         .target = hogs,
         .shape = {.workers = 1, .threads = 1, .more = patient},
         .judged = {.unit = "ms", .rule = LAB_AT_LEAST, .predicted = 500},
         .drowns = true},
        {.label = "5 x 8",
         .target = hogs,
         .shape = {.workers = 5, .threads = 8, .more = patient},
         .judged = stays},
    };

    for (size_t i = 0; i < COUNT_OF(one); i++) {
        one[i].median = lab_predict(lab, one[i].judged, "%s: median", one[i].label);
        one[i].worst = lab_predict(lab, (struct lab_row){.unit = "ms", .rule = LAB_SHOWN},
                                   "%s: 90th percentile", one[i].label);
    }
    for (size_t i = 0; i < COUNT_OF(one); i++)
        measure(lab, &one[i]);
    lab_note(lab,
             "A request that gave up after 10 s counts as 10 s. With clients that "
             "wait for their answer before they ask again (a closed loop), the median "
             "would have stayed small here too, and hidden the outage.");
}

const struct lab_experiment lab_hog = {
    .number = 5,
    .name = "hog",
    .title = "one request in a hundred takes 5 s",
    .setup =
        "80 requests per second, due whatever the server does; the handler takes 10 ms, "
        "but 1 % take 5 s; 1 worker x 1 thread, then 5 x 8.",
    .law =
        "Mean service = 0.99 x 10 ms + 0.01 x 5 s = 60 ms. One slot serves 16.7 req/s of "
        "that and drowns in 80; of 40 slots the hogs hold 4 on average, and nobody "
        "waits.",
    .run = run_hog,
};
