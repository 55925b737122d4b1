/* SPDX-License-Identifier: MIT */
/*
 * watcher - what a running server's scoreboard says, as JSON lines.       [test tool]
 *
 * `watcher PID`, the pid of the master. It reads words from stdin, one per line, and
 * answers each with one object:
 *   look     every worker now
 *   totals   the counters and histograms of all
 *   audit    what is left when nothing should be
 *   start    nothing yet; from now on it samples each millisecond
 *   stop     what the samples came to
 *
 * Owns:    the sampler between start and stop.
 * Called:  by loads.py and handoff_kills.py; it ends at the end of stdin.
 * Fails:   exit 1 when there is no such server, 64 for usage or an unknown word.
 */
#include "cli/sampler.h"

#include "common/audit.h"
#include "common/check.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>

static struct watch watch;
static struct sampler *sampler;

static uint64_t answered(const struct board_counters *counters)
{
    uint64_t sum = 0;

    for (size_t i = 1; i < COUNT_OF(counters->responses); i++)
        sum += counters->responses[i];
    return sum;
}

static void write_look(const struct watch_look *look)
{
    printf("{\"sure\": %s, \"waiting\": %" PRIu64 ", \"coming\": %" PRIu64
           ", \"free_slots\": %" PRIu64 ", \"workers\": [",
           look->is_sure ? "true" : "false", look->waiting, look->coming,
           look->free_slots);
    for (size_t i = 0; i < look->count; i++) {
        const struct watch_worker *w = &look->worker[i];

        printf("%s{\"index\": %u, \"pid\": %d, \"generation\": %u, \"state\": %d, "
               "\"threads\": %u, "
               "\"load\": %u, \"waiting\": %u, \"coming\": %u, \"connections\": %u, "
               "\"turn_ms\": %" PRIu64 ", \"answered\": %" PRIu64 "}",
               i == 0 ? "" : ", ", w->index, (int)w->pid, w->generation, (int)w->state,
               w->threads, w->load, w->waiting, w->coming,
               atomic_load_explicit(&watch.board->worker[w->index].connections,
                                    memory_order_relaxed),
               w->turn_ms, answered(&watch.board->worker[w->index].counters));
    }
    printf("]}");
}

/* ---- the words ---- */

static void on_look(void)
{
    struct watch_look look;

    watch_look(&watch, &look);
    write_look(&look);
}

static void write_histogram(const char *name, const struct board_histogram *h)
{
    const char *comma = "";

    printf(", \"%s\": {\"count\": %" PRIu64 ", \"sum_us\": %" PRIu64 ", \"buckets\": [",
           name, (uint64_t)h->count, (uint64_t)h->sum_us);
    for (unsigned i = 0; i < BOARD_BUCKETS; i++)
        if (h->bucket[i] > 0) {
            printf("%s[%" PRIu64 ", %" PRIu64 "]", comma, board_bucket_limit_us(i),
                   (uint64_t)h->bucket[i]);
            comma = ", ";
        }
    printf("]}");
}

/* Messages from one worker to another; those of workers that are gone too. */
static uint64_t sent_by_all(void)
{
    uint64_t sum = 0;

    for (unsigned s = 0; s < watch.board->worker_slots; s++)
        for (unsigned t = 0; t < watch.board->worker_slots; t++)
            sum += watch.board->worker[s].sent[t];
    return sum;
}

static void on_totals(void)
{
    struct board_counters c;

    board_total(watch.board, &c);
    printf("{\"requests\": %" PRIu64 ", \"shed\": %" PRIu64 ", \"departed\": %" PRIu64
           ", \"handoffs\": %" PRIu64 ", \"sent\": %" PRIu64 ", \"responses\": [",
           (uint64_t)c.requests, (uint64_t)c.shed, (uint64_t)c.departed,
           (uint64_t)c.handoffs_in, sent_by_all());
    for (size_t i = 0; i < COUNT_OF(c.responses); i++)
        printf("%s%" PRIu64, i == 0 ? "" : ", ", (uint64_t)c.responses[i]);
    printf("]");
    write_histogram("queue", &c.queue);
    write_histogram("service", &c.service);
    printf("}");
}

static void on_audit(void)
{
    const struct board_audit audit = board_audit(watch.board);

    printf("{\"idle\": %s, \"load\": %" PRIu64 ", \"waiting\": %" PRIu64
           ", \"unequal\": %u, \"from\": %u, \"to\": %u}",
           audit.is_idle ? "true" : "false", audit.load, audit.waiting, audit.unequal,
           audit.from, audit.to);
}

static void on_start(void)
{
    if (sampler == NULL)
        sampler = sampler_start(&watch);
    printf("{\"started\": %s}", sampler != NULL ? "true" : "false");
}

static void write_second(const struct sampler_second *s)
{
    printf("{\"samples\": %u, \"unsure\": %u, \"wasteful\": %u, \"most_waiting\": %u, "
           "\"most_queued\": %u, \"busy\": %" PRIu64 "}",
           s->samples, s->unsure, s->wasteful, s->most_waiting, s->most_queued, s->busy);
}

static void on_stop(void)
{
    struct sampler_tally t;

    if (sampler == NULL) {
        printf("{}");
        return;
    }
    sampler_stop(&sampler, &t);
    printf("{\"all\": ");
    write_second(&t.all);
    printf(", \"longest_run\": %u, \"longest_run_ms\": %.3f, \"gaps\": %u, "
           "\"longest_gap_ms\": %u, \"worst\": ",
           t.longest_run, (double)t.longest_run_ns / 1e6, t.gaps, t.longest_gap_ms);
    write_look(&t.worst);
    printf(", \"seconds\": [");
    for (size_t i = 0; i < t.second_count; i++) {
        printf("%s", i == 0 ? "" : ", ");
        write_second(&t.second[i]);
    }
    printf("]}");
    sampler_tally_fini(&t);
}

static const struct {
    const char *name;
    void (*act)(void);
} words[] = {
    {"look\n", on_look},   {"totals\n", on_totals}, {"audit\n", on_audit},
    {"start\n", on_start}, {"stop\n", on_stop},
};

static bool obey(const char *line)
{
    for (size_t i = 0; i < COUNT_OF(words); i++)
        if (strcmp(line, words[i].name) == 0) {
            words[i].act();
            printf("\n");
            fflush(stdout);
            return true;
        }
    fprintf(stderr, "watcher: what is %s", line);
    return false;
}

int main(int argc, char **argv)
{
    char line[16];
    const long pid = argc == 2 ? strtol(argv[1], NULL, 10) : 0;

    if (pid <= 0 || pid > INT32_MAX) {
        fprintf(stderr, "usage: watcher PID\n");
        return 64;
    }
    if (watch_open((pid_t)pid, &watch) < 0) {
        perror("watcher");
        return 1;
    }
    /* a sampler that waits for its CPU misses what it is there for; where that is not
     * allowed, its gaps are counted */
    (void)setpriority(PRIO_PROCESS, 0, -10);
    while (fgets(line, sizeof line, stdin) != NULL)
        if (!obey(line))
            return 64;
    if (sampler != NULL)
        on_stop();
    watch_close(&watch);
    return 0;
}
