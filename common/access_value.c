/* SPDX-License-Identifier: MIT */
/*
 * access_value - picks one value out of an entry.    [worker, master]
 *
 * Owns:    the table of pattern letters.
 * Called:  by access_format.c; pure.
 * Fails:   never; a value can be missing.
 */
#include "common/access_value.h"

#include "common/check.h"

static const struct {
    char letter;
    const char *name;
    enum access_value value;
} letters[] = {
    {'h', "", VALUE_PEER},
    {'l', "", VALUE_NOTHING},
    {'u', "", VALUE_USER},
    {'t', "", VALUE_TIME},
    {'r', "", VALUE_REQUEST_LINE},
    {'s', "", VALUE_STATUS},
    {'b', "", VALUE_BYTES_OR_DASH},
    {'B', "", VALUE_BYTES},
    {'D', "", VALUE_WHOLE_US},
    {'T', "", VALUE_WHOLE_S},
    {'P', "", VALUE_PID},
    {'m', "", VALUE_METHOD},
    {'U', "", VALUE_PATH},
    {'q', "", VALUE_QUERY},
    {'H', "", VALUE_PROTOCOL},
    {'X', "", VALUE_ENDING},
    {'i', "Referer", VALUE_REFERER},
    {'i', "User-Agent", VALUE_USER_AGENT},
    {'x', "queue", VALUE_QUEUE_US},
    {'x', "service", VALUE_SERVICE_US},
    {'x', "worker", VALUE_WORKER},
    {'x', "slot", VALUE_SLOT},
    {'x', "route", VALUE_ROUTE},
    {'x', "id", VALUE_ID},
    {'x', "note", VALUE_NOTE},
};

bool access_value_find(char letter, struct slice name, enum access_value *value_out)
{
    for (size_t i = 0; i < COUNT_OF(letters); i++)
        if (letters[i].letter == letter &&
            slice_is_nocase(slice_of(letters[i].name), name)) {
            *value_out = letters[i].value;
            return true;
        }
    *value_out = VALUE_HEADER;
    return letter == 'i' && name.n > 0;
}

/* The target without its query, or the query with its question mark. */
static struct slice part_of_target(struct slice target, bool query)
{
    if (target.n == 0)
        return target;
    const char *mark = memchr(target.p, '?', target.n);
    size_t n = mark != NULL ? (size_t)(mark - target.p) : target.n;

    return query ? (struct slice){target.p + n, target.n - n}
                 : (struct slice){target.p, n};
}

static struct slice protocol(int minor)
{
    switch (minor) {
    case 0:
        return SLICE_LIT("HTTP/1.0");
    case 1:
        return SLICE_LIT("HTTP/1.1");
    default:
        return (struct slice){NULL, 0};
    }
}

struct slice access_value_text(enum access_value value, const struct access_entry *e,
                               struct slice name)
{
    switch (value) {
    case VALUE_PEER:
        return e->peer;
    case VALUE_USER:
        return e->user;
    case VALUE_METHOD:
        return e->method;
    case VALUE_TARGET:
        return e->target;
    case VALUE_PATH:
        return part_of_target(e->target, false);
    case VALUE_QUERY:
        return part_of_target(e->target, true);
    case VALUE_PROTOCOL:
        return protocol(e->minor);
    case VALUE_ENDING:
        return e->aborted      ? SLICE_LIT("X")
               : e->keep_alive ? SLICE_LIT("+")
                               : SLICE_LIT("-");
    case VALUE_REFERER:
        return e->referer;
    case VALUE_USER_AGENT:
        return e->user_agent;
    case VALUE_ROUTE:
        return e->route;
    case VALUE_ID:
        return e->request_id;
    case VALUE_NOTE:
        return e->note;
    case VALUE_HEADER:
        if (e->header != NULL)
            return e->header(e->request, name);
        break;
    default:
        break;
    }
    return (struct slice){NULL, 0};
}

int64_t access_value_number(enum access_value value, const struct access_entry *e)
{
    switch (value) {
    case VALUE_BYTES:
        return (int64_t)e->body_bytes;
    case VALUE_BYTES_OR_DASH:
        return e->body_bytes > 0 ? (int64_t)e->body_bytes : -1;
    case VALUE_QUEUE_US:
        return (int64_t)e->queue_us;
    case VALUE_SERVICE_US:
        return (int64_t)e->service_us;
    case VALUE_WHOLE_US:
        return (int64_t)(e->queue_us + e->service_us);
    case VALUE_WHOLE_S:
        return (int64_t)((e->queue_us + e->service_us) / 1000000);
    case VALUE_WORKER:
        return e->worker;
    case VALUE_SLOT:
        return e->slot;
    case VALUE_PID:
        return e->pid;
    default:
        return -1;
    }
}
