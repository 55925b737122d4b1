/* SPDX-License-Identifier: MIT */
/*
 * forwarded - elements from the right, nodes as addresses.
 *
 * Owns:    nothing.
 * Called:  by worker/identity.c, for requests of trusted proxies alone.
 * Fails:   never; what cannot be read is as if nobody had said it.
 */
#include "http/forwarded.h"

#include "common/addr.h"
#include "http/chars.h"

#include <arpa/inet.h>
#include <netinet/in.h>
#include <string.h>

static struct slice trim(struct slice text)
{
    while (text.n > 0 && http_char_is_blank(text.p[0]))
        text = (struct slice){text.p + 1, text.n - 1};
    while (text.n > 0 && http_char_is_blank(text.p[text.n - 1]))
        text.n--;
    return text;
}

/* How far to the next `end` that stands in no quoted string; n: there is none. */
static size_t find(struct slice text, char end)
{
    bool is_quoted = false;
    size_t i = 0;

    for (; i < text.n && (is_quoted || text.p[i] != end); i++)
        is_quoted ^= text.p[i] == '"';
    return i;
}

/* The part before the next ';', trimmed; the rest stays. False when nothing is left. */
static bool take_parameter(struct slice *rest, struct slice *out)
{
    if (rest->p == NULL)
        return false;
    size_t n = find(*rest, ';');
    *out = trim((struct slice){rest->p, n});
    *rest = n < rest->n ? (struct slice){rest->p + n + 1, rest->n - n - 1}
                        : (struct slice){NULL, 0};
    return true;
}

/* From the right: a quote that somebody has left open further left, to hide who is behind it,
 * reaches no further than their own elements. */
static bool take_last(struct slice *rest, bool has_quotes, struct slice *out)
{
    bool is_quoted = false;
    size_t i;

    if (rest->p == NULL)
        return false;
    for (i = rest->n; i > 0 && (is_quoted || rest->p[i - 1] != ','); i--)
        is_quoted ^= has_quotes && rest->p[i - 1] == '"';
    *out = trim((struct slice){rest->p + i, rest->n - i});
    *rest = i > 0 ? (struct slice){rest->p, i - 1} : (struct slice){NULL, 0};
    return true;
}

/* ---- nodes: RFC 7239 6 ---- */

/* ":4711" or nothing. An obfuscated port says nothing, and does no harm. */
static bool is_port(struct slice text)
{
    if (text.n == 0)
        return true;
    return text.p[0] == ':' && text.n > 1 && text.n <= 32 &&
           http_chars_are((struct slice){text.p + 1, text.n - 1}, HTTP_CHAR_TOKEN);
}

static bool format_v4(struct slice node, char out[static FORWARDED_HOST_BYTES])
{
    const char *colon = memchr(node.p, ':', node.n);
    size_t n = colon != NULL ? (size_t)(colon - node.p) : node.n;
    struct sockaddr_in in = {.sin_family = AF_INET};
    char text[INET_ADDRSTRLEN];

    if (n >= sizeof text || !is_port((struct slice){node.p + n, node.n - n}))
        return false;
    memcpy(text, node.p, n);
    text[n] = '\0';
    if (strlen(text) != n || inet_pton(AF_INET, text, &in.sin_addr) != 1)
        return false;
    addr_format_host((const struct sockaddr *)&in, sizeof in, out, FORWARDED_HOST_BYTES);
    return true;
}

/* With brackets, and perhaps a port; X-Forwarded-For has it without. */
static bool format_v6(struct slice node, char out[static FORWARDED_HOST_BYTES])
{
    struct sockaddr_in6 in = {.sin6_family = AF_INET6};
    struct slice port = {NULL, 0};
    char text[INET6_ADDRSTRLEN];

    if (node.p[0] == '[') {
        const char *end = memchr(node.p, ']', node.n);
        if (end == NULL)
            return false;
        port = (struct slice){end + 1, node.n - (size_t)(end - node.p) - 1};
        node = (struct slice){node.p + 1, (size_t)(end - node.p) - 1};
    }
    if (node.n >= sizeof text || !is_port(port))
        return false;
    memcpy(text, node.p, node.n);
    text[node.n] = '\0';
    if (strlen(text) != node.n || inet_pton(AF_INET6, text, &in.sin6_addr) != 1)
        return false;
    addr_format_host((const struct sockaddr *)&in, sizeof in, out, FORWARDED_HOST_BYTES);
    return true;
}

static bool format_node(struct slice node, char out[static FORWARDED_HOST_BYTES])
{
    return node.n > 0 && (format_v4(node, out) || format_v6(node, out));
}

/* ---- elements ---- */

/* A token, or a quoted string without escapes: no address and no host has one. */
static bool read_value(struct slice text, struct slice *out)
{
    if (text.n > 0 && text.p[0] == '"') {
        *out = (struct slice){text.p + 1, text.n >= 2 ? text.n - 2 : 0};
        return text.n >= 2 && text.p[text.n - 1] == '"' &&
               memchr(out->p, '"', out->n) == NULL &&
               memchr(out->p, '\\', out->n) == NULL;
    }
    *out = text;
    return text.n > 0 && http_chars_are(text, HTTP_CHAR_TOKEN);
}

struct element {
    struct slice node, proto, host;
};

/* Each parameter at most once: two of one name are two opinions. */
static bool read_parameter(struct slice text, struct element *out)
{
    size_t at = find(text, '=');
    struct slice name = {text.p, at}, value, *to = NULL;

    if (at == text.n ||
        !read_value((struct slice){text.p + at + 1, text.n - at - 1}, &value))
        return false;
    if (slice_is_nocase(name, SLICE_LIT("for")))
        to = &out->node;
    else if (slice_is_nocase(name, SLICE_LIT("proto")))
        to = &out->proto;
    else if (slice_is_nocase(name, SLICE_LIT("host")))
        to = &out->host;
    if (to == NULL)
        return true;
    if (to->p != NULL)
        return false;
    *to = value;
    return true;
}

static bool read_element(struct slice text, enum forwarded_form form, struct element *out)
{
    struct slice parameter;

    *out = (struct element){.node = form == FORWARDED_X ? text : (struct slice){NULL, 0}};
    if (form == FORWARDED_X)
        return true;
    while (take_parameter(&text, &parameter)) {
        if (!read_parameter(parameter, out))
            return false;
    }
    return true;
}

void forwarded_read(struct slice list, enum forwarded_form form,
                    forwarded_trust_fn *is_trusted, const void *arg,
                    struct forwarded *out)
{
    struct slice text;
    struct element element;

    *out = (struct forwarded){.client = ""};
    for (int hops = 0; hops < FORWARDED_HOPS_MOST; hops++) {
        char host[FORWARDED_HOST_BYTES];
        if (!take_last(&list, form == FORWARDED_RFC7239, &text) ||
            !read_element(text, form, &element) || !format_node(element.node, host))
            return;
        memcpy(out->client, host, sizeof host);
        out->proto = element.proto;
        out->host = element.host;
        if (!is_trusted(arg, host))
            return;
    }
}

struct slice forwarded_last(struct slice list)
{
    struct slice last = {NULL, 0};

    (void)take_last(&list, false, &last);
    return last;
}
