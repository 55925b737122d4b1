/* SPDX-License-Identifier: MIT */
/*
 * cli - the command line: what is asked for, and the verbs that need no server.
 */
#ifndef CLI_CLI_H
#define CLI_CLI_H

#include "conf/conf.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdio.h>

enum cli_verb {
    CLI_SERVE, /* no verb: the server, in the foreground */
    CLI_RUN,
    CLI_CHECK,
    CLI_CONFIG,
    CLI_EXPLAIN,
    CLI_BENCH,
    CLI_LAB,
    CLI_CTL,
    CLI_VERSION,
    CLI_HELP,
    CLI_VERBS
};

enum { CLI_USAGE_ERROR = 64 };

struct cli_texts {
    char **item; /* they point into argv */
    size_t count;
};

struct cli_args {
    enum cli_verb verb;
    enum cli_verb help_of; /* with CLI_HELP: whose; CLI_SERVE: the overview */
    const char *file;      /* -c; NULL: not given */
    struct cli_texts define, bind, plugin;
    bool json, defaults;
    const char *key; /* of explain; NULL: list all */
    char **rest;     /* what follows a verb with flags of its own (bench, lab, ctl) */
};

/** 0, or CLI_USAGE_ERROR after one or two lines on `err`: what is wrong, the nearest
 *  name, the usage. Always end with cli_args_fini. */
int cli_args_parse(struct cli_args *args, int argc, char **argv, FILE *err);
void cli_args_fini(struct cli_args *args);

/** What is wrong with a word, the name that was probably meant (NULL or "": none), and the
 *  usage of that verb. CLI_USAGE_ERROR. */
int cli_complain(FILE *err, enum cli_verb verb, const char *what, const char *word,
                 const char *hint);

/** False: out of memory, and the list is as before. */
bool cli_texts_add(struct cli_texts *texts, char *text);

/** --help: the overview, or one verb. */
void cli_help(FILE *out, enum cli_verb verb);

/** One line: "usage: remuda ...". */
void cli_usage(FILE *out, enum cli_verb verb);

/** --version: version, commit, what was compiled in. */
void cli_version(FILE *out);

/** `remuda bench` with the words behind the verb; the exit status. */
int cli_bench(char **words);

/** `remuda lab`, the same. */
int cli_lab(char **words);

/** `remuda ctl`, the same. */
int cli_ctl(char **words);

/** The verb of that name; CLI_VERBS: none. */
enum cli_verb cli_verb_find(const char *name);

/** The verb whose name is nearest, "" when none is near. */
const char *cli_verb_nearest(const char *name);

#endif
