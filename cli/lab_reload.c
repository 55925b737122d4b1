/* SPDX-License-Identifier: MIT */
/*
 * lab_reload - 17: what a reload under load costs the clients.                    [lab]
 *
 * Called:  by lab_run.c.
 */
#include "cli/lab_experiments.h"

#include <inttypes.h>
#include <signal.h>

enum { CLIENTS = 80 };

/* The master is told half-way, by the load's own clock. */
struct reload {
    pid_t master;
    size_t second; /* after how many */
};

static void on_second(void *arg, size_t second, const struct load_second *what)
{
    const struct reload *reload = arg;

    (void)what;
    if (second + 1 == reload->second)
        (void)kill(reload->master, SIGHUP);
}

static void say_failures(struct lab *lab, const struct load_result *load)
{
    if (load_failures(load) == 0)
        return;
    lab_note(lab,
             "of %" PRIu64 " requests sent: %" PRIu64 " reset, %" PRIu64
             " short, %" PRIu64 " refused, %" PRIu64 " of another status, %" PRIu64
             " timed out",
             load->sent, load->failed[LOAD_RESET], load->failed[LOAD_SHORT],
             load->failed[LOAD_REFUSED], load->failed[LOAD_STATUS],
             load->failed[LOAD_TIMEOUT]);
}

static void run_reload(struct lab *lab)
{
    struct lab_row *failed, *closed, *rate, *done;
    const struct lab_row none = {.rule = LAB_AT_MOST, .unit = ""};
    struct reload reload = {.second = lab_is_short(lab) ? 2 : 6};
    struct load_plan plan = {.clients = CLIENTS,
                             .think_ms = 100,
                             .duration_ms = lab_is_short(lab) ? 4000 : 12000,
                             .warmup_ms = 1000,
                             .on_second = on_second,
                             .arg = &reload};
    struct lab_server *server;
    struct load_result load;

    failed = lab_predict(lab, none, "requests that failed");
    closed = lab_predict(lab, none, "connections that were closed");
    rate = lab_predict(lab, (struct lab_row){.unit = "req/s", .predicted = 400},
                       "rate, the reload included");
    done = lab_predict(lab,
                       (struct lab_row){.rule = LAB_AT_LEAST, .unit = "", .predicted = 2},
                       "generations that served");
    server = lab_server_start(lab, &(struct lab_shape){.workers = 5, .threads = 8});
    if (server != NULL)
        reload.master = server->pid;
    if (lab_load_failing(lab, server, "/sync/noawait?ms=100", &plan, &load)) {
        lab_measure(lab, failed, (double)load_failures(&load));
        lab_measure(lab, closed, (double)(load.connects - CLIENTS));
        lab_measure(lab, rate, load.rate);
        lab_measure(lab, done, lab_server_said(server, "generation 2) ready") ? 2 : 1);
        say_failures(lab, &load);
    }
    load_result_fini(&load);
}

const struct lab_experiment lab_reload = {
    .number = 17,
    .name = "reload",
    .title = "a reload under load costs no client anything",
    .setup =
        "5 workers x 8 threads; the handler sleeps 100 ms; 80 keep-alive clients that "
        "think 100 ms between two requests, so that half of them are idle; half-way "
        "the master gets SIGHUP and replaces every worker.",
    .law =
        "New workers serve before the old ones leave, and connections go over to them "
        "between two requests: no request fails, no connection is closed, and the rate "
        "stays 80 / (0.1 s + 0.1 s) = 400 req/s.",
    .run = run_reload,
};
