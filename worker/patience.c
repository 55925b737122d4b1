/* SPDX-License-Identifier: MIT */
/*
 * patience - how much and how long a client may take, and what becomes of it then.   [worker]
 *
 * Owns:    nothing; the deadlines are those of the connections.
 * Called:  by the deadlines of connections; by conn.c when answers begin to wait; by whoever
 *          finds too much of something.
 * Calls:   reader.c to refuse, conn.c to close.
 * Fails:   never.
 */
#include "worker/patience.h"

#include "worker/conn.h"
#include "worker/drain.h"
#include "worker/intake.h"
#include "worker/reader.h"
#include "worker/request.h"
#include "worker/self.h"

#include <linux/sockios.h>
#include <sys/ioctl.h>
#include <sys/socket.h>

enum { MS_PER_S = 1000 };

void patience_over(struct request *req, enum limit limit)
{
    req->limit = limit;
    board_add(&req->ctx.worker->entry->counters.limits[limit], 1);
}

/* ---- its answers ---- */

/* What the kernel still has of it, unread by the client's machine. */
static uint64_t count_unread(const struct conn *c)
{
    int n = 0;
    return ioctl(c->io.fd, SIOCOUTQ, &n) == 0 && n > 0 ? (uint64_t)n : 0;
}

static void begin_taking(struct conn *c, uint64_t unread)
{
    uint64_t now_ms = c->worker->now_ms;
    c->taking =
        (struct conn_taking){.since_ms = now_ms, .look_ms = now_ms, .given = unread};
}

void patience_begin_taking(struct conn *c)
{
    begin_taking(c, count_unread(c));
}

/* A look each second. Its time begins anew when what it took since is enough for the time it
 * took, or is all there was: else one byte per write_timeout would hold a response for ever.
 * The kernel is asked, for the socket tells of progress only when a third of its buffer is free. */
static enum limit taking_limit(struct conn *c)
{
    const struct conf_limits *limits = &c->worker->conf->limits;
    uint64_t unread = count_unread(c), given = c->taking.given;
    uint64_t taken = given > unread ? given - unread : 0; /* a unix socket counts more */
    uint64_t ms = c->worker->now_ms - c->taking.since_ms;
    c->taking.look_ms = c->worker->now_ms;
    if (unread == 0 ||
        (taken > 0 && taken * MS_PER_S >= limits->write_min_rate_bytes * ms)) {
        begin_taking(c, unread);
        return LIMIT_NONE;
    }
    if (ms < limits->write_timeout_ms)
        return LIMIT_NONE;
    return taken > 0 ? LIMIT_WRITE_RATE : LIMIT_WRITE_TIMEOUT;
}

/* ---- its time is over ---- */

/* Longer than queue_timeout; unless it runs by now, which is not told to us. */
static void on_queue_timeout(struct conn *c)
{
    if (!conn_is_waiting(c)) {
        c->state = CONN_RUN;
        return;
    }
    conn_shed(c, LIMIT_QUEUE_TIMEOUT);
    conn_turn(c);
}

/* The kernel would go on with what it has for minutes, to a client that does not read. */
static void cut(struct conn *c)
{
    const struct linger at_once = {.l_onoff = 1};
    (void)setsockopt(c->io.fd, SOL_SOCKET, SO_LINGER, &at_once, sizeof at_once);
    conn_close(c);
}

static enum limit limit_over(struct conn *c)
{
    switch (c->state) {
    case CONN_HEAD:
        return LIMIT_HEAD_TIMEOUT;
    case CONN_BODY:
        return reader_body_limit(c);
    case CONN_WRITE:
        return taking_limit(c);
    case CONN_IDLE:
        return LIMIT_KEEPALIVE;
    default:
        return LIMIT_NONE; /* LINGER: it has had its answer */
    }
}

static void count_over(struct conn *c, enum limit limit)
{
    struct board_counters *counters = &c->worker->entry->counters;
    if (c->state != CONN_IDLE)
        board_add(&counters->timeouts, 1);
    if (c->request != NULL)
        patience_over(c->request, limit);
    else
        board_add(&counters->limits[limit], 1);
}

/* Its handler hears of it, and answers. */
static void on_late_intake(struct conn *c)
{
    intake_on_late(c->request);
    c->state = CONN_TURN;
    conn_turn(c);
}

void patience_on_deadline(struct deadline *d)
{
    struct conn *c = CONTAINER_OF(d, struct conn, deadline);
    CHECK_OBJ(c, CONN_MAGIC);
    struct worker *w = c->worker;
    if (c->state == CONN_WAIT) {
        on_queue_timeout(c);
        return;
    }
    if (c->state == CONN_LAST) {
        drain_on_last(c);
        return;
    }
    enum limit limit = limit_over(c);
    bool is_look = c->state == CONN_BODY || c->state == CONN_WRITE;
    if (is_look && limit == LIMIT_NONE) {
        deadline_set(
            &w->deadlines[c->state == CONN_BODY ? DEADLINE_BODY : DEADLINE_WRITE], d);
        return;
    }
    if (limit != LIMIT_NONE)
        count_over(c, limit);
    if (c->state == CONN_WRITE)
        cut(c);
    else if (c->is_handed && c->state == CONN_BODY)
        on_late_intake(c);
    else if (c->state == CONN_BODY || (c->state == CONN_HEAD && c->request != NULL))
        reader_refuse(c, 408); /* ends in a turn */
    else
        conn_close(c);
}
