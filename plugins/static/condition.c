/* SPDX-License-Identifier: MIT */
/*
 * condition - is what the client has, or expects, still the file? RFC 9110 13.
 *
 * Owns:    nothing.
 * Called:  by static.c, once the file is open.
 * Fails:   never. A tag list that is malformed names what stands before the mistake; a
 *          date that is none is as if the field were absent (13.1.3, 13.1.4).
 */
#include "static.h"

#include <string.h>

/* ---- entity tags: 8.8.3 ---- */

struct tag {
    const char *opaque; /* with its quotes */
    size_t n;
    bool is_weak;
};

/* Moves *at behind the tag. */
static bool read_tag(const char **at, struct tag *out)
{
    const char *p = *at;

    out->is_weak = p[0] == 'W' && p[1] == '/';
    if (out->is_weak)
        p += 2;
    out->opaque = p;
    if (*p != '"')
        return false;
    for (p++; *p != '"'; p++)
        if ((unsigned char)*p < 0x21 || *p == 0x7f)
            return false;
    *at = p + 1;
    out->n = (size_t)(*at - out->opaque);
    return true;
}

static bool is_same(const struct tag *tag, const char *etag)
{
    return tag->n == strlen(etag) && memcmp(tag->opaque, etag, tag->n) == 0;
}

/* `weakly`: W/"x" is "x", 8.8.3.2. Commas are part of a tag within its quotes. */
static bool list_has(const char *list, const char *etag, bool weakly)
{
    struct tag tag;

    if (strcmp(list, "*") == 0)
        return true;
    for (const char *at = list + strspn(list, " \t,"); *at != '\0';
         at += strspn(at, " \t,")) {
        if (!read_tag(&at, &tag))
            return false;
        at += strspn(at, " \t");
        if (*at != ',' && *at != '\0')
            return false;
        if ((weakly || !tag.is_weak) && is_same(&tag, etag))
            return true;
    }
    return false;
}

/* ---- dates ---- */

/* Is the file newer than that? `otherwise`: where there is no such date. */
static bool is_newer(const struct validators *v, const char *than, bool otherwise)
{
    int64_t date_s;

    if (than == NULL || !date_parse(than, v->now_s, &date_s))
        return otherwise;
    return v->modified_s > date_s;
}

/* ---- the order of 13.2.2 ---- */

int condition_check(const struct conditions *c, const struct validators *v)
{
    if (c->match != NULL) {
        if (!list_has(c->match, v->etag, false))
            return 412;
    } else if (is_newer(v, c->unmodified_since, false)) {
        return 412;
    }
    if (c->none_match != NULL)
        return list_has(c->none_match, v->etag, true) ? 304 : 0;
    return is_newer(v, c->modified_since, true) ? 0 : 304;
}

bool condition_holds_range(const struct conditions *c, const struct validators *v)
{
    struct tag tag;
    int64_t date_s;
    const char *at = c->range;

    if (at == NULL)
        return true;
    if (at[0] == '"' || (at[0] == 'W' && at[1] == '/'))
        return read_tag(&at, &tag) && *at == '\0' && !tag.is_weak &&
               is_same(&tag, v->etag);
    return v->is_date_strong && date_parse(at, v->now_s, &date_s) &&
           date_s == v->modified_s;
}
