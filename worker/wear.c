/* SPDX-License-Identifier: MIT */
/*
 * wear - when this worker asks to be replaced: max_requests, max_rss.   [worker]
 *
 * Owns:    w->wear.
 * Called:  by request.c at the request that is one too many, by lifecycle.c each second.
 * Fails:   a message that cannot be sent is sent in the next second.
 * Rule:    a limit that a worker exceeds before it has begun is no reason: its successor would
 *          exceed it too, and so on for ever.
 */
#include "worker/wear.h"

#include "common/log.h"
#include "common/message.h"
#include "worker/self.h"

#include <inttypes.h>
#include <stdio.h>

enum { BYTES_PER_MIB = 1 << 20 };

static uint32_t draw_up_to(struct worker *w, uint32_t most)
{
    w->random = w->random * 1664525u + 1013904223u;
    return (uint32_t)(((uint64_t)w->random * ((uint64_t)most + 1)) >> 32);
}

void wear_init(struct worker *w)
{
    const struct conf_worker *conf = &w->conf->worker;
    w->wear.rss_bytes = conf->max_rss_bytes;
    w->wear.at = 0; /* no request has that number */
    if (conf->max_requests > 0)
        w->wear.at =
            (uint64_t)conf->max_requests + draw_up_to(w, conf->max_requests_jitter);
}

static void ask(struct worker *w, const char *why)
{
    const struct heritage *h = w->heritage;
    if (w->wear.has_asked || w->phase != WORKER_SERVING)
        return;
    w->wear.has_asked = message_send(h->channel, MESSAGE_RETIRE, h->generation,
                                     (int32_t)w->pid, MESSAGE_RETIRE_WORN, why, -1) == 0;
}

static void ask_for_requests(struct worker *w)
{
    char why[MESSAGE_TEXT];
    snprintf(why, sizeof why, "%" PRIu64 " requests (max_requests)", w->request_number);
    ask(w, why);
}

void wear_on_requests(struct worker *w)
{
    ask_for_requests(w);
}

static void ask_for_rss(struct worker *w, uint64_t rss_bytes)
{
    char why[MESSAGE_TEXT];
    snprintf(why, sizeof why, "%" PRIu64 " MiB resident (max_rss)",
             rss_bytes / BYTES_PER_MIB);
    ask(w, why);
}

static void give_up_rss(struct worker *w, uint64_t rss_bytes)
{
    w->wear.rss_bytes = 0;
    if (w->heritage->list_routes) /* one of them says it for all */
        log_warn("worker.max_rss does nothing: %" PRIu64
                 " MiB are resident before the first request",
                 rss_bytes / BYTES_PER_MIB);
}

void wear_on_rss(struct worker *w, uint64_t rss_bytes)
{
    if (w->wear.at != 0 && w->request_number >= w->wear.at)
        ask_for_requests(w);
    if (w->wear.rss_bytes == 0 || rss_bytes <= w->wear.rss_bytes)
        return;
    if (w->request_number == 0)
        give_up_rss(w, rss_bytes);
    else
        ask_for_rss(w, rss_bytes);
}
