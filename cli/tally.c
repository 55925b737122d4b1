/* SPDX-License-Identifier: MIT */
/*
 * tally - counts, and the sums at the end.                               [clients]
 *
 * Every request that was begun ends in exactly one of answered and failed[]: `sent` is
 * their sum but for those never sent and connects that carried no request.
 *
 * Called:  by load.c.
 * Fails:   when memory is short, at the start.
 */
#include "cli/tally.h"

#include <stdlib.h>

static const uint64_t ms = UINT64_C(1000000);
static const uint64_t second = UINT64_C(1000000000);

bool tally_init(struct tally *t, const struct load_plan *plan, struct load_result *result)
{
    *t = (struct tally){.plan = plan, .result = result};
    *result = (struct load_result){.second_count = 0};
    result->second_count = (size_t)((plan->duration_ms + 999) / 1000) + 1;
    result->second = calloc(result->second_count, sizeof(*result->second));
    result->share_count = plan->clients;
    result->share = calloc(result->share_count, sizeof(*result->share));
    t->last_answer_ns = calloc(plan->clients, sizeof(*t->last_answer_ns));
    return result->second != NULL && result->share != NULL && t->last_answer_ns != NULL;
}

void tally_fini(struct tally *t)
{
    free(t->last_answer_ns);
    t->last_answer_ns = NULL;
}

void tally_begin(struct tally *t, uint64_t now_ns)
{
    t->start_ns = now_ns;
    t->warm_ns = now_ns + t->plan->warmup_ms * ms;
    t->end_ns = now_ns + t->plan->duration_ms * ms;
    for (size_t i = 0; i < t->plan->clients; i++)
        t->last_answer_ns[i] = t->warm_ns;
}

void tally_cut(struct tally *t, uint64_t now_ns)
{
    if (now_ns < t->end_ns)
        t->end_ns = now_ns;
}

static struct load_second *second_of(struct tally *t, uint64_t now_ns)
{
    const size_t last = t->result->second_count - 1;
    const uint64_t i = now_ns >= t->end_ns ? last : (now_ns - t->start_ns) / second;

    return &t->result->second[i < last ? i : last];
}

void tally_sent(struct tally *t, uint64_t due_ns, uint64_t now_ns)
{
    t->result->sent++;
    second_of(t, now_ns)->sent++;
    if (t->plan->rate > 0 && due_ns >= t->warm_ns)
        histogram_add(&t->result->lag, now_ns > due_ns ? now_ns - due_ns : 0);
}

static bool is_expected(const struct load_plan *plan, unsigned status)
{
    return plan->expect != 0 ? status == plan->expect : status >= 200 && status < 400;
}

/* An answer within the window: rate and shares know only those. */
static void complete(struct tally *t, size_t client, uint64_t now_ns)
{
    struct share *share = &t->result->share[client];
    const uint64_t silence = now_ns - t->last_answer_ns[client];

    if (t->result->completions++ == 0)
        t->first_ns = now_ns;
    t->last_ns = now_ns;
    share->answers++;
    if (silence > share->silence_ns)
        share->silence_ns = silence;
    t->last_answer_ns[client] = now_ns;
}

void tally_response(struct tally *t, size_t client, const struct client_http *response,
                    uint64_t due_ns, uint64_t now_ns)
{
    struct load_result *r = t->result;
    const bool is_answer = is_expected(t->plan, response->status);

    r->status[response->status]++;
    r->retry_after += response->has_retry_after;
    r->body_bytes += response->body_bytes;
    if (is_answer) {
        r->answered++;
        second_of(t, now_ns)->answered++;
    } else {
        r->failed[LOAD_STATUS]++;
        second_of(t, now_ns)->failed++;
    }
    if (due_ns >= t->warm_ns)
        histogram_add(is_answer ? &r->latency : &r->unexpected, now_ns - due_ns);
    if (is_answer && now_ns >= t->warm_ns && now_ns <= t->end_ns)
        complete(t, client, now_ns);
}

/* One that was given up took at least that long: leaving it out would make a server that
 * hangs look quick. */
void tally_failure(struct tally *t, enum load_failure kind, uint64_t due_ns,
                   uint64_t now_ns)
{
    t->result->failed[kind]++;
    second_of(t, now_ns)->failed++;
    if ((kind == LOAD_TIMEOUT || kind == LOAD_UNSENT) && due_ns >= t->warm_ns)
        histogram_add(&t->result->latency, now_ns - due_ns);
}

uint64_t tally_next_tick(const struct tally *t)
{
    return t->start_ns + (t->told + 1) * second;
}

void tally_tick(struct tally *t, uint64_t now_ns)
{
    while (now_ns >= tally_next_tick(t)) {
        const size_t i = t->told++;

        if (t->plan->on_second != NULL && i + 1 < t->result->second_count)
            t->plan->on_second(t->plan->arg, i, &t->result->second[i]);
    }
}

static void end_shares(struct tally *t)
{
    struct load_result *r = t->result;

    for (size_t i = 0; i < r->share_count; i++) {
        const uint64_t last = t->last_answer_ns[i];
        const uint64_t silence = t->end_ns > last ? t->end_ns - last : 0;

        if (silence > r->share[i].silence_ns)
            r->share[i].silence_ns = silence;
    }
}

void tally_end(struct tally *t)
{
    const struct load_plan *plan = t->plan;
    struct load_result *r = t->result;

    r->run_ns = t->end_ns - t->start_ns;
    r->window_ns = t->end_ns > t->warm_ns ? t->end_ns - t->warm_ns : 0;
    if (r->completions > 1 && t->last_ns > t->first_ns)
        r->rate = (double)(r->completions - 1) * 1e9 / (double)(t->last_ns - t->first_ns);
    end_shares(t);
    if (plan->rate > 0)
        return;
    r->fairness = fairness_judge(r->share, r->share_count,
                                 fairness_silence_limit(plan->clients, plan->slots,
                                                        plan->service_ms * ms,
                                                        plan->think_ms * ms));
}

/* ---- the result, for its reader ---- */

void load_result_fini(struct load_result *result)
{
    free(result->second);
    free(result->share);
    result->second = NULL;
    result->share = NULL;
}

uint64_t load_failures(const struct load_result *result)
{
    uint64_t all = 0;

    for (int kind = 0; kind < LOAD_FAILURES; kind++)
        all += result->failed[kind];
    return all;
}

const char *load_failure_name(enum load_failure kind)
{
    static const char *const name[LOAD_FAILURES] = {
        [LOAD_REFUSED] = "refused",     [LOAD_RESET] = "reset",
        [LOAD_SHORT] = "short",         [LOAD_TIMEOUT] = "timeout",
        [LOAD_MALFORMED] = "malformed", [LOAD_STATUS] = "status",
        [LOAD_UNSENT] = "unsent",       [LOAD_LOCAL] = "local",
    };

    return name[kind];
}
