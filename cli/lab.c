/* SPDX-License-Identifier: MIT */
/*
 * lab - the verb: runs the experiments that were chosen, one after the other.     [lab]
 *
 * Owns:    SIGINT, SIGTERM and SIGHUP, which end the load, then the servers, then us.
 * Called:  by main.c.
 * Fails:   64 usage, 1 when a verdict is not `agrees`.
 */
#include "cli/cli.h"
#include "cli/lab_args.h"
#include "cli/lab_run.h"

#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

enum { STATUS_OK = 0, STATUS_FAILED = 1 };

static volatile sig_atomic_t stops;

/* Two at once: what a load still awaits does not matter to an experiment cut short. */
static void on_stop(int number)
{
    (void)number;
    stops = 2;
}

static void watch_signals(void)
{
    static const int numbers[] = {SIGINT, SIGTERM, SIGHUP};
    struct sigaction action = {.sa_handler = on_stop};

    sigemptyset(&action.sa_mask);
    for (size_t i = 0; i < sizeof(numbers) / sizeof(numbers[0]); i++)
        sigaction(numbers[i], &action, NULL);
}

/* True: it agrees. */
static bool run_one(const struct lab_args *args, struct lab_report *report, size_t i)
{
    struct lab *lab = calloc(1, sizeof(*lab));
    bool agrees;

    if (lab == NULL) {
        fputs("remuda: out of memory\n", stderr);
        return false;
    }
    lab->experiment = args->chosen[i];
    lab->report = report;
    lab->stop = &stops;
    lab->is_short = args->is_short;
    lab_run(lab);
    if (args->is_json)
        lab_json_experiment(stdout, lab->experiment, &lab->result, i == 0);
    agrees = lab_result_verdict(&lab->result) == LAB_AGREES;
    free(lab);
    return agrees;
}

static int run_all(const struct lab_args *args)
{
    struct lab_report report = {.out = args->is_json ? NULL : stdout};
    unsigned agree = 0, ran = 0;

    if (isatty(STDERR_FILENO))
        report.terminal = stderr;
    if (args->is_json)
        lab_json_begin(stdout, args->is_short);
    else if (args->is_list)
        lab_report_list(stdout);
    for (; ran < args->count && stops == 0; ran++)
        agree += run_one(args, &report, ran);
    if (args->is_json)
        lab_json_end(stdout, agree, ran);
    else if (args->count > 1)
        printf("%u of %u experiments agree with their prediction\n", agree, ran);
    return agree == args->count ? STATUS_OK : STATUS_FAILED;
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
        watch_signals();
        status = run_all(&args);
    }
    return status;
}
