/* SPDX-License-Identifier: MIT */
/*
 * reference - ${NAME}, ${NAME:-default} and ${file:/path} inside a value.   [master]
 *
 * Owns:    the stream a value is written to, while it grows.
 * Called:  by reader.c.
 * Fails:   the mistake is noted once; the value is given up.
 */
#include "conf/reference.h"

#include "conf/textfile.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { DEEPEST = 4 };
#define DEEPEST_TEXT "4"

struct expansion {
    struct conf_book *book;
    const struct place *place;
    unsigned depth;
    bool secret;
};

static bool expand(struct expansion *e, const char *p, const char *end, FILE *out);

static bool refuse(struct expansion *e, enum mistake mistake, const char *a,
                   const char *b)
{
    mistake_add(e->book->errors, e->place, mistake, a, b);
    return false;
}

/* The brace that closes the reference whose body begins at p, or NULL. */
static const char *find_close(const char *p, const char *end)
{
    unsigned open = 1;

    for (; p < end; p++) {
        if (p + 1 < end && p[0] == '$' && (p[1] == '{' || p[1] == '$'))
            open += *++p == '{';
        else if (*p == '}' && --open == 0)
            return p;
    }
    return NULL;
}

/* The text of p..end with its references replaced, on the heap; NULL after a mistake. */
static char *expand_to_text(struct expansion *e, const char *p, const char *end)
{
    char *text = NULL;
    size_t n = 0;
    FILE *out = open_memstream(&text, &n);
    bool good;

    if (out == NULL) {
        e->book->out_of_memory = true;
        return NULL;
    }
    good = expand(e, p, end, out);
    if (fclose(out) != 0) {
        e->book->out_of_memory = true;
        good = false;
    }
    if (good)
        return text;
    free(text);
    return NULL;
}

static bool put_file(struct expansion *e, const char *path, FILE *out)
{
    char why[128];
    struct textfile file;
    enum mistake mistake;
    size_t n;

    if (path[0] != '/')
        return refuse(e, MISTAKE_REFERENCE_RELATIVE, path, NULL);
    mistake = textfile_read(e->book, path, false, &file);
    if (mistake != MISTAKE_NONE) {
        mistake_format(mistake, file.detail, why, sizeof(why));
        return refuse(e, MISTAKE_REFERENCE_FILE, path, why);
    }
    n = file.n;
    if (memchr(file.text, '\0', n) != NULL)
        return refuse(e, MISTAKE_REFERENCE_NUL, path, NULL);
    /* the line end that editors and echo put behind a secret is not part of it */
    if (n > 0 && file.text[n - 1] == '\n')
        n--;
    if (n > 0 && n < file.n && file.text[n - 1] == '\r')
        n--;
    (void)fwrite(file.text, 1, n, out);
    e->secret = true;
    return true;
}

static bool is_variable_name(const char *p, size_t n)
{
    for (size_t i = 0; i < n; i++) {
        bool letter = (p[i] >= 'A' && p[i] <= 'Z') || (p[i] >= 'a' && p[i] <= 'z');

        if (!letter && p[i] != '_' && (i == 0 || p[i] < '0' || p[i] > '9'))
            return false;
    }
    return n > 0;
}

static bool holds_control(const char *text)
{
    for (; *text != '\0'; text++) {
        if ((unsigned char)*text < 0x20 && *text != '\t')
            return true;
    }
    return false;
}

/* NAME, NAME:-default: an empty variable counts as unset when there is a default. */
static bool put_variable(struct expansion *e, const char *p, const char *end, FILE *out)
{
    const char *body = book_copy_n(e->book, p, (size_t)(end - p));
    const char *mark = strstr(body, ":-");
    size_t n = mark != NULL ? (size_t)(mark - body) : strlen(body);
    const char *name = book_copy_n(e->book, body, n);
    const char *value;

    if (!is_variable_name(name, n))
        return refuse(e, MISTAKE_REFERENCE_NAME, body, NULL);
    value = book_variable(e->book, name);
    if (mark != NULL && (value == NULL || *value == '\0'))
        return expand(e, p + n + 2, end, out);
    if (value == NULL)
        return refuse(e, MISTAKE_REFERENCE_UNSET, name, name);
    if (holds_control(value))
        return refuse(e, MISTAKE_REFERENCE_CONTROL, name, NULL);
    (void)fputs(value, out);
    return true;
}

static bool put_reference(struct expansion *e, const char *p, const char *end, FILE *out)
{
    bool good;
    char *path;

    if (e->depth == DEEPEST)
        return refuse(e, MISTAKE_REFERENCE_DEPTH, DEEPEST_TEXT, NULL);
    e->depth++;
    if (end - p >= 5 && strncmp(p, "file:", 5) == 0) {
        path = expand_to_text(e, p + 5, end);
        good = path != NULL && put_file(e, path, out);
        free(path);
    } else {
        good = put_variable(e, p, end, out);
    }
    e->depth--;
    return good;
}

static bool expand(struct expansion *e, const char *p, const char *end, FILE *out)
{
    while (p < end) {
        const char *close;

        if (*p != '$' || p + 1 == end || (p[1] != '$' && p[1] != '{')) {
            (void)fputc(*p++, out);
            continue;
        }
        if (p[1] == '$') {
            (void)fputc('$', out);
            p += 2;
            continue;
        }
        close = find_close(p + 2, end);
        if (close == NULL)
            return refuse(e, MISTAKE_REFERENCE_OPEN, p, NULL);
        if (!put_reference(e, p + 2, close, out))
            return false;
        p = close + 1;
    }
    return true;
}

bool reference_expand(struct conf_book *book, const struct place *place, const char *text,
                      const char **out, bool *secret_out)
{
    struct expansion e = {.book = book, .place = place};
    char *expanded;
    bool fits;

    *secret_out = false;
    *out = text;
    if (strchr(text, '$') == NULL)
        return true;
    expanded = expand_to_text(&e, text, text + strlen(text));
    if (expanded == NULL)
        return false;
    fits = strlen(expanded) <= TEXTFILE_MOST;
    *out = fits ? book_copy(book, expanded) : "";
    *secret_out = e.secret;
    free(expanded);
    return fits || refuse(&e, MISTAKE_REFERENCE_LONG, "64k", NULL);
}
