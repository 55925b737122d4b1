/* SPDX-License-Identifier: MIT */
/*
 * main - the command line becomes a run of the server, or one of the small verbs.
 *
 * Owns:    argv's lists and the config source, for life: a reload reads them again.
 * Fails:   here the process ends, and nowhere else but in worker_main: with a message
 *          that names the flag, the file or the path, and an exit status of sysexits.h.
 */
#include "cli/cli.h"
#include "common/check.h"
#include "common/log.h"
#include "common/version.h"
#include "conf/dump.h"
#include "conf/load.h"
#include "master/fault.h"
#include "master/launch.h"
#include "master/master.h"
#include "master/rehearsal.h"
#include "master/trial.h"

#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

static struct launch launch;
static const char default_file[] = REMUDA_CONF_DIR "/remuda.ini";

/* A descriptor we open must never be mistaken for stdin, stdout or stderr. */
static void occupy_standard_fds(void)
{
    int fd;

    do {
        fd = open("/dev/null", O_RDWR);
    } while (fd >= 0 && fd <= STDERR_FILENO);
    if (fd >= 0)
        close(fd);
}

/* Plugins on the command line can do without an installed configuration. */
static const char *choose_file(const struct cli_args *args)
{
    if (args->verb == CLI_RUN)
        return NULL;
    if (args->file != NULL)
        return args->file;
    return args->plugin.count > 0 && access(default_file, F_OK) != 0 ? NULL
                                                                     : default_file;
}

static void fill_source(struct conf_source *source, const struct cli_args *args)
{
    *source = (struct conf_source){
        .file = choose_file(args),
        .define = args->define.item,
        .define_count = args->define.count,
        .bind = args->bind.item,
        .bind_count = args->bind.count,
        .plugin = args->plugin.item,
        .plugin_count = args->plugin.count,
        .environment = environ,
    };
}

static int load(const struct cli_args *args, struct conf_source *source,
                struct conf **conf)
{
    struct conf_errors errors;
    int status;

    fill_source(source, args);
    status = conf_load(source, conf, &errors);

    conf_errors_print(&errors, stderr);
    conf_errors_fini(&errors);
    return status;
}

static int do_serve(struct cli_args *args)
{
    struct conf_source source;
    struct conf *conf;
    int status;

    fill_source(&source, args);
    if (launch.verdict_fd >= 0)
        return rehearsal_run(&source, &launch);
    if (launch.estate_fd >= 0)
        return master_resume(&source, &launch);
    status = load(args, &source, &conf);
    return status != 0 ? status : master_run(&source, &launch, conf);
}

/* One line per request where one looks, unless -D says otherwise: it comes first, so any
 * other wins. */
static int do_run(struct cli_args *args)
{
    static char access_to_stdout[] = "log.access=-";
    const size_t count = args->define.count;
    char **define = calloc(count + 1, sizeof(*define));

    if (define == NULL)
        return EXIT_OS;
    define[0] = access_to_stdout;
    for (size_t i = 0; i < count; i++)
        define[i + 1] = args->define.item[i];
    free(args->define.item);
    args->define = (struct cli_texts){define, count + 1};
    return do_serve(args);
}

static int do_check(struct cli_args *args)
{
    struct conf_source source;
    struct conf *conf;
    int status = load(args, &source, &conf);

    if (status != 0)
        return status;
    status = trial_run(conf);
    conf_destroy(&conf);
    if (status == EXIT_OK)
        puts("configuration OK");
    return status;
}

static int do_config(struct cli_args *args)
{
    struct conf_source source;
    struct conf *conf;
    int status = load(args, &source, &conf);

    if (status != 0)
        return status;
    conf_dump(stdout, conf, args->json ? CONF_DUMP_JSON : CONF_DUMP_INI, args->defaults);
    conf_destroy(&conf);
    return EXIT_OK;
}

static int do_explain(struct cli_args *args)
{
    return conf_explain(stdout, stderr, args->key) ? EXIT_OK : EXIT_USAGE;
}

static int do_bench(struct cli_args *args)
{
    return cli_bench(args->rest);
}

static int do_lab(struct cli_args *args)
{
    return cli_lab(args->rest);
}

static int do_ctl(struct cli_args *args)
{
    return cli_ctl(args->rest);
}

static int do_version(struct cli_args *args)
{
    (void)args;
    cli_version(stdout);
    return EXIT_OK;
}

static int do_help(struct cli_args *args)
{
    cli_help(stdout, args->help_of);
    return EXIT_OK;
}

typedef int verb_fn(struct cli_args *args);

static verb_fn *const verbs[CLI_VERBS] = {
    [CLI_SERVE] = do_serve,   [CLI_RUN] = do_run,         [CLI_CHECK] = do_check,
    [CLI_CONFIG] = do_config, [CLI_EXPLAIN] = do_explain, [CLI_BENCH] = do_bench,
    [CLI_LAB] = do_lab,       [CLI_CTL] = do_ctl,         [CLI_VERSION] = do_version,
    [CLI_HELP] = do_help,
};

int main(int argc, char **argv)
{
    struct cli_args args;
    int status;

    occupy_standard_fds();
    log_init();
    if (!launch_note(&launch, &argc, argv))
        return EXIT_OS;
    status = cli_args_parse(&args, argc, argv, stderr);
    if (status == 0)
        status = verbs[args.verb](&args);
    cli_args_fini(&args);
    launch_fini(&launch);
    if (fflush(stdout) != 0 && status == EXIT_OK)
        status = EXIT_OS; /* `remuda config > /dev/full` must not look like success */
    return status;
}
