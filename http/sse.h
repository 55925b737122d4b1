/* SPDX-License-Identifier: MIT */
/*
 * sse - one server-sent event as text (HTML, 9.2.5), and the comment of a heartbeat.
 *
 * Called:  by worker/stream.c's callers. What ends a line in the data begins another line of
 *          data, so no data can end the event, name it or begin the next one.
 * Fails:   a name that could do so is refused.
 */
#ifndef HTTP_SSE_H
#define HTTP_SSE_H

#include "common/slice.h"

#include <stdbool.h>
#include <stddef.h>

#define HTTP_SSE_TYPE "text/event-stream"

/** A line that every client ignores, and an empty one: nothing is dispatched. */
#define HTTP_SSE_HEARTBEAT ":\n\n"

/** Neither CR nor LF. */
bool http_sse_name_is_valid(struct slice name);

/** How long http_sse_put makes it. */
size_t http_sse_size(struct slice name, struct slice data);

/** The whole event, its empty line included; a name of no bytes is left out. Returns
 *  behind its last byte. */
char *http_sse_put(char *at, struct slice name, struct slice data);

#endif
