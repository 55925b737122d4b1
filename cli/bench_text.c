/* SPDX-License-Identifier: MIT */
/*
 * bench_text - the report for people: one line per question, the rate first.   [clients]
 *
 * Called:  by bench.c.
 * Fails:   never.
 */
#include "cli/bench_report.h"

#include <inttypes.h>

enum { TIME_TEXT_MAX = 24 };

/* Three digits or a bit more, in the unit that suits. */
static const char *write_time(char out[static TIME_TEXT_MAX], uint64_t ns)
{
    const double us = (double)ns / 1e3;

    if (us < 1e3)
        snprintf(out, TIME_TEXT_MAX, "%.0f us", us);
    else if (us < 1e5)
        snprintf(out, TIME_TEXT_MAX, "%.2f ms", us / 1e3);
    else if (us < 1e7)
        snprintf(out, TIME_TEXT_MAX, "%.1f ms", us / 1e3);
    else
        snprintf(out, TIME_TEXT_MAX, "%.2f s", us / 1e6);
    return out;
}

static void write_head(FILE *out, const char *url, const struct load_plan *plan)
{
    fprintf(out, "%s\n", url);
    if (plan->rate > 0)
        fprintf(out, "open loop, %g req/s %s, at most %u at once", plan->rate,
                plan->is_poisson ? "Poisson" : "evenly spaced", plan->clients);
    else
        fprintf(out, "closed loop, %u connections", plan->clients);
    if (plan->think_ms > 0)
        fprintf(out, ", %" PRIu64 " ms think time", plan->think_ms);
    fprintf(out, "%s, %g s of which %g s warm-up\n\n",
            plan->is_close ? ", one per request" : "", (double)plan->duration_ms / 1e3,
            (double)plan->warmup_ms / 1e3);
}

static void write_times(FILE *out, const char *name, const struct histogram *h)
{
    static const struct {
        const char *name;
        double share;
    } quantiles[] = {{"p50", 0.5}, {"p90", 0.9}, {"p99", 0.99}, {"p99.9", 0.999}};
    char text[TIME_TEXT_MAX];

    if (h->count == 0)
        return;
    fprintf(out, "%-11s mean %s", name, write_time(text, histogram_mean(h)));
    for (size_t i = 0; i < sizeof(quantiles) / sizeof(quantiles[0]); i++)
        fprintf(out, "  %s %s", quantiles[i].name,
                write_time(text, histogram_quantile(h, quantiles[i].share)));
    fprintf(out, "  max %s\n", write_time(text, h->max_ns));
}

static void write_statuses(FILE *out, const struct load_result *r)
{
    fputs("status     ", out);
    for (unsigned i = 0; i < LOAD_STATUSES; i++)
        if (r->status[i] > 0)
            fprintf(out, " %u: %" PRIu64, i, r->status[i]);
    if (r->retry_after > 0)
        fprintf(out, " (%" PRIu64 " with Retry-After)", r->retry_after);
    fputc('\n', out);
}

static void write_fairness(FILE *out, const struct fairness *f)
{
    char text[TIME_TEXT_MAX];

    fprintf(out,
            "fairness    Jain %.4f  per connection %" PRIu64 " to %" PRIu64
            ", mean %.1f  longest silence %s  starved %zu\n",
            f->jain, f->least, f->most, f->mean, write_time(text, f->silence_ns),
            f->starved);
}

static void write_failures(FILE *out, const struct load_result *r)
{
    fprintf(out, "failed      %" PRIu64, load_failures(r));
    for (int kind = 0; kind < LOAD_FAILURES; kind++)
        if (r->failed[kind] > 0)
            fprintf(out, "  %s %" PRIu64, load_failure_name((enum load_failure)kind),
                    r->failed[kind]);
    fputc('\n', out);
    if (r->failed[LOAD_UNSENT] > 0)
        fputs("            unsent: due, but every connection was busy: raise -c, or the "
              "server is overloaded\n",
              out);
}

void bench_report_text(FILE *out, const char *url, const struct load_plan *plan,
                       const struct load_result *result)
{
    write_head(out, url, plan);
    fprintf(out, "rate        %.1f req/s  (%" PRIu64 " answers in %.2f s)\n",
            result->rate, result->completions, (double)result->window_ns / 1e9);
    write_times(out, "latency", &result->latency);
    write_times(out, "unexpected", &result->unexpected);
    write_times(out, "sent late", &result->lag);
    write_statuses(out, result);
    if (plan->rate <= 0)
        write_fairness(out, &result->fairness);
    write_failures(out, result);
}

void bench_report_second(void *out, size_t second, const struct load_second *what)
{
    fprintf(out, "%4zu s  %" PRIu64 " answered  %" PRIu64 " failed\n", second + 1,
            what->answered, what->failed);
}
