/* SPDX-License-Identifier: MIT */
/*
 * lab - what an experiment may use: predict, start a server, put a load on it, measure.
 *
 * An experiment is one function. First it predicts every figure, then it measures them in
 * the same order:
 *
 *     static void run(struct lab *lab)
 *     {
 *         struct lab_row *row = lab_predict(lab, (struct lab_row){.unit = "req/s",
 *                                           .predicted = 400}, "c = %u", 40);
 *         struct lab_server *server = lab_server_start(lab,
 *                                           &(struct lab_shape){.workers = 5, .threads = 8});
 *         struct load_result load;
 *
 *         if (lab_load(lab, server, "/sync/noawait?ms=100",
 *                      &(struct load_plan){.clients = 40}, &load))
 *             lab_measure(lab, row, load.rate);
 *         load_result_fini(&load);
 *     }
 *
 * A server or a load that fails (or a Ctrl-C) ends the experiment: every later call does
 * nothing and says NULL or false, so an experiment need not ask. What was not measured
 * then is no verdict. Servers still running at its end are stopped.
 *
 * Owns:    servers, their private directory.
 * Called:  by the experiments, lab_*.c; lab_table.c lists them.
 */
#ifndef CLI_LAB_H
#define CLI_LAB_H

#include "cli/lab_result.h"
#include "cli/load.h"

#include <limits.h>
#include <sys/types.h>

struct lab;

typedef void lab_run_fn(struct lab *lab);

struct lab_experiment {
    unsigned number;
    const char *name;    /* one word or two with '-', for programs and file names */
    const char *title;   /* one line, for the list */
    const char *setup;   /* a sentence: what runs, what is asked of it */
    const char *law;     /* a sentence or formula: why the prediction is what it is */
    const char *missing; /* what the server still lacks to agree; NULL: nothing */
    lab_run_fn *run;
};

/* All of them, in the order of their numbers; NULL at the end. */
extern const struct lab_experiment *const lab_table[];

/* ---- prediction and measurement ---- */

/** Announces one figure. `what` has unit, predicted, and where it differs from LAB_NEAR
 * within 5 % (10 % with --short) also rule and tolerance. The label is printf's. */
struct lab_row *lab_predict(struct lab *lab, struct lab_row what, const char *label, ...)
    __attribute__((format(printf, 3, 4)));

/** Says the figure and whether it agrees. Does nothing once the experiment has ended. */
void lab_measure(struct lab *lab, struct lab_row *row, double measured);

/** The axes of the plot, static texts with their unit. */
void lab_axes(struct lab *lab, const char *x_title, const char *y_title, bool is_log_x,
              bool is_log_y);

/** One point of the plot; NAN for what there is none of. */
void lab_point(struct lab *lab, const char *series, double x, double predicted,
               double measured);

/** One sentence for the reader, below the figures. */
void lab_note(struct lab *lab, const char *format, ...)
    __attribute__((format(printf, 2, 3)));

/** Ends the experiment: it could not be run, and why. The first reason stays; an interruption
 *  is the reason for all that fails after it. */
void lab_fail(struct lab *lab, const char *format, ...)
    __attribute__((format(printf, 2, 3)));

/** Did it fail, or was it interrupted? For loops of an experiment's own. */
bool lab_has_ended(const struct lab *lab);

/** --short: the shortest form that still means something. */
bool lab_is_short(const struct lab *lab);

/* ---- servers ---- */

struct lab_shape {
    unsigned workers, threads; /* 0: 1 */
    const char *klass;         /* "thread" (NULL) or "event" */
    const char *const *more;   /* "section.key=value", NULL at the end; or NULL */
};

struct lab_server {
    pid_t pid; /* of the master; 0: not running */
    struct addr address;
    char where[ADDR_TEXT_MAX]; /* host:port */
    char log[PATH_MAX];        /* its standard output and error */
};

/** A server with the plugin `lab` at "/" on a loopback port of its own, ready to serve.
 * It reads no file and no REMUDA__ variable. NULL: failed, and said so. It dies with us,
 * however we end. */
struct lab_server *lab_server_start(struct lab *lab, const struct lab_shape *shape);

/** At once, and waits until it is gone. NULL is accepted. */
void lab_server_stop(struct lab *lab, struct lab_server *server);

/** In how many lines of its log that text stands. */
unsigned lab_server_said(const struct lab_server *server, const char *text);

/** Memory of master and workers together, what they share counted once; NAN: unknown. */
double lab_server_memory_bytes(const struct lab_server *server);

/** CPU time that its workers have taken so far. */
double lab_server_cpu_seconds(const struct lab_server *server);

/* ---- loads ---- */

/** A plan whose first answers, which waited less than the later ones, are not measured: a
 * warm-up of settle_ms, then 10 s (--short: 1.5 s). */
struct load_plan lab_settled(const struct lab *lab, unsigned clients, unsigned settle_ms);

/** load_run on that server with GET target. `plan` holds what differs: address, request
 * and stop are set here; on_second is called besides ours. Where duration_ms is 0 it is
 * 12 s with a warm-up of 2 s (--short: 2 s and 0.5 s); the timeout is 30 s where it is 0.
 * First requests are spread in a closed loop. A request that fails makes the experiment
 * disagree, whatever its figures. False: no request could be sent, and it said so, or it
 * was interrupted. Always end with load_result_fini. */
bool lab_load(struct lab *lab, const struct lab_server *server, const char *target,
              const struct load_plan *plan, struct load_result *result);

/** The same where requests may fail: the experiment judges itself what that means. */
bool lab_load_failing(struct lab *lab, const struct lab_server *server,
                      const char *target, const struct load_plan *plan,
                      struct load_result *result);

#endif
