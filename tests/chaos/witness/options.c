/* SPDX-License-Identifier: MIT */
/*
 * options - getopt, and the shares by name.                               [test tool]
 *
 * Called:  by main.c.
 * Fails:   false for what it does not know.
 */
#include "tests/chaos/witness/options.h"

#include "common/check.h"

#include <stdlib.h>
#include <string.h>
#include <unistd.h>

static const struct options standard = {
    .count = 1000,
    .seed = 1,
    .timeout_ms = 30000,
    .kept = 50,
    .idle = 50,
    .rate = 500,
    .mix = {.wait5 = 200000,
            .wait100 = 30000,
            .stream = 1000,
            .echo = 170000,
            .idle = 20000,
            .close = 300000,
            .split = 50000,
            .pair = 30000,
            .stream_pieces = 20,
            .stream_pause_ms = 100},
};

static bool set_share(struct plan_mix *mix, char *text)
{
    const struct {
        const char *name;
        uint32_t *share;
    } shares[] = {
        {"wait5", &mix->wait5},
        {"wait100", &mix->wait100},
        {"stream", &mix->stream},
        {"echo", &mix->echo},
        {"idle", &mix->idle},
        {"close", &mix->close},
        {"split", &mix->split},
        {"pair", &mix->pair},
        {"extra", &mix->extra},
        {"stream_pieces", &mix->stream_pieces},
        {"stream_pause_ms", &mix->stream_pause_ms},
    };
    char *value = strchr(text, '=');

    if (value == NULL)
        return false;
    *value++ = '\0';
    for (size_t i = 0; i < COUNT_OF(shares); i++)
        if (strcmp(text, shares[i].name) == 0) {
            *shares[i].share = (uint32_t)strtoul(value, NULL, 10);
            return true;
        }
    return false;
}

static bool take_option(struct options *o, int letter, char *value)
{
    switch (letter) {
    case 'a':
        return addr_parse(value, &o->address) == NULL;
    case 'n':
        o->count = strtoull(value, NULL, 10);
        return true;
    case 'r':
        o->rate = strtod(value, NULL);
        return o->rate > 0;
    case 's':
        o->seed = strtoull(value, NULL, 10);
        return true;
    case 't':
        o->timeout_ms = strtoull(value, NULL, 10);
        return o->timeout_ms > 0;
    case 'k':
        o->kept = strtoul(value, NULL, 10);
        return o->kept > 0;
    case 'i':
        o->idle = strtoul(value, NULL, 10);
        return o->idle > 0;
    case 'o':
        o->table = value;
        return true;
    case 'x':
        o->mix.extra_path = value;
        return true;
    case 'S':
        o->mix.is_loop_free = true;
        return true;
    default:
        return letter == 'm' && set_share(&o->mix, value);
    }
}

bool options_parse(struct options *out, int argc, char **argv)
{
    int letter;

    *out = standard;
    while ((letter = getopt(argc, argv, "a:n:r:s:t:k:i:o:x:m:S")) >= 0)
        if (!take_option(out, letter, optarg))
            return false;
    out->mix.seed = out->seed;
    return optind == argc && out->address.length > 0 &&
           (out->mix.extra == 0 || out->mix.extra_path != NULL);
}
