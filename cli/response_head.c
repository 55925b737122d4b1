/* SPDX-License-Identifier: MIT */
/*
 * response_head - status line, fields, chunk sizes: RFC 9112 to the letter.    [clients]
 *
 * Called:  by client_http.c.
 * Fails:   with what is wrong; a number that does not fit is wrong too.
 */
#include "cli/response_head.h"

#include "common/check.h"

static bool is_digit(char c)
{
    return c >= '0' && c <= '9';
}

/* RFC 9110 section 5.6.2 */
static bool is_token(char c)
{
    return is_digit(c) || (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') ||
           (c != '\0' && strchr("!#$%&'*+-.^_`|~", c) != NULL);
}

static bool is_text(struct slice s)
{
    for (size_t i = 0; i < s.n; i++)
        if (((unsigned char)s.p[i] < ' ' && s.p[i] != '\t') || s.p[i] == 0x7f)
            return false;
    return true;
}

static struct slice trim(struct slice s)
{
    while (s.n > 0 && (s.p[0] == ' ' || s.p[0] == '\t'))
        s = (struct slice){s.p + 1, s.n - 1};
    while (s.n > 0 && (s.p[s.n - 1] == ' ' || s.p[s.n - 1] == '\t'))
        s.n--;
    return s;
}

const char *response_head_status(const struct response_line *line, struct client_http *c)
{
    const char *p = line->text.p;

    if (line->text.n < sizeof("HTTP/1.1 200") - 1 || memcmp(p, "HTTP/1.", 7) != 0 ||
        (p[7] != '0' && p[7] != '1') || p[8] != ' ')
        return "no HTTP/1.x status line";
    if (!is_digit(p[9]) || !is_digit(p[10]) || !is_digit(p[11]) || p[9] < '1' ||
        p[9] > '5' || (line->text.n > 12 && p[12] != ' ') || !is_text(line->text))
        return "no status code of three digits";
    c->status = (unsigned)((p[9] - '0') * 100 + (p[10] - '0') * 10 + (p[11] - '0'));
    if (c->status == 101)
        return "101 without an Upgrade";
    c->is_http10 = p[7] == '0';
    c->has_length = c->is_chunked = c->says_close = c->says_keep_alive = false;
    c->left = 0;
    return NULL;
}

/* Repeated it must say the same; a list ("5, 5") is refused: it was two fields once. */
static const char *take_length(struct slice value, struct client_http *c)
{
    uint64_t n = 0;

    if (value.n == 0)
        return "an empty Content-Length";
    for (size_t i = 0; i < value.n; i++) {
        if (!is_digit(value.p[i]))
            return "a Content-Length that is no number";
        if (n > (UINT64_MAX - 9) / 10)
            return "a Content-Length that does not fit";
        n = n * 10 + (uint64_t)(value.p[i] - '0');
    }
    if (c->has_length && c->left != n)
        return "two Content-Lengths that differ";
    c->has_length = true;
    c->left = n;
    return NULL;
}

static const char *take_encoding(struct slice value, struct client_http *c)
{
    if (!slice_is_nocase(value, SLICE_LIT("chunked")) || c->is_chunked || c->is_http10)
        return "a Transfer-Encoding that is not just chunked";
    c->is_chunked = true;
    return NULL;
}

static const char *take_connection(struct slice value, struct client_http *c)
{
    while (value.n > 0) {
        const char *comma = memchr(value.p, ',', value.n);
        const size_t n = comma == NULL ? value.n : (size_t)(comma - value.p);
        const struct slice word = trim((struct slice){value.p, n});

        c->says_close |= slice_is_nocase(word, SLICE_LIT("close"));
        c->says_keep_alive |= slice_is_nocase(word, SLICE_LIT("keep-alive"));
        value.p += n + (comma != NULL);
        value.n -= n + (comma != NULL);
    }
    return NULL;
}

static const char *take_retry_after(struct slice value, struct client_http *c)
{
    c->has_retry_after = value.n > 0;
    return NULL;
}

typedef const char *take_fn(struct slice value, struct client_http *c);

static const struct {
    const char *name;
    take_fn *take;
} fields[] = {
    {"Content-Length", take_length},
    {"Transfer-Encoding", take_encoding},
    {"Connection", take_connection},
    {"Retry-After", take_retry_after},
};

/* The name, or an empty slice when the line is no field. */
static struct slice name_of(const struct response_line *line)
{
    size_t n = 0;

    while (n < line->text.n && is_token(line->text.p[n]))
        n++;
    if (n == line->text.n || line->text.p[n] != ':' || !is_text(line->text))
        n = 0;
    return (struct slice){line->text.p, n};
}

const char *response_head_field(const struct response_line *line, struct client_http *c)
{
    const struct slice name = name_of(line);

    if (name.n == 0)
        return "a line that is no header field";
    for (size_t i = 0; i < COUNT_OF(fields); i++) {
        const struct slice value = {name.p + name.n + 1, line->text.n - name.n - 1};

        if (!slice_is_nocase(name, slice_of(fields[i].name)))
            continue;
        if (line->text.n < line->n)
            return "a framing field of many hundred bytes";
        return fields[i].take(trim(value), c);
    }
    return NULL;
}

const char *response_head_trailer(const struct response_line *line)
{
    return name_of(line).n == 0 ? "a line that is no trailer field" : NULL;
}

static int hex_value(char c)
{
    if (is_digit(c))
        return c - '0';
    if (c >= 'a' && c <= 'f')
        return c - 'a' + 10;
    if (c >= 'A' && c <= 'F')
        return c - 'A' + 10;
    return -1;
}

const char *response_head_chunk_size(const struct response_line *line, uint64_t *out)
{
    const struct slice s = line->text;
    size_t i = 0;

    *out = 0;
    for (; i < s.n && hex_value(s.p[i]) >= 0; i++) {
        if (i == 15)
            return "a chunk size that does not fit";
        *out = *out << 4 | (uint64_t)hex_value(s.p[i]);
    }
    /* the extension may be anything printable: it is ignored (RFC 9112 section 7.1.1) */
    if (i == 0 || (i < s.n && s.p[i] != ';') || !is_text(s))
        return "a chunk without a size";
    return NULL;
}
