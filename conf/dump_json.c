/* SPDX-License-Identifier: MIT */
/*
 * dump_json - the effective configuration for programs.
 *
 * Owns:    nothing.
 * Called:  by dump.c.
 * Fails:   never. Bytes that are not UTF-8 (-D and the environment may hold them) become
 *          U+FFFD.
 */
#include "conf/dump_json.h"

#include "conf/line.h"
#include "conf/walk.h"

#include <string.h>

struct dump {
    FILE *out;
    bool defaults;
    char section[64];
};

static void put_string(FILE *out, const char *text)
{
    (void)fputc('"', out);
    while (*text != '\0') {
        size_t n = line_utf8_length(text, strlen(text));
        unsigned char byte = (unsigned char)*text;

        if (n == 0)
            (void)fputs("\\ufffd", out);
        else if (byte == '"' || byte == '\\')
            (void)fprintf(out, "\\%c", byte);
        else if (byte < 0x20 || byte == 0x7f)
            (void)fprintf(out, "\\u%04x", byte);
        else
            (void)fwrite(text, 1, n, out);
        text += n == 0 ? 1 : n;
    }
    (void)fputc('"', out);
}

static void put_list(FILE *out, const struct setting *setting)
{
    (void)fputc('[', out);
    for (size_t i = 0; i < setting->count; i++) {
        if (i > 0)
            (void)fputs(", ", out);
        put_string(out, setting->item[i]);
    }
    (void)fputc(']', out);
}

static void put_value(FILE *out, const struct entry *entry)
{
    const struct setting *setting = entry->setting;

    if (entry->secret != NULL)
        (void)fputs("null", out);
    else if (setting != NULL && setting->option->type == OPTION_LIST)
        put_list(out, setting);
    else if (setting == NULL || entry->text[0] == '\0')
        put_string(out, entry->text);
    else if (setting->option->type == OPTION_BOOL)
        (void)fputs(strcmp(entry->text, "on") == 0 ? "true" : "false", out);
    else if (setting->option->type == OPTION_COUNT)
        (void)fputs(entry->text, out);
    else
        put_string(out, entry->text);
}

static void enter_section(struct dump *dump, const char *section)
{
    if (strcmp(dump->section, section) == 0) {
        (void)fputs(",\n", dump->out);
        return;
    }
    (void)fputs(dump->section[0] != '\0' ? "\n  },\n  " : "\n  ", dump->out);
    put_string(dump->out, section);
    (void)fputs(": {\n", dump->out);
    (void)snprintf(dump->section, sizeof(dump->section), "%s", section);
}

static void dump_entry(void *arg, const struct entry *entry)
{
    struct dump *dump = arg;
    char origin[512];

    if (entry->origin->from == CONF_FROM_DEFAULT && !dump->defaults)
        return;
    enter_section(dump, entry->section);
    conf_origin_format(entry->origin, origin, sizeof(origin));
    (void)fputs("    ", dump->out);
    put_string(dump->out, entry->key);
    (void)fputs(": {\"value\": ", dump->out);
    put_value(dump->out, entry);
    if (entry->secret != NULL) {
        (void)fputs(", \"reference\": ", dump->out);
        put_string(dump->out, entry->secret);
    }
    (void)fputs(", \"origin\": ", dump->out);
    put_string(dump->out, origin);
    (void)fputc('}', dump->out);
}

void dump_json(FILE *out, const struct conf *conf, bool defaults)
{
    struct dump dump = {.out = out, .defaults = defaults};

    (void)fputc('{', out);
    walk_conf(conf, dump_entry, &dump);
    (void)fputs(dump.section[0] != '\0' ? "\n  }\n}\n" : "}\n", out);
}
