/* SPDX-License-Identifier: MIT */
/*
 * option - the rows of options.def, and what each type of value does.   [master]
 *
 * Owns:    the tables; all that a type means (parse, range, canonical text) is here.
 * Called:  by assign.c, load.c, dump.c, explain.c.
 * Fails:   with a reason of mistakes.def.
 */
#include "conf/option.h"

#include "common/check.h"
#include "conf/mistakes.h"
#include "conf/types.h"

#include <inttypes.h>
#include <limits.h>
#include <stdio.h>
#include <string.h>

#ifndef REMUDA_PLUGIN_DIR
#define REMUDA_PLUGIN_DIR "/usr/lib/remuda"
#endif

static const struct option_word no_words[] = {{NULL, 0}};

static const struct option_word class_words[] = {{"event", CONF_CLASS_EVENT},
                                                 {"thread", CONF_CLASS_THREAD},
                                                 {"sync", CONF_CLASS_THREAD},
                                                 {NULL, 0}};

static const struct option_word proxy_words[] = {{"off", CONF_PROXY_OFF},
                                                 {"optional", CONF_PROXY_OPTIONAL},
                                                 {"required", CONF_PROXY_REQUIRED},
                                                 {"on", CONF_PROXY_REQUIRED},
                                                 {NULL, 0}};

static const struct option_word forwarded_words[] = {
    {"x-forwarded", CONF_FORWARDED_X}, {"forwarded", CONF_FORWARDED_RFC7239}, {NULL, 0}};

static const struct option_word level_words[] = {{"error", LOG_LEVEL_ERROR},
                                                 {"warn", LOG_LEVEL_WARN},
                                                 {"info", LOG_LEVEL_INFO},
                                                 {"debug", LOG_LEVEL_DEBUG},
                                                 {NULL, 0}};

/* What a field of each type is; a row whose field is another size does not compile. */
#define FIELD_COUNT     unsigned
#define FIELD_AUTO      unsigned
#define FIELD_SIZE      uint64_t
#define FIELD_DURATION  uint64_t
#define FIELD_BOOL      bool
#define FIELD_WORD      unsigned
#define FIELD_MODE      int
#define FIELD_TEXT      const char *
#define FIELD_PATH      const char *
#define FIELD_MOUNT     const char *
#define FIELD_LOG       const char *
#define FIELD_ERROR_LOG const char *
#define FIELD_FORMAT    const char *
#define FIELD_LIST      struct conf_list

#define SAME_SIZE(base, type, field)                                                     \
    _Static_assert(sizeof(((struct base *)0)->field) == sizeof(FIELD_##type), #field);
#define OPTION(section, key, type, field, ...) SAME_SIZE(conf, type, field)
#define PLUGIN_OPTION(key, type, field, ...)   SAME_SIZE(conf_plugin, type, field)
#include "conf/options.def"

#define ROW(section, key, type, base, field, fallback, least, most, words, by, help)     \
    {section,   key,   OPTION_##type, offsetof(struct base, field),                      \
     fallback,  least, most,          words,                                             \
     CONF_##by, help},

const struct option option_table[OPTION_ROWS] = {
#define OPTION(section, key, type, field, fallback, least, most, words, by, help)        \
    ROW(#section, #key, type, conf, field, fallback, least, most, words, by, help)
#include "conf/options.def"
};

const struct option option_plugin_table[PLUGIN_OPTION_ROWS] = {
#define PLUGIN_OPTION(key, type, field, fallback, least, most, words, by, help)          \
    ROW("plugin", #key, type, conf_plugin, field, fallback, least, most, words, by, help)
#include "conf/options.def"
};

static const struct option *find_in(const struct option *table, size_t count,
                                    const char *section, const char *key)
{
    for (size_t i = 0; i < count; i++) {
        if (strcmp(table[i].section, section) == 0 && strcmp(table[i].key, key) == 0)
            return &table[i];
    }
    return NULL;
}

const struct option *option_find(const char *section, const char *key)
{
    if (strcmp(section, "plugin") == 0)
        return find_in(option_plugin_table, PLUGIN_OPTION_ROWS, section, key);
    return find_in(option_table, OPTION_ROWS, section, key);
}

bool option_is_section(const char *name)
{
    if (strcmp(name, "env") == 0)
        return true;
    for (size_t i = 0; i < OPTION_ROWS; i++) {
        if (strcmp(option_table[i].section, name) == 0)
            return true;
    }
    return false;
}

/* ---- numbers ---- */

static void format_number(const struct option *o, uint64_t n,
                          char out[static TYPES_TEXT_MAX])
{
    if (o->type == OPTION_SIZE)
        types_format_size(n, out);
    else if (o->type == OPTION_DURATION)
        types_format_duration(n, out);
    else
        (void)snprintf(out, TYPES_TEXT_MAX,
                       o->type == OPTION_MODE ? "%" PRIo64 : "%" PRIu64, n);
}

static const char *parse_number(const struct option *o, const char *text, uint64_t *out)
{
    const char *wrong;
    int64_t number = 0;
    uint64_t n = 0;

    if (o->type == OPTION_SIZE) {
        wrong = types_parse_size(text, &n);
    } else if (o->type == OPTION_DURATION) {
        wrong = types_parse_duration(text, &n);
    } else {
        wrong = types_parse_int(text, &number);
        if (wrong == NULL && number < 0)
            return mistake_reason(REASON_OUT_OF_RANGE);
        n = (uint64_t)number;
    }
    if (wrong != NULL)
        return wrong;
    if (n < (uint64_t)o->least || n > (uint64_t)o->most)
        return mistake_reason(REASON_OUT_OF_RANGE);
    *out = n;
    return NULL;
}

static const char *store_number(const struct option *o, const char *text, void *field)
{
    uint64_t n = 0;
    const char *wrong = NULL;

    if (*text != '\0' && !(o->type == OPTION_AUTO && strcmp(text, "auto") == 0))
        wrong = parse_number(o, text, &n);
    if (wrong != NULL)
        return wrong;
    if (o->type == OPTION_SIZE || o->type == OPTION_DURATION)
        *(uint64_t *)field = n;
    else
        *(unsigned *)field = (unsigned)n; /* most is below UINT_MAX in every row */
    return NULL;
}

static const char *store_mode(const char *text, int *field)
{
    int mode = -1;
    const char *wrong = *text == '\0' ? NULL : types_parse_mode(text, &mode);

    if (wrong == NULL && mode > 0777)
        wrong = mistake_reason(REASON_OUT_OF_RANGE);
    if (wrong == NULL)
        *field = mode;
    return wrong;
}

/* ---- words and texts ---- */

static const char *store_word(const struct option *o, const char *text, unsigned *field)
{
    for (const struct option_word *w = o->words; w->word != NULL; w++) {
        if (strcmp(w->word, text) == 0) {
            *field = w->value;
            return NULL;
        }
    }
    return mistake_reason(REASON_NOT_WORD);
}

static bool holds_control(const char *text)
{
    for (; *text != '\0'; text++) {
        if (((unsigned char)*text < 0x20 && *text != '\t') || *text == 0x7f)
            return true;
    }
    return false;
}

static const char *refuse_text(enum option_type type, const char *text)
{
    size_t n = strlen(text);

    if (holds_control(text))
        return mistake_reason(REASON_CONTROL);
    if (n == 0)
        return NULL;
    if ((type == OPTION_LOG || type == OPTION_ERROR_LOG) && strcmp(text, "-") == 0)
        return NULL;
    if (type == OPTION_LOG && strcmp(text, "off") == 0)
        return NULL;
    if (type == OPTION_MOUNT &&
        (text[0] != '/' || (n > 1 && text[n - 1] == '/') || strstr(text, "//") != NULL))
        return mistake_reason(REASON_MOUNT);
    if ((type == OPTION_PATH || type == OPTION_LOG || type == OPTION_ERROR_LOG) &&
        text[0] != '/')
        return mistake_reason(REASON_NOT_ABSOLUTE);
    if (type == OPTION_FORMAT && strcmp(text, "combined") != 0 &&
        strcmp(text, "json") != 0 && strchr(text, '%') == NULL)
        return mistake_reason(REASON_NOT_FORMAT);
    return NULL;
}

const char *option_store(const struct option *option, const char *text, void *base)
{
    void *field = (char *)base + option->offset;
    const char *wrong = NULL;

    switch (option->type) {
    case OPTION_COUNT:
    case OPTION_AUTO:
    case OPTION_SIZE:
    case OPTION_DURATION:
        return store_number(option, text, field);
    case OPTION_BOOL:
        return types_parse_bool(text, field);
    case OPTION_WORD:
        return store_word(option, text, field);
    case OPTION_MODE:
        return store_mode(text, field);
    case OPTION_LIST:
        return refuse_text(option->type, text);
    default:
        wrong = refuse_text(option->type, text);
        if (wrong == NULL)
            *(const char **)field = text;
        return wrong;
    }
}

const char *option_canonical(const struct option *option, const char *text,
                             char out[static OPTION_TEXT_MAX])
{
    uint64_t n = 0;
    bool on = false;
    char number[TYPES_TEXT_MAX];

    if (option->type == OPTION_BOOL) {
        (void)types_parse_bool(text, &on);
        return on ? "on" : "off";
    }
    if (option->type > OPTION_DURATION || parse_number(option, text, &n) != NULL)
        return text;
    format_number(option, n, number);
    (void)snprintf(out, OPTION_TEXT_MAX, "%s", number);
    return out;
}

/* ---- what is allowed ---- */

static void format_words(const struct option_word *words, FILE *out)
{
    for (const struct option_word *w = words; w->word != NULL; w++) {
        if (w != words)
            (void)fputs(w[1].word == NULL ? " or " : ", ", out);
        (void)fputs(w->word, out);
    }
}

static void format_range(const struct option *o, FILE *out)
{
    char least[TYPES_TEXT_MAX];
    char most[TYPES_TEXT_MAX];

    format_number(o, (uint64_t)o->least, least);
    format_number(o, (uint64_t)o->most, most);
    (void)fprintf(out, "%s%s to %s", o->type == OPTION_AUTO ? "auto, or " : "", least,
                  most);
}

void option_format_allowed(const struct option *option, char out[static OPTION_TEXT_MAX])
{
    static const char *const texts[] = {
        [OPTION_BOOL] = "on or off",
        [OPTION_TEXT] = "any text",
        [OPTION_PATH] = "an absolute path",
        [OPTION_MOUNT] = "/, or a path that begins with / and does not end with one",
        [OPTION_LOG] = "off, - or an absolute path",
        [OPTION_ERROR_LOG] = "- or an absolute path",
        [OPTION_FORMAT] = "combined, json, or a pattern with % letters",
        [OPTION_LIST] = "a list, separated by commas or given by repeating the key",
    };
    FILE *stream = fmemopen(out, OPTION_TEXT_MAX, "w");

    out[0] = '\0';
    if (stream == NULL)
        return;
    if (option->type == OPTION_WORD)
        format_words(option->words, stream);
    else if (texts[option->type] != NULL)
        (void)fputs(texts[option->type], stream);
    else
        format_range(option, stream);
    (void)fclose(stream);
}
