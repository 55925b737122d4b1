/* SPDX-License-Identifier: MIT */
/*
 * sse - one server-sent event as text (HTML, 9.2.5).             [http]
 *
 * Owns:    nothing; bytes in, bytes out.
 * Called:  by worker/api_response.c.
 * Fails:   never; the caller has asked for the size.
 */
#include "http/sse.h"

#include <string.h>

#define FIELD_NAME "event: "
#define FIELD_DATA "data: "

static bool ends_line(char byte)
{
    return byte == '\r' || byte == '\n';
}

bool http_sse_name_is_valid(struct slice name)
{
    for (size_t i = 0; i < name.n; i++)
        if (ends_line(name.p[i]))
            return false;
    return true;
}

/* The next line of the data, which loses it and what ends it: CR, LF or both. False: there is
 * none behind the one that nothing ended. */
static bool next_line(struct slice *left, bool *is_last, struct slice *line_out)
{
    size_t n = 0;
    if (*is_last)
        return false;
    while (n < left->n && !ends_line(left->p[n]))
        n++;
    *line_out = (struct slice){left->p, n};
    *is_last = n == left->n;
    if (*is_last)
        return true;
    n += n + 1 < left->n && left->p[n] == '\r' && left->p[n + 1] == '\n' ? 2 : 1;
    *left = (struct slice){left->p + n, left->n - n};
    return true;
}

size_t http_sse_size(struct slice name, struct slice data)
{
    size_t n = name.n > 0 ? sizeof FIELD_NAME + name.n : 0;
    struct slice line;
    bool is_last = false;
    while (next_line(&data, &is_last, &line))
        n += sizeof FIELD_DATA + line.n; /* its LF has the place of the NUL */
    return n + 1;
}

static char *put_field(char *at, struct slice name, struct slice value)
{
    at = (char *)mempcpy(at, name.p, name.n);
    if (value.n > 0)
        at = (char *)mempcpy(at, value.p, value.n);
    *at = '\n';
    return at + 1;
}

char *http_sse_put(char *at, struct slice name, struct slice data)
{
    struct slice line;
    bool is_last = false;
    if (name.n > 0)
        at = put_field(at, SLICE_LIT(FIELD_NAME), name);
    while (next_line(&data, &is_last, &line))
        at = put_field(at, SLICE_LIT(FIELD_DATA), line);
    *at = '\n';
    return at + 1;
}
