/* SPDX-License-Identifier: MIT */
/*
 * ctl_show - tables for people.                                              [ctl]
 *
 * Owns:    nothing.
 * Called:  by ctl.c.
 * Fails:   never; what a client of the server has sent is printed without control bytes.
 */
#include "cli/ctl_show.h"

#include "cli/ctl_board.h"
#include "cli/ctl_say.h"

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

enum { CELL = 32 };

/* ---- cells ---- */

/* 850ms, 12s, 3m20s, 5h03m, 12d07h */
static const char *span(char out[static CELL], uint64_t ms)
{
    const uint64_t s = ms / 1000;

    if (s == 0)
        (void)snprintf(out, CELL, "%" PRIu64 "ms", ms);
    else if (s < 60)
        (void)snprintf(out, CELL, "%" PRIu64 "s", s);
    else if (s < 3600)
        (void)snprintf(out, CELL, "%" PRIu64 "m%02" PRIu64 "s", s / 60, s % 60);
    else if (s < 86400)
        (void)snprintf(out, CELL, "%" PRIu64 "h%02" PRIu64 "m", s / 3600, s / 60 % 60);
    else
        (void)snprintf(out, CELL, "%" PRIu64 "d%02" PRIu64 "h", s / 86400, s / 3600 % 24);
    return out;
}

static const char *memory(char out[static CELL], uint64_t bytes)
{
    if (bytes == 0)
        (void)snprintf(out, CELL, "-"); /* it says so once a second */
    else
        (void)snprintf(out, CELL, "%.1fM", (double)bytes / (1 << 20));
    return out;
}

static const char *slots(char out[static CELL], const struct ctl_worker *w)
{
    if (w->late > 0)
        (void)snprintf(out, CELL, "%" PRIu32 "/%" PRIu32 ", %" PRIu32 " late", w->busy,
                       w->slots, w->late);
    else
        (void)snprintf(out, CELL, "%" PRIu32 "/%" PRIu32, w->busy, w->slots);
    return out;
}

/* ---- workers ---- */

static void show_summary(FILE *out, const struct ctl_view_of *view)
{
    struct ctl_summary summary;
    char up[CELL];

    ctl_read_summary(view->board, view->now_ms, &summary);
    ctl_put(out, view->status);
    fprintf(out,
            "\nreadiness %s, master %d, generation %" PRIu32 ", up %s, %" PRIu64
            " requests\n\n",
            summary.readiness, (int)view->pid, summary.generation,
            span(up, summary.uptime_ms), summary.requests);
}

static void show_worker(FILE *out, const struct ctl_worker *w)
{
    char up[CELL], rss[CELL], taken[CELL];

    fprintf(out,
            "%6u  %-8s %8" PRId32 " %5" PRIu32 " %7s %6" PRIu32 " %10s %7" PRIu32
            " %6" PRIu32 " %10" PRIu64 " %8s\n",
            w->index, w->state, w->pid, w->generation, span(up, w->uptime_ms), w->load,
            slots(taken, w), w->waiting, w->connections, w->requests,
            memory(rss, w->rss_bytes));
}

void ctl_show_workers(FILE *out, const struct ctl_view_of *view)
{
    struct ctl_worker worker;

    show_summary(out, view);
    fprintf(out, "%6s  %-8s %8s %5s %7s %6s %10s %7s %6s %10s %8s\n", "WORKER", "STATE",
            "PID", "GEN", "UPTIME", "LOAD", "SLOTS", "WAITING", "CONNS", "REQUESTS",
            "RSS");
    for (unsigned i = 0; i < board_entries(view->board); i++)
        if (ctl_read_worker(view->board, i, view->now_ms, &worker))
            show_worker(out, &worker);
}

/* ---- slots ---- */

static void show_request(void *arg, const struct ctl_request *request)
{
    FILE *out = arg;
    char age[CELL], slot[CELL] = "-";

    if (request->slot >= 0)
        (void)snprintf(slot, sizeof(slot), "%d", request->slot);
    fprintf(out, "%6u %5s  %-6s %7s  ", request->worker, slot,
            request->is_late     ? "late"
            : request->slot >= 0 ? "busy"
                                 : "flight",
            span(age, request->age_ms));
    ctl_put(out, request->method);
    fputc(' ', out);
    ctl_put(out, request->path);
    fputs("  from ", out);
    ctl_put(out, request->client);
    fputc('\n', out);
}

static void sum_slots(const struct ctl_view_of *view, unsigned *busy_out,
                      unsigned *all_out)
{
    struct ctl_worker worker;

    *busy_out = *all_out = 0;
    for (unsigned i = 0; i < board_entries(view->board); i++)
        if (ctl_read_worker(view->board, i, view->now_ms, &worker)) {
            *busy_out += worker.busy;
            *all_out += worker.slots;
        }
}

void ctl_show_slots(FILE *out, const struct ctl_view_of *view)
{
    unsigned busy, all;

    sum_slots(view, &busy, &all);
    fprintf(out, "%u of %u slots are taken\n\n", busy, all);
    fprintf(out, "%6s %5s  %-6s %7s  %s\n", "WORKER", "SLOT", "STATE", "AGE", "REQUEST");
    for (unsigned i = 0; i < board_entries(view->board); i++)
        ctl_each_request(view->board, i, view->now_ms, show_request, out);
}

/* ---- limits ---- */

void ctl_show_limits(FILE *out, const struct ctl_view_of *view)
{
    struct board_counters total;

    board_total(view->board, &total);
    fprintf(out, "%12s  %-16s %s\n", "MET", "MARK", "OPTION");
    for (unsigned i = LIMIT_NONE + 1; i < LIMIT_COUNT; i++) {
        const struct limit_name name = limit_name(i);

        fprintf(out, "%12" PRIu64 "  %-16s %s\n", board_get(&total.limits[i]), name.mark,
                name.option[0] != '\0' ? name.option : "-");
    }
}

/* ---- listeners ---- */

bool ctl_next_listener(char **text, struct ctl_listener *out)
{
    char *end = strchr(*text, '\n'), *at = *text;

    if (end == NULL)
        return false;
    *end = '\0';
    *text = end + 1;
    out->length = strtoul(at, &at, 10);
    out->limit = strtoul(at, &at, 10);
    out->name = at + (*at == ' ');
    return true;
}

void ctl_show_listeners(FILE *out, char *text)
{
    struct ctl_listener one;

    fprintf(out, "%7s %7s  %s\n", "QUEUED", "BACKLOG", "LISTENER");
    while (ctl_next_listener(&text, &one)) {
        if (one.limit == 0)
            fprintf(out, "%7s %7s  ", "-", "-");
        else
            fprintf(out, "%7lu %7lu  ", one.length, one.limit);
        ctl_put(out, one.name);
        fputc('\n', out);
    }
}
