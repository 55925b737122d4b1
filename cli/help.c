/* SPDX-License-Identifier: MIT */
/*
 * help - what each verb is called, how it is used, and what it says about itself.  [main]
 *
 * Owns:    the table of verbs.
 * Called:  by main.c and args.c.
 * Fails:   never.
 */
#include "cli/cli.h"

#include "common/check.h"
#include "common/version.h"
#include "conf/near.h"

#include <string.h>

struct verb {
    const char *name; /* NULL: it has only a flag */
    const char *usage;
    const char *summary; /* one line of the overview; NULL: not listed */
    const char *text;    /* what --help says below the usage */
};

#define OPTIONS                                                                          \
    "  -c FILE               the configuration; without it " REMUDA_CONF_DIR             \
    "/remuda.ini\n"                                                                      \
    "  -D SECTION.KEY=VALUE  sets one option over the file and the environment; may\n"   \
    "                        be repeated\n"                                              \
    "  -b ADDR               listens there instead (HOST:PORT, *:PORT, unix:/PATH);\n"   \
    "                        may be repeated\n"

static const struct verb verbs[CLI_VERBS] = {
    [CLI_SERVE] =
        {
            NULL,
            "remuda [-c FILE] [-D SECTION.KEY=VALUE]... [-b ADDR]... [PLUGIN.so ...]",
            NULL,
            "Serves in the foreground, with the plugins of the configuration and those "
            "named.\n"
            "\n" OPTIONS "  -t                    the same as check\n"
            "  -T                    the same as config\n"
            "  --version             version, commit, what was compiled in\n"
            "  --help                this, or with a command: its own\n",
        },
    [CLI_RUN] =
        {
            "run",
            "remuda run [-D SECTION.KEY=VALUE]... [-b ADDR]... PLUGIN.so...",
            "serve plugins without any configuration file, one line per request",
            "Reads no file: listens on the default address, lists the routes and writes "
            "one\n"
            "line per request to stdout. For trying a plugin.\n"
            "\n"
            "  -D SECTION.KEY=VALUE  sets one option; may be repeated\n"
            "  -b ADDR               listens there instead; may be repeated\n",
        },
    [CLI_CHECK] =
        {
            "check",
            "remuda check [-c FILE] [-D SECTION.KEY=VALUE]... [-b ADDR]... [PLUGIN.so "
            "...]",
            "check the configuration and load every plugin in a throw-away process (-t)",
            "Reports every mistake in one pass. Binds nothing and starts nothing. Exit "
            "status\n"
            "0, or 78 with the mistakes on stderr.\n"
            "\n" OPTIONS,
        },
    [CLI_CONFIG] =
        {
            "config",
            "remuda config [--json] [--defaults] [-c FILE] [-D SECTION.KEY=VALUE]... [-b "
            "ADDR]..."
            " [PLUGIN.so ...]",
            "show the effective configuration, each value with its origin (-T)",
            "Shows what the server would run with. Secrets show as the reference to "
            "them.\n"
            "\n"
            "  --json                for programs\n"
            "  --defaults            also what nobody has set\n" OPTIONS,
        },
    [CLI_EXPLAIN] =
        {
            "explain",
            "remuda explain [SECTION.KEY]",
            "the documentation of one option, or the list of all",
            "Type, default, range, and whether a change takes effect by a reload or a "
            "restart.\n",
        },
    [CLI_BENCH] =
        {
            "bench",
            "remuda bench [-c N] [-r RATE] [-d TIME] [FLAG]... URL",
            "put a load on an HTTP server: rate, latencies, fairness",
            "Closed loop: N clients, each asks again when it was answered. With -r: "
            "open\n"
            "loop, requests are due at RATE whatever the server does, and latencies "
            "count\n"
            "from when they were due. URL is http://HOST[:PORT]/PATH or\n"
            "http+unix:/SOCKET:/PATH. Exit status 0; 1 when anything failed.\n"
            "\n"
            "  -c N                  connections (10); in the open loop at most (256)\n"
            "  -r RATE               open loop: requests per second, evenly spaced\n"
            "  --poisson             with -r: at random, a Poisson process; --seed N "
            "(1)\n"
            "  -d TIME               how long requests are sent, warm-up included (12s)\n"
            "  --warmup TIME         not measured (2s, or a sixth of a shorter run)\n"
            "  --timeout TIME        of a connect, and of a request (30s)\n"
            "  --close               a connection per request\n"
            "  --connect HOW         sequential, together (default) or bursts=N; all "
            "are\n"
            "                        open before the first request\n"
            "  --starts HOW          first requests together (default), or spread over\n"
            "                        half the warm-up\n"
            "  --think MS            a client waits that long before it asks again\n"
            "  --slots N --service MS\n"
            "                        of the server: a client also starved if it was "
            "silent\n"
            "                        for more than 3 x (clients / slots) x service\n"
            "  -m METHOD             GET, or POST with a body\n"
            "  -H 'NAME: VALUE'      may be repeated\n"
            "  --body FILE, --body-size N\n"
            "                        sends that file, or N bytes\n"
            "  --expect STATUS       any other is a failure; without it 2xx and 3xx are "
            "good\n"
            "  --unix PATH           connects to that socket, whatever HOST is\n"
            "  --json                for programs; docs/BENCH.md has the keys\n",
        },
    [CLI_LAB] =
        {
            "lab",
            "remuda lab [N...|all] [--short] [--json] [--svg FILE]",
            "experiments: what theory says of a server's capacity, and what it does",
            "Each experiment starts a server of its own on loopback, prints what theory\n"
            "predicts, measures it, and says whether they agree. N is a number or a "
            "name\n"
            "of the list below; without any it lists them and runs the headline one, 2.\n"
            "All of them take about a quarter of an hour.\n"
            "\n"
            "Exit status 0: all agree; 1: one does not, or could not be run; 64: a "
            "mistake\n"
            "on the command line; 73: a plot cannot be written.\n"
            "\n"
            "  --short               the shortest form that still means something, with\n"
            "                        wider tolerances\n"
            "  --json                for programs; docs/LAB.md has the keys\n"
            "  --svg FILE            the plot; of several experiments FILE gets the\n"
            "                        number of each\n",
        },
    [CLI_CTL] =
        {
            "ctl",
            "remuda ctl [-c FILE | --socket PATH] [--timeout TIME] COMMAND",
            "give a running server an order, or look at it",
            "Each command waits until it has taken, and its exit status says whether it "
            "did.\n"
            "\n"
            "  show workers          how the server and each worker do; --json\n"
            "  show slots            the requests that run; --json\n"
            "  show limits           how often each limit was met; --json\n"
            "  show listeners        what is served, and how many wait there; --json\n"
            "  show config           what runs, as `remuda config`; --json, --defaults\n"
            "  reload                the configuration and plugins anew, as HUP\n"
            "  upgrade               the binary that stands at the server's path, as "
            "USR2\n"
            "  reopen                the logs by their names again, as USR1\n"
            "  worker add            one worker more, until the next reload\n"
            "  worker remove [N]     one less: number N, or the last\n"
            "  worker recycle [N]    another in the place of N, which leaves when that\n"
            "                        one serves; without N all, one after the other\n"
            "  pause, resume         no new connection is accepted: they wait in the\n"
            "                        kernel; what is connected is served\n"
            "  drain, undrain        not ready, and each answer closes its connection,\n"
            "                        so that a balancer sends traffic elsewhere\n"
            "  stop [--quick]        as TERM; --quick as QUIT\n"
            "\n"
            "  -c FILE               the server that runs with it; without it whichever\n"
            "                        there is, with remuda.ini for NAME.ini\n"
            "  --socket PATH         its control socket; without it control.sock in\n"
            "                        $RUNTIME_DIRECTORY, /run/remuda/NAME (of NAME.ini) "
            "or\n"
            "                        $XDG_RUNTIME_DIR/remuda/NAME\n"
            "  --timeout TIME        waits no longer (no limit)\n"
            "\n"
            "Exit status 0; 64: wrong usage; 69: no server there; 70: refused or "
            "failed,\n"
            "the reason is on stderr and in the log; 71: what is shown cannot be "
            "written;\n"
            "75: try again: the server is busy, or --timeout is over; 77: not allowed.\n"
            "When --timeout is over, the server goes on with the order.\n",
        },
    [CLI_VERSION] = {NULL, "remuda --version", NULL, ""},
    [CLI_HELP] = {NULL, "remuda [COMMAND] --help", NULL, ""},
};

void cli_usage(FILE *out, enum cli_verb verb)
{
    CHECK((size_t)verb < COUNT_OF(verbs));
    fprintf(out, "usage: %s\n", verbs[verb].usage);
}

static void list_verbs(FILE *out)
{
    fputs("\nCommands (each has --help):\n", out);
    for (size_t i = 0; i < COUNT_OF(verbs); i++)
        if (verbs[i].name != NULL)
            fprintf(out, "  %-8s %s\n", verbs[i].name, verbs[i].summary);
    fputs("\nSignals: TERM, INT stop gracefully; QUIT at once; HUP reloads; USR1 reopens "
          "the\n"
          "logs; USR2 upgrades the binary; TTIN, TTOU one worker more, one less.\n",
          out);
}

void cli_help(FILE *out, enum cli_verb verb)
{
    cli_usage(out, verb);
    fprintf(out, "\n%s", verbs[verb].text);
    if (verb == CLI_SERVE)
        list_verbs(out);
}

void cli_version(FILE *out)
{
    fprintf(out, "remuda %s\n", REMUDA_VERSION);
    fprintf(out, "commit: %s\n", REMUDA_COMMIT);
    fprintf(out, "compiler: %s\n", __VERSION__);
    fprintf(out, "sanitizers: %s\n",
            REMUDA_SANITIZERS[0] == '\0' ? "none" : REMUDA_SANITIZERS);
    fprintf(out, "plugins: %s\n", REMUDA_PLUGIN_DIR);
    fprintf(out, "configuration: %s\n", REMUDA_CONF_DIR);
}

enum cli_verb cli_verb_find(const char *name)
{
    for (size_t i = 0; i < COUNT_OF(verbs); i++)
        if (verbs[i].name != NULL && strcmp(verbs[i].name, name) == 0)
            return (enum cli_verb)i;
    return CLI_VERBS;
}

const char *cli_verb_nearest(const char *name)
{
    struct near near;

    near_init(&near, name);
    for (size_t i = 0; i < COUNT_OF(verbs); i++)
        if (verbs[i].name != NULL)
            near_offer(&near, verbs[i].name, verbs[i].name);
    return near.best == NULL ? "" : near.best;
}
