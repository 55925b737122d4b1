/* SPDX-License-Identifier: MIT */
/*
 * diff - what a reload would change.                          [master]
 *
 * Owns:    nothing.
 * Called:  by master/reload.c.
 * Fails:   never. Compares texts in their canonical form, so that 10s and 10000ms are the
 *          same; what is called back is safe to log.
 */
#include "conf/dump.h"

#include "conf/walk.h"

#include <stdio.h>
#include <string.h>

struct search {
    const struct entry *wanted;
    struct entry found; /* section is the one looked for */
    bool is_found;
};

struct diff {
    const struct conf *other;
    enum conf_effect effect;
    bool only_missing; /* second pass: what the other does not have */
    conf_diff_fn *fn;
    void *arg;
    size_t count;
};

static void compare_name(void *arg, const struct entry *entry)
{
    struct search *search = arg;

    if (strcmp(entry->key, search->wanted->key) != 0 ||
        strcmp(entry->section, search->wanted->section) != 0)
        return;
    search->found = *entry;
    search->is_found = true;
}

static const char *shown(const struct entry *entry)
{
    return entry->secret != NULL ? entry->secret : entry->text;
}

static enum conf_effect effect_of(const struct entry *entry)
{
    return entry->setting != NULL ? entry->setting->option->effect : CONF_RELOAD;
}

static void report(const struct diff *diff, const struct entry *entry,
                   const char *running, const char *wanted)
{
    char key[128];

    (void)snprintf(key, sizeof(key), "%s.%s", entry->section, entry->key);
    diff->fn(diff->arg, key, running, wanted);
}

static void diff_entry(void *arg, const struct entry *entry)
{
    struct diff *diff = arg;
    struct search search = {.wanted = entry};

    if (effect_of(entry) != diff->effect)
        return;
    walk_conf(diff->other, compare_name, &search);
    if (diff->only_missing) {
        if (search.is_found)
            return;
        report(diff, entry, shown(entry), "");
    } else {
        if (search.is_found && strcmp(search.found.text, entry->text) == 0)
            return;
        report(diff, entry, search.is_found ? shown(&search.found) : "", shown(entry));
    }
    diff->count++;
}

size_t conf_diff(const struct conf *running, const struct conf *wanted,
                 enum conf_effect effect, conf_diff_fn *fn, void *arg)
{
    struct diff diff = {running, effect, false, fn, arg, 0};

    walk_conf(wanted, diff_entry, &diff);
    diff.other = wanted;
    diff.only_missing = true;
    walk_conf(running, diff_entry, &diff);
    return diff.count;
}

static const char *file_text(const struct entry *entry)
{
    return entry->setting->file_text != NULL ? entry->setting->file_text : "";
}

static void masked_entry(void *arg, const struct entry *entry)
{
    struct diff *diff = arg;
    struct search search = {.wanted = entry};

    if (entry->setting == NULL || entry->origin->from <= CONF_FROM_FILE)
        return;
    walk_conf(diff->other, compare_name, &search);
    if (!search.is_found || strcmp(file_text(&search.found), file_text(entry)) == 0)
        return;
    report(diff, entry, shown(entry), file_text(entry));
    diff->count++;
}

size_t conf_diff_masked(const struct conf *running, const struct conf *wanted,
                        conf_diff_fn *fn, void *arg)
{
    struct diff diff = {running, CONF_RELOAD, false, fn, arg, 0};

    walk_conf(wanted, masked_entry, &diff);
    return diff.count;
}
