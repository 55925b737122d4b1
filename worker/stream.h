/* SPDX-License-Identifier: MIT */
/*
 * stream - a response that is written piece by piece.            [worker]
 *
 * The handler's side appends to a bounded buffer under a lock; the loop moves it to the
 * connection's output as that empties. A full buffer is the back-pressure: write waits.
 *
 * While a stream of events is silent between two of them, the loop sends a comment now and
 * then, so that a client that is gone is noticed, and nobody in between takes it for dead.
 */
#ifndef WORKER_STREAM_H
#define WORKER_STREAM_H

#include <stdbool.h>
#include <stddef.h>

struct deadline;
struct request;
struct stream;

enum { STREAM_ROOM = 32768 };

/** For a request that has claimed RESPONSE_STREAMING. 0 or -ENOMEM. */
int stream_begin(struct request *req);
void stream_destroy(struct stream **stream);

/** The handler's thread: all n bytes, waiting while the client is slow. 0, -ECANCELED,
 *  -ETIMEDOUT. An EVENT handler may not wait: -EAGAIN, and nothing was taken, where n bytes
 *  find no room; more than STREAM_ROOM never do. */
int stream_write(struct request *req, const void *bytes, size_t n);

/** The same; the bytes are a whole event. */
int stream_write_event(struct request *req, const void *bytes, size_t n);

/* ---- the loop's side; the request has a connection ---- */

/** Moves what was written to the output, the head before it, as far as that has room. */
void stream_pump(struct request *req);

/** The handler has ended: all of the rest, then the last chunk; or, not whole, a cut. */
void stream_end(struct request *req, bool is_whole);

/** Nothing has been sent for event_heartbeat. */
void stream_on_silence(struct deadline *d);

/** Its head has left, and is all there will be on the wire. */
bool stream_is_head(const struct request *req);

/** Decided with the head: chunks or not, a body on the wire or not. */
void stream_set_framing(struct stream *s, bool chunked, bool has_body);

#endif
