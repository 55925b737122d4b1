/* SPDX-License-Identifier: MIT */
/*
 * range - which bytes of a file a Range field asks for: RFC 9110 14.
 *
 * Owns:    nothing.
 * Called:  by static.c, for GET alone.
 * Fails:   never: a field that is malformed, or asks for too much at once, is as if it
 *          were absent (14.2).
 *
 * What overlaps, or lies so near that the lines between two parts would be longer than
 * the gap, becomes one range, in the place of the first of them (15.3.7.2).
 */
#include "static.h"

#include <string.h>
#include <strings.h>

/* Moves *at behind the digits. What does not fit is the largest number: as good as any
 * position behind the end of a file. */
static bool read_position(const char **at, uint64_t *out)
{
    const char *p = *at;

    *out = 0;
    for (; *p >= '0' && *p <= '9'; p++)
        if (__builtin_mul_overflow(*out, 10, out) ||
            __builtin_add_overflow(*out, (uint64_t)(*p - '0'), out)) {
            *out = UINT64_MAX;
            p += strspn(p, "0123456789");
            break;
        }
    bool is_there = p != *at;
    *at = p;
    return is_there;
}

/* ---- one of the list: 14.1.1 and 14.1.2 ---- */

static struct span last_bytes(uint64_t count, uint64_t size)
{
    uint64_t n = count < size ? count : size;

    return (struct span){size - n, n};
}

/* A span without bytes lies outside. */
static bool read_spec(const char **at, uint64_t size, struct span *out)
{
    uint64_t first, last = UINT64_MAX;
    bool is_suffix = **at == '-';

    *at += is_suffix;
    if (!read_position(at, &first))
        return false;
    if (is_suffix) {
        *out = last_bytes(first, size);
        return size > 0 || first == 0; /* no Content-Range says "all of nothing" */
    }
    if (*(*at)++ != '-')
        return false;
    if (**at >= '0' && **at <= '9' && (!read_position(at, &last) || last < first))
        return false;
    *out = (struct span){0, 0};
    if (first < size)
        *out = (struct span){first, (last < size ? last + 1 : size) - first};
    return true;
}

/* ---- the set ---- */

static bool is_near(struct span a, struct span b)
{
    uint64_t low = a.first < b.first ? a.first + a.count : b.first + b.count;
    uint64_t high = a.first < b.first ? b.first : a.first;

    return high <= low || high - low <= RANGE_GAP;
}

static struct span both(struct span a, struct span b)
{
    uint64_t first = a.first < b.first ? a.first : b.first;
    uint64_t a_end = a.first + a.count, b_end = b.first + b.count;

    return (struct span){first, (a_end > b_end ? a_end : b_end) - first};
}

static void remove_at(struct range_set *set, size_t i)
{
    set->count--;
    memmove(set->span + i, set->span + i + 1, (set->count - i) * sizeof(set->span[0]));
}

/* Whatever is near one that has grown goes into it, whichever came first keeps its place. */
static bool add(struct range_set *set, struct span new)
{
    size_t place = set->count;

    for (size_t i = 0; i < set->count;) {
        if (!is_near(set->span[i], new)) {
            i++;
            continue;
        }
        new = both(set->span[i], new);
        place = i < place ? i : place;
        remove_at(set, i);
        i = 0;
    }
    if (set->count == RANGES_MOST)
        return false;
    memmove(set->span + place + 1, set->span + place,
            (set->count - place) * sizeof(set->span[0]));
    set->span[place] = new;
    set->count++;
    return true;
}

/* Behind one of the list: *at is at the next, or at the end. */
static bool read_comma(const char **at)
{
    *at += strspn(*at, " \t");
    if (**at != ',' && **at != '\0')
        return false;
    *at += strspn(*at, " \t,"); /* empty ones: 5.6.1.2 */
    return true;
}

enum range_kind range_parse(const char *text, uint64_t size, struct range_set *out)
{
    static const char unit[] = "bytes=";
    size_t specs = 0;

    out->count = 0;
    if (text == NULL || strncasecmp(text, unit, sizeof(unit) - 1) != 0)
        return RANGE_NONE;
    text += sizeof(unit) - 1;
    for (text += strspn(text, " \t,"); *text != '\0'; specs++) {
        struct span span;

        if (specs == RANGE_SPECS_MOST || !read_spec(&text, size, &span) ||
            !read_comma(&text))
            return RANGE_NONE;
        if (span.count > 0 && !add(out, span))
            return RANGE_NONE;
    }
    if (specs == 0)
        return RANGE_NONE;
    return out->count > 0 ? RANGE_SOME : RANGE_OUTSIDE;
}

uint64_t range_sum(const struct range_set *ranges)
{
    uint64_t sum = 0;

    for (size_t i = 0; i < ranges->count; i++)
        sum += ranges->span[i].count; /* they are apart, so it is at most the size */
    return sum;
}
