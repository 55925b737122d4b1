/* SPDX-License-Identifier: MIT */
/*
 * lab_args - numbers or names of experiments, and four flags.               [lab]
 *
 * Called:  by lab.c.
 * Fails:   with 64 and a message.
 */
#include "cli/lab_args.h"

#include "cli/cli.h"
#include "common/check.h"
#include "conf/near.h"

#include <stdlib.h>
#include <string.h>

static const char *const flags[] = {"--json", "--short", "--svg", "--help"};

/* What a walk over the words keeps. */
struct walk {
    struct lab_args *args;
    const struct lab_experiment *const *table;
    FILE *err;
    char **next;
};

static int complain(const struct walk *w, const char *word, const char *why)
{
    fprintf(w->err, "remuda: '%s' %s\n", word, why);
    cli_usage(w->err, CLI_LAB);
    return CLI_USAGE_ERROR;
}

static int complain_flag(const struct walk *w, const char *word)
{
    struct near near;

    near_init(&near, word);
    for (size_t i = 0; i < COUNT_OF(flags); i++)
        near_offer(&near, flags[i], flags[i]);
    return cli_complain(w->err, CLI_LAB, "unknown flag", word, near.best);
}

static int complain_experiment(const struct walk *w, const char *word)
{
    struct near near;

    near_init(&near, word);
    for (const struct lab_experiment *const *e = w->table; *e != NULL; e++)
        near_offer(&near, (*e)->name, (*e)->name);
    fprintf(w->err, "remuda: no experiment '%s', allowed: ", word);
    for (const struct lab_experiment *const *e = w->table; *e != NULL; e++)
        fprintf(w->err, "%u, ", (*e)->number);
    fputs("all", w->err);
    if (near.best != NULL)
        fprintf(w->err, "; did you mean '%s'?", near.best);
    fputc('\n', w->err);
    cli_usage(w->err, CLI_LAB);
    return CLI_USAGE_ERROR;
}

static bool is_called(const struct lab_experiment *experiment, const char *word)
{
    char number[16];

    (void)snprintf(number, sizeof(number), "%u", experiment->number);
    return strcmp(word, number) == 0 || strcmp(word, experiment->name) == 0;
}

static int choose(struct walk *w, const struct lab_experiment *experiment)
{
    struct lab_args *args = w->args;

    if (args->count == LAB_CHOSEN_MAX)
        return complain(w, experiment->name, "is one experiment too many");
    args->chosen[args->count++] = experiment;
    return 0;
}

static int take_word(struct walk *w, const char *word)
{
    const bool is_all = strcmp(word, "all") == 0;
    bool is_known = false;
    int status = 0;

    for (const struct lab_experiment *const *e = w->table; *e != NULL; e++)
        if (status == 0 && (is_all || is_called(*e, word))) {
            is_known = true;
            status = choose(w, *e);
        }
    return is_known ? status : complain_experiment(w, word);
}

static int take_svg(struct walk *w, const char *word, const char *value)
{
    if (value == NULL && *w->next != NULL)
        value = *w->next++;
    if (value == NULL || value[0] == '\0' || value[0] == '-')
        return complain(w, word, "needs a file");
    w->args->svg = value;
    return 0;
}

static int take_flag(struct walk *w, const char *word)
{
    struct lab_args *args = w->args;

    if (strcmp(word, "--json") == 0)
        args->is_json = true;
    else if (strcmp(word, "--short") == 0)
        args->is_short = true;
    else if (strcmp(word, "--help") == 0 || strcmp(word, "-h") == 0)
        args->wants_help = true;
    else if (strcmp(word, "--svg") == 0)
        return take_svg(w, word, NULL);
    else if (strncmp(word, "--svg=", 6) == 0)
        return take_svg(w, "--svg", word + 6);
    else
        return complain_flag(w, word);
    return 0;
}

int lab_args_parse(struct lab_args *args, char **words,
                   const struct lab_experiment *const *table, FILE *err)
{
    struct walk w = {args, table, err, words};
    int status = 0;

    *args = (struct lab_args){.count = 0};
    while (status == 0 && !args->wants_help && *w.next != NULL) {
        const char *word = *w.next++;

        status = word[0] == '-' ? take_flag(&w, word) : take_word(&w, word);
    }
    if (status != 0 || args->wants_help || args->count > 0)
        return status;
    args->is_list = true;
    for (const struct lab_experiment *const *e = table; *e != NULL; e++)
        if ((*e)->number == LAB_HEADLINE)
            status = choose(&w, *e);
    return status;
}
