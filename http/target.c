/* SPDX-License-Identifier: MIT */
/*
 * target - the request target: its form, its path made canonical, its query.
 *
 * Called:  http_target_split by guard.c; the rest by the worker, per request or
 *          question. Why: what a handler takes for a path must mean the same to the
 *          proxy in front: one pass of decoding, no second, and no ".." that appears
 *          only afterwards.
 * Fails:   false or -1; no allocation, no state.
 */
#include "http/target.h"

#include "common/check.h"
#include "http/chars.h"

#include <arpa/inet.h>

/** The byte of the escape at the start of the text, or -1. */
static int escaped_byte(struct slice text)
{
    int high = text.n < 3 ? -1 : http_hex_value(text.p[1]);
    int low = high < 0 ? -1 : http_hex_value(text.p[2]);

    return low < 0 ? -1 : high * 16 + low;
}

/* ---- the form ---- */

static bool port_is_valid(struct slice port)
{
    if (port.n > 5)
        return false;
    for (size_t i = 0; i < port.n; i++)
        if (port.p[i] < '0' || port.p[i] > '9')
            return false;
    return true;
}

/** "[::1]" and perhaps a port. No zone, no IPvFuture: nobody serves under those names. */
static bool literal_is_valid(struct slice host)
{
    const char *end = memchr(host.p, ']', host.n);
    char text[INET6_ADDRSTRLEN] = "";
    struct in6_addr address;

    if (end == NULL || end - host.p > (long)sizeof(text))
        return false;
    memcpy(text, host.p + 1, (size_t)(end - host.p) - 1);
    if (strlen(text) != (size_t)(end - host.p) - 1 ||
        inet_pton(AF_INET6, text, &address) != 1)
        return false;
    struct slice rest = {end + 1, host.n - (size_t)(end + 1 - host.p)};
    return rest.n == 0 ||
           (rest.p[0] == ':' && port_is_valid((struct slice){rest.p + 1, rest.n - 1}));
}

static bool escapes_are_valid(struct slice text)
{
    for (size_t i = 0; i < text.n; i++)
        if (text.p[i] == '%' && escaped_byte((struct slice){text.p + i, text.n - i}) < 0)
            return false;
    return true;
}

bool http_target_host_is_valid(struct slice host)
{
    if (host.n == 0)
        return false; /* grammatical, but RFC 9110 4.2.1 refuses the URI it makes */
    if (host.p[0] == '[')
        return literal_is_valid(host);
    size_t n = 0;
    bool escaped = false;
    while (n < host.n && http_char_is(host.p[n], HTTP_CHAR_HOST))
        n++;
    while (n < host.n && (host.p[n] == '%' || http_char_is(host.p[n], HTTP_CHAR_HOST))) {
        escaped |= host.p[n] == '%';
        n++;
    }
    if (n == 0 || (escaped && !escapes_are_valid((struct slice){host.p, n})))
        return false;
    return n == host.n || (host.p[n] == ':' &&
                           port_is_valid((struct slice){host.p + n + 1, host.n - n - 1}));
}

/** Path and query: everything behind an authority. */
static bool split_path(struct slice text, struct http_target *out)
{
    size_t n = 0;

    while (n < text.n && http_char_is(text.p[n], HTTP_CHAR_PATH))
        n++;
    out->path = (struct slice){text.p, n};
    out->has_query = n < text.n;
    if (!out->has_query)
        return true;
    if (text.p[n] != '?')
        return false;
    out->query = (struct slice){text.p + n + 1, text.n - n - 1};
    return http_chars_are(out->query, HTTP_CHAR_QUERY);
}

static bool split_absolute(struct slice target, struct http_target *out)
{
    static const struct slice SCHEMES[] = {SLICE_LIT("http://"), SLICE_LIT("https://")};

    for (size_t i = 0; i < COUNT_OF(SCHEMES); i++) {
        size_t at = SCHEMES[i].n, end = at;
        if (target.n < at || !slice_is_nocase((struct slice){target.p, at}, SCHEMES[i]))
            continue;
        while (end < target.n && target.p[end] != '/' && target.p[end] != '?')
            end++;
        out->authority = (struct slice){target.p + at, end - at};
        return http_target_host_is_valid(out->authority) &&
               split_path((struct slice){target.p + end, target.n - end}, out);
    }
    return false;
}

bool http_target_split(struct slice target, enum http_method method,
                       struct http_target *out)
{
    *out = (struct http_target){.path = target};
    if (target.n == 0)
        return false;
    if (target.p[0] == '/')
        return split_path(target, out);
    if (target.p[0] == '*')
        return target.n == 1 && method == HTTP_METHOD_OPTIONS;
    return split_absolute(target, out);
}

/* ---- the path ---- */

bool http_target_is_plain(struct slice path)
{
    char last = 'x';

    for (size_t i = 0; i < path.n; i++) {
        char c = path.p[i];
        if (c == '%' || (last == '/' && (c == '/' || c == '.')))
            return false;
        last = c;
    }
    return path.n > 0;
}

/** One segment behind `at`, decoded but for %2F and %25. NULL: refused. */
static char *decode_segment(struct slice in, char *at, bool *has_slash_out)
{
    for (size_t i = 0; i < in.n; i++) {
        bool escaped = in.p[i] == '%';
        int byte = escaped ? escaped_byte((struct slice){in.p + i, in.n - i})
                           : (unsigned char)in.p[i];
        if (byte < 0x20 || byte == 0x7f)
            return NULL;
        i += escaped ? 2 : 0;
        if (byte == '/' || byte == '%') {
            memcpy(at, byte == '/' ? "%2F" : "%25", 3);
            at += 3;
            *has_slash_out |= byte == '/';
        } else {
            *at++ = (char)byte;
        }
    }
    return at;
}

/** 1 for ".", 2 for "..", else 0. */
static size_t dots_of(const char *p, size_t n)
{
    if (n == 1 && p[0] == '.')
        return 1;
    return n == 2 && p[0] == '.' && p[1] == '.' ? 2 : 0;
}

/** Would the segment hold a dot segment once its %2F are slashes? */
static bool hides_dots(const char *p, const char *end)
{
    for (;;) {
        const char *slash = memmem(p, (size_t)(end - p), "%2F", 3);
        if (dots_of(p, (size_t)((slash != NULL ? slash : end) - p)) > 0)
            return true;
        if (slash == NULL)
            return false;
        p = slash + 3;
    }
}

/** Appends '/' and the segment to the path that ends at `at`, or takes one away for
 *  "..". NULL: refused. *dots_out tells whether it was a dot segment. */
static char *append_segment(struct slice in, char *out, char *at, bool *dots_out)
{
    bool has_slash = false;
    char *first = at + 1;
    char *end = decode_segment(in, first, &has_slash);

    if (end == NULL || (has_slash && hides_dots(first, end)))
        return NULL;
    size_t dots = dots_of(first, (size_t)(end - first));
    *dots_out = dots > 0;
    *at = '/';
    if (dots == 0)
        return end;
    if (dots == 1)
        return at;
    return at == out ? NULL : memrchr(out, '/', (size_t)(at - out));
}

bool http_target_decode(struct slice path, char *out, size_t room, size_t *n_out)
{
    char *at = out;
    bool open = false; /* the result ends with a slash */

    CHECK(room >= 2 && room > path.n);
    if (path.n == 0)
        path = SLICE_LIT("/");
    if (path.n == 1 && path.p[0] == '*') {
        memcpy(out, "*", 2);
        *n_out = 1;
        return true;
    }
    if (path.p[0] != '/')
        return false;
    const char *in = path.p, *end = path.p + path.n;
    while (in < end) {
        if (*in == '/') { /* one, or several */
            open = true;
            in++;
            continue;
        }
        const char *slash = memchr(in, '/', (size_t)(end - in));
        const char *stop = slash != NULL ? slash : end;
        at = append_segment((struct slice){in, (size_t)(stop - in)}, out, at, &open);
        if (at == NULL)
            return false;
        in = stop;
    }
    if (open)
        *at++ = '/';
    *at = '\0';
    *n_out = (size_t)(at - out);
    return true;
}

size_t http_target_unescape(struct slice text, char *out)
{
    char *at = out;

    for (size_t i = 0; i < text.n; i++) {
        if (text.p[i] == '%' && text.n - i >= 3) {
            *at++ = text.p[i + 1] == '2' && text.p[i + 2] == 'F' ? '/' : '%';
            i += 2;
        } else {
            *at++ = text.p[i];
        }
    }
    *at = '\0';
    return (size_t)(at - out);
}

/* ---- the query ---- */

/** The next byte of a form-encoded text, which it shortens. */
static char next_decoded(struct slice *text)
{
    char c = text->p[0];
    size_t used = 1;

    if (c == '+')
        c = ' ';
    int byte = c == '%' ? escaped_byte(*text) : -1;
    if (byte >= 0) {
        c = (char)byte;
        used = 3;
    }
    text->p += used;
    text->n -= used;
    return c;
}

static bool decodes_to(struct slice text, struct slice want)
{
    size_t i = 0;

    while (text.n > 0)
        if (i == want.n || next_decoded(&text) != want.p[i++])
            return false;
    return i == want.n;
}

static long decode_value(struct slice text, char *out, size_t room)
{
    size_t n = 0;

    for (; text.n > 0; n++) {
        char c = next_decoded(&text);
        if (n < room)
            out[n] = c;
    }
    if (room > 0)
        out[n < room ? n : room - 1] = '\0';
    return (long)n;
}

long http_query_find(struct slice query, struct slice name, char *out, size_t room)
{
    if (query.n == 0) /* its pointer may be NULL */
        return -1;
    const char *at = query.p, *end = query.p + query.n;
    for (bool more = true; more;) {
        const char *amp = memchr(at, '&', (size_t)(end - at));
        const char *stop = amp != NULL ? amp : end;
        const char *equals = memchr(at, '=', (size_t)(stop - at));
        struct slice key = {at, (size_t)((equals != NULL ? equals : stop) - at)};
        if (stop > at && decodes_to(key, name)) {
            const char *value = equals != NULL ? equals + 1 : stop;
            return decode_value((struct slice){value, (size_t)(stop - value)}, out, room);
        }
        more = amp != NULL;
        at = stop + more;
    }
    return -1;
}
