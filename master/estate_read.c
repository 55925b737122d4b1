/* SPDX-License-Identifier: MIT */
/*
 * estate_read - what the image before has left.                               [master]
 *
 * Owns:    nothing; what was read is the caller's.
 * Called:  by rehearsal.c in the trial, by adopt.c for good.
 * Fails:   a fault that names the line: the trial refuses with it.
 */
#include "common/check.h"
#include "master/estate_records.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

struct reading {
    struct estate *estate;
    struct fault *fault;
    size_t line; /* from 1 */
    bool seen[ESTATE_ONCE];
};

static bool refuse(const struct reading *r, const char *what, const char *name)
{
    fault_set(r->fault, EXIT_CONFIG, "line %zu of the estate: %s: %s", r->line, name,
              what);
    return false;
}

static const struct estate_record *find_record(const char *name)
{
    for (size_t i = 0; i < ESTATE_RECORDS; i++)
        if (strcmp(estate_records[i].name, name) == 0)
            return &estate_records[i];
    return NULL;
}

/* Where the next line of that kind goes; NULL: there is no room for it. */
static void *next_item(struct reading *r, const struct estate_record *record)
{
    size_t count = estate_count_of(r->estate, record);

    if (record->count_offset == 0) {
        bool *seen = &r->seen[record - estate_records];
        const bool again = *seen;

        *seen = true;
        return again ? NULL : estate_item_of(r->estate, record, 0);
    }
    if (record == &estate_records[ESTATE_TOLD])
        return estate_push_told(r->estate);
    if (count == record->most)
        return NULL;
    count++;
    memcpy((char *)r->estate + record->count_offset, &count, sizeof(count));
    return estate_item_of(r->estate, record, count - 1);
}

static bool take_fields(struct reading *r, const struct estate_record *record, void *item,
                        char *rest)
{
    size_t taken = 0; /* in the order of the table; others may stand between */
    char *word;

    while ((word = strsep(&rest, " ")) != NULL) {
        const struct field *field = &record->field[taken];
        char *value = strchr(word, '=');
        const char *wrong;

        if (value == NULL)
            return refuse(r, "a field without a value", record->name);
        *value++ = '\0';
        if (taken == record->fields || strcmp(field->name, word) != 0)
            continue; /* of a later version */
        wrong = field_take(field, item, value);
        if (wrong != NULL)
            return refuse(r, wrong, field->name);
        taken++;
    }
    if (taken < record->fields)
        return refuse(r, "is missing", record->field[taken].name);
    return true;
}

static bool take_line(struct reading *r, char *line)
{
    char *rest = line;
    const char *name = strsep(&rest, " ");
    const struct estate_record *record = find_record(name);
    void *item;

    if (record == NULL)
        return true; /* of a later version */
    item = next_item(r, record);
    if (item == NULL)
        return refuse(r, "there is no room for so many", name);
    return take_fields(r, record, item, rest);
}

static bool is_title(const struct reading *r, const char *line)
{
    char wanted[48];

    snprintf(wanted, sizeof(wanted), "%s %d", ESTATE_TITLE, ESTATE_VERSION);
    if (strcmp(line, wanted) == 0)
        return true;
    fault_set(r->fault, EXIT_CONFIG,
              "this binary reads '%s', the running one wrote '%.40s'", wanted, line);
    return false;
}

static bool is_end(const struct reading *r, const char *line)
{
    char wanted[48];

    snprintf(wanted, sizeof(wanted), "end %zu", r->line - 1);
    return strcmp(line, wanted) == 0;
}

/* Exactly one line that says "end", and it is the last. */
static bool take_all(struct reading *r, char *text)
{
    char *line;

    for (r->line = 1; (line = strsep(&text, "\n")) != NULL && text != NULL; r->line++) {
        if (r->line == 1) {
            if (!is_title(r, line))
                return false;
        } else if (is_end(r, line)) {
            return *text == '\0' ? true : refuse(r, "more behind it", "end");
        } else if (!take_line(r, line)) {
            return false;
        }
    }
    return refuse(r, "is missing", "end");
}

static bool check_numbers(const struct reading *r)
{
    const struct estate *e = r->estate;
    bool used[BOARD_WORKERS] = {false};

    for (size_t i = 0; i < ESTATE_ONCE; i++)
        if (!r->seen[i])
            return refuse(r, "is missing", estate_records[i].name);
    if (e->self.worker_slots < 1 || e->self.worker_slots > BOARD_WORKERS ||
        e->self.want < 1 || e->self.want > e->self.worker_slots ||
        e->inbox_count != e->self.worker_slots + 1u)
        return refuse(r, "of workers and inboxes that do not agree", "numbers");
    for (size_t i = 0; i < e->slot_count; i++) {
        const struct slot *slot = &e->slot[i];

        if (slot->index >= e->self.worker_slots || used[slot->index] || slot->pid <= 1 ||
            slot->state == SLOT_EMPTY || (unsigned)slot->state >= SLOT_STATES)
            return refuse(r, "of no possible worker", "slot");
        used[slot->index] = true;
    }
    for (size_t i = 0; i < e->told_count; i++)
        if (e->told[i].from <= CONF_FROM_DEFAULT || e->told[i].from > CONF_FROM_FLAG)
            return refuse(r, "of no possible origin", "told");
    return true;
}

static char *read_all(int fd, struct fault *fault)
{
    const int seals = fcntl(fd, F_GET_SEALS);
    struct stat st;
    char *text;

    if (seals < 0 || (seals & F_SEAL_WRITE) == 0 || fstat(fd, &st) < 0 ||
        st.st_size <= 0 || st.st_size > ESTATE_BYTES_MOST) {
        fault_set(fault, EXIT_CONFIG, "descriptor %d holds no estate", fd);
        return NULL;
    }
    text = calloc(1, (size_t)st.st_size + 1);
    if (text == NULL || pread(fd, text, (size_t)st.st_size, 0) != st.st_size) {
        fault_set(fault, EXIT_OS, "the estate cannot be read: %s", strerror(errno));
        free(text);
        return NULL;
    }
    return text;
}

struct estate *estate_read(int fd, struct fault *fault)
{
    struct reading r = {.estate = estate_create(), .fault = fault};

    fault_set(fault, EXIT_OS, "out of memory");
    if (r.estate == NULL)
        return NULL;
    r.estate->read = read_all(fd, fault);
    if (r.estate->read == NULL || !take_all(&r, r.estate->read) || !check_numbers(&r))
        estate_destroy(&r.estate);
    return r.estate;
}
