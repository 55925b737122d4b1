/* SPDX-License-Identifier: MIT */
/*
 * ctl_args - a table of orders, one of flags.                               [ctl]
 *
 * Called:  by ctl.c.
 * Fails:   with 64 and a message.
 */
#include "cli/ctl_args.h"

#include "cli/cli.h"
#include "common/check.h"
#include "conf/near.h"
#include "conf/types.h"

#include <string.h>

enum { WORKER_MAX = 255, TIMEOUT_MAX_MS = 24 * 3600 * 1000 };

/* What may follow, and which flags mean something. */
enum { NO_WORKER, MAY_WORKER };
enum { QUICK = 1, JSON = 2, DEFAULTS = 4 };

static const struct order {
    const char *word, *second; /* second NULL: one word alone */
    enum control_verb verb;
    enum ctl_view view;
    int worker;
    unsigned flags;
} orders[] = {
    {"show", "workers", CONTROL_SHOW_BOARD, CTL_WORKERS, NO_WORKER, JSON},
    {"show", "slots", CONTROL_SHOW_BOARD, CTL_SLOTS, NO_WORKER, JSON},
    {"show", "limits", CONTROL_SHOW_BOARD, CTL_LIMITS, NO_WORKER, JSON},
    {"show", "listeners", CONTROL_SHOW_LISTENERS, CTL_LISTENERS, NO_WORKER, JSON},
    {"show", "config", CONTROL_SHOW_CONFIG, CTL_CONFIG, NO_WORKER, JSON | DEFAULTS},
    {"worker", "add", CONTROL_WORKER_ADD, CTL_NO_VIEW, NO_WORKER, 0},
    {"worker", "remove", CONTROL_WORKER_REMOVE, CTL_NO_VIEW, MAY_WORKER, 0},
    {"worker", "recycle", CONTROL_WORKER_RECYCLE, CTL_NO_VIEW, MAY_WORKER, 0},
    {"reload", NULL, CONTROL_RELOAD, CTL_NO_VIEW, NO_WORKER, 0},
    {"upgrade", NULL, CONTROL_UPGRADE, CTL_NO_VIEW, NO_WORKER, 0},
    {"reopen", NULL, CONTROL_REOPEN, CTL_NO_VIEW, NO_WORKER, 0},
    {"pause", NULL, CONTROL_PAUSE, CTL_NO_VIEW, NO_WORKER, 0},
    {"resume", NULL, CONTROL_RESUME, CTL_NO_VIEW, NO_WORKER, 0},
    {"drain", NULL, CONTROL_DRAIN, CTL_NO_VIEW, NO_WORKER, 0},
    {"undrain", NULL, CONTROL_UNDRAIN, CTL_NO_VIEW, NO_WORKER, 0},
    {"stop", NULL, CONTROL_STOP, CTL_NO_VIEW, NO_WORKER, QUICK},
};

enum flag_kind {
    FLAG_FILE,
    FLAG_SOCKET,
    FLAG_TIMEOUT,
    FLAG_JSON,
    FLAG_DEFAULTS,
    FLAG_QUICK,
    FLAG_HELP
};

static const struct flag {
    const char *name;
    enum flag_kind kind;
    bool takes_value;
    unsigned needs; /* of the order; 0: goes with any */
} flags[] = {
    {"-c", FLAG_FILE, true, 0},
    {"--socket", FLAG_SOCKET, true, 0},
    {"--timeout", FLAG_TIMEOUT, true, 0},
    {"--json", FLAG_JSON, false, JSON},
    {"--defaults", FLAG_DEFAULTS, false, DEFAULTS},
    {"--quick", FLAG_QUICK, false, QUICK},
    {"--help", FLAG_HELP, false, 0},
    {"-h", FLAG_HELP, false, 0},
};

/* What a walk over the words keeps. */
struct walk {
    struct ctl_args *args;
    FILE *err;
    char **next;
    unsigned used; /* needs of the flags seen */
    const char *first;
    const struct order *order; /* NULL: not known yet */
};

static int complain(const struct walk *w, const char *word, const char *why)
{
    fprintf(w->err, "remuda: '%s' %s\n", word, why);
    cli_usage(w->err, CLI_CTL);
    return CLI_USAGE_ERROR;
}

/* ---- orders ---- */

static bool is_first_word(const char *word)
{
    for (size_t i = 0; i < COUNT_OF(orders); i++)
        if (strcmp(orders[i].word, word) == 0)
            return true;
    return false;
}

static const struct order *find_order(const char *first, const char *second)
{
    for (size_t i = 0; i < COUNT_OF(orders); i++) {
        const char *other = orders[i].second;

        if (strcmp(orders[i].word, first) == 0 &&
            (second == NULL ? other == NULL
                            : other != NULL && strcmp(other, second) == 0))
            return &orders[i];
    }
    return NULL;
}

/* One of those that may follow it is missing. */
static int complain_half(const struct walk *w)
{
    const char *between = "";

    fprintf(w->err, "remuda: '%s' needs another word: ", w->first);
    for (size_t i = 0; i < COUNT_OF(orders); i++) {
        if (strcmp(orders[i].word, w->first) != 0)
            continue;
        fprintf(w->err, "%s%s", between, orders[i].second);
        between = ", ";
    }
    fputc('\n', w->err);
    cli_usage(w->err, CLI_CTL);
    return CLI_USAGE_ERROR;
}

/* Of the first words, or of those that may follow one. */
static int complain_order(const struct walk *w, const char *word)
{
    struct near near;

    near_init(&near, word);
    for (size_t i = 0; i < COUNT_OF(orders); i++) {
        if (w->first == NULL)
            near_offer(&near, orders[i].word, orders[i].word);
        else if (strcmp(orders[i].word, w->first) == 0 && orders[i].second != NULL)
            near_offer(&near, orders[i].second, orders[i].second);
    }
    return cli_complain(w->err, CLI_CTL, "unknown command", word, near.best);
}

static int take_worker(struct walk *w, const char *word)
{
    int64_t n;

    if (types_parse_int(word, &n) != NULL || n < 0 || n > WORKER_MAX)
        return complain(w, word, "is no worker: 0 to 255, as show workers lists them");
    w->args->worker = (int)n;
    return 0;
}

static int take_word(struct walk *w, const char *word)
{
    if (w->order != NULL) {
        if (w->order->worker == NO_WORKER || w->args->worker != CONTROL_ANY_WORKER)
            return complain(w, word, "is one word too many");
        return take_worker(w, word);
    }
    if (w->first == NULL && !is_first_word(word))
        return complain_order(w, word);
    w->order = w->first == NULL ? find_order(word, NULL) : find_order(w->first, word);
    if (w->first != NULL && w->order == NULL)
        return complain_order(w, word);
    w->first = word;
    return 0;
}

/* ---- flags ---- */

/* "-cFILE" and "--socket=PATH" carry their value; *value_out NULL: it is the next word. */
static const struct flag *find_flag(const char *word, const char **value_out)
{
    for (size_t i = 0; i < COUNT_OF(flags); i++) {
        const size_t n = strlen(flags[i].name);
        const bool is_short = flags[i].name[1] != '-';

        *value_out = NULL;
        if (strcmp(word, flags[i].name) == 0)
            return &flags[i];
        if (!flags[i].takes_value || strncmp(word, flags[i].name, n) != 0)
            continue;
        *value_out = word + n + !is_short;
        if (is_short || word[n] == '=')
            return &flags[i];
    }
    return NULL;
}

static int complain_flag(const struct walk *w, const char *word)
{
    struct near near;

    near_init(&near, word);
    for (size_t i = 0; i < COUNT_OF(flags); i++)
        near_offer(&near, flags[i].name, flags[i].name);
    return cli_complain(w->err, CLI_CTL, "unknown flag", word, near.best);
}

static int set_timeout(struct walk *w, const char *value)
{
    uint64_t ms;
    const char *why = types_parse_duration(value, &ms);

    if (why == NULL && (ms == 0 || ms > TIMEOUT_MAX_MS))
        why = "is not a time above 0 and up to a day";
    if (why != NULL)
        return complain(w, value, why);
    w->args->timeout_ms = ms;
    return 0;
}

static int apply(struct walk *w, const struct flag *flag, const char *value)
{
    struct ctl_args *args = w->args;

    switch (flag->kind) {
    case FLAG_FILE:
        args->file = value;
        break;
    case FLAG_SOCKET:
        args->socket = value;
        break;
    case FLAG_TIMEOUT:
        return set_timeout(w, value);
    case FLAG_JSON:
        args->is_json = true;
        break;
    case FLAG_DEFAULTS:
        args->has_defaults = true;
        break;
    case FLAG_QUICK:
        args->is_quick = true;
        break;
    case FLAG_HELP:
        args->wants_help = true;
        break;
    }
    return 0;
}

static int take_flag(struct walk *w, const char *word)
{
    const char *value;
    const struct flag *flag = find_flag(word, &value);

    if (flag == NULL)
        return complain_flag(w, word);
    if (flag->takes_value && value == NULL)
        value = *w->next == NULL ? "" : *w->next++;
    if (flag->takes_value && value[0] == '\0')
        return complain(w, flag->name, "needs a value");
    w->used |= flag->needs;
    return apply(w, flag, value);
}

/* ---- all ---- */

static int check(const struct walk *w)
{
    if (w->first == NULL)
        return complain(w, "ctl", "needs a command: see --help");
    if (w->order == NULL)
        return complain_half(w);
    for (size_t i = 0; i < COUNT_OF(flags); i++)
        if ((w->used & flags[i].needs & ~w->order->flags) != 0)
            return complain(w, flags[i].name, "does not go with this command");
    w->args->verb = w->order->verb;
    w->args->view = w->order->view;
    return 0;
}

int ctl_args_parse(struct ctl_args *args, char **words, FILE *err)
{
    struct walk w = {.args = args, .err = err, .next = words};
    int status = 0;

    *args = (struct ctl_args){.worker = CONTROL_ANY_WORKER};
    while (status == 0 && !args->wants_help && *w.next != NULL) {
        const char *word = *w.next++;

        status =
            word[0] == '-' && word[1] != '\0' ? take_flag(&w, word) : take_word(&w, word);
    }
    return status != 0 || args->wants_help ? status : check(&w);
}
