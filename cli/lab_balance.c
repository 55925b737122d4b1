/* SPDX-License-Identifier: MIT */
/*
 * lab_balance - 16: where connections are, against where requests run.            [lab]
 *
 * The naive side needs no hook in the server: five servers of one worker each are what a
 * server of five is whose workers keep the connections they have accepted. They do not
 * know of each other, so their rates are measured one after the other, and added.
 *
 * Called:  by lab_run.c.
 */
#include "cli/lab_experiments.h"

#include "common/check.h"
#include "common/clock.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>

enum { WORKERS = 5, THREADS = 8, CLIENTS = 40 };

static const char sleeping[] = "/sync/noawait?ms=100";
static const double service_s = 0.1;

/* How many of the connections each worker has. */
struct spread {
    unsigned n[WORKERS];
};

static struct spread spread_at_random(void)
{
    unsigned seed = (unsigned)clock_mono_ns();
    struct spread s = {{0}};

    for (unsigned i = 0; i < CLIENTS; i++)
        s.n[(unsigned)rand_r(&seed) % WORKERS]++;
    return s;
}

static double naive_rate(const struct spread *s)
{
    unsigned busy = 0;

    for (unsigned i = 0; i < WORKERS; i++)
        busy += s->n[i] < THREADS ? s->n[i] : THREADS;
    return busy / service_s;
}

static struct lab_row *predict_naive(struct lab *lab, const struct spread *s)
{
    return lab_predict(lab, (struct lab_row){.unit = "req/s", .predicted = naive_rate(s)},
                       "kept where accepted, %u/%u/%u/%u/%u", s->n[0], s->n[1], s->n[2],
                       s->n[3], s->n[4]);
}

static double measure_rate(struct lab *lab, const struct lab_server *server,
                           unsigned clients, unsigned whole_ms)
{
    const struct load_plan plan = {
        .clients = clients, .duration_ms = whole_ms, .warmup_ms = whole_ms / 4};
    struct load_result load;
    double rate = 0;

    if (clients != 0 && lab_load(lab, server, sleeping, &plan, &load))
        rate = load.rate;
    if (clients != 0)
        load_result_fini(&load);
    return rate;
}

/* Against the slots that connections can reach where they are. */
static void measure(struct lab *lab, struct lab_row *row, double rate)
{
    lab_measure(lab, row, rate);
    lab_point(lab, "5 x 8, 100 ms, 40 clients", row->predicted * service_s,
              row->predicted, rate);
}

static void measure_naive(struct lab *lab, struct lab_server *const server[WORKERS],
                          const struct spread *s, struct lab_row *row)
{
    double rate = 0;

    for (unsigned i = 0; i < WORKERS; i++)
        rate += measure_rate(lab, server[i], s->n[i], lab_is_short(lab) ? 1500 : 3000);
    measure(lab, row, rate);
}

static void measure_ours(struct lab *lab, struct lab_row *row)
{
    const struct lab_shape shape = {.workers = WORKERS, .threads = THREADS};

    measure(lab, row,
            measure_rate(lab, lab_server_start(lab, &shape), CLIENTS,
                         lab_is_short(lab) ? 2000 : 12000));
}

static void run_balance(struct lab *lab)
{
    /* in the order of the slots in reach; the short form has the last alone */
    struct spread spread[] = {
        {{38, 1, 1, 0, 0}}, {{22, 12, 4, 2, 0}}, spread_at_random()};
    const size_t first = lab_is_short(lab) ? COUNT_OF(spread) - 1 : 0;
    struct lab_row *row[COUNT_OF(spread)], *ours;
    struct lab_server *server[WORKERS];

    lab_axes(lab, "slots in reach of the connections", "answers, req/s", false, false);
    lab_point(lab, "5 x 8, 100 ms, 40 clients", 0, 0, NAN);
    for (size_t i = first; i < COUNT_OF(spread); i++)
        row[i] = predict_naive(lab, &spread[i]);
    ours = lab_predict(
        lab, (struct lab_row){.unit = "req/s", .predicted = CLIENTS / service_s},
        "remuda, 5 x 8, wherever they are");
    for (unsigned i = 0; i < WORKERS; i++)
        server[i] = lab_server_start(lab, &(struct lab_shape){.threads = THREADS});
    for (size_t i = first; i < COUNT_OF(spread); i++)
        measure_naive(lab, server, &spread[i], row[i]);
    for (unsigned i = 0; i < WORKERS; i++)
        lab_server_stop(lab, server[i]);
    measure_ours(lab, ours);
}

const struct lab_experiment lab_balance = {
    .number = 16,
    .name = "balance",
    .title = "connections that stay where accepted, and those that move",
    .setup =
        "40 keep-alive clients and 40 slots; the handler sleeps 100 ms. Naive: five "
        "separate servers of 1 x 8, clients spread at random and as two rivals were "
        "seen to have them, each measured alone and added. Against one server of 5 x "
        "8.",
    .law = "Where a connection stays with the worker that accepted it, slots in reach = "
           "sum over workers of min(threads, connections). Where a waiting request moves "
           "to a free slot, all 40 are in reach: 400 req/s.",
    .run = run_balance,
};
