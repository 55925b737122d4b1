/* SPDX-License-Identifier: MIT */
/*
 * args - argv as a struct: one table of flags, one of verbs (help.c).        [main]
 *
 * Owns:    the lists of repeated flags; their texts are argv's.
 * Called:  by main.c, once; bench_args.c, lab_args.c and ctl_args.c complain and collect as
 *          it does.
 * Fails:   with what is wrong, the nearest name, one line of usage, and 64.
 */
#include "cli/cli.h"

#include "common/check.h"
#include "conf/near.h"

#include <stdlib.h>
#include <string.h>

enum flag_kind {
    FLAG_FILE,
    FLAG_DEFINE,
    FLAG_BIND,
    FLAG_CHECK,
    FLAG_CONFIG,
    FLAG_JSON,
    FLAG_DEFAULTS,
    FLAG_VERSION,
    FLAG_HELP
};

#define FOR(verb) (1u << (verb))
enum {
    LOADING = FOR(CLI_SERVE) | FOR(CLI_CHECK) | FOR(CLI_CONFIG),
    ANY = FOR(CLI_VERBS) - 1
};

struct flag {
    const char *name;
    enum flag_kind kind;
    bool takes_value;
    unsigned verbs; /* where it means something */
};

static const struct flag flags[] = {
    {"-c", FLAG_FILE, true, LOADING},
    {"-D", FLAG_DEFINE, true, LOADING | FOR(CLI_RUN)},
    {"-b", FLAG_BIND, true, LOADING | FOR(CLI_RUN)},
    {"-t", FLAG_CHECK, false, FOR(CLI_CHECK)},
    {"-T", FLAG_CONFIG, false, FOR(CLI_CONFIG)},
    {"--json", FLAG_JSON, false, FOR(CLI_CONFIG)},
    {"--defaults", FLAG_DEFAULTS, false, FOR(CLI_CONFIG)},
    {"--version", FLAG_VERSION, false, ANY},
    {"--help", FLAG_HELP, false, ANY},
    {"-h", FLAG_HELP, false, ANY},
};

/* What a walk over argv keeps. */
struct walk {
    struct cli_args *args;
    FILE *err;
    char **next;   /* NULL-terminated, as argv */
    unsigned used; /* flags seen, by index in the table */
    bool named;    /* the verb is known */
    bool literal;  /* after "--" */
};

int cli_complain(FILE *err, enum cli_verb verb, const char *what, const char *word,
                 const char *hint)
{
    fprintf(err, "remuda: %s '%s'", what, word);
    if (hint != NULL && hint[0] != '\0')
        fprintf(err, "; did you mean '%s'?", hint);
    fputc('\n', err);
    cli_usage(err, verb);
    return CLI_USAGE_ERROR;
}

bool cli_texts_add(struct cli_texts *texts, char *text)
{
    char **grown = reallocarray(texts->item, texts->count + 1, sizeof(texts->item[0]));

    if (grown == NULL)
        return false;
    texts->item = grown;
    texts->item[texts->count++] = text;
    return true;
}

static int complain(const struct walk *w, const char *what, const char *word,
                    const char *hint)
{
    return cli_complain(w->err, w->args->verb, what, word, hint);
}

static int push(struct walk *w, struct cli_texts *texts, char *text)
{
    return cli_texts_add(texts, text) ? 0 : complain(w, "out of memory at", text, NULL);
}

/* "-cFILE" counts as "-c FILE"; a long flag is all of the word. */
static const struct flag *find_flag(const char *word)
{
    for (size_t i = 0; i < COUNT_OF(flags); i++) {
        const size_t n = strlen(flags[i].name);

        if (strcmp(word, flags[i].name) == 0 ||
            (flags[i].takes_value && strncmp(word, flags[i].name, n) == 0))
            return &flags[i];
    }
    return NULL;
}

static const char *nearest_flag(const char *word)
{
    struct near near;

    near_init(&near, word);
    for (size_t i = 0; i < COUNT_OF(flags); i++)
        near_offer(&near, flags[i].name, flags[i].name);
    return near.best;
}

static int set_verb(struct walk *w, enum cli_verb verb)
{
    w->args->verb = verb;
    w->named = true;
    return 0;
}

static int apply_flag(struct walk *w, const struct flag *flag, char *value)
{
    struct cli_args *args = w->args;

    switch (flag->kind) {
    case FLAG_FILE:
        args->file = value;
        return 0;
    case FLAG_DEFINE:
        return push(w, &args->define, value);
    case FLAG_BIND:
        return push(w, &args->bind, value);
    case FLAG_CHECK:
        return set_verb(w, CLI_CHECK);
    case FLAG_CONFIG:
        return set_verb(w, CLI_CONFIG);
    case FLAG_JSON:
        args->json = true;
        return 0;
    case FLAG_DEFAULTS:
        args->defaults = true;
        return 0;
    case FLAG_VERSION:
        return set_verb(w, CLI_VERSION);
    case FLAG_HELP:
        args->help_of = args->verb;
        return set_verb(w, CLI_HELP);
    }
    return CLI_USAGE_ERROR;
}

static int take_flag(struct walk *w, char *word)
{
    const struct flag *flag = find_flag(word);
    char *value = NULL;

    if (flag == NULL)
        return complain(w, "unknown flag", word, nearest_flag(word));
    if (flag->takes_value)
        value = word[strlen(flag->name)] != '\0' ? word + strlen(flag->name) : *w->next;
    if (flag->takes_value && value == NULL)
        return complain(w, "a value is missing after", word, NULL);
    if (value == *w->next && flag->takes_value)
        w->next++;
    w->used |= 1u << (flag - flags);
    return apply_flag(w, flag, value);
}

/* `remuda hello` is a mistyped verb, not a plugin: those are named by path there. */
static bool looks_like_plugin(const char *word)
{
    const size_t n = strlen(word);

    return strchr(word, '/') != NULL || (n > 3 && strcmp(word + n - 3, ".so") == 0);
}

static int take_word(struct walk *w, char *word)
{
    const enum cli_verb verb = cli_verb_find(word);
    struct cli_args *args = w->args;

    if (!w->named && verb != CLI_VERBS && args->plugin.count == 0 && !w->literal)
        return set_verb(w, verb);
    if (args->verb == CLI_EXPLAIN && args->key == NULL) {
        args->key = word;
        return 0;
    }
    if (args->verb == CLI_RUN || (args->verb != CLI_EXPLAIN && looks_like_plugin(word)) ||
        w->literal)
        return push(w, &args->plugin, word);
    if (!w->named)
        return complain(w, "unknown command", word, cli_verb_nearest(word));
    return complain(w, "unexpected argument", word, NULL);
}

static int check_flags(const struct walk *w)
{
    for (size_t i = 0; i < COUNT_OF(flags); i++)
        if ((w->used >> i & 1) != 0 && (flags[i].verbs & FOR(w->args->verb)) == 0)
            return complain(w, "this command does not take", flags[i].name, NULL);
    if (w->args->verb == CLI_RUN && w->args->plugin.count == 0)
        return complain(w, "a plugin is missing after", "run", NULL);
    return 0;
}

static bool has_own_flags(const struct walk *w)
{
    return w->args->verb == CLI_BENCH || w->args->verb == CLI_LAB ||
           w->args->verb == CLI_CTL;
}

/* Help and version answer whatever else stands there. */
static bool is_done(const struct walk *w)
{
    return w->args->verb == CLI_HELP || w->args->verb == CLI_VERSION;
}

int cli_args_parse(struct cli_args *args, int argc, char **argv, FILE *err)
{
    struct walk w = {.args = args, .err = err};
    int status = 0;

    *args = (struct cli_args){.verb = CLI_SERVE};
    w.next = argc > 0 ? argv + 1 : argv;
    while (status == 0 && *w.next != NULL && !is_done(&w) && !has_own_flags(&w)) {
        char *word = *w.next++;

        if (!w.literal && strcmp(word, "--") == 0)
            w.literal = true;
        else if (!w.literal && word[0] == '-' && word[1] != '\0')
            status = take_flag(&w, word);
        else
            status = take_word(&w, word);
    }
    args->rest = w.next;
    if (status == 0 && !is_done(&w))
        status = check_flags(&w);
    return status;
}

void cli_args_fini(struct cli_args *args)
{
    free(args->define.item);
    free(args->bind.item);
    free(args->plugin.item);
    *args = (struct cli_args){.verb = CLI_SERVE};
}
