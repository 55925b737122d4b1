/* SPDX-License-Identifier: MIT */
/*
 * lab - the verb: runs the experiments that were chosen, one after the other.     [lab]
 *
 * Owns:    SIGINT, SIGTERM, SIGQUIT and SIGHUP, which end the load, then the servers, then
 *          us. SIGPIPE is ignored: a reader that is gone ends us as well, but in order.
 * Called:  by main.c.
 * Fails:   64 usage, 1 when a verdict is not `agrees` or cannot be told, 73 when a plot
 *          cannot be written.
 */
#include "cli/cli.h"
#include "cli/lab_args.h"
#include "cli/lab_run.h"
#include "cli/svg.h"
#include "common/check.h"

#include <errno.h>
#include <limits.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

enum { STATUS_OK = 0, STATUS_FAILED = 1, STATUS_NO_FILE = 73 };

static volatile sig_atomic_t stops;

/* Two at once: what a load still awaits does not matter to an experiment cut short. */
static void on_stop(int number)
{
    (void)number;
    stops = 2;
}

static void watch_signals(void)
{
    static const int numbers[] = {SIGINT, SIGTERM, SIGQUIT};
    struct sigaction action = {.sa_handler = on_stop}, ignore = {.sa_handler = SIG_IGN},
                     hup;

    sigemptyset(&action.sa_mask);
    for (size_t i = 0; i < COUNT_OF(numbers); i++)
        sigaction(numbers[i], &action, NULL);
    /* nohup asks for it; a SIGINT that a shell ignores in the background is no wish */
    if (sigaction(SIGHUP, NULL, &hup) == 0 && hup.sa_handler != SIG_IGN)
        sigaction(SIGHUP, &action, NULL);
    sigaction(SIGPIPE, &ignore, NULL);
}

/* ---- the plot ---- */

/* Of several experiments: "plot.svg" becomes "plot-2.svg". */
static void name_plot(const struct lab_args *args, const struct lab_experiment *e,
                      char out[static PATH_MAX])
{
    const char *slash = strrchr(args->svg, '/'), *dot = strrchr(args->svg, '.');
    const bool has_type = dot != NULL && (slash == NULL || dot > slash);
    const int n = (int)(has_type ? (size_t)(dot - args->svg) : strlen(args->svg));

    if (args->count == 1)
        (void)snprintf(out, PATH_MAX, "%s", args->svg);
    else
        (void)snprintf(out, PATH_MAX, "%.*s-%u%s", n, args->svg, e->number,
                       args->svg + n);
}

static int write_plot(const struct lab_args *args, const struct lab_experiment *e,
                      const struct lab_result *result)
{
    char path[PATH_MAX];
    bool is_good;
    FILE *out;

    if (result->plot.x_title == NULL) {
        fprintf(stderr, "remuda: experiment %u has no plot\n", e->number);
        return STATUS_OK;
    }
    name_plot(args, e, path);
    out = fopen(path, "we");
    is_good = out != NULL;
    if (is_good) {
        svg_write_plot(out, e->title, e->setup, &result->plot);
        is_good = !ferror(out);
        is_good = fclose(out) == 0 && is_good;
    }
    if (!is_good)
        fprintf(stderr, "remuda: %s: %s\n", path, strerror(errno));
    return is_good ? STATUS_OK : STATUS_NO_FILE;
}

/* Before minutes of experiments, not after them. */
static int check_folder(const char *svg)
{
    char path[PATH_MAX];
    const char *slash = svg == NULL ? NULL : strrchr(svg, '/');

    if (slash == NULL)
        return STATUS_OK;
    (void)snprintf(path, sizeof(path), "%.*s", (int)(slash - svg + 1), svg);
    if (access(path, W_OK | X_OK) == 0)
        return STATUS_OK;
    fprintf(stderr, "remuda: --svg %s: %s\n", svg, strerror(errno));
    return STATUS_NO_FILE;
}

/* ---- the run ---- */

/* What became of one: whether it agrees, and whether its plot could be written. */
struct outcome {
    bool agrees;
    int plot_status;
};

static struct outcome run_one(const struct lab_args *args, struct lab_report *report,
                              size_t i)
{
    struct lab *lab = calloc(1, sizeof(*lab));
    struct outcome out = {false, STATUS_OK};

    if (lab == NULL) {
        fputs("remuda: out of memory\n", stderr);
        return out;
    }
    lab->experiment = args->chosen[i];
    lab->report = report;
    lab->stop = &stops;
    lab->is_short = args->is_short;
    lab_run(lab);
    if (args->is_json)
        lab_json_experiment(stdout, lab->experiment, &lab->result, i == 0);
    (void)fflush(stdout); /* an error stays and ends the run */
    if (args->svg != NULL)
        out.plot_status = write_plot(args, lab->experiment, &lab->result);
    out.agrees = lab_result_verdict(&lab->result) == LAB_AGREES;
    free(lab);
    return out;
}

static int run_all(const struct lab_args *args)
{
    struct lab_report report = {.out = args->is_json ? NULL : stdout};
    unsigned agree = 0, ran = 0;
    int plot_status = STATUS_OK;

    if (isatty(STDERR_FILENO))
        report.terminal = stderr;
    if (args->is_json)
        lab_json_begin(stdout, args->is_short);
    else if (args->is_list)
        lab_report_list(stdout);
    for (; ran < args->count && stops == 0 && !ferror(stdout); ran++) {
        const struct outcome one = run_one(args, &report, ran);

        agree += one.agrees;
        if (one.plot_status != STATUS_OK)
            plot_status = one.plot_status;
    }
    if (args->is_json)
        lab_json_end(stdout, agree, ran);
    else if (args->count > 1)
        printf("%u of %u experiments agree with their prediction\n", agree, ran);
    if (fflush(stdout) != 0 || ferror(stdout)) {
        fputs("remuda: the report cannot be written\n", stderr);
        return STATUS_FAILED;
    }
    return plot_status != STATUS_OK ? plot_status
           : agree < args->count    ? STATUS_FAILED
                                    : STATUS_OK;
}

int cli_lab(char **words)
{
    struct lab_args args;
    int status = lab_args_parse(&args, words, lab_table, stderr);

    if (status == 0 && args.wants_help) {
        cli_help(stdout, CLI_LAB);
        fputc('\n', stdout);
        lab_report_list(stdout);
    } else if (status == 0) {
        status = check_folder(args.svg);
        watch_signals();
        if (status == 0)
            status = run_all(&args);
    }
    return status;
}
