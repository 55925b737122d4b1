/* SPDX-License-Identifier: MIT */
/*
 * ctl_json - the same for programs: keys carry their unit.                   [ctl]
 *
 * Owns:    nothing.
 * Called:  by ctl.c.
 * Fails:   never. What is not ASCII is escaped byte for byte: a path may hold any.
 */
#include "cli/ctl_board.h"
#include "cli/ctl_show.h"

#include <inttypes.h>

static void put_text(FILE *out, const char *key, const char *text)
{
    fprintf(out, "\"%s\": \"", key);
    for (; *text != '\0'; text++) {
        const unsigned char c = (unsigned char)*text;

        if (c == '"' || c == '\\')
            fprintf(out, "\\%c", c);
        else if (c < ' ' || c >= 0x7f)
            fprintf(out, "\\u%04x", c);
        else
            fputc(c, out);
    }
    fputs("\", ", out);
}

static void put_count(FILE *out, const char *key, uint64_t n)
{
    fprintf(out, "\"%s\": %" PRIu64 ", ", key, n);
}

/* ---- workers ---- */

static void put_worker(FILE *out, const struct ctl_worker *w)
{
    fputs("    {", out);
    put_count(out, "worker", w->index);
    put_text(out, "state", w->state);
    fprintf(out, "\"pid\": %" PRId32 ", ", w->pid);
    put_count(out, "generation", w->generation);
    put_count(out, "uptime_ms", w->uptime_ms);
    put_count(out, "load", w->load);
    put_count(out, "slots", w->slots);
    put_count(out, "slots_busy", w->busy);
    put_count(out, "slots_late", w->late);
    put_count(out, "waiting", w->waiting);
    put_count(out, "connections", w->connections);
    put_count(out, "requests", w->requests);
    fprintf(out, "\"rss_bytes\": %" PRIu64 "}", w->rss_bytes);
}

static void put_summary(FILE *out, const struct ctl_view_of *view)
{
    struct ctl_summary summary;

    ctl_read_summary(view->board, view->now_ms, &summary);
    fputs("{\n  ", out);
    put_text(out, "readiness", summary.readiness);
    put_text(out, "status", view->status);
    fprintf(out, "\"pid\": %d, ", (int)view->pid);
    put_count(out, "generation", summary.generation);
    put_count(out, "uptime_ms", summary.uptime_ms);
    put_count(out, "requests", summary.requests);
}

void ctl_json_workers(FILE *out, const struct ctl_view_of *view)
{
    const char *between = "\n";
    struct ctl_worker worker;

    put_summary(out, view);
    fputs("\n  \"workers\": [", out);
    for (unsigned i = 0; i < board_entries(view->board); i++) {
        if (!ctl_read_worker(view->board, i, view->now_ms, &worker))
            continue;
        fputs(between, out);
        put_worker(out, &worker);
        between = ",\n";
    }
    fputs("\n  ]\n}\n", out);
}

/* ---- slots ---- */

struct list {
    FILE *out;
    const char *between;
};

static void put_request(void *arg, const struct ctl_request *request)
{
    struct list *list = arg;
    FILE *out = list->out;

    fprintf(out, "%s  {", list->between);
    list->between = ",\n";
    put_count(out, "worker", request->worker);
    if (request->slot < 0)
        fputs("\"slot\": null, ", out);
    else
        fprintf(out, "\"slot\": %d, ", request->slot);
    put_text(out, "state",
             request->is_late     ? "late"
             : request->slot >= 0 ? "busy"
                                  : "flight");
    put_text(out, "method", request->method);
    put_text(out, "path", request->path);
    put_text(out, "client", request->client);
    fprintf(out, "\"age_ms\": %" PRIu64 "}", request->age_ms);
}

void ctl_json_slots(FILE *out, const struct ctl_view_of *view)
{
    struct list list = {out, "\n"};

    fputs("{\"requests\": [", out);
    for (unsigned i = 0; i < board_entries(view->board); i++)
        ctl_each_request(view->board, i, view->now_ms, put_request, &list);
    fputs("\n]}\n", out);
}

/* ---- limits ---- */

void ctl_json_limits(FILE *out, const struct ctl_view_of *view)
{
    const char *between = "\n";
    struct board_counters total;

    board_total(view->board, &total);
    fputs("{\"limits\": [", out);
    for (unsigned i = LIMIT_NONE + 1; i < LIMIT_COUNT; i++) {
        fprintf(out, "%s  {", between);
        put_text(out, "mark", limit_name(i).mark);
        put_text(out, "option", limit_name(i).option);
        fprintf(out, "\"met\": %" PRIu64 "}", board_get(&total.limits[i]));
        between = ",\n";
    }
    fputs("\n]}\n", out);
}

/* ---- listeners ---- */

void ctl_json_listeners(FILE *out, char *text)
{
    const char *between = "\n";
    struct ctl_listener one;

    fputs("{\"listeners\": [", out);
    while (ctl_next_listener(&text, &one)) {
        fprintf(out, "%s  {", between);
        put_text(out, "name", one.name);
        if (one.limit == 0)
            fputs("\"queued\": null, \"backlog\": null}", out);
        else
            fprintf(out, "\"queued\": %lu, \"backlog\": %lu}", one.length, one.limit);
        between = ",\n";
    }
    fputs("\n]}\n", out);
}
