/* SPDX-License-Identifier: MIT */
/*
 * lab_load - the load of an experiment: bench's, with the lab's own defaults.     [lab]
 *
 * Owns:    the bytes of the request, for the time of the load.
 * Called:  by the experiments.
 * Fails:   lab_fail, when no request could be sent; a request that fails is no agreement.
 */
#include "cli/lab_run.h"

#include "cli/request_text.h"
#include "common/check.h"

#include <errno.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

enum {
    DURATION_MS = 12000,
    WARMUP_MS = 2000,
    SHORT_DURATION_MS = 2000,
    SHORT_WARMUP_MS = 500,
    SETTLED_MS = 10000,
    SETTLED_SHORT_MS = 1500,
    TIMEOUT_MS = 30000,
    OPEN_CLIENTS = 256
};

struct load_plan lab_settled(const struct lab *lab, unsigned clients, unsigned settle_ms)
{
    return (struct load_plan){
        .clients = clients,
        .warmup_ms = settle_ms,
        .duration_ms = settle_ms + (lab_is_short(lab) ? SETTLED_SHORT_MS : SETTLED_MS),
    };
}

/* For the line that says how far it is. */
struct progress {
    struct lab_report *report;
    const struct load_plan *plan, *theirs;
    const char *target;
};

static void on_second(void *arg, size_t second, const struct load_second *what)
{
    const struct progress *p = arg;

    lab_report_progress(p->report, "%zu of %" PRIu64 " s: %s, %" PRIu64 " answered",
                        second + 1, (p->plan->duration_ms + 999) / 1000, p->target,
                        what->answered);
    if (p->theirs->on_second != NULL)
        p->theirs->on_second(p->theirs->arg, second, what);
}

static void fill_in(const struct lab *lab, const struct lab_server *server,
                    struct load_plan *plan)
{
    if (plan->duration_ms == 0) {
        plan->duration_ms = lab->is_short ? SHORT_DURATION_MS : DURATION_MS;
        plan->warmup_ms = lab->is_short ? SHORT_WARMUP_MS : WARMUP_MS;
    }
    if (plan->timeout_ms == 0)
        plan->timeout_ms = TIMEOUT_MS;
    if (plan->clients == 0)
        plan->clients = OPEN_CLIENTS;
    plan->address = server->address;
    plan->is_spread = plan->rate <= 0;
    plan->stop = lab->stop;
}

static bool run(struct lab *lab, const struct lab_server *server,
                const struct load_plan *plan, struct load_result *result)
{
    const char *why = load_run(plan, result);
    const int error = errno;

    lab_server_check(lab, server); /* the better reason, if it is one */
    if (why != NULL)
        lab_fail(lab, "no load: %s%s%s", why, error == 0 ? "" : ": ",
                 error == 0 ? "" : strerror(error));
    return !lab_has_ended(lab);
}

bool lab_load_failing(struct lab *lab, const struct lab_server *server,
                      const char *target, const struct load_plan *what,
                      struct load_result *result)
{
    struct load_plan plan = *what;
    struct progress progress = {lab->report, &plan, what, target};
    struct request_parts parts = {.target = slice_of(target), .is_last = what->is_close};
    char *text = NULL;
    size_t size = 0;
    const char *why;
    bool is_good = false;

    *result = (struct load_result){0};
    if (server == NULL || lab_has_ended(lab))
        return false;
    fill_in(lab, server, &plan);
    parts.host = slice_of(server->where);
    why = request_text_build(&parts, &text, &size);
    if (why != NULL) {
        lab_fail(lab, "no request: %s", why);
    } else {
        plan.request = (struct slice){text, size};
        plan.on_second = on_second;
        plan.arg = &progress;
        lab_report_progress(lab->report, "%u clients, %s", plan.clients, target);
        is_good = run(lab, server, &plan, result);
    }
    free(text);
    return is_good;
}

/* A server that fails half of the requests may well answer the other half in time. */
static void judge(struct lab *lab, const char *target, const struct load_result *result)
{
    const uint64_t failures = load_failures(result);
    enum load_failure most = 0;

    if (failures == 0)
        return;
    for (enum load_failure kind = 0; kind < LOAD_FAILURES; kind++)
        if (result->failed[kind] > result->failed[most])
            most = kind;
    lab->result.has_failed = true;
    lab_note(lab, "%" PRIu64 " of %" PRIu64 " requests for %s failed (%s).", failures,
             result->sent, target, load_failure_name(most));
}

bool lab_load(struct lab *lab, const struct lab_server *server, const char *target,
              const struct load_plan *plan, struct load_result *result)
{
    const bool is_good = lab_load_failing(lab, server, target, plan, result);

    if (is_good)
        judge(lab, target, result);
    return is_good;
}
