/* SPDX-License-Identifier: MIT */
/*
 * bench_args - one row per flag: its name, whether a value follows, what it sets.  [clients]
 *
 * A value that makes no sense, or no sense beside another flag, is an error: a load that
 * was not the one asked for is worse than none.
 *
 * Owns:    the list of headers.
 * Called:  by bench.c.
 * Fails:   with 64 and a message.
 */
#include "cli/bench_args.h"

#include "common/check.h"
#include "conf/near.h"
#include "conf/types.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

enum {
    CLIENTS_DEFAULT = 10,
    CLIENTS_DEFAULT_OPEN = 256, /* they are the most at once, not the load */
    CLIENTS_MAX = 100000,
    DURATION_DEFAULT_MS = 12000,
    WARMUP_DEFAULT_MS = 2000,
    TIMEOUT_DEFAULT_MS = 30000,
    TIME_MAX_MS = 24 * 3600 * 1000,
    BODY_MAX = 1 << 30
};

static const uint64_t unset = UINT64_MAX;

/* ---- values; each says what is wrong, or NULL ---- */

static const char *set_number(const char *text, int64_t least, int64_t most,
                              unsigned *out)
{
    int64_t n;
    const char *why = types_parse_int(text, &n);

    if (why != NULL)
        return why;
    if (n < least || n > most)
        return "is out of range";
    *out = (unsigned)n;
    return NULL;
}

static const char *set_time(const char *text, uint64_t *out_ms)
{
    uint64_t t;
    const char *why = types_parse_duration(text, &t);

    if (why == NULL && t > TIME_MAX_MS)
        return "is longer than a day";
    if (why == NULL)
        *out_ms = t;
    return why;
}

/* A bare number is milliseconds here: nobody thinks for 50 s. */
static const char *set_time_ms(const char *text, uint64_t *out_ms)
{
    unsigned bare;

    if (text[0] == '\0' || text[strspn(text, "0123456789")] != '\0')
        return set_time(text, out_ms);
    if (set_number(text, 0, TIME_MAX_MS, &bare) != NULL)
        return "is longer than a day";
    *out_ms = bare;
    return NULL;
}

static const char *on_clients(struct bench_args *args, char *value)
{
    return set_number(value, 1, CLIENTS_MAX, &args->plan.clients);
}

static const char *on_rate(struct bench_args *args, char *value)
{
    char *end;
    const double rate = strtod(value, &end);

    if (end == value || *end != '\0' || !isfinite(rate))
        return "is not a number of requests per second";
    if (rate < 0.001 || rate > 1e7)
        return "is out of range";
    args->plan.rate = rate;
    return NULL;
}

static const char *on_poisson(struct bench_args *args, char *value)
{
    (void)value;
    args->plan.is_poisson = true;
    return NULL;
}

static const char *on_seed(struct bench_args *args, char *value)
{
    unsigned seed;
    const char *why = set_number(value, 0, UINT32_MAX, &seed);

    if (why == NULL)
        args->plan.seed = seed;
    return why;
}

static const char *on_duration(struct bench_args *args, char *value)
{
    return set_time(value, &args->plan.duration_ms);
}

static const char *on_warmup(struct bench_args *args, char *value)
{
    return set_time(value, &args->plan.warmup_ms);
}

static const char *on_think(struct bench_args *args, char *value)
{
    return set_time_ms(value, &args->plan.think_ms);
}

static const char *on_service(struct bench_args *args, char *value)
{
    return set_time_ms(value, &args->plan.service_ms);
}

static const char *on_slots(struct bench_args *args, char *value)
{
    return set_number(value, 1, CLIENTS_MAX, &args->plan.slots);
}

static const char *on_timeout(struct bench_args *args, char *value)
{
    const char *why = set_time(value, &args->plan.timeout_ms);

    return why == NULL && args->plan.timeout_ms == 0 ? "must be above 0" : why;
}

static const char *on_starts(struct bench_args *args, char *value)
{
    args->plan.is_spread = strcmp(value, "spread") == 0;
    return args->plan.is_spread || strcmp(value, "together") == 0
               ? NULL
               : "is neither spread nor together";
}

static const char *on_connect(struct bench_args *args, char *value)
{
    unsigned *burst = &args->plan.connect_burst;

    if (strcmp(value, "together") == 0)
        *burst = LOAD_CONNECT_ALL;
    else if (strcmp(value, "sequential") == 0)
        *burst = 1;
    else if (strncmp(value, "bursts=", 7) == 0)
        return set_number(value + 7, 1, CLIENTS_MAX, burst);
    else
        return "is neither sequential, together nor bursts=N";
    return NULL;
}

static const char *on_close(struct bench_args *args, char *value)
{
    (void)value;
    args->plan.is_close = true;
    return NULL;
}

static const char *on_expect(struct bench_args *args, char *value)
{
    return set_number(value, 200, LOAD_STATUSES - 1, &args->plan.expect);
}

static const char *on_method(struct bench_args *args, char *value)
{
    args->method = value;
    args->plan.is_head = strcmp(value, "HEAD") == 0;
    return NULL;
}

static const char *on_header(struct bench_args *args, char *value)
{
    return cli_texts_add(&args->header, value) ? NULL : "is one too many: out of memory";
}

static const char *on_body(struct bench_args *args, char *value)
{
    args->body_file = value;
    return NULL;
}

static const char *on_body_size(struct bench_args *args, char *value)
{
    const char *why = types_parse_size(value, &args->body_size);

    args->has_body_size = true;
    return why == NULL && args->body_size > BODY_MAX ? "is above 1G" : why;
}

static const char *on_unix(struct bench_args *args, char *value)
{
    args->unix_path = value;
    return NULL;
}

static const char *on_json(struct bench_args *args, char *value)
{
    (void)value;
    args->is_json = true;
    return NULL;
}

static const char *on_help(struct bench_args *args, char *value)
{
    (void)value;
    args->wants_help = true;
    return NULL;
}

/* ---- the table ---- */

enum loop { ANY_LOOP, CLOSED_LOOP, OPEN_LOOP };

typedef const char *set_fn(struct bench_args *args, char *value);

struct flag {
    const char *name;
    bool takes_value;
    enum loop loop; /* where it means something */
    set_fn *set;
};

static const struct flag flags[] = {
    {"-c", true, ANY_LOOP, on_clients},
    {"-r", true, OPEN_LOOP, on_rate},
    {"-d", true, ANY_LOOP, on_duration},
    {"-m", true, ANY_LOOP, on_method},
    {"-H", true, ANY_LOOP, on_header},
    {"-h", false, ANY_LOOP, on_help},
    {"--help", false, ANY_LOOP, on_help},
    {"--poisson", false, OPEN_LOOP, on_poisson},
    {"--seed", true, OPEN_LOOP, on_seed},
    {"--warmup", true, ANY_LOOP, on_warmup},
    {"--starts", true, CLOSED_LOOP, on_starts},
    {"--think", true, CLOSED_LOOP, on_think},
    {"--slots", true, CLOSED_LOOP, on_slots},
    {"--service", true, CLOSED_LOOP, on_service},
    {"--timeout", true, ANY_LOOP, on_timeout},
    {"--connect", true, ANY_LOOP, on_connect},
    {"--close", false, ANY_LOOP, on_close},
    {"--expect", true, ANY_LOOP, on_expect},
    {"--body", true, ANY_LOOP, on_body},
    {"--body-size", true, ANY_LOOP, on_body_size},
    {"--unix", true, ANY_LOOP, on_unix},
    {"--json", false, ANY_LOOP, on_json},
};

/* What a walk over the words keeps. */
struct walk {
    struct bench_args *args;
    FILE *err;
    char **next;
    bool used[COUNT_OF(flags)];
};

static int complain(const struct walk *w, const char *word, const char *why)
{
    fprintf(w->err, "remuda: '%s' %s\n", word, why);
    cli_usage(w->err, CLI_BENCH);
    return CLI_USAGE_ERROR;
}

static int complain_unknown(const struct walk *w, const char *word)
{
    struct near near;

    near_init(&near, word);
    for (size_t i = 0; i < COUNT_OF(flags); i++)
        near_offer(&near, flags[i].name, flags[i].name);
    return cli_complain(w->err, CLI_BENCH, "unknown flag", word, near.best);
}

/* "-c10" and "--think=50" carry their value; *value_out NULL: it is the next word. */
static const struct flag *find_flag(char *word, char **value_out)
{
    for (size_t i = 0; i < COUNT_OF(flags); i++) {
        const size_t n = strlen(flags[i].name);
        const bool is_short = flags[i].name[1] != '-';

        *value_out = NULL;
        if (strcmp(word, flags[i].name) == 0)
            return &flags[i];
        *value_out = word + n + !is_short;
        if (flags[i].takes_value && strncmp(word, flags[i].name, n) == 0 &&
            (is_short || word[n] == '='))
            return &flags[i];
    }
    return NULL;
}

static int take_flag(struct walk *w, char *word)
{
    char *value;
    const struct flag *flag = find_flag(word, &value);
    const char *why;

    if (flag == NULL)
        return complain_unknown(w, word);
    if (flag->takes_value && value == NULL && *w->next == NULL)
        return complain(w, word, "needs a value");
    if (flag->takes_value && value == NULL)
        value = *w->next++;
    w->used[flag - flags] = true;
    why = flag->set(w->args, value);
    if (why == NULL)
        return 0;
    fprintf(w->err, "remuda: %s ", flag->name);
    fprintf(w->err, "'%s' %s\n", value, why);
    cli_usage(w->err, CLI_BENCH);
    return CLI_USAGE_ERROR;
}

static int check_loop(const struct walk *w)
{
    const enum loop other = w->args->plan.rate > 0 ? CLOSED_LOOP : OPEN_LOOP;

    for (size_t i = 0; i < COUNT_OF(flags); i++)
        if (w->used[i] && flags[i].loop == other)
            return complain(w, flags[i].name,
                            other == CLOSED_LOOP
                                ? "does not go with -r: an open loop has no clients"
                                : "needs -r: it shapes an open loop");
    return 0;
}

static int check(const struct walk *w)
{
    const struct bench_args *args = w->args;
    const struct load_plan *plan = &args->plan;

    if (args->url == NULL)
        return complain(w, "bench", "needs a URL");
    if (plan->warmup_ms >= plan->duration_ms)
        return complain(w, "--warmup", "must be shorter than the run (-d)");
    if ((plan->slots == 0) != (plan->service_ms == 0))
        return complain(w, "--slots", "and --service are needed both, or neither");
    if (plan->is_close && plan->connect_burst != LOAD_CONNECT_ALL)
        return complain(w, "--connect", "does not go with --close");
    if (args->body_file != NULL && args->has_body_size)
        return complain(w, "--body", "and --body-size exclude each other");
    return check_loop(w);
}

/* What was not given and depends on what was. */
static void fill_in(struct load_plan *plan)
{
    if (plan->clients == 0)
        plan->clients = plan->rate > 0 ? CLIENTS_DEFAULT_OPEN : CLIENTS_DEFAULT;
    if (plan->warmup_ms == unset)
        plan->warmup_ms = plan->duration_ms / 6 < WARMUP_DEFAULT_MS
                              ? plan->duration_ms / 6
                              : WARMUP_DEFAULT_MS;
}

int bench_args_parse(struct bench_args *args, char **words, FILE *err)
{
    struct walk w = {.args = args, .err = err, .next = words};
    int status = 0;

    *args = (struct bench_args){.plan = {
                                    .duration_ms = DURATION_DEFAULT_MS,
                                    .warmup_ms = unset,
                                    .timeout_ms = TIMEOUT_DEFAULT_MS,
                                    .connect_burst = LOAD_CONNECT_ALL,
                                    .seed = 1,
                                }};
    while (status == 0 && !args->wants_help && *w.next != NULL) {
        char *word = *w.next++;

        if (word[0] == '-' && word[1] != '\0')
            status = take_flag(&w, word);
        else if (args->url == NULL)
            args->url = word;
        else
            status = complain(&w, word, "is one URL too many");
    }
    fill_in(&args->plan);
    return status != 0 || args->wants_help ? status : check(&w);
}

void bench_args_fini(struct bench_args *args)
{
    free(args->header.item);
    args->header = (struct cli_texts){NULL, 0};
}
