/* SPDX-License-Identifier: MIT */
/*
 * types - the words of a config file as numbers, and back.   [every process]
 *
 * Owns:    nothing. Pure.
 * Called:  by option.c for our own options, by worker/ for those of plugins.
 * Fails:   with a reason of mistakes.def.
 */
#include "conf/types.h"

#include "common/check.h"
#include "conf/mistakes.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>
#include <strings.h>

struct unit {
    const char *name;
    uint64_t factor;
};

static const struct unit sizes[] = {
    {"", 1}, {"k", 1ull << 10}, {"M", 1ull << 20}, {"G", 1ull << 30}};

static const struct unit durations[] = {
    {"", 1000}, {"ms", 1}, {"s", 1000}, {"m", 60000}, {"h", 3600000}};

/* Digits only, so that strtoull's blanks, signs and 0x stay out. NULL: *rest is what
 * follows them. */
static const char *parse_digits(const char *text, const char **rest, uint64_t *out)
{
    uint64_t n = 0;
    const char *p = text;

    for (; *p >= '0' && *p <= '9'; p++) {
        unsigned digit = (unsigned)(*p - '0');

        if (n > (UINT64_MAX - digit) / 10)
            return mistake_reason(REASON_TOO_LARGE);
        n = n * 10 + digit;
    }
    if (p == text)
        return mistake_reason(REASON_NOT_NUMBER);
    *rest = p;
    *out = n;
    return NULL;
}

const char *types_parse_int(const char *text, int64_t *out)
{
    bool negative = *text == '-';
    const char *rest = text;
    uint64_t n = 0;
    const char *wrong = parse_digits(text + (*text == '-' || *text == '+'), &rest, &n);

    if (wrong != NULL)
        return wrong;
    if (*rest != '\0')
        return mistake_reason(REASON_NOT_NUMBER);
    if (n > INT64_MAX)
        return mistake_reason(REASON_TOO_LARGE);
    *out = negative ? -(int64_t)n : (int64_t)n;
    return NULL;
}

static const char *parse_with_unit(const char *text, const struct unit *units,
                                   size_t count, enum reason what, uint64_t *out)
{
    bool fold = units == sizes; /* 8K is 8k, but 5M is not five minutes */
    const char *rest = text;
    uint64_t n = 0;
    const char *wrong = parse_digits(text, &rest, &n);

    if (wrong != NULL)
        return *text >= '0' && *text <= '9' ? wrong : mistake_reason(what);
    for (size_t i = 0; i < count; i++) {
        if (fold ? strcasecmp(rest, units[i].name) != 0
                 : strcmp(rest, units[i].name) != 0)
            continue;
        if (n > (uint64_t)INT64_MAX / units[i].factor)
            return mistake_reason(REASON_TOO_LARGE);
        *out = n * units[i].factor;
        return NULL;
    }
    return mistake_reason(what);
}

const char *types_parse_size(const char *text, uint64_t *out)
{
    return parse_with_unit(text, sizes, COUNT_OF(sizes), REASON_NOT_SIZE, out);
}

const char *types_parse_duration(const char *text, uint64_t *out_ms)
{
    return parse_with_unit(text, durations, COUNT_OF(durations), REASON_NOT_DURATION,
                           out_ms);
}

const char *types_parse_bool(const char *text, bool *out)
{
    static const char *const words[] = {"off",   "on",   "no", "yes",
                                        "false", "true", "0",  "1"};

    for (size_t i = 0; i < COUNT_OF(words); i++) {
        if (strcasecmp(text, words[i]) == 0) {
            *out = i % 2 == 1;
            return NULL;
        }
    }
    return mistake_reason(REASON_NOT_BOOL);
}

const char *types_parse_mode(const char *text, int *out)
{
    int mode = 0;

    if (*text == '\0' || strlen(text) > 4)
        return mistake_reason(REASON_NOT_MODE);
    for (const char *p = text; *p != '\0'; p++) {
        if (*p < '0' || *p > '7')
            return mistake_reason(REASON_NOT_MODE);
        mode = mode * 8 + (*p - '0');
    }
    *out = mode;
    return NULL;
}

/* The largest unit that divides n; the unit of 0 does not matter, so it has none. */
static void format_with_unit(uint64_t n, const struct unit *units, size_t count,
                             char out[static TYPES_TEXT_MAX])
{
    const struct unit *best = &units[0];

    for (size_t i = 1; i < count && n != 0; i++) {
        if (n % units[i].factor == 0 &&
            (n % best->factor != 0 || units[i].factor >= best->factor))
            best = &units[i];
    }
    (void)snprintf(out, TYPES_TEXT_MAX, "%" PRIu64 "%s", n / best->factor, best->name);
}

void types_format_size(uint64_t bytes, char out[static TYPES_TEXT_MAX])
{
    format_with_unit(bytes, sizes, COUNT_OF(sizes), out);
}

void types_format_duration(uint64_t ms, char out[static TYPES_TEXT_MAX])
{
    format_with_unit(ms, durations, COUNT_OF(durations), out);
}
