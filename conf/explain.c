/* SPDX-License-Identifier: MIT */
/*
 * explain - the documentation of an option, from the table.
 *
 * Owns:    nothing.
 * Called:  by main (remuda explain).
 * Fails:   no such key: one line with the nearest name.
 */
#include "conf/dump.h"

#include "conf/near.h"
#include "conf/option.h"

#include <ctype.h>
#include <string.h>

static const struct option *row(size_t i)
{
    return i < OPTION_ROWS ? &option_table[i] : &option_plugin_table[i - OPTION_ROWS];
}

enum { ROWS = OPTION_ROWS + PLUGIN_OPTION_ROWS };

static void format_name(const struct option *o, char out[static 64])
{
    (void)snprintf(out, 64, "%s.%s", o->section, o->key);
}

static void put_upper(FILE *out, const char *text)
{
    for (; *text != '\0'; text++)
        (void)fputc(toupper((unsigned char)*text), out);
}

static void explain_one(FILE *out, const struct option *o)
{
    bool plugin = strcmp(o->section, "plugin") == 0;
    char allowed[OPTION_TEXT_MAX];

    option_format_allowed(o, allowed);
    (void)fprintf(out, "[%s%s] %s\n\n", o->section, plugin ? " NAME" : "", o->key);
    (void)fprintf(out, "    %s\n\n", o->help);
    (void)fprintf(out, "    allowed      %s\n", allowed);
    (void)fprintf(out, "    default      %s\n",
                  o->fallback[0] != '\0' ? o->fallback : "not set");
    (void)fprintf(out, "    changed by   %s\n",
                  o->effect == CONF_RELOAD ? "reload" : "restart");
    (void)fprintf(out, "    variable     REMUDA__");
    put_upper(out, o->section);
    (void)fputs(plugin ? "__NAME__" : "__", out);
    put_upper(out, o->key);
    (void)fputc('\n', out);
}

static void list_one(FILE *out, const struct option *o)
{
    char name[64];

    format_name(o, name);
    (void)fprintf(out, "%-28s %s\n", name, o->help);
}

/* Each row named "section.key" or "key", a blank line between two. */
static size_t explain_matching(FILE *out, const char *key)
{
    size_t found = 0;
    char name[64];

    for (size_t i = 0; i < ROWS; i++) {
        format_name(row(i), name);
        if (strcmp(row(i)->key, key) != 0 && strcmp(name, key) != 0)
            continue;
        if (found++ > 0)
            (void)fputc('\n', out);
        explain_one(out, row(i));
    }
    return found;
}

static size_t list_section(FILE *out, const char *section)
{
    size_t found = 0;

    for (size_t i = 0; i < ROWS; i++) {
        if (section != NULL && strcmp(row(i)->section, section) != 0)
            continue;
        list_one(out, row(i));
        found++;
    }
    return found;
}

static void hint(FILE *err, const char *key)
{
    char names[ROWS][64];
    struct near near;

    near_init(&near, key);
    for (size_t i = 0; i < ROWS; i++) {
        format_name(row(i), names[i]);
        near_offer(&near, names[i], names[i]);
        near_offer(&near, row(i)->key, names[i]);
    }
    if (near.best != NULL)
        (void)fprintf(err, "no option '%s', did you mean %s?\n", key, near.best);
    else
        (void)fprintf(err, "no option '%s'; without a name, explain lists all\n", key);
}

bool conf_explain(FILE *out, FILE *err, const char *key)
{
    if (key == NULL)
        return list_section(out, NULL) > 0;
    if (explain_matching(out, key) > 0 || list_section(out, key) > 0)
        return true;
    hint(err, key);
    return false;
}
