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

#include "common/clock.h"
#include "worker/plugin.h"
#include "worker/request.h"
#include "worker/self.h"

#include <assert.h>
#include <stdlib.h>

int begun_init(struct begun *b, struct board_ledger *ledger)
{
    *b = (struct begun){.ledger = ledger,
                        .used = ledger_count(ledger),
                        .free = calloc(LEDGER_ENTRIES, sizeof *b->free),
                        .sent = calloc(LEDGER_ENTRIES, sizeof *b->sent)};
    if (b->free == NULL || b->sent == NULL)
        return -1;
    for (unsigned i = b->used; i > 0; i--)
        if (board_get(&ledger->entry[i - 1].number) == 0)
            b->free[b->free_count++] = (uint16_t)(i - 1);
    return 0;
}

void begun_fini(struct begun *b)
{
    free(b->free);
    free(b->sent);
    *b = (struct begun){.free = NULL};
}

static void count_unrecorded(struct begun *b, uint32_t by)
{
    board_set32(&b->ledger->unrecorded, board_get32(&b->ledger->unrecorded) + by);
}

static unsigned index_of(const struct begun *b, const struct ledger_entry *e)
{
    return (unsigned)(e - b->ledger->entry);
}

static struct ledger_entry *take_unused(struct begun *b)
{
    if (b->ledger == NULL || b->used == LEDGER_ENTRIES)
        return NULL;
    board_set32(&b->ledger->used, b->used + 1);
    return &b->ledger->entry[b->used++];
}

static struct ledger_entry *take(struct begun *b)
{
    if (b->free_count == 0)
        return take_unused(b);
    return &b->ledger->entry[b->free[--b->free_count]];
}

static void give_back(struct begun *b, struct ledger_entry *e)
{
    ledger_set(e, 0);
    b->free[b->free_count++] = (uint16_t)index_of(b, e);
}

static void fill(struct ledger_entry *e, const struct request *req)
{
    static_assert((int)REQUEST_PEER_BYTES == LEDGER_PEER, "one size of address");
    e->begun_ns = req->begun_ns;
    e->queued_ns = e->started_ns = 0;
    e->route = LEDGER_NO_ROUTE;
    e->slot = LEDGER_NO_SLOT;
    e->minor = -1;
    e->pid = req->ctx.worker->pid;
    memcpy(e->peer, req->peer, LEDGER_PEER);
}

/* As lost, by the master: it was too long on its way. */
static void leave_logged(struct request *req)
{
    req->is_accounted = true;
    begun_leave(req);
}

/* The entry says where it comes from before it is valid: if we die before the claim, the master
 * makes it for us. */
static void claim(struct request *req, unsigned sender, uint64_t ticket)
{
    struct board *board = req->ctx.worker->heritage->board;
    if (sender < BOARD_WORKERS && !ledger_claim(&board->ledger[sender], ticket))
        leave_logged(req);
}

void begun_enter(struct request *req, unsigned sender, uint64_t ticket)
{
    struct begun *b = &req->ctx.worker->begun;
    struct ledger_entry *e = take(b);
    req->entry = e;
    if (e != NULL) {
        fill(e, req);
        e->origin = ticket;
        e->origin_worker = (uint16_t)sender;
        ledger_set(e, req->number);
    } else if (b->ledger != NULL) {
        req->is_unrecorded = true;
        count_unrecorded(b, 1);
    }
    if (ticket != 0)
        claim(req, sender, ticket);
}

void begun_note_peer(struct request *req)
{
    if (req->entry != NULL)
        memcpy(req->entry->peer, req->peer, LEDGER_PEER);
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

void begun_leave(struct request *req)
{
    struct begun *b = &req->ctx.worker->begun;
    if (req->entry != NULL) {
        give_back(b, req->entry);
        req->entry = NULL;
    } else if (req->is_unrecorded) {
        count_unrecorded(b, UINT32_MAX); /* one less */
        req->is_unrecorded = false;
    }
}

/* ---- to another worker ---- */

uint64_t begun_send(struct request *req)
{
    struct ledger_entry *e = req->entry;
    if (e == NULL)
        return 0;
    e->sent_ns = req->ctx.worker->now_ns;
    ledger_set(e, req->number | LEDGER_SENT);
    return ledger_ticket(req->number, index_of(&req->ctx.worker->begun, e));
}

void begun_unsend(struct request *req)
{
    if (req->entry != NULL && !ledger_take_back(req->entry, req->number))
        leave_logged(req);
}

/* A receiver that is late has yet to find it. */
static bool is_kept(const struct ledger_entry *e, uint64_t now_ns)
{
    uint64_t age_ms = now_ns > e->sent_ns ? (now_ns - e->sent_ns) / 1000000 : 0;
    return age_ms < LEDGER_KEPT_MS;
}

/* Free again, or still on its way? */
static bool reclaim(struct begun *b, unsigned index, uint64_t now_ns)
{
    struct ledger_entry *e = &b->ledger->entry[index];
    uint64_t state = board_get(&e->number) & LEDGER_STATE;
    if (state == LEDGER_SENT || (state == LEDGER_LOGGED && is_kept(e, now_ns)))
        return false;
    give_back(b, e);
    return true;
}

static unsigned take_sent(struct begun *b)
{
    unsigned index = b->sent[b->sent_first];
    b->sent_first = (b->sent_first + 1) % LEDGER_ENTRIES;
    b->sent_count--;
    return index;
}

static void put_sent(struct begun *b, unsigned index)
{
    b->sent[(b->sent_first + b->sent_count++) % LEDGER_ENTRIES] = (uint16_t)index;
}

/* Most have been taken long before the next is sent. */
void begun_leave_sent(struct request *req)
{
    struct begun *b = &req->ctx.worker->begun;
    if (req->entry == NULL) {
        begun_leave(req);
        return;
    }
    while (b->sent_count > 0 &&
           reclaim(b, b->sent[b->sent_first], req->ctx.worker->now_ns))
        (void)take_sent(b);
    put_sent(b, index_of(b, req->entry));
    req->entry = NULL;
}

void begun_each_second(struct begun *b)
{
    uint64_t now_ns = clock_mono_ns();
    for (unsigned n = b->sent_count; n > 0; n--) {
        unsigned index = take_sent(b);
        if (!reclaim(b, index, now_ns))
            put_sent(b, index);
    }
    if (b->ledger != NULL)
        board_set32(&b->ledger->unclaimed, b->sent_count);
}
