/* SPDX-License-Identifier: MIT */
/*
 * stream - back-pressure between a handler and a client.         [worker]
 *
 * Owns:    struct stream: the bytes between remuda_write and the connection's output.
 * Called:  by api_response.c on the handler's thread; engine.c, conn.c on the loop.
 * Fails:   -ENOMEM at begin; a failing output breaks the connection.
 *
 * Two bounds: STREAM_ROOM here, CONN_OUT_HIGH in the output. The lock is held for a memcpy.
 */
#include "worker/stream.h"

#include "common/check.h"
#include "http/response.h"
#include "http/sse.h"
#include "worker/answer.h"
#include "worker/conn.h"
#include "worker/request.h"
#include "worker/self.h"
#include "worker/wait.h"

#include <errno.h>
#include <pthread.h>
#include <stdlib.h>
#include <string.h>

enum { STREAM_BURST = 256 * 1024 };

/** What was written last. */
enum stream_last { LAST_BYTES, LAST_PART_OF_EVENT, LAST_EVENT };

struct stream {
    /* the loop's */
    struct request *request;
    struct deadline silence; /* between two events */
    bool is_chunked, has_body;
    size_t burst_bytes; /* written by a coroutine since it last let others run */

    /* under the lock */
    pthread_mutex_t lock;
    size_t count;
    bool is_writer_waiting;
    enum stream_last last;
    char bytes[STREAM_ROOM];
};

int stream_begin(struct request *req)
{
    struct stream *s = malloc(sizeof *s);
    if (s == NULL)
        return -ENOMEM;
    s->is_chunked = s->has_body = false;
    s->burst_bytes = s->count = 0;
    s->is_writer_waiting = false;
    s->last = LAST_BYTES;
    s->request = req;
    deadline_init(&s->silence);
    CHECK(pthread_mutex_init(&s->lock, NULL) == 0);
    req->stream = s;
    return 0;
}

void stream_destroy(struct stream **stream)
{
    if (*stream == NULL)
        return;
    deadline_clear(&(*stream)->silence);
    CHECK(pthread_mutex_destroy(&(*stream)->lock) == 0);
    free(*stream);
    *stream = NULL;
}

void stream_set_framing(struct stream *s, bool chunked, bool has_body)
{
    s->is_chunked = chunked;
    s->has_body = has_body;
}

bool stream_is_head(const struct request *req)
{
    return req->is_flowing && !req->stream->has_body;
}

/* ---- the loop's side ---- */

static int put_piece(struct request *req, const char *bytes, size_t n)
{
    struct out *out = &req->conn->out;
    char head[HTTP_CHUNK_HEAD_BYTES];
    if (n == 0 || !req->stream->has_body)
        return 0;
    req->sent_bytes += n;
    if (!req->stream->is_chunked)
        return out_copy(out, bytes, n);
    size_t head_bytes = http_response_chunk_head(head, n);
    char *at = out_reserve(out, head_bytes + n + sizeof HTTP_CHUNK_END - 1);
    if (at == NULL)
        return -1;
    at = (char *)mempcpy(at, head, head_bytes);
    at = (char *)mempcpy(at, bytes, n);
    memcpy(at, HTTP_CHUNK_END, sizeof HTTP_CHUNK_END - 1);
    out_commit(out, head_bytes + n + sizeof HTTP_CHUNK_END - 1);
    return 0;
}

/* Nobody will read an event of a HEAD: its handler need not go on for ever. */
static void begin_flow(struct request *req, bool is_of_events)
{
    req->is_flowing = true;
    answer_begin_stream(req);
    if (is_of_events && !req->stream->has_body)
        ctx_cancel(&req->ctx, -ECANCELED);
}

static enum stream_last last_written(struct stream *s)
{
    CHECK(pthread_mutex_lock(&s->lock) == 0);
    enum stream_last last = s->last;
    CHECK(pthread_mutex_unlock(&s->lock) == 0);
    return last;
}

static void move_all(struct request *req)
{
    struct stream *s = req->stream;
    enum stream_last last = last_written(s);
    if (!req->is_flowing)
        begin_flow(req, last != LAST_BYTES);
    CHECK(pthread_mutex_lock(&s->lock) == 0);
    if (put_piece(req, s->bytes, s->count) < 0)
        req->conn->is_broken = true;
    s->count = 0;
    bool is_waiting = s->is_writer_waiting;
    s->is_writer_waiting = false;
    CHECK(pthread_mutex_unlock(&s->lock) == 0);
    if (last != LAST_BYTES)
        deadline_set(&req->ctx.worker->silences, &s->silence);
    struct waiter *waiter = atomic_load(&req->ctx.waiter);
    if (is_waiting && waiter != NULL)
        waiter_wake(waiter);
}

/* Within an event, part of which may have left, the comment would be a part of it. */
static bool is_silent(struct stream *s)
{
    CHECK(pthread_mutex_lock(&s->lock) == 0);
    bool is_between = s->last == LAST_EVENT && s->count == 0;
    CHECK(pthread_mutex_unlock(&s->lock) == 0);
    return is_between;
}

void stream_on_silence(struct deadline *d)
{
    struct stream *s = CONTAINER_OF(d, struct stream, silence);
    struct request *req = s->request;
    struct conn *c = req->conn;
    if (c == NULL || last_written(s) == LAST_BYTES)
        return;
    deadline_set(&req->ctx.worker->silences, d);
    if (c->out.queued_bytes > 0 || !is_silent(s))
        return; /* its client is slow: write_timeout */
    if (put_piece(req, HTTP_SSE_HEARTBEAT, sizeof HTTP_SSE_HEARTBEAT - 1) < 0)
        c->is_broken = true;
    conn_on_output(c); /* the last act: both may be gone */
}

void stream_pump(struct request *req)
{
    if (req->conn->out.queued_bytes < CONN_OUT_HIGH)
        move_all(req);
}

void stream_end(struct request *req, bool is_whole)
{
    struct conn *c = req->conn;
    move_all(req);
    deadline_clear(&req->stream->silence);
    if (!is_whole && req->stream->has_body) { /* else its head is all there is */
        c->is_closing = true; /* without a last chunk: the client sees that it was cut */
        return;
    }
    if (req->stream->is_chunked && req->stream->has_body &&
        out_copy(&c->out, HTTP_CHUNK_LAST, sizeof HTTP_CHUNK_LAST - 1) < 0)
        c->is_broken = true;
}

/* ---- the handler's side ---- */

static size_t append(struct stream *s, struct slice piece, bool is_event, bool may_wait)
{
    size_t n = piece.n;
    CHECK(pthread_mutex_lock(&s->lock) == 0);
    size_t room = STREAM_ROOM - s->count;
    size_t taken = n <= room ? n : may_wait ? room : 0;
    if (taken > 0) {
        memcpy(s->bytes + s->count, piece.p, taken);
        s->last = !is_event ? LAST_BYTES : taken == n ? LAST_EVENT : LAST_PART_OF_EVENT;
    }
    s->count += taken;
    s->is_writer_waiting = taken < n && may_wait;
    CHECK(pthread_mutex_unlock(&s->lock) == 0);
    return taken;
}

/* The loop's side is asked to move on; a coroutine is on the loop and does it itself. */
static void hand_on(struct request *req)
{
    if (req->ctx.place != CTX_ON_CORO) {
        done_put(&req->ctx.worker->done, req, false);
        return;
    }
    struct conn *c = req->conn;
    if (c == NULL)
        return;
    stream_pump(req);
    if (c->out.queued_bytes >= CONN_OUT_HIGH) {
        conn_try_write(c);
        stream_pump(req);
    }
}

static bool is_full(struct stream *s)
{
    CHECK(pthread_mutex_lock(&s->lock) == 0);
    bool full = s->is_writer_waiting;
    CHECK(pthread_mutex_unlock(&s->lock) == 0);
    return full;
}

/* A drain (-ESHUTDOWN) does not end a stream: it may say goodbye. */
static bool is_over(struct remuda_ctx *c)
{
    int error = ctx_cancelled(c);
    return error != 0 && error != -ESHUTDOWN;
}

/* A client that reads as fast as we write, or a HEAD, never makes a coroutine wait: now and
 * then it stands back, or it would have the loop to itself. */
static void let_others_run(struct request *req, size_t taken)
{
    struct stream *s = req->stream;
    s->burst_bytes += taken;
    if (s->burst_bytes < STREAM_BURST)
        return;
    s->burst_bytes = 0;
    (void)waiter_wait(atomic_load(&req->ctx.waiter), -1, 0, 0);
}

static int write_all(struct request *req, const char *at, size_t n, bool is_event)
{
    bool may_wait = req->ctx.place != CTX_ON_LOOP;
    for (;;) {
        if (is_over(&req->ctx))
            return ctx_cancelled(&req->ctx);
        size_t taken = append(req->stream, (struct slice){at, n}, is_event, may_wait);
        at += taken;
        n -= taken;
        hand_on(req);
        if (req->ctx.place == CTX_ON_CORO)
            let_others_run(req, taken);
        if (n == 0)
            return 0;
        if (!may_wait)
            return -EAGAIN;
        struct waiter *waiter = atomic_load(&req->ctx.waiter);
        waiter_prepare(waiter);
        uint64_t at_ns = req->ctx.deadline_ns != 0 ? req->ctx.deadline_ns : WAIT_FOREVER;
        while (is_full(req->stream) && !is_over(&req->ctx))
            (void)waiter_wait(waiter, -1, 0, at_ns);
    }
}

int stream_write(struct request *req, const void *bytes, size_t n)
{
    return write_all(req, bytes, n, false);
}

int stream_write_event(struct request *req, const void *bytes, size_t n)
{
    return write_all(req, bytes, n, true);
}
