/* SPDX-License-Identifier: MIT */
/*
 * drain - the connections of a worker that leaves.               [worker]
 *
 * Owns:    nothing; conn.c has the states.
 * Called:  by lifecycle.c when the drain begins, when graceful_timeout is over and at the end;
 *          by conn.c for the deadline of CONN_LAST; by handoff.c once there is room.
 * Fails:   never.
 */
#include "worker/drain.h"

#include "worker/answer.h"
#include "worker/conn.h"
#include "worker/handoff.h"
#include "worker/reader.h"
#include "worker/request.h"
#include "worker/self.h"

#include <errno.h>

void drain_idle(struct conn *c)
{
    bool is_idle = c->state == CONN_IDLE || (c->state == CONN_HEAD && conn_is_between(c));
    if (is_idle && handoff_retire(c) != HANDOFF_RETIRED)
        conn_set_state(c, CONN_LAST);
}

bool drain_retire(struct worker *w)
{
    LIST_FOREACH (link, &w->conns) {
        struct conn *c = LIST_ENTRY(link, struct conn, link);
        if (c->state == CONN_LAST && handoff_retire(c) == HANDOFF_LATER)
            return true;
    }
    return false;
}

/* The last read: what lies in the socket is served. Then the client is told that it was the
 * last, and LAST and LINGER together take no longer than one LINGER. */
static void end_idle(struct conn *c)
{
    long n = reader_receive(c);
    if (n >= 0 || errno != EAGAIN) {
        c->state = CONN_TURN; /* LAST again is entered anew */
        conn_on_received(c, n);
        return;
    }
    c->is_closing = c->is_lingering = true;
    conn_end_our_side(c, c->deadline.at_ms - CONN_LAST_MS);
}

/* Somebody may serve by now. */
void drain_on_last(struct conn *c)
{
    enum handoff_retire retire = handoff_retire(c);
    if (retire == HANDOFF_LATER)
        deadline_set(&c->worker->deadlines[DEADLINE_LAST], &c->deadline);
    else if (retire == HANDOFF_NOBODY)
        end_idle(c);
}

void drain_give_up(struct conn *c)
{
    if (conn_is_waiting(c)) {
        c->is_closing = c->is_lingering = true; /* or the next one would wait */
        conn_shed(c, LIMIT_NONE);
        conn_turn(c);
    } else if (c->is_handed) {
        ctx_cancel(&c->request->ctx, -ECANCELED);
    } else if (c->request != NULL && c->request->has_head) {
        reader_refuse(c, 503);
    }
}

/* Its handler may be at work this very moment: whoever claims the response first answers. */
void drain_cut(struct conn *c)
{
    struct request *req = c->request;
    bool is_running = req != NULL && c->is_handed && req->handler == HANDLER_RUNNING;
    if (is_running && answer_at_end(req))
        conn_try_write(c);
    if (req != NULL) /* its handler may never end: it has its line all the same */
        request_account(req, 0);
    conn_close(c);
}
