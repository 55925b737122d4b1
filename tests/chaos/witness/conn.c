/* SPDX-License-Identifier: MIT */
/*
 * conn - connects, sends, receives, records how it ended.                 [test tool]
 *
 * The socket is watched edge-triggered for everything, once.
 *
 * Called:  by main.c.
 * Fails:   into the records only.
 */
#include "tests/chaos/witness/conn.h"

#include "common/check.h"
#include "common/clock.h"
#include "common/fd.h"

#include <errno.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <sys/epoll.h>
#include <sys/socket.h>

void conn_init(struct conn *c, struct conn_world *world, enum plan_group group)
{
    c->world = world;
    c->group = group;
    c->state = CONN_NONE;
    c->fd = -1;
    c->flights = 0;
    list_init(&c->free);
    list_init(&c->busy);
    list_init(&c->pausing);
    list_append(&world->free[group], &c->free);
}

void conn_close(struct conn *c)
{
    fd_close(&c->fd);
    list_remove(&c->busy);
    list_remove(&c->pausing);
    c->state = CONN_NONE;
}

/* ---- ends ---- */

static void become_free(struct conn *c)
{
    list_remove(&c->busy);
    list_remove(&c->free);
    list_append(&c->world->free[c->group], &c->free);
}

static bool is_ours(int error)
{
    return error == EMFILE || error == ENFILE || error == ENOBUFS || error == ENOMEM ||
           error == EADDRNOTAVAIL;
}

static void end_first(struct conn *c, enum record_outcome outcome, int error,
                      uint64_t now_ns)
{
    struct record *record = record_at(c->flight[0].id);

    record->worker = c->answer.worker;
    record->status = (uint16_t)c->answer.status;
    record->error = (int16_t)error;
    record->why = c->answer.why;
    record_end(c->flight[0].id, outcome, now_ns);
    c->flights--;
    for (unsigned i = 0; i < c->flights; i++) {
        c->flight[i] = c->flight[i + 1];
        c->flight_end[i] = c->flight_end[i + 1];
    }
    if (c->flights > 0)
        answer_begin(&c->answer, &c->flight[0]);
}

/* The connection is of no more use: all that is on it fails. */
static void fail(struct conn *c, enum record_outcome outcome, int error, uint64_t now_ns)
{
    if (is_ours(error))
        outcome = RECORD_LOCAL;
    if (c->flights > 0 && (outcome == RECORD_RESET || outcome == RECORD_CLOSED) &&
        answer_has_begun(&c->answer))
        outcome = RECORD_SHORT;
    while (c->flights > 0) {
        end_first(c, outcome, error, now_ns);
        if (outcome == RECORD_SHORT || outcome == RECORD_STATUS ||
            outcome == RECORD_BYTES || outcome == RECORD_MALFORMED)
            outcome = RECORD_CLOSED; /* what stands behind it was not answered at all */
    }
    conn_close(c);
    become_free(c);
}

/* Without a request: the server has closed, or the last answer said that it would. */
static void end_idle(struct conn *c, enum record_drop kind, uint64_t now_ns)
{
    if (c->state != CONN_LAST || kind == RECORD_DROP_RESET)
        record_drop(kind, c->group, c->port, c->worker, now_ns);
    conn_close(c);
    become_free(c);
}

static void on_end(struct conn *c, int error, uint64_t now_ns)
{
    if (c->state == CONN_CONNECTING)
        fail(c, RECORD_REFUSED, error, now_ns);
    else if (c->flights > 0)
        fail(c, error == 0 ? RECORD_CLOSED : RECORD_RESET, error, now_ns);
    else
        end_idle(c, error == 0 ? RECORD_DROP_CLOSED : RECORD_DROP_RESET, now_ns);
}

/* ---- answers ---- */

static void on_right(struct conn *c, uint64_t now_ns)
{
    const bool says_close = c->answer.says_close;

    c->worker = c->answer.worker;
    end_first(c, RECORD_OK, 0, now_ns);
    if (!says_close) {
        if (c->flights == 0)
            become_free(c);
        return;
    }
    if (c->group != PLAN_CLOSE)
        record_drop(RECORD_DROP_SAID, c->group, c->port, c->worker, now_ns);
    while (c->flights > 0) /* sent with it, and never to be answered */
        end_first(c, RECORD_CLOSED, 0, now_ns);
    c->state = CONN_LAST;
}

/* Right in itself; also here and now? NULL: yes. */
static const char *misplaced(const struct conn *c)
{
    if (c->out_sent < c->flight_end[0])
        return "answered before it was sent";
    if (c->group == PLAN_CLOSE && !c->answer.says_close)
        return "no Connection: close, which was asked for";
    return NULL;
}

static void take(struct conn *c, const char *p, size_t n, uint64_t now_ns)
{
    while (n > 0) {
        enum answer_verdict verdict;
        size_t used;

        if (c->flights == 0 || c->state == CONN_LAST) {
            record_drop(RECORD_DROP_RESET, c->group, c->port, c->worker, now_ns);
            conn_close(c); /* bytes that nobody asked for */
            become_free(c);
            return;
        }
        verdict = answer_feed(&c->answer, p, n, &used);
        if (verdict == ANSWER_RIGHT && (c->answer.why = misplaced(c)) != NULL)
            verdict = ANSWER_MALFORMED;
        p += used;
        n -= used;
        if (verdict == ANSWER_RIGHT)
            on_right(c, now_ns);
        else if (verdict == ANSWER_STATUS)
            fail(c, RECORD_STATUS, 0, now_ns);
        else if (verdict == ANSWER_BYTES)
            fail(c, RECORD_BYTES, 0, now_ns);
        else if (verdict == ANSWER_MALFORMED)
            fail(c, RECORD_MALFORMED, 0, now_ns);
        if (c->state == CONN_NONE)
            return;
    }
}

static void receive(struct conn *c, uint64_t now_ns)
{
    while (c->state == CONN_OPEN || c->state == CONN_LAST) {
        const ssize_t n = recv(c->fd, c->world->buffer, CONN_READ_BYTES, 0);

        if (n > 0)
            take(c, c->world->buffer, (size_t)n, now_ns);
        else if (n == 0)
            on_end(c, 0, now_ns);
        else if (errno == EAGAIN)
            return;
        else if (errno != EINTR)
            on_end(c, errno, now_ns);
    }
}

/* ---- requests ---- */

/* After a send: which requests have begun to leave, which have left. */
static void note_sent(struct conn *c, size_t before, uint64_t now_ns)
{
    size_t start = 0;

    for (unsigned i = 0; i < c->flights; i++) {
        struct record *record = record_at(c->flight[i].id);

        if (record->begun_ns == 0 && c->out_sent > start)
            record->begun_ns = now_ns;
        if (before < c->flight_end[i] && c->out_sent >= c->flight_end[i])
            record->sent_ns = now_ns;
        start = c->flight_end[i];
    }
}

static size_t next_stop(const struct conn *c)
{
    return c->cuts_done < c->cuts ? c->cut[c->cuts_done] : c->out_n;
}

static void pause_here(struct conn *c, uint64_t now_ns)
{
    c->cuts_done++;
    c->resume_ns = now_ns + c->world->pause_ns;
    list_append(&c->world->pausing, &c->pausing);
}

/* A peer that has closed may have answered first: what it says comes by reading. */
static void transmit(struct conn *c, uint64_t now_ns)
{
    while (c->out_sent < c->out_n && list_is_empty(&c->pausing)) {
        const size_t before = c->out_sent, stop = next_stop(c);
        const ssize_t n = send(c->fd, c->out + before, stop - before, MSG_NOSIGNAL);

        if (n >= 0) {
            c->out_sent += (size_t)n;
            note_sent(c, before, now_ns);
            if (c->out_sent == stop && stop < c->out_n)
                pause_here(c, now_ns);
        } else if (errno == EAGAIN) {
            return;
        } else if (errno == EPIPE || errno == ECONNRESET) {
            const int error = errno;

            receive(c, now_ns);
            if (c->state == CONN_OPEN && c->flights > 0)
                on_end(c, error, now_ns);
            return;
        } else if (errno != EINTR) {
            on_end(c, errno, now_ns);
            return;
        }
    }
}

static void note_port(struct conn *c)
{
    struct sockaddr_storage name;
    socklen_t size = sizeof name;

    if (getsockname(c->fd, (struct sockaddr *)&name, &size) == 0)
        c->port = (uint16_t)addr_port((struct sockaddr *)&name);
    for (unsigned i = 0; i < c->flights; i++)
        record_at(c->flight[i].id)->port = c->port;
}

static void on_connected(struct conn *c, uint64_t now_ns)
{
    c->state = CONN_OPEN;
    note_port(c);
    if (c->flights > 0)
        transmit(c, now_ns);
    else
        become_free(c);
}

static void open_socket(struct conn *c, uint64_t now_ns)
{
    const struct addr *to = &c->world->address;
    const int one = 1;
    struct epoll_event event = {
        .events = EPOLLIN | EPOLLOUT | EPOLLRDHUP | EPOLLET,
        .data.ptr = c,
    };

    c->world->connects++;
    c->worker = 0;
    c->port = 0;
    c->requests = 0;
    c->state = CONN_CONNECTING;
    c->fd = socket(to->storage.ss_family, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
    if (c->fd < 0 || epoll_ctl(c->world->epoll_fd, EPOLL_CTL_ADD, c->fd, &event) < 0) {
        fail(c, RECORD_LOCAL, errno, now_ns);
        return;
    }
    setsockopt(c->fd, IPPROTO_TCP, TCP_NODELAY, &one, sizeof one);
    if (connect(c->fd, (const struct sockaddr *)&to->storage, to->length) == 0)
        on_connected(c, now_ns);
    else if (errno != EINPROGRESS)
        fail(c, RECORD_REFUSED, errno, now_ns);
}

static void begin(struct conn *c, uint64_t now_ns)
{
    list_remove(&c->free);
    list_append(&c->world->busy, &c->busy);
    c->since_ns = now_ns;
}

void conn_open(struct conn *c, uint64_t now_ns)
{
    begin(c, now_ns);
    open_socket(c, now_ns);
}

static void load(struct conn *c, const struct plan_ask *ask)
{
    const struct plan_mix *mix = &c->world->mix;
    const unsigned i = c->flights++;

    c->flight[i] = *ask;
    c->out_n += plan_write(mix, ask, c->out + c->out_n);
    c->flight_end[i] = c->out_n;
}

/* Which connection they are on is known before they are sent, who holds it may not be. */
static void note_connection(struct conn *c)
{
    for (unsigned i = 0; i < c->flights; i++) {
        struct record *record = record_at(c->flight[i].id);

        record->port = c->port;
        record->held_by = c->worker;
        record->nth = ++c->requests;
        record->is_piped = i > 0;
    }
}

void conn_ask(struct conn *c, const struct plan_ask *asks, unsigned count,
              uint64_t now_ns)
{
    CHECK(c->flights == 0 && count > 0 && count <= CONN_FLIGHTS);
    begin(c, now_ns);
    c->out_n = c->out_sent = 0;
    for (unsigned i = 0; i < count; i++)
        load(c, &asks[i]);
    c->cuts = plan_cut(&c->world->mix, &asks[0], c->flight_end[0], c->cut);
    c->cuts_done = 0;
    answer_begin(&c->answer, &c->flight[0]);
    if (c->state == CONN_OPEN) {
        note_connection(c);
        transmit(c, now_ns);
    } else {
        open_socket(c, now_ns);
        if (c->requests == 0)
            note_connection(c);
    }
}

/* ---- events ---- */

static void end_connect(struct conn *c, uint64_t now_ns)
{
    socklen_t size = sizeof(int);
    int error = 0;

    if (getsockopt(c->fd, SOL_SOCKET, SO_ERROR, &error, &size) < 0)
        error = errno;
    if (error == 0)
        on_connected(c, now_ns);
    else
        fail(c, RECORD_REFUSED, error, now_ns);
}

void conn_on_event(struct conn *c, unsigned events, uint64_t now_ns)
{
    if (c->state == CONN_NONE)
        return; /* closed by an event of the same turn */
    if (c->state == CONN_CONNECTING) {
        if ((events & (EPOLLOUT | EPOLLERR | EPOLLHUP)) != 0)
            end_connect(c, now_ns);
    } else if ((events & EPOLLOUT) != 0 && c->state == CONN_OPEN && c->flights > 0) {
        transmit(c, now_ns);
    }
    if (c->state == CONN_OPEN || c->state == CONN_LAST)
        receive(c, now_ns);
}

void conn_on_pause_over(struct conn *c, uint64_t now_ns)
{
    list_remove(&c->pausing);
    transmit(c, now_ns);
}

void conn_on_deadline(struct conn *c, uint64_t now_ns)
{
    if (c->state == CONN_LAST)
        end_idle(c, RECORD_DROP_RESET, now_ns); /* it said close, and did not */
    else
        fail(c, RECORD_TIMEOUT, 0, now_ns);
}
