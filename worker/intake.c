/* SPDX-License-Identifier: MIT */
/*
 * intake - a bounded window between a client that sends and a handler that reads.  [worker]
 *
 * Owns:    struct intake, with the window.
 * Called:  by reader.c, conn.c, engine.c and answer.c on the loop; by api_request.c on the
 *          handler's thread or its tasks'.
 * Fails:   a body that is malformed, too large, late or cut ends: what has come is read first,
 *          then the error, by every read from then on.
 */
#include "worker/intake.h"

#include "common/check.h"
#include "http/response.h"
#include "worker/conn.h"
#include "worker/patience.h"
#include "worker/plugin.h"
#include "worker/reader.h"
#include "worker/request.h"
#include "worker/self.h"
#include "worker/wait.h"

#include <errno.h>
#include <pthread.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>

enum { COLLECT_FIRST = 8192 };

struct intake {
    bool is_continue_wanted; /* as the request says */

    /* the loop's */
    bool is_started;
    bool is_due;          /* the client's turn, since due_ms */
    bool is_continue_due; /* it waits for 100, and nobody has read yet */
    bool is_complete;     /* to the last byte of its framing */
    uint64_t stopped_ms;  /* when its turn ended */
    int status;           /* that of the error */

    /* the handler's side, one reader at a time */
    char *whole; /* intake_collect; malloc */
    size_t whole_bytes;

    /* under the lock */
    pthread_mutex_t lock;
    struct remuda_ctx *reader;    /* waits, or has just been woken */
    struct remuda_ctx *collector; /* reads all of it */
    bool is_asked;                /* somebody has read, and 100 may be due */
    bool is_read, is_collected;   /* in pieces; as a whole */
    bool is_stopped; /* the window was full; the loop is asked when half of it is free */
    bool has_ended;
    int error; /* 0: at its end */
    size_t room, start, count;
    char window[];
};

int intake_create(struct request *req)
{
    const struct http_request *head = &req->parser.request;
    bool is_short =
        head->body_kind == HTTP_BODY_LENGTH && head->content_length < INTAKE_ROOM;
    size_t room = is_short ? (size_t)head->content_length : INTAKE_ROOM;
    struct intake *in = malloc(sizeof *in + room);
    if (in == NULL)
        return -ENOMEM;
    *in = (struct intake){.room = room,
                          .is_continue_wanted = head->expect_continue,
                          .is_continue_due = head->expect_continue};
    CHECK(pthread_mutex_init(&in->lock, NULL) == 0);
    req->intake = in;
    return 0;
}

void intake_destroy(struct intake **intake)
{
    if (*intake == NULL)
        return;
    CHECK(pthread_mutex_destroy(&(*intake)->lock) == 0);
    free((*intake)->whole);
    free(*intake);
    *intake = NULL;
}

static void lock(struct intake *in)
{
    CHECK(pthread_mutex_lock(&in->lock) == 0);
}

static void unlock(struct intake *in)
{
    CHECK(pthread_mutex_unlock(&in->lock) == 0);
}

/* ---- the loop's side ---- */

bool intake_is_started(const struct intake *in)
{
    return in->is_started;
}

/* A reader leaves, under the lock, before its memory goes. */
static void wake_reader(struct intake *in)
{
    struct waiter *waiter = in->reader != NULL ? atomic_load(&in->reader->waiter) : NULL;
    if (waiter != NULL)
        waiter_wake(waiter);
}

static void end(struct intake *in, int error, int status)
{
    lock(in);
    if (!in->has_ended) {
        in->has_ended = true;
        in->error = error;
        in->status = status;
        wake_reader(in);
    }
    unlock(in);
}

/* The room of the window, in one piece or two; nobody else adds to it. */
static size_t room_of(struct intake *in)
{
    lock(in);
    size_t room = in->has_ended ? 0 : in->room - in->count;
    unlock(in);
    return room;
}

static void put(struct intake *in, struct slice piece)
{
    lock(in);
    size_t at = (in->start + in->count) % in->room;
    size_t first = in->room - at < piece.n ? in->room - at : piece.n;
    memcpy(in->window + at, piece.p, first);
    memcpy(in->window, piece.p + first, piece.n - first);
    in->count += piece.n;
    CHECK(in->count <= in->room);
    wake_reader(in);
    unlock(in);
}

/* The parser never has more than there is room for, so no piece is longer than that. */
static enum http_event parse(struct conn *c, struct request *req, size_t most)
{
    struct in *from = &c->in;
    size_t here = in_count(from) - req->consumed, n = here < most ? here : most, used = 0;
    const char *at = n > 0 ? from->data + from->start + req->consumed : "";
    enum http_event event = http_parser_body(&req->parser, at, n, &used);
    req->consumed += (uint32_t)used;
    return event;
}

static void fail(struct conn *c, struct request *req)
{
    bool is_large = req->parser.status == 413;
    if (req->parser.limit != LIMIT_NONE)
        patience_over(req, req->parser.limit);
    c->is_closing = c->is_lingering = true;
    end(req->intake, is_large ? -EMSGSIZE : -EPROTO, req->parser.status);
}

static void move(struct conn *c, struct request *req)
{
    struct intake *in = req->intake;
    enum http_event event = HTTP_EVENT_BODY;
    size_t room;
    while ((room = room_of(in)) > 0 || event == HTTP_EVENT_BODY) {
        uint32_t before = req->consumed;
        event = parse(c, req, room);
        if (event == HTTP_EVENT_BODY)
            put(in, req->parser.piece);
        else if (event != HTTP_EVENT_MORE || req->consumed == before)
            break;
    }
    in->is_complete = event == HTTP_EVENT_DONE;
    if (in->is_complete)
        end(in, 0, 0);
    else if (event == HTTP_EVENT_ERROR)
        fail(c, req);
    else if (c->is_eof && in_count(&c->in) == req->consumed)
        end(in, -ECANCELED, 0);
    in_consume(&c->in, req->consumed);
    req->consumed = 0;
}

/* Only where somebody wants to read, and before the head of an answer. */
static void say_continue(struct conn *c, struct request *req)
{
    struct intake *in = req->intake;
    if (!in->is_continue_due)
        return;
    lock(in);
    bool is_asked = in->is_asked;
    unlock(in);
    bool has_come = req->parser.body_seen > 0 || req->parser.framing_seen > 0;
    if (has_come)
        in->is_continue_due = false;
    if (has_come || !is_asked || req->is_flowing)
        return;
    in->is_continue_due = false;
    if (out_copy(&c->out, HTTP_CONTINUE, sizeof HTTP_CONTINUE - 1) < 0)
        c->is_broken = true;
}

/* The time in which the handler lets the client wait is not the client's. */
static void take_turn(struct conn *c, struct request *req)
{
    struct intake *in = req->intake;
    uint64_t now_ms = c->worker->now_ms;
    lock(in);
    if (in->count == in->room)
        in->is_stopped = true;
    bool is_due = !in->is_stopped && !in->has_ended && !in->is_continue_due;
    unlock(in);
    if (is_due && !in->is_due) {
        req->body_begun_ms += now_ms - in->stopped_ms;
        c->read_ms = now_ms;
    } else if (!is_due && in->is_due) {
        in->stopped_ms = now_ms;
    }
    in->is_due = is_due;
}

void intake_pump(struct conn *c)
{
    struct request *req = c->request;
    struct intake *in = req->intake;
    if (!in->is_started || in->is_complete)
        return;
    lock(in);
    bool has_ended = in->has_ended;
    unlock(in);
    if (!has_ended)
        move(c, req);
    say_continue(c, req);
    take_turn(c, req);
}

void intake_start(struct request *req)
{
    struct conn *c = req->conn;
    struct intake *in = req->intake;
    if (c == NULL)
        return;
    if (!reader_part(c, req)) {
        c->is_closing = c->is_lingering = true;
        end(in, -ENOMEM, 503);
    }
    in->is_started = true;
    in->stopped_ms = req->body_begun_ms = c->worker->now_ms;
    intake_pump(c);
}

long intake_receive(struct conn *c)
{
    if (in_make_room(&c->in, BLOCK_BYTES))
        return in_receive(&c->in, c->io.fd);
    errno = EAGAIN;
    return -1;
}

bool intake_has_room(const struct conn *c)
{
    struct intake *in = c->request->intake;
    if (in->is_complete) /* what is behind it is read ahead */
        return in_count(&c->in) < BLOCK_BYTES;
    lock(in);
    bool has_room = !in->has_ended && !in->is_stopped;
    unlock(in);
    return has_room;
}

bool intake_is_due(const struct conn *c)
{
    return c->request->intake->is_due;
}

void intake_on_late(struct request *req)
{
    req->conn->is_closing = req->conn->is_lingering = true;
    end(req->intake, -ETIMEDOUT, 408);
}

void intake_cut(struct request *req)
{
    end(req->intake, -ECANCELED, 0);
}

bool intake_drop(struct request *req)
{
    struct intake *in = req->intake;
    struct conn *c = req->conn;
    enum http_event event = HTTP_EVENT_BODY;
    while (event == HTTP_EVENT_BODY && !in->is_complete && req->parser.status == 0)
        event = parse(c, req, SIZE_MAX);
    in->is_complete = in->is_complete || event == HTTP_EVENT_DONE;
    if (!in->is_complete)
        c->is_closing = c->is_lingering = true;
    return in->is_complete;
}

bool intake_lets_stay(struct request *req)
{
    if (!req->is_flowing || req->handler != HANDLER_RUNNING)
        return intake_drop(req);
    if (req->intake->is_continue_due) /* too late to ask for it */
        req->conn->is_closing = req->conn->is_lingering = true;
    return !req->intake->is_continue_due;
}

int intake_status(const struct request *req, int rc)
{
    struct intake *in = req->intake;
    lock(in);
    int status = in->has_ended && rc != 0 && rc == in->error ? in->status : 0;
    unlock(in);
    return status;
}

/* ---- the handler's side ---- */

/* A coroutine of the request is on the loop, which looks after it when that waits or ends. */
static void ask(struct remuda_ctx *c, struct request *req)
{
    if (c != &req->ctx || c->place != CTX_ON_CORO)
        done_put(&req->ctx.worker->done, req, false);
}

static void copy_out(struct intake *in, char *to, size_t n)
{
    size_t first = in->room - in->start < n ? in->room - in->start : n;
    memcpy(to, in->window + in->start, first);
    memcpy(to + first, in->window, n - first);
    in->start = (in->start + n) % in->room;
    in->count -= n;
}

/* -EAGAIN: nothing is there, and c is the one who waits for it. */
static int64_t take(struct intake *in, struct remuda_ctx *c, char *to, size_t n,
                    bool *asks_out)
{
    if (in->reader != NULL && in->reader != c)
        return -EBUSY;
    in->reader = NULL;
    *asks_out = in->is_continue_wanted && !in->is_asked;
    in->is_asked = true;
    if (in->count > 0) {
        n = n < in->count ? n : in->count;
        copy_out(in, to, n);
        if (in->is_stopped && in->count <= in->room / 2) {
            in->is_stopped = false;
            *asks_out = true;
        }
        return (int64_t)n;
    }
    if (in->has_ended)
        return in->error;
    in->reader = c;
    return -EAGAIN;
}

static void stop_reading(struct intake *in, struct remuda_ctx *c)
{
    lock(in);
    if (in->reader == c)
        in->reader = NULL;
    unlock(in);
}

static int64_t read_some(struct remuda_ctx *c, struct request *req, char *to, size_t n)
{
    struct intake *in = req->intake;
    struct waiter *waiter = waiter_of(c);
    if (waiter != NULL)
        waiter_prepare(waiter);
    for (;;) {
        bool asks = false;
        lock(in);
        int64_t got = take(in, c, to, n, &asks);
        unlock(in);
        if (asks)
            ask(c, req);
        if (got != -EAGAIN)
            return got;
        int error = waiter != NULL ? ctx_cancelled(c) : -EDEADLK;
        if (error != 0) {
            stop_reading(in, c);
            return error;
        }
        (void)waiter_wait(waiter, -1, 0, ctx_until_ns(c, WAIT_FOREVER));
    }
}

/* It was collected: what remuda_read gives are pieces of that. */
static int64_t read_collected(struct intake *in, struct request *req, char *to, size_t n)
{
    size_t before = atomic_load(&req->body_taken), left, taken;
    do {
        left = in->whole_bytes - before;
        taken = n < left ? n : left;
    } while (!atomic_compare_exchange_weak(&req->body_taken, &before, before + taken));
    if (taken > 0)
        memcpy(to, in->whole + before, taken);
    return (int64_t)taken;
}

int64_t intake_read(struct remuda_ctx *c, struct request *req, void *buf, size_t n)
{
    struct intake *in = req->intake;
    if (n == 0)
        return 0;
    if (ctx_cancelled(c) == -ETIMEDOUT)
        return -ETIMEDOUT; /* else a client that never pauses would be read for ever */
    lock(in);
    bool is_collected = in->is_collected, is_busy = in->collector != NULL;
    in->is_read = true;
    unlock(in);
    if (is_collected)
        return read_collected(in, req, buf, n);
    return is_busy ? -EBUSY : read_some(c, req, buf, n);
}

static bool grow(struct intake *in, size_t *room)
{
    size_t larger = *room > 0 ? *room * 2 : COLLECT_FIRST;
    char *whole = realloc(in->whole, larger);
    if (whole == NULL)
        return false;
    in->whole = whole;
    *room = larger;
    return true;
}

/* What has come when it fails is kept for the next try: a wait may end early. */
static int collect(struct remuda_ctx *c, struct request *req)
{
    struct intake *in = req->intake;
    size_t room = in->whole_bytes;
    for (;;) {
        if (in->whole_bytes == room && !grow(in, &room))
            return -ENOMEM;
        int64_t n =
            read_some(c, req, in->whole + in->whole_bytes, room - in->whole_bytes);
        if (n <= 0)
            return (int)n;
        in->whole_bytes += (size_t)n;
    }
}

/* -EAGAIN: c is the one who does it. */
static int begin_collecting(struct intake *in, struct remuda_ctx *c)
{
    lock(in);
    int rc = in->is_collected        ? 0
             : in->collector != NULL ? -EBUSY
             : in->is_read           ? -EALREADY
                                     : -EAGAIN;
    if (rc == -EAGAIN)
        in->collector = c;
    unlock(in);
    return rc;
}

int intake_collect(struct remuda_ctx *c, struct request *req, remuda_bytes *out)
{
    struct intake *in = req->intake;
    int rc = begin_collecting(in, c);
    if (rc == -EAGAIN) {
        rc = collect(c, req);
        lock(in);
        in->collector = NULL;
        in->is_collected = rc == 0;
        unlock(in);
    }
    if (rc != 0)
        return rc;
    *out = (remuda_bytes){in->whole_bytes > 0 ? in->whole : "", in->whole_bytes};
    return 0;
}
