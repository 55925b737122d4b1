/* SPDX-License-Identifier: MIT */
/*
 * fuzz_static - the fields that the static plugin reads: Range, dates, tags, codings.
 *
 * The input is a size, 8 bytes, and a value, which is read as each of them.
 */
#include "tests/fuzz/must.h"

#include "plugins/static/static.h"

#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { EXTRA = 16 };

static const int64_t NOW_S = 1795996800; /* 2026-11-30 */

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

/* ---- Range ---- */

static void check_set(const struct range_set *set, uint64_t size)
{
    must(set->count >= 1 && set->count <= RANGES_MOST, "the number of ranges");
    for (size_t i = 0; i < set->count; i++) {
        const struct span *a = &set->span[i];

        must(a->count > 0 && a->first < size && a->count <= size - a->first,
             "a range within the file");
        for (size_t k = 0; k < i; k++) {
            const struct span *b = &set->span[k];

            must(a->first > b->first ? a->first - b->first > b->count + RANGE_GAP
                                     : b->first - a->first > a->count + RANGE_GAP,
                 "ranges that are apart");
        }
    }
    must(range_sum(set) <= size, "no more bytes than there are");
}

/* Another spelling of the unit and an empty element change nothing. */
static void check_spelling(const char *text, size_t n, uint64_t size,
                           const struct range_set *set)
{
    char *other = malloc(n + EXTRA);
    struct range_set again;

    must(other != NULL, "memory");
    snprintf(other, n + EXTRA, "BYTES=, ,%s", text + strlen("bytes="));
    must(range_parse(other, size, &again) == RANGE_SOME && again.count == set->count &&
             memcmp(again.span, set->span, set->count * sizeof(set->span[0])) == 0,
         "the same ranges in another spelling");
    free(other);
}

static void check_range(const char *text, size_t n, uint64_t size)
{
    struct range_set set;
    enum range_kind kind = range_parse(text, size, &set);

    if (kind == RANGE_OUTSIDE)
        must(set.count == 0, "no range outside");
    if (kind != RANGE_SOME)
        return;
    check_set(&set, size);
    check_spelling(text, n, size, &set);
}

/* ---- dates ---- */

static void check_date(const char *text)
{
    int64_t at_s, again_s;
    char formatted[DATE_BYTES];

    if (!date_parse(text, NOW_S, &at_s))
        return;
    if (at_s > INT64_C(253402300799)) /* the leap second that ends the year 9999 */
        return;
    date_format(at_s, formatted);
    must(strlen(formatted) == DATE_BYTES - 1, "the length of a date");
    must(date_parse(formatted, NOW_S, &again_s) && again_s == at_s, "a date, read again");
}

/* ---- tags and conditions ---- */

static void check_conditions(const char *text)
{
    const struct validators file = {.etag = "\"a,b\"",
                                    .modified_s = 784111777,
                                    .now_s = NOW_S,
                                    .is_date_strong = true};
    struct conditions match = {.match = text}, none = {.none_match = text};
    struct conditions since = {.modified_since = text},
                      until = {.unmodified_since = text};
    struct conditions range = {.range = text};
    int64_t at_s;
    bool is_date = date_parse(text, NOW_S, &at_s);

    must(condition_check(&match, &file) == 412 || condition_check(&none, &file) == 304,
         "what is the same strongly is the same weakly");
    if (strstr(text, file.etag) == NULL && strcmp(text, "*") != 0)
        must(condition_check(&match, &file) == 412 && condition_check(&none, &file) == 0,
             "a tag that is not there");
    must((condition_check(&since, &file) == 304) == (is_date && at_s >= 784111777),
         "If-Modified-Since");
    must((condition_check(&until, &file) == 412) == (is_date && at_s < 784111777),
         "If-Unmodified-Since");
    must(condition_holds_range(&range, &file) ==
             (strcmp(text, file.etag) == 0 || (is_date && at_s == 784111777)),
         "If-Range");
}

static void check_codings(const char *text)
{
    const struct coding *chosen[CODINGS];
    size_t count = coding_choose(text, chosen);

    must(count <= CODINGS, "the number of codings");
    for (size_t i = 0; i < count; i++)
        for (size_t k = 0; k < i; k++)
            must(chosen[i] != chosen[k], "a coding once");
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    uint64_t of;
    char *text;

    if (size < sizeof(of))
        return 0;
    memcpy(&of, data, sizeof(of));
    size -= sizeof(of);
    text = malloc(size + 1);
    must(text != NULL, "memory");
    memcpy(text, data + sizeof(of), size);
    text[size] = '\0';
    size = strlen(text);
    check_range(text, size, of);
    check_date(text);
    check_conditions(text);
    check_codings(text);
    (void)type_of(text);
    free(text);
    return 0;
}
