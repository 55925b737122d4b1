/* SPDX-License-Identifier: MIT */
/*
 * record - two lists that grow, and their two forms on paper.             [test tool]
 *
 * Called:  by conn.c and main.c.
 * Fails:   out of memory aborts.
 */
#include "tests/chaos/witness/record.h"

#include "common/check.h"

#include <inttypes.h>
#include <stdlib.h>

enum { FAILED_SHOWN = 100000, DROPS_SHOWN = 1000 };

struct drop {
    uint64_t at_ns;
    int32_t worker;
    uint16_t port;
    uint8_t kind, group;
};

static struct record *records;
static uint64_t count, room, ended, failed;
static struct drop *drops;
static uint64_t drop_count, drop_room;
static uint64_t drop_kinds[RECORD_DROPS];

static const char *const outcomes[] = {
    "pending", "ok",    "refused",   "reset",   "closed", "short",
    "status",  "bytes", "malformed", "timeout", "local",
};
static const char *const drop_names[] = {"said", "closed", "reset"};

/* Doubles what a list has room for. */
static void *grow(void *list, uint64_t *list_room, size_t size)
{
    *list_room = *list_room == 0 ? 4096 : *list_room * 2;
    list = realloc(list, *list_room * size);
    CHECK(list != NULL);
    return list;
}

uint64_t record_add(uint64_t due_ns)
{
    if (count == room)
        records = grow(records, &room, sizeof *records);
    records[count] = (struct record){.due_ns = due_ns};
    return count++;
}

struct record *record_at(uint64_t id)
{
    CHECK(id < count);
    return &records[id];
}

uint64_t record_count(void)
{
    return count;
}

uint64_t record_ended(void)
{
    return ended;
}

uint64_t record_failed(void)
{
    return failed;
}

void record_end(uint64_t id, enum record_outcome outcome, uint64_t now_ns)
{
    struct record *record = record_at(id);

    CHECK(record->outcome == RECORD_PENDING);
    record->outcome = (uint8_t)outcome;
    record->ended_ns = now_ns;
    ended++;
    failed += outcome != RECORD_OK;
}

void record_drop(enum record_drop kind, enum plan_group group, uint16_t port,
                 int32_t worker, uint64_t now_ns)
{
    drop_kinds[kind]++;
    if (drop_count == drop_room)
        drops = grow(drops, &drop_room, sizeof *drops);
    drops[drop_count++] = (struct drop){
        .at_ns = now_ns,
        .worker = worker,
        .port = port,
        .kind = (uint8_t)kind,
        .group = (uint8_t)group,
    };
}

/* ---- on paper ---- */

static void write_failed(const struct plan_mix *mix, uint64_t id, FILE *out)
{
    const struct record *r = &records[id];
    struct plan_ask ask;

    plan_ask(mix, id, &ask);
    fprintf(
        out,
        "{\"id\": %" PRIu64 ", \"outcome\": \"%s\", \"why\": \"%s\", \"group\": "
        "\"%s\", \"kind\": \"%s\", \"mode\": \"%s\", \"ms\": %u, \"is_extra\": %s, "
        "\"is_split\": %s, \"is_piped\": %s, \"due_ns\": %" PRIu64
        ", \"begun_ns\": %" PRIu64 ", \"sent_ns\": %" PRIu64 ", \"ended_ns\": %" PRIu64
        ", \"port\": %u, \"nth\": %u, \"held_by\": %d, \"worker\": %d, "
        "\"status\": %u, \"errno\": %d}",
        id, outcomes[r->outcome], r->why != NULL ? r->why : "",
        plan_group_name(ask.group), plan_kind_name(ask.kind), plan_mode_name(ask.mode),
        ask.ms, ask.is_extra ? "true" : "false", ask.is_split ? "true" : "false",
        r->is_piped ? "true" : "false", r->due_ns, r->begun_ns, r->sent_ns, r->ended_ns,
        r->port, r->nth, r->held_by, r->worker, r->status, r->error);
}

static void write_drops(FILE *out)
{
    for (size_t i = 0; i < RECORD_DROPS; i++)
        fprintf(out, ", \"drop_%s\": %" PRIu64, drop_names[i], drop_kinds[i]);
    fprintf(out, ", \"drops\": [");
    for (uint64_t i = 0; i < drop_count && i < DROPS_SHOWN; i++)
        fprintf(out,
                "%s{\"kind\": \"%s\", \"group\": \"%s\", \"port\": %u, \"worker\": %d, "
                "\"at_ns\": %" PRIu64 "}",
                i == 0 ? "" : ", ", drop_names[drops[i].kind],
                plan_group_name(drops[i].group), drops[i].port, drops[i].worker,
                drops[i].at_ns);
    fprintf(out, "]");
}

void record_write_json(const struct plan_mix *mix, FILE *out)
{
    uint64_t by_outcome[RECORD_OUTCOMES] = {0}, shown = 0;

    for (uint64_t i = 0; i < count; i++)
        by_outcome[records[i].outcome]++;
    fprintf(out, "\"sent\": %" PRIu64 ", \"failed\": %" PRIu64 ", \"outcomes\": {", count,
            failed);
    for (size_t i = 0; i < RECORD_OUTCOMES; i++)
        fprintf(out, "%s\"%s\": %" PRIu64, i == 0 ? "" : ", ", outcomes[i],
                by_outcome[i]);
    fprintf(out, "}");
    write_drops(out);
    fprintf(out, ", \"failures\": [");
    for (uint64_t i = 0; i < count && shown < FAILED_SHOWN; i++) {
        if (records[i].outcome == RECORD_OK)
            continue;
        fprintf(out, "%s", shown++ == 0 ? "" : ", ");
        write_failed(mix, i, out);
    }
    fprintf(out, "]");
}

void record_write_table(const struct plan_mix *mix, FILE *out)
{
    fprintf(out, "id\toutcome\tgroup\tkind\tmode\tms\tdue_ns\tsent_ns\tended_ns\tport\t"
                 "worker\tis_piped\n");
    for (uint64_t i = 0; i < count; i++) {
        const struct record *r = &records[i];
        struct plan_ask ask;

        plan_ask(mix, i, &ask);
        fprintf(out,
                "%" PRIu64 "\t%s\t%s\t%s\t%s\t%u\t%" PRIu64 "\t%" PRIu64 "\t%" PRIu64
                "\t%u\t%d\t%d\n",
                i, outcomes[r->outcome], plan_group_name(ask.group),
                plan_kind_name(ask.kind), plan_mode_name(ask.mode), ask.ms, r->due_ns,
                r->sent_ns, r->ended_ns, r->port, r->worker, r->is_piped);
    }
}

void record_free(void)
{
    free(records);
    free(drops);
}
