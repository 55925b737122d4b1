/* SPDX-License-Identifier: MIT */
/*
 * line - one line of an ini file, judged before inih sees it.   [master]
 *
 * Owns:    nothing. Pure.
 * Called:  by reader.c; dump.c quotes with it.
 * Fails:   with the sentence that says why.
 */
#include "conf/line.h"

#include "common/check.h"

#include <stdio.h>
#include <string.h>

static void refuse(struct line *out, enum mistake mistake, const char *a, const char *b)
{
    out->kind = LINE_WRONG;
    out->mistake = mistake;
    (void)snprintf(out->a, sizeof(out->a), "%s", a);
    (void)snprintf(out->b, sizeof(out->b), "%s", b);
}

static void refuse_count(struct line *out, enum mistake mistake, size_t has, size_t most)
{
    char a[LINE_DETAIL];
    char b[LINE_DETAIL];

    (void)snprintf(a, sizeof(a), "%zu", has);
    (void)snprintf(b, sizeof(b), "%zu", most);
    refuse(out, mistake, a, b);
}

/* Unicode 15, table 3-7. */
size_t line_utf8_length(const char *bytes, size_t n)
{
    const unsigned char *p = (const unsigned char *)bytes;
    static const struct {
        unsigned char first, last, low, high; /* of the first byte, and of the second */
        size_t length;
    } forms[] = {
        {0xc2, 0xdf, 0x80, 0xbf, 2}, {0xe0, 0xe0, 0xa0, 0xbf, 3},
        {0xe1, 0xec, 0x80, 0xbf, 3}, {0xed, 0xed, 0x80, 0x9f, 3},
        {0xee, 0xef, 0x80, 0xbf, 3}, {0xf0, 0xf0, 0x90, 0xbf, 4},
        {0xf1, 0xf3, 0x80, 0xbf, 4}, {0xf4, 0xf4, 0x80, 0x8f, 4},
    };

    if (n > 0 && p[0] < 0x80)
        return 1;
    for (size_t i = 0; n > 0 && i < COUNT_OF(forms); i++) {
        if (p[0] < forms[i].first || p[0] > forms[i].last)
            continue;
        if (n < forms[i].length || p[1] < forms[i].low || p[1] > forms[i].high)
            return 0;
        for (size_t k = 2; k < forms[i].length; k++) {
            if (p[k] < 0x80 || p[k] > 0xbf)
                return 0;
        }
        return forms[i].length;
    }
    return 0;
}

static bool is_clean(struct slice raw, struct line *out)
{
    const unsigned char *p = (const unsigned char *)raw.p;
    char byte[LINE_DETAIL];

    for (size_t i = 0; i < raw.n;) {
        size_t n = line_utf8_length(raw.p + i, raw.n - i);

        if (n == 0) {
            refuse(out, MISTAKE_LINE_UTF8, "", "");
            return false;
        }
        if (p[i] == 0) {
            refuse(out, MISTAKE_LINE_NUL, "", "");
            return false;
        }
        if ((p[i] < 0x20 && p[i] != '\t') || p[i] == 0x7f) {
            (void)snprintf(byte, sizeof(byte), "0x%02x", p[i]);
            refuse(out, MISTAKE_LINE_CONTROL, byte, "");
            return false;
        }
        i += n;
    }
    return true;
}

static bool is_blank(char c)
{
    return c == ' ' || c == '\t';
}

static const char *skip_blanks(const char *p)
{
    while (is_blank(*p))
        p++;
    return p;
}

/* A ';' with a blank before it, or NULL. The byte before p is looked at if p is a ';'. */
static const char *find_comment(const char *p)
{
    while ((p = strchr(p, ';')) != NULL) {
        if (is_blank(p[-1]))
            return p;
        p++;
    }
    return NULL;
}

/* What may follow a section or a quoted value: nothing, or a comment. */
static bool is_end_or_comment(const char *p)
{
    const char *rest = skip_blanks(p);

    return *rest == '\0' || (rest != p && *rest == ';');
}

/* text: "[NAME]" with its brackets; leaves NAME. */
static void judge_section(struct line *out)
{
    char name[LINE_BUFFER];
    const char *close = strchr(out->text, ']');
    size_t n;

    out->kind = LINE_SECTION;
    if (close == NULL) {
        refuse(out, MISTAKE_SECTION_OPEN, "", "");
        return;
    }
    n = (size_t)(close - out->text) - 1;
    memcpy(name, out->text + 1, n);
    name[n] = '\0';
    if (n > LINE_SECTION_MOST)
        refuse_count(out, MISTAKE_SECTION_LENGTH, n, LINE_SECTION_MOST);
    else if (!is_end_or_comment(close + 1))
        refuse(out, MISTAKE_SECTION_TRAILING, name, "");
    else
        memcpy(out->text, name, n + 1);
}

/* Hides the ';' of a quoted value from inih, which takes them for comments. */
static void judge_quoted(struct line *out, char *quote)
{
    char *p;

    for (p = quote + 1; *p != '\0' && *p != '"'; p++) {
        if (*p == ';')
            *p = LINE_SEMICOLON;
        else if (*p == '\\' && (p[1] == '"' || p[1] == '\\'))
            p++;
    }
    if (*p == '\0')
        refuse(out, MISTAKE_LINE_QUOTE, "", "");
    else if (!is_end_or_comment(p + 1))
        refuse(out, MISTAKE_LINE_AFTER_QUOTE, "", "");
}

static void judge_pair(struct line *out)
{
    char key[LINE_BUFFER];
    size_t n = strcspn(out->text, "=:");
    char separator = out->text[n];
    char *value = out->text + n + 1;
    const char *comment = find_comment(out->text + 1);

    out->kind = LINE_PAIR;
    if (separator == '\0' || (comment != NULL && comment < out->text + n)) {
        (void)snprintf(key, sizeof(key), "%s", out->text);
        refuse(out, MISTAKE_LINE_NO_VALUE, key, "");
        return;
    }
    while (n > 0 && is_blank(out->text[n - 1]))
        n--;
    memcpy(key, out->text, n);
    key[n] = '\0';
    if (separator == ':') {
        refuse(out, MISTAKE_LINE_COLON, key, "");
        return;
    }
    if (n == 0) {
        refuse(out, MISTAKE_LINE_NO_KEY, "", "");
        return;
    }
    if (n > LINE_KEY_MOST) {
        refuse_count(out, MISTAKE_LINE_KEY_LENGTH, n, LINE_KEY_MOST);
        return;
    }
    while (is_blank(*value))
        value++;
    if (*value == '"')
        judge_quoted(out, value);
}

void line_judge(struct slice raw, size_t most, struct line *out)
{
    CHECK(most < sizeof(out->text));
    *out = (struct line){.kind = LINE_EMPTY};
    if (!is_clean(raw, out))
        return;
    while (raw.n > 0 && is_blank(raw.p[raw.n - 1]))
        raw.n--;
    if (raw.n == 0 || raw.p[0] == ';' || raw.p[0] == '#')
        return;
    if (is_blank(raw.p[0])) {
        while (is_blank(raw.p[0]))
            raw.p++; /* ends: the last byte is no blank */
        if (raw.p[0] != ';' && raw.p[0] != '#')
            refuse(out, MISTAKE_LINE_INDENTED, "", "");
        return;
    }
    if (raw.n > most) {
        refuse_count(out, MISTAKE_LINE_TOO_LONG, raw.n, most);
        return;
    }
    memcpy(out->text, raw.p, raw.n);
    if (out->text[0] == '[')
        judge_section(out);
    else
        judge_pair(out);
}

void line_unquote(char *value)
{
    char *to = value;
    const char *from = value;
    bool quoted = *value == '"';

    if (!quoted)
        return;
    for (from++; *from != '\0' && *from != '"'; from++) {
        if (*from == '\\' && (from[1] == '"' || from[1] == '\\'))
            from++;
        *to++ = *from == LINE_SEMICOLON ? ';' : *from;
    }
    *to = '\0';
}

static bool needs_quotes(const char *value)
{
    size_t n = strlen(value);

    if (n == 0)
        return false;
    return value[0] == '"' || value[0] == ';' || is_blank(value[0]) ||
           is_blank(value[n - 1]) || find_comment(value + 1) != NULL;
}

void line_quote(const char *value, char *out, size_t n)
{
    CHECK(n >= 2 * strlen(value) + 3);
    if (!needs_quotes(value)) {
        memcpy(out, value, strlen(value) + 1);
        return;
    }
    *out++ = '"';
    for (; *value != '\0'; value++) {
        if (*value == '"' || *value == '\\')
            *out++ = '\\';
        *out++ = *value;
    }
    *out++ = '"';
    *out = '\0';
}
