/* SPDX-License-Identifier: MIT */
/*
 * request_text - writes a request's head, with the body behind it.       [clients]
 *
 * Called:  by bench.c.
 * Fails:   on what would make another request of it: framing is ours alone.
 */
#include "cli/request_text.h"

#include "common/check.h"

#include <stdio.h>
#include <stdlib.h>

static const char token[] = "!#$%&'*+-.^_`|~0123456789"
                            "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ";
static const char *const framing[] = {"Content-Length", "Transfer-Encoding", "Connection",
                                      "Upgrade", "Expect"};

static bool is_named(const char *field, const char *name)
{
    const size_t n = strlen(name);

    return strncasecmp(field, name, n) == 0 && field[n] == ':';
}

static const char *check_field(const char *field)
{
    const size_t n = strspn(field, token);

    if (n == 0 || field[n] != ':')
        return "a header is 'Name: value'";
    for (const char *p = field + n; *p != '\0'; p++)
        if (((unsigned char)*p < ' ' && *p != '\t') || *p == 0x7f)
            return "a header may not hold control characters";
    for (size_t i = 0; i < COUNT_OF(framing); i++)
        if (is_named(field, framing[i]))
            return "this header is set by --close, --body and --body-size";
    return NULL;
}

static const char *check(const struct request_parts *parts)
{
    if (parts->method != NULL &&
        (parts->method[0] == '\0' || parts->method[strspn(parts->method, token)] != '\0'))
        return "a method is one word";
    if (parts->method != NULL && strcmp(parts->method, "CONNECT") == 0)
        return "CONNECT makes a tunnel, not a request";
    for (size_t i = 0; i < parts->field_count; i++) {
        const char *why = check_field(parts->field[i]);

        if (why != NULL)
            return why;
    }
    return NULL;
}

static bool is_given(const struct request_parts *parts, const char *name)
{
    for (size_t i = 0; i < parts->field_count; i++)
        if (is_named(parts->field[i], name))
            return true;
    return false;
}

static void write_parts(FILE *out, const struct request_parts *parts)
{
    const char *method = parts->method;

    if (method == NULL)
        method = parts->has_body ? "POST" : "GET";
    fprintf(out, "%s %.*s HTTP/1.1\r\n", method, (int)parts->target.n, parts->target.p);
    if (!is_given(parts, "Host"))
        fprintf(out, "Host: %.*s\r\n", (int)parts->host.n, parts->host.p);
    if (!is_given(parts, "User-Agent"))
        fputs("User-Agent: remuda-bench\r\n", out);
    for (size_t i = 0; i < parts->field_count; i++)
        fprintf(out, "%s\r\n", parts->field[i]);
    if (parts->has_body)
        fprintf(out, "Content-Length: %zu\r\n", parts->body.n);
    fputs(parts->is_last ? "Connection: close\r\n\r\n" : "\r\n", out);
    if (parts->body.n > 0)
        fwrite(parts->body.p, 1, parts->body.n, out);
}

const char *request_text_build(const struct request_parts *parts, char **out,
                               size_t *size_out)
{
    const char *why = check(parts);
    FILE *text;

    *out = NULL;
    if (why != NULL)
        return why;
    text = open_memstream(out, size_out);
    if (text == NULL)
        return "out of memory";
    write_parts(text, parts);
    return fclose(text) == 0 ? NULL : "out of memory";
}
