/* SPDX-License-Identifier: MIT */
/*
 * access_format - compiles a format into steps, and runs them. [worker, master]
 *
 * Owns:    struct access_format: the steps, a copy of the text they point into, and a
 *          line buffer as long as the steps can ever need, so that nothing has to be
 *          measured while a line is written.
 * Called:  by the worker's access_log.c, and by the master's lost.c for one that has died;
 *          pure but for the time zone.
 * Fails:   only while compiling, with a sentence.
 */
#include "common/access_format.h"

#include "common/check.h"
#include "common/clock.h"
#include "common/access_escape.h"
#include "common/access_value.h"

#include <stdio.h>
#include <stdlib.h>
#include <time.h>

enum {
    FORMAT_STEPS = 64,
    FORMAT_WORD = 8, /* short literals are one word */
    FORMAT_VALUE =
        ACCESS_CUT * ACCESS_ESCAPE_MAX + 16, /* the longest value, with slack */
    FORMAT_MAGIC = 0x61636673
};

/* A literal, then a value. */
struct step {
    struct slice before;
    char word[FORMAT_WORD]; /* the literal, if it is short */
    enum access_value value;
    struct slice name; /* of VALUE_HEADER */
};

struct access_format {
    unsigned magic;
    bool json;
    unsigned step_count;
    struct step step[FORMAT_STEPS];
    char *text;
    char *line;
    /* the time of the last line, good for all of its second */
    uint64_t second;
    size_t stamp_size;
    char stamp[48];
};

/* ---- running ---- */

/* [20/Nov/2026:10:05:00 +0000] in local time; the months are English in any locale. */
static size_t apache_stamp(uint64_t second, char *out, size_t size)
{
    static const char months[12][4] = {"Jan", "Feb", "Mar", "Apr", "May", "Jun",
                                       "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"};
    time_t t = (time_t)second;
    struct tm tm;

    localtime_r(&t, &tm);
    long minutes = labs(tm.tm_gmtoff) / 60;
    int n = snprintf(out, size, "[%02d/%s/%d:%02d:%02d:%02d %c%02ld%02ld]", tm.tm_mday,
                     months[tm.tm_mon], tm.tm_year + 1900, tm.tm_hour, tm.tm_min,
                     tm.tm_sec, tm.tm_gmtoff < 0 ? '-' : '+', minutes / 60, minutes % 60);
    return n > 0 && (size_t)n < size ? (size_t)n : 0;
}

static char *put_time(struct access_format *f, char *out, uint64_t wall_ms)
{
    uint64_t second = wall_ms / 1000;

    if (f->json) {
        char iso[25];

        clock_format_iso(wall_ms, iso);
        *out++ = '"';
        memcpy(out, iso, sizeof(iso) - 1);
        out[sizeof(iso) - 1] = '"';
        return out + sizeof(iso);
    }
    if (second != f->second || f->stamp_size == 0) {
        f->stamp_size = apache_stamp(second, f->stamp, sizeof(f->stamp));
        f->second = second;
    }
    memcpy(out, f->stamp, sizeof(f->stamp)); /* all of it: a fixed size is cheap */
    return out + f->stamp_size;
}

static struct slice cut(struct slice text)
{
    return text.n > ACCESS_CUT ? (struct slice){text.p, ACCESS_CUT} : text;
}

static char *put_text(char *out, struct slice text)
{
    if (text.n > 0)
        return access_escape_text(out, cut(text));
    *out = '-';
    return out + 1;
}

static char *put_json_text(char *out, struct slice text)
{
    if (text.n == 0) {
        memcpy(out, "null", 4);
        return out + 4;
    }
    *out = '"';
    out = access_escape_json(out + 1, cut(text));
    *out = '"';
    return out + 1;
}

static char *put_number(char *out, int64_t number, bool json)
{
    char digits[20], *p = digits + sizeof(digits);
    uint64_t rest = (uint64_t)number;

    if (number < 0) {
        memcpy(out, json ? "null" : "-   ", 4);
        return out + (json ? 4 : 1);
    }
    do {
        *--p = (char)('0' + rest % 10);
        rest /= 10;
    } while (rest > 0);
    while (p < digits + sizeof(digits)) /* few: less than a call of memcpy */
        *out++ = *p++;
    return out;
}

/* Three digits, as whoever reads logs expects: 000, when none was sent. */
static char *put_status(char *out, int status, bool json)
{
    if (status != 0)
        return put_number(out, status, json);
    memcpy(out, json ? "0  " : "000", 3);
    return out + (json ? 1 : 3);
}

/* "GET /path HTTP/1.1"; what was never understood is left out, and all of it is "-". */
static char *put_request_line(char *out, const struct access_entry *e)
{
    static const struct slice no_name;
    struct slice protocol = access_value_text(VALUE_PROTOCOL, e, no_name);

    out = put_text(out, e->method);
    if (e->target.n > 0) {
        *out++ = ' ';
        out = access_escape_text(out, cut(e->target));
    }
    if (protocol.n > 0) {
        *out++ = ' ';
        memcpy(out, protocol.p, sizeof("HTTP/1.1") - 1);
        out += sizeof("HTTP/1.1") - 1;
    }
    return out;
}

static char *put_literal(char *out, const struct step *step)
{
    if (step->before.n <= FORMAT_WORD)
        memcpy(out, step->word, FORMAT_WORD);
    else
        memcpy(out, step->before.p, step->before.n);
    return out + step->before.n;
}

static char *put_value(struct access_format *f, char *out, const struct step *step,
                       const struct access_entry *e)
{
    if (step->value < VALUE_NUMBERS) {
        struct slice text = access_value_text(step->value, e, step->name);

        if (text.n == 0 && step->value == VALUE_QUERY)
            return out; /* %U%q is the target: without a query not "-", but nothing */
        return f->json ? put_json_text(out, text) : put_text(out, text);
    }
    switch (step->value) {
    case VALUE_TIME:
        return put_time(f, out, e->wall_ms);
    case VALUE_REQUEST_LINE:
        return put_request_line(out, e);
    case VALUE_STATUS:
        return put_status(out, e->status, f->json);
    case VALUE_END:
        return out;
    default:
        return put_number(out, access_value_number(step->value, e), f->json);
    }
}

struct slice access_format_line(struct access_format *f, const struct access_entry *e)
{
    char *out = f->line;

    CHECK_OBJ(f, FORMAT_MAGIC);
    for (const struct step *step = f->step, *end = step + f->step_count; step < end;
         step++)
        out = put_value(f, put_literal(out, step), step, e);
    *out++ = '\n';
    return (struct slice){f->line, (size_t)(out - f->line)};
}

/* ---- compiling ---- */

static const struct {
    const char *before;
    enum access_value value;
} json_members[] = {
    {"{\"time\":", VALUE_TIME},         {",\"client\":", VALUE_PEER},
    {",\"user\":", VALUE_USER},         {",\"method\":", VALUE_METHOD},
    {",\"target\":", VALUE_TARGET},     {",\"protocol\":", VALUE_PROTOCOL},
    {",\"status\":", VALUE_STATUS},     {",\"bytes\":", VALUE_BYTES},
    {",\"referer\":", VALUE_REFERER},   {",\"user_agent\":", VALUE_USER_AGENT},
    {",\"queue_us\":", VALUE_QUEUE_US}, {",\"service_us\":", VALUE_SERVICE_US},
    {",\"worker\":", VALUE_WORKER},     {",\"slot\":", VALUE_SLOT},
    {",\"route\":", VALUE_ROUTE},       {",\"id\":", VALUE_ID},
    {",\"note\":", VALUE_NOTE},
};

static const char *add_step(struct access_format *f, struct slice before,
                            enum access_value value, struct slice name)
{
    if (f->step_count == FORMAT_STEPS)
        return "too many parts";
    struct step *step = &f->step[f->step_count++];
    *step = (struct step){.before = before, .value = value, .name = name};
    if (before.n <= FORMAT_WORD)
        memcpy(step->word, before.p, before.n);
    return NULL;
}

static const char *compile_json(struct access_format *f)
{
    f->json = true;
    for (size_t i = 0; i < COUNT_OF(json_members); i++)
        add_step(f, slice_of(json_members[i].before), json_members[i].value,
                 SLICE_LIT(""));
    return add_step(f, SLICE_LIT("}"), VALUE_END, SLICE_LIT(""));
}

/* `p` is behind a percent sign; moves it behind the letter. */
static const char *compile_letter(struct access_format *f, struct slice before,
                                  const char **p)
{
    struct slice name = SLICE_LIT("");
    enum access_value value;

    if (**p == '{') {
        const char *end = strchr(*p, '}');

        if (end == NULL)
            return "%{ without }";
        name = (struct slice){*p + 1, (size_t)(end - *p) - 1};
        *p = end + 1;
    } else if (**p == '>' || **p == '<') {
        ++*p; /* Apache's last or first status: we have one */
    }
    if (**p == '\0')
        return "it ends in the middle of a %";
    if (!access_value_find(**p, name, &value))
        return "there is no such letter";
    ++*p;
    return add_step(f, before, value, name);
}

/* What went wrong, and in *at where. */
static const char *compile_pattern(struct access_format *f, const char *text,
                                   const char **at)
{
    const char *error = NULL;

    while (*text != '\0' && error == NULL) {
        struct slice before = {text, strcspn(text, "%")};

        text += before.n;
        *at = text;
        if (text[0] == '\0') {
            error = add_step(f, before, VALUE_END, SLICE_LIT(""));
        } else if (text[1] == '%') {
            before.n++; /* the first of the two is the literal's last byte */
            error = add_step(f, before, VALUE_END, SLICE_LIT(""));
            text += 2;
        } else {
            text++;
            error = compile_letter(f, before, &text);
        }
    }
    return error;
}

static const struct {
    const char *name, *pattern;
} named[] = {
    {"common", "%h %l %u %t \"%r\" %>s %b"},
    {"combined", "%h %l %u %t \"%r\" %>s %b \"%{Referer}i\" \"%{User-Agent}i\""},
};

static bool compile(struct access_format *f, char *error_out, size_t size)
{
    const char *pattern = f->text, *at = f->text, *error;

    if (strcmp(f->text, "json") == 0)
        return compile_json(f) == NULL;
    for (size_t i = 0; i < COUNT_OF(named); i++)
        if (strcmp(f->text, named[i].name) == 0)
            pattern = named[i].pattern;
    if (strchr(pattern, '%') == NULL) {
        snprintf(error_out, size,
                 "'%s' is none of combined, common, json or a pattern with %%", f->text);
        return false;
    }
    error = compile_pattern(f, pattern, &at);
    if (error != NULL)
        snprintf(error_out, size, "%s at '%.16s'", error, at);
    return error == NULL;
}

/* As long as all steps at their longest: a request line is three values. */
static size_t longest_line(const struct access_format *f)
{
    size_t size = FORMAT_WORD + 2;

    for (unsigned i = 0; i < f->step_count; i++)
        size += f->step[i].before.n + FORMAT_WORD + 3 * (size_t)FORMAT_VALUE;
    return size;
}

struct access_format *access_format_create(const char *text, char *error_out, size_t size)
{
    struct access_format *f = calloc(1, sizeof(*f));

    snprintf(error_out, size, "out of memory");
    if (f == NULL)
        return NULL;
    f->magic = FORMAT_MAGIC;
    f->text = strdup(text);
    if (f->text != NULL && compile(f, error_out, size))
        f->line = malloc(longest_line(f));
    if (f->line == NULL)
        access_format_destroy(&f);
    return f;
}

void access_format_destroy(struct access_format **format)
{
    struct access_format *f = *format;

    *format = NULL;
    if (f == NULL)
        return;
    CHECK_OBJ(f, FORMAT_MAGIC);
    f->magic = 0;
    free(f->text);
    free(f->line);
    free(f);
}
