/* SPDX-License-Identifier: MIT */
/*
 * bench_json - the report for programs: one object, every figure.        [clients]
 *
 * Keys carry their unit. A key that does not apply is null, so that all reports have the
 * same keys.
 *
 * Called:  by bench.c.
 * Fails:   never.
 */
#include "cli/bench_report.h"

#include <inttypes.h>

static void write_text(FILE *out, const char *key, const char *text)
{
    fprintf(out, "  \"%s\": \"", key);
    for (; *text != '\0'; text++) {
        const unsigned char c = (unsigned char)*text;

        if (c == '"' || c == '\\')
            fprintf(out, "\\%c", c);
        else if (c < ' ' || c >= 0x7f)
            fprintf(out, "\\u%04x", c); /* a URL has no such byte but by mistake */
        else
            fputc(c, out);
    }
    fputs("\",\n", out);
}

static void write_count(FILE *out, const char *key, uint64_t n)
{
    fprintf(out, "  \"%s\": %" PRIu64 ",\n", key, n);
}

static void write_number(FILE *out, const char *key, double x)
{
    fprintf(out, "  \"%s\": %.9g,\n", key, x);
}

static void write_plan(FILE *out, const char *url, const struct load_plan *plan)
{
    const bool is_open = plan->rate > 0;

    write_text(out, "url", url);
    write_text(out, "loop", is_open ? "open" : "closed");
    write_count(out, "connections", plan->clients);
    fprintf(out, "  \"close\": %s,\n", plan->is_close ? "true" : "false");
    if (is_open) {
        write_number(out, "rate_asked", plan->rate);
        write_text(out, "arrivals", plan->is_poisson ? "poisson" : "constant");
    } else {
        fputs("  \"rate_asked\": null,\n  \"arrivals\": null,\n", out);
    }
    write_number(out, "duration_s", (double)plan->duration_ms / 1e3);
    write_number(out, "warmup_s", (double)plan->warmup_ms / 1e3);
    write_number(out, "timeout_s", (double)plan->timeout_ms / 1e3);
    write_number(out, "think_ms", (double)plan->think_ms);
}

static void write_times(FILE *out, const char *key, const struct histogram *h)
{
    static const struct {
        const char *name;
        double share;
    } quantiles[] = {{"p50", 0.5}, {"p90", 0.9}, {"p99", 0.99}, {"p99_9", 0.999}};
    const char *comma = "";

    fprintf(out, "  \"%s\": {\"count\": %" PRIu64 ", \"mean\": %.9g, \"min\": %.9g", key,
            h->count, (double)histogram_mean(h) / 1e6, (double)h->min_ns / 1e6);
    for (size_t i = 0; i < sizeof(quantiles) / sizeof(quantiles[0]); i++)
        fprintf(out, ", \"%s\": %.9g", quantiles[i].name,
                (double)histogram_quantile(h, quantiles[i].share) / 1e6);
    fprintf(out, ", \"max\": %.9g,\n    \"buckets\": [", (double)h->max_ns / 1e6);
    for (unsigned i = 0; i < HISTOGRAM_BUCKETS; i++)
        if (h->bucket[i] > 0) {
            fprintf(out, "%s[%.9g, %" PRIu64 "]", comma, (double)histogram_edge(i) / 1e6,
                    h->bucket[i]);
            comma = ", ";
        }
    fputs("]},\n", out);
}

static void write_outcomes(FILE *out, const struct load_result *r)
{
    const char *comma = "";

    write_count(out, "sent", r->sent);
    write_count(out, "answered", r->answered);
    fprintf(out, "  \"failed\": {\"total\": %" PRIu64, load_failures(r));
    for (int kind = 0; kind < LOAD_FAILURES; kind++)
        fprintf(out, ", \"%s\": %" PRIu64, load_failure_name((enum load_failure)kind),
                r->failed[kind]);
    fputs("},\n  \"status\": {", out);
    for (unsigned i = 0; i < LOAD_STATUSES; i++)
        if (r->status[i] > 0) {
            fprintf(out, "%s\"%u\": %" PRIu64, comma, i, r->status[i]);
            comma = ", ";
        }
    fputs("},\n", out);
    write_count(out, "retry_after", r->retry_after);
    write_count(out, "connects", r->connects);
    write_count(out, "body_bytes", r->body_bytes);
    write_number(out, "connect_s", (double)r->connect_ns / 1e9);
    write_number(out, "run_s", (double)r->run_ns / 1e9);
    write_number(out, "window_s", (double)r->window_ns / 1e9);
    write_count(out, "completions", r->completions);
    write_number(out, "rate", r->rate);
}

static void write_fairness(FILE *out, const struct load_plan *plan,
                           const struct load_result *r)
{
    const struct fairness *f = &r->fairness;

    fputs("  \"fairness\": ", out);
    if (plan->rate > 0)
        fputs("null,\n", out);
    else
        fprintf(out,
                "{\"jain\": %.6f, \"mean\": %.9g, \"least\": %" PRIu64
                ", \"most\": %" PRIu64 ", \"silence_ms\": %.9g, \"starved\": %zu"
                ", \"below_half\": %zu, \"silent\": %zu},\n",
                f->jain, f->mean, f->least, f->most, (double)f->silence_ns / 1e6,
                f->starved, f->below_half, f->silent);
    fputs("  \"per_connection\": [", out);
    for (size_t i = 0; i < r->share_count; i++)
        fprintf(out, "%s%" PRIu64, i == 0 ? "" : ", ", r->share[i].answers);
    fputs("],\n", out);
}

static void write_seconds(FILE *out, const struct load_result *r)
{
    fputs("  \"seconds\": [", out);
    for (size_t i = 0; i < r->second_count; i++)
        fprintf(out,
                "%s\n    {\"sent\": %" PRIu64 ", \"answered\": %" PRIu64
                ", \"failed\": %" PRIu64 "}",
                i == 0 ? "" : ",", r->second[i].sent, r->second[i].answered,
                r->second[i].failed);
    fputs("\n  ]\n", out);
}

void bench_report_json(FILE *out, const char *url, const struct load_plan *plan,
                       const struct load_result *result)
{
    fputs("{\n", out);
    write_plan(out, url, plan);
    write_outcomes(out, result);
    write_times(out, "latency_ms", &result->latency);
    write_times(out, "unexpected_ms", &result->unexpected);
    if (plan->rate > 0)
        write_times(out, "lag_ms", &result->lag);
    else
        fputs("  \"lag_ms\": null,\n", out);
    write_fairness(out, plan, result);
    write_seconds(out, result);
    fputs("}\n", out);
}
