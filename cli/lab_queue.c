/* SPDX-License-Identifier: MIT */
/*
 * lab_queue - 14: random arrivals, random service times, and how long the queue gets. [lab]
 *
 * Waits are read from the server's own histogram of its queue, over the measured part of
 * the run. The band is three standard errors of a mean wait over so long a time, which
 * erlang_wait_error gives, and one millisecond for a machine that stalls now and then. Of
 * simulated runs of 120 s at 360/s one in 140 was outside of three standard errors.
 *
 * Where the band is wider than the wait, a server that noted no waits at all would agree;
 * such a row is judged by its upper end alone. Few slots and short services settle so much
 * sooner that a band there is narrower than the wait after 20 s.
 *
 * Called:  by lab_run.c.
 */
#include "cli/lab_experiments.h"

#include "cli/erlang.h"
#include "cli/watch.h"
#include "common/check.h"
#include "common/clock.h"

#include <errno.h>
#include <math.h>
#include <stdio.h>
#include <string.h>

enum { STEADY = 3 /* rates below the limit */ };

static const double patience_s = 0.5, machine_ms = 1, errors = 3;

struct queue_shape {
    unsigned workers, threads, mean_ms; /* of the service */
};

static const struct queue_shape many = {5, 8, 100}, few = {1, 4, 20};

/* ---- the server's own figures ---- */

struct queue_window {
    struct watch watch;
    uint64_t begins_at; /* second of the load */
    uint64_t count, sum_us, shed;
};

static void read_queue(struct watch *watch, struct queue_window *out)
{
    struct board_counters now;

    board_total(watch->board, &now);
    out->count = board_get(&now.queue.count);
    out->sum_us = board_get(&now.queue.sum_us);
    out->shed = board_get(&now.shed);
}

static void on_second(void *arg, size_t second, const struct load_second *what)
{
    struct queue_window *window = arg;

    (void)what;
    if (second + 1 == window->begins_at)
        read_queue(&window->watch, window);
}

/* Of what was served in the window, in ms. */
static double mean_wait_ms(struct queue_window *window)
{
    struct queue_window now;

    read_queue(&window->watch, &now);
    if (now.count == window->count)
        return NAN;
    return (double)(now.sum_us - window->sum_us) / 1e3 /
           (double)(now.count - window->count);
}

/* ---- one rate ---- */

struct queue_case {
    const struct queue_shape *shape;
    double rate;
    uint64_t warmup_s, window_s;
    bool is_over; /* beyond the limit: requests are refused */
};

static bool run_load(struct lab *lab, struct lab_server *server,
                     const struct queue_case *one, struct queue_window *window,
                     struct load_result *load)
{
    const struct load_plan plan = {
        .rate = one->rate,
        .is_poisson = true,
        .seed = clock_mono_ns(), /* other arrivals each time: the band is for those */
        .clients = 1000,
        .warmup_ms = one->warmup_s * 1000,
        .duration_ms = (one->warmup_s + one->window_s) * 1000,
        .on_second = on_second,
        .arg = window,
    };
    char target[64];

    (void)snprintf(target, sizeof(target), "/sync/exponential?mean=%u",
                   one->shape->mean_ms);
    *window = (struct queue_window){.begins_at = one->warmup_s};
    *load = (struct load_result){.sent = 0};
    if (server != NULL && watch_open(server->pid, &window->watch) < 0)
        lab_fail(lab, "no scoreboard: %s", strerror(errno));
    return (one->is_over ? lab_load_failing : lab_load)(lab, server, target, &plan, load);
}

static unsigned slots_of(const struct queue_shape *shape)
{
    return shape->workers * shape->threads;
}

static double predicted_ms(const struct queue_shape *shape, double rate)
{
    return erlang_wait(slots_of(shape), rate, shape->mean_ms / 1e3) * 1e3;
}

static struct lab_row *predict_wait(struct lab *lab, const struct queue_case *one)
{
    const struct queue_shape *shape = one->shape;
    const double error_s = erlang_wait_error(slots_of(shape), one->rate,
                                             shape->mean_ms / 1e3, (double)one->window_s);
    struct lab_row wait = {.unit = "ms",
                           .predicted = predicted_ms(shape, one->rate),
                           .band = errors * error_s * 1e3 + machine_ms};

    wait.rule = wait.band < wait.predicted ? LAB_NEAR : LAB_AT_MOST;
    return lab_predict(lab, wait, "%u x %u, %.0f/s: mean wait", shape->workers,
                       shape->threads, one->rate);
}

static double measure_wait(struct lab *lab, struct lab_server *server,
                           const struct queue_case *one, struct lab_row *row)
{
    struct queue_window window;
    struct load_result load;
    double ms = NAN;

    if (run_load(lab, server, one, &window, &load)) {
        ms = mean_wait_ms(&window);
        lab_measure(lab, row, ms);
    }
    load_result_fini(&load);
    watch_close(&window.watch);
    return ms;
}

/* ---- beyond the limit ---- */

struct overload_rows {
    struct lab_row *served, *shed, *wait;
};

/* Arrivals scatter as Poisson's, and so do the ends of 40 exponential services. The queue
 * grows by the drift until the time-out meets it; just below that it stays, by how much
 * depends on how it is divided among the workers. */
static void predict_overload(struct lab *lab, const struct queue_case *one,
                             struct overload_rows *row)
{
    const double limit = slots_of(one->shape) * 1e3 / one->shape->mean_ms;
    const double seconds = (double)one->window_s;
    const struct lab_row served = {
        .unit = "req/s",
        .predicted = limit,
        .band = errors * sqrt(limit / seconds) + limit * 0.01,
    };
    const struct lab_row shed = {
        .unit = "req/s",
        .predicted = one->rate - limit,
        .band = errors * sqrt((one->rate + limit) / seconds) + limit * 0.01,
    };
    const struct lab_row wait = {
        .unit = "ms",
        .rule = LAB_AT_LEAST,
        .predicted = patience_s * 1e3 / 2,
    };

    row->served = lab_predict(lab, served, "5 x 8, %.0f/s: answered", one->rate);
    row->shed = lab_predict(lab, shed, "5 x 8, %.0f/s: refused with 503", one->rate);
    row->wait = lab_predict(lab, wait, "5 x 8, %.0f/s: their mean wait", one->rate);
}

static void measure_overload(struct lab *lab, struct lab_server *server,
                             const struct queue_case *one,
                             const struct overload_rows *row)
{
    struct queue_window window;
    struct load_result load;

    if (run_load(lab, server, one, &window, &load)) {
        const double window_s = (double)load.window_ns / 1e9;

        lab_measure(lab, row->served, load.rate);
        lab_measure(lab, row->shed, (double)load.unexpected.count / window_s);
        lab_measure(lab, row->wait, mean_wait_ms(&window));
        if (load_failures(&load) != load.status[503])
            lab_fail(lab, "requests failed otherwise than by a 503");
    }
    load_result_fini(&load);
    watch_close(&window.watch);
}

/* ---- the experiment ---- */

static void plot(struct lab *lab, const struct queue_case *one, const double *ms)
{
    static const char name[] = "5 x 8, Erlang C";

    for (int each = 200; each < 395; each += 10) {
        double rate = each, measured = NAN;

        for (size_t i = 0; i < STEADY; i++)
            if (fabs(one[i].rate - rate) < 1)
                measured = ms[i];
        lab_point(lab, name, rate, predicted_ms(&many, rate), measured);
    }
}

static struct lab_server *start(struct lab *lab, const struct queue_shape *shape)
{
    static const char *const queue[] = {"limits.queue_timeout=500ms", NULL};

    return lab_server_start(lab, &(struct lab_shape){.workers = shape->workers,
                                                     .threads = shape->threads,
                                                     .more = queue});
}

static void run_open_loop(struct lab *lab)
{
    const bool is_short = lab_is_short(lab);
    const struct queue_case one[STEADY] = {
        {&many, 200, 2, is_short ? 3 : 20, false},
        {&many, 300, 2, is_short ? 5 : 30, false},
        {&many, 360, 3, is_short ? 10 : 120, false},
    };
    const struct queue_case settled = {&few, 140, 2, is_short ? 20 : 40, false};
    const struct queue_case over = {&many, 440, 10, is_short ? 13 : 40, true};
    struct lab_row *row[STEADY], *settled_row;
    struct overload_rows over_row;
    double ms[STEADY];
    struct lab_server *server;

    lab_axes(lab, "arrivals per second", "mean wait, ms", false, false);
    settled_row = predict_wait(lab, &settled);
    for (size_t i = 0; i < STEADY; i++)
        row[i] = predict_wait(lab, &one[i]);
    predict_overload(lab, &over, &over_row);
    server = start(lab, &few);
    (void)measure_wait(lab, server, &settled, settled_row);
    lab_server_stop(lab, server);
    server = start(lab, &many);
    for (size_t i = 0; i < STEADY; i++)
        ms[i] = measure_wait(lab, server, &one[i], row[i]);
    measure_overload(lab, server, &over, &over_row);
    plot(lab, one, ms);
    lab_note(lab,
             "The bands are three standard errors and 1 ms for the machine. Waits of "
             "neighbours are alike, so near the limit even minutes of measuring leave "
             "much to chance. Where the band is wider than the wait, its upper end "
             "alone is judged; 1 x 4 settles soonest, so there the wait must show.");
}

const struct lab_experiment lab_open_loop = {
    .number = 14,
    .name = "open-loop",
    .title = "random arrivals: the queue before and beyond 400/s",
    .setup =
        "1 worker x 4 threads and a mean service of 20 ms; then 5 x 8 and 100 ms. "
        "Service times are exponential; Poisson arrivals come whatever the server does; "
        "queue_timeout = 500ms.",
    .law =
        "Erlang C: mean wait = C(slots, work) x service / (slots - work), where work = "
        "rate x service. 5 x 8 bear 400/s; above that there is no mean: the queue grows "
        "until the time-out refuses the rest.",
    .run = run_open_loop,
};
