/* SPDX-License-Identifier: MIT */
/*
 * begun - takes, fills and gives back entries of the ledger.   [worker, loop thread]
 *
 * Owns:    the entries of this worker; which of them are free.
 * Called:  by reader.c (a request begins, its head is complete), engine.c (it is queued, it
 *          runs), account.c (it has its line).
 * Fails:   never after init: a request for which no entry is free is only counted.
 */
#include "worker/begun.h"

#include "common/check.h"
#include "worker/plugin.h"
#include "worker/request.h"
#include "worker/self.h"

#include <assert.h>
#include <stdlib.h>

int begun_init(struct begun *b, struct board_ledger *ledger)
{
    *b =
        (struct begun){.ledger = ledger, .free = calloc(LEDGER_ENTRIES, sizeof *b->free)};
    if (b->free == NULL)
        return -1;
    for (unsigned i = LEDGER_ENTRIES; i > 0; i--)
        if (i > ledger_count(ledger) || board_get(&ledger->entry[i - 1].number) == 0)
            b->free[b->free_count++] = (uint16_t)(i - 1);
    return 0;
}

void begun_fini(struct begun *b)
{
    free(b->free);
    *b = (struct begun){.free = NULL};
}

static void count_unrecorded(struct begun *b, uint32_t by)
{
    board_set32(&b->ledger->unrecorded, board_get32(&b->ledger->unrecorded) + by);
}

void begun_enter(struct request *req)
{
    struct begun *b = &req->ctx.worker->begun;
    static_assert((int)REQUEST_PEER_BYTES == LEDGER_PEER, "one size of address");
    if (b->ledger == NULL)
        return;
    if (b->free_count == 0) {
        count_unrecorded(b, 1);
        return;
    }
    unsigned index = b->free[--b->free_count];
    if (index >= board_get32(&b->ledger->used))
        board_set32(&b->ledger->used, index + 1);
    req->entry = &b->ledger->entry[index];
    ledger_begin(req->entry, req->number, req->begun_ns, req->peer);
}

void begun_note_head(struct request *req, const char *base)
{
    const struct http_request *head = &req->parser.request;
    struct ledger_entry *e = req->entry;
    if (e == NULL)
        return;
    if (req->route != NULL && req->route->index < LEDGER_NO_ROUTE)
        e->route = (uint16_t)req->route->index;
    ledger_note_head(e, http_span_slice(head->method_text, base),
                     http_span_slice(head->target, base), head->minor);
}

void begun_note_start(struct request *req)
{
    struct ledger_entry *e = req->entry;
    if (e == NULL)
        return;
    if (req->lane == &req->ctx.worker->slots)
        e->slot = (uint16_t)req->record; /* none is none here too */
    e->started_ns = req->started_ns;
}

void begun_leave(struct request *req)
{
    struct begun *b = &req->ctx.worker->begun;
    struct ledger_entry *e = req->entry;
    if (b->ledger == NULL)
        return;
    if (e == NULL) {
        count_unrecorded(b, UINT32_MAX); /* one less */
        return;
    }
    req->entry = NULL;
    ledger_end(e);
    b->free[b->free_count++] = (uint16_t)(e - b->ledger->entry);
}
