/* SPDX-License-Identifier: MIT */
/*
 * lane - a count of those who run, a queue of those who wait.    [worker]
 *
 * Owns:    the count and the order; requests belong to request.c.
 * Called:  by engine.c (enter), request.c (leave, abandon).
 * Fails:   never after init.
 */
#include "worker/lane.h"

#include "common/check.h"
#include "worker/request.h"

#include <stdlib.h>

int lane_init(struct lane *l, unsigned limit, struct board_record *records,
              unsigned count)
{
    *l = (struct lane){.limit = limit,
                       .records = records,
                       .record_count = limit < count ? limit : count};
    list_init(&l->waiting);
    l->free_records = calloc(l->record_count + 1, sizeof *l->free_records);
    if (l->free_records == NULL)
        return -1;
    for (unsigned i = l->record_count; i > 0; i--)
        l->free_records[l->free_count++] = (uint16_t)(i - 1);
    return 0;
}

void lane_fini(struct lane *l)
{
    free(l->free_records);
    l->free_records = NULL;
}

static void begin(struct lane *l, struct request *req)
{
    l->busy++;
    CHECK(l->busy <= l->limit);
    req->lane = l;
    req->record = LANE_NO_RECORD;
    if (l->free_count > 0) {
        req->record = l->free_records[--l->free_count];
        request_record(req, &l->records[req->record]);
    }
}

bool lane_enter(struct lane *l, struct request *req)
{
    if (l->busy < l->limit && l->waiting_count == 0) {
        begin(l, req);
        return true;
    }
    req->lane = l;
    list_append(&l->waiting, &req->lane_link);
    l->waiting_count++;
    return false;
}

struct request *lane_leave(struct lane *l, struct request *req)
{
    CHECK(l->busy > 0 && req->lane == l);
    l->busy--;
    if (req->record != LANE_NO_RECORD) {
        board_record_end(&l->records[req->record]);
        l->free_records[l->free_count++] = (uint16_t)req->record;
    }
    req->lane = NULL;
    struct list *link = list_first(&l->waiting);
    if (link == NULL)
        return NULL;
    struct request *next = LIST_ENTRY(link, struct request, lane_link);
    list_remove(link);
    l->waiting_count--;
    begin(l, next);
    return next;
}

void lane_abandon(struct lane *l, struct request *req)
{
    CHECK(req->lane == l && l->waiting_count > 0);
    list_remove(&req->lane_link);
    l->waiting_count--;
    req->lane = NULL;
}
