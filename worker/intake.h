/* SPDX-License-Identifier: MIT */
/*
 * intake - the body of a request whose handler runs while it arrives.   [worker]
 *
 * For REMUDA_STREAM_IN. The loop's side parses what the client sends into a window of bounded
 * size under a lock; the handler's side reads it. A full window is the back-pressure: the
 * socket is not read, and the client waits.
 *
 * Until the handler begins nothing is parsed: what has come stands raw in the connection's
 * input, and so moves with it to another worker.
 */
#ifndef WORKER_INTAKE_H
#define WORKER_INTAKE_H

#include "include/remuda.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct conn;
struct intake;
struct request;

enum { INTAKE_ROOM = 65536 };

/** For a request whose head is complete. 0 or -ENOMEM. */
int intake_create(struct request *req);
void intake_destroy(struct intake **intake);

/* ---- the loop's side ---- */

/** Its handler is about to run: the head gets an input of its own. */
void intake_start(struct request *req);

/** Parses what stands in the connection's input, as far as the window has room. Nothing to do
 *  before the start, or after the end. */
void intake_pump(struct conn *c);

/** One recv, as of reader_receive. */
long intake_receive(struct conn *c);

/** Has it begun? Then the connection's input holds its body alone. */
bool intake_is_started(const struct intake *in);

/** Is there room for what the client sends? */
bool intake_has_room(const struct conn *c);

/** Is it the client's turn, that is, does body_timeout run? */
bool intake_is_due(const struct conn *c);

/** Longer than body_timeout and body_min_rate allow: reads fail. */
void intake_on_late(struct request *req);

/** No more will come: the connection goes, or has gone. */
void intake_cut(struct request *req);

/** The answer is there. What is here of the rest of the body is dropped; one that is not here
 *  is not waited for: false, and the connection closes. */
bool intake_drop(struct request *req);

/** The head of an answer is about to leave: the same, unless it is a stream whose handler may
 *  read on. */
bool intake_lets_stay(struct request *req);

/** The status that fits a handler's return of what remuda_read has said; 0: it is not that. */
int intake_status(const struct request *req, int rc);

/* ---- the handler's side, its tasks' too ---- */

/** As remuda_read. -EBUSY while another reads. */
int64_t intake_read(struct remuda_ctx *c, struct request *req, void *buf, size_t n);

/** As remuda_body: all of it into memory of the request's; -EALREADY after a read. */
int intake_collect(struct remuda_ctx *c, struct request *req, remuda_bytes *out);

#endif
