/* SPDX-License-Identifier: MIT */
/*
 * body - where a body stands while it is received, and for its handler.   [worker]
 *
 * In memory up to `body_buffer`; a longer one in an unlinked file, which its handler sees as
 * memory. Loop thread only.
 */
#ifndef WORKER_BODY_H
#define WORKER_BODY_H

#include "common/slice.h"

#include <stddef.h>

struct request;
struct worker;

/** Finds a directory for files, and says so if there is none: then all stands in memory. */
void body_init(struct worker *w);

/** `length` bytes will come. 0, or the status to refuse it with. */
int body_open(struct request *req, size_t length);

/** The next piece. 0, or the status to refuse it with. */
int body_append(struct request *req, struct slice piece);

/** One recv of a body that was opened, as of reader_receive; what it could not keep is told by
 *  body_append or body_close. */
long body_receive(struct request *req, int socket);

/** It is complete. 0, or the status to refuse it with. */
int body_close(struct request *req);

/** Gives back the memory and the file. */
void body_release(struct request *req);

#endif
