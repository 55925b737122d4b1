/* SPDX-License-Identifier: MIT */
/*
 * coding - which compressed siblings a client would rather have: RFC 9110 12.5.3.
 *
 * Owns:    the codings we know, the best first.
 * Called:  by static.c.
 * Fails:   never: a field that is malformed is as if it were absent, and the file is sent as
 *          it is. So it is where the client excludes that too and there is no sibling.
 */
#include "static.h"

#include <string.h>
#include <strings.h>

const struct coding codings[CODINGS] = {
    {"br", "br", ".br"},
    {"gzip", "x-gzip", ".gz"},
};

enum { OF_IDENTITY = CODINGS, OF_STAR, WEIGHTS, UNLISTED = -1 };

/* 0 to 1, as thousandths. Moves *at behind it. */
static bool read_weight(const char **at, int *out)
{
    const char *p = *at;
    int scale = 100;

    if (*p != '0' && *p != '1')
        return false;
    *out = (*p++ - '0') * 1000;
    if (*p == '.')
        for (p++; *p >= '0' && *p <= '9' && scale > 0; p++, scale /= 10)
            *out += (*p - '0') * scale;
    *at = p;
    return *out <= 1000;
}

/* Behind a name: nothing, or ;q=0.5 with blanks around the semicolon. */
static bool read_parameter(const char **at, int *weight_out)
{
    *weight_out = 1000;
    *at += strspn(*at, " \t");
    if (**at != ';')
        return true;
    ++*at;
    *at += strspn(*at, " \t");
    if (strncasecmp(*at, "q=", 2) != 0)
        return false;
    *at += 2;
    return read_weight(at, weight_out);
}

static bool is_name(const char *at, size_t n, const char *name)
{
    return n == strlen(name) && strncasecmp(at, name, n) == 0;
}

/* Its place among the weights; WEIGHTS: one that we do not know. */
static int place_of(const char *at, size_t n)
{
    for (int i = 0; i < CODINGS; i++)
        if (is_name(at, n, codings[i].name) || is_name(at, n, codings[i].alias))
            return i;
    if (is_name(at, n, "identity"))
        return OF_IDENTITY;
    return is_name(at, n, "*") ? OF_STAR : WEIGHTS;
}

static bool read_list(const char *at, int weight[static WEIGHTS + 1])
{
    for (at += strspn(at, " \t,"); *at != '\0'; at += strspn(at, " \t,")) {
        size_t n = strcspn(at, " \t,;\"=()/<>@:\\?[]{}");
        int place = place_of(at, n);

        at += n;
        if (n == 0 || !read_parameter(&at, &weight[place]))
            return false;
        at += strspn(at, " \t");
        if (*at != ',' && *at != '\0')
            return false;
    }
    return true;
}

/* What is not listed weighs what "*" does, else nothing; then identity is the last resort. */
static void fill_in(int weight[static WEIGHTS + 1])
{
    int unlisted = weight[OF_STAR] == UNLISTED ? 0 : weight[OF_STAR];

    for (int i = 0; i <= OF_IDENTITY; i++)
        if (weight[i] == UNLISTED)
            weight[i] = unlisted;
}

size_t coding_choose(const char *accept, const struct coding *out[static CODINGS])
{
    int weight[WEIGHTS + 1];
    size_t count = 0;

    for (int i = 0; i <= WEIGHTS; i++)
        weight[i] = UNLISTED;
    if (accept == NULL || !read_list(accept, weight))
        return 0;
    fill_in(weight);
    for (int i = 0; i < CODINGS; i++) {
        size_t place = count;

        if (weight[i] == 0 || weight[i] < weight[OF_IDENTITY])
            continue;
        while (place > 0 && weight[out[place - 1] - codings] < weight[i]) {
            out[place] = out[place - 1];
            place--;
        }
        out[place] = &codings[i];
        count++;
    }
    return count;
}
