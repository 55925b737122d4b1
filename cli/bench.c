/* SPDX-License-Identifier: MIT */
/*
 * bench - the verb: flags to a plan, a plan to a load, a load to a report.     [clients]
 *
 * Owns:    the request's bytes; SIGINT and SIGTERM, which end the run early and still
 *          give the report (a second one does not wait for what is under way).
 * Called:  by main.c.
 * Fails:   64 usage, 66 no such body file, 1 when anything of the load failed.
 */
#include "cli/bench_args.h"
#include "cli/bench_report.h"
#include "cli/cli.h"
#include "cli/request_text.h"
#include "cli/url.h"

#include <errno.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

enum { STATUS_OK = 0, STATUS_FAILED = 1, STATUS_NO_FILE = 66 };

static volatile sig_atomic_t stops;

static void on_stop(int number)
{
    (void)number;
    stops++;
}

static void watch_signals(void)
{
    struct sigaction action = {.sa_handler = on_stop};

    sigemptyset(&action.sa_mask);
    sigaction(SIGINT, &action, NULL);
    sigaction(SIGTERM, &action, NULL);
}

/* ---- the body ---- */

static int read_body(const char *path, char **out, size_t *size_out)
{
    FILE *in = fopen(path, "re"), *text = open_memstream(out, size_out);
    char piece[8192];
    size_t n;
    bool is_good = in != NULL && text != NULL;

    while (is_good && (n = fread(piece, 1, sizeof(piece), in)) > 0)
        is_good = fwrite(piece, 1, n, text) == n;
    is_good = is_good && !ferror(in);
    if (!is_good)
        fprintf(stderr, "remuda: --body %s: %s\n", path, strerror(errno));
    if (in != NULL)
        fclose(in);
    if (text != NULL)
        fclose(text);
    return is_good ? STATUS_OK : STATUS_NO_FILE;
}

static int make_body(const struct bench_args *args, char **out, size_t *size_out)
{
    *out = NULL;
    *size_out = 0;
    if (args->body_file != NULL)
        return read_body(args->body_file, out, size_out);
    if (args->body_size == 0)
        return STATUS_OK;
    *size_out = (size_t)args->body_size;
    *out = malloc(*size_out);
    if (*out == NULL) {
        fprintf(stderr, "remuda: --body-size: out of memory\n");
        return STATUS_FAILED;
    }
    memset(*out, 'x', *size_out);
    return STATUS_OK;
}

/* ---- the request ---- */

static int complain(const char *word, const char *why)
{
    fprintf(stderr, "remuda: '%s': %s\n", word, why);
    cli_usage(stderr, CLI_BENCH);
    return CLI_USAGE_ERROR;
}

static int make_request(const struct bench_args *args, const struct url *url, char **out,
                        size_t *size_out)
{
    struct request_parts parts = {
        .method = args->method,
        .host = url->host,
        .target = url->target,
        .field = args->header.item,
        .field_count = args->header.count,
        .has_body = args->body_file != NULL || args->has_body_size,
        .is_last = args->plan.is_close,
    };
    char *body;
    size_t size;
    int status = make_body(args, &body, &size);
    const char *why;

    parts.body = (struct slice){body, size};
    *out = NULL;
    if (status == STATUS_OK) {
        why = request_text_build(&parts, out, size_out);
        if (why != NULL)
            status = complain("bench", why);
    }
    free(body);
    return status;
}

/* ---- the run ---- */

static void say_not_begun(const struct load_plan *plan, const char *why)
{
    const int error = errno;
    char where[ADDR_TEXT_MAX];

    addr_format((const struct sockaddr *)&plan->address.storage, plan->address.length,
                where, sizeof(where));
    fprintf(stderr, "remuda: %s: %s%s%s\n", where, why, error == 0 ? "" : ": ",
            error == 0 ? "" : strerror(error));
}

static int run(const struct bench_args *args)
{
    struct load_result result;
    const char *why = load_run(&args->plan, &result);
    int status = STATUS_FAILED;

    if (why != NULL)
        say_not_begun(&args->plan, why);
    else if (args->is_json)
        bench_report_json(stdout, args->url, &args->plan, &result);
    else
        bench_report_text(stdout, args->url, &args->plan, &result);
    if (why == NULL && load_failures(&result) == 0 && result.answered > 0)
        status = STATUS_OK;
    load_result_fini(&result);
    return status;
}

static int prepare_and_run(struct bench_args *args)
{
    struct url url;
    char *request;
    size_t size = 0;
    const char *why = url_parse(args->url, args->unix_path, &url);
    int status;

    if (why != NULL)
        return complain(args->url, why);
    status = make_request(args, &url, &request, &size);
    if (status == STATUS_OK) {
        args->plan.address = url.address;
        args->plan.request = (struct slice){request, size};
        args->plan.stop = &stops;
        if (isatty(STDERR_FILENO)) {
            args->plan.on_second = bench_report_second;
            args->plan.arg = stderr;
        }
        watch_signals();
        status = run(args);
    }
    free(request);
    return status;
}

int cli_bench(char **words)
{
    struct bench_args args;
    int status = bench_args_parse(&args, words, stderr);

    if (status == 0 && args.wants_help)
        cli_help(stdout, CLI_BENCH);
    else if (status == 0)
        status = prepare_and_run(&args);
    bench_args_fini(&args);
    return status;
}
