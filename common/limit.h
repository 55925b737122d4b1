/* SPDX-License-Identifier: MIT */
/*
 * limit - what can be too much of a client, and its word in logs and tables.
 *
 * A worker counts each in its own word of the scoreboard, and the request that went over one
 * bears its mark in the access log. docs/HTTP.md has the table; a test compares it.
 */
#ifndef COMMON_LIMIT_H
#define COMMON_LIMIT_H

enum limit {
    LIMIT_NONE,
    LIMIT_REQUEST_LINE,
    LIMIT_HEADER_FIELDS,
    LIMIT_HEADER_SIZE,
    LIMIT_BODY,
    LIMIT_FRAMING,
    LIMIT_HEAD_TIMEOUT,
    LIMIT_BODY_TIMEOUT,
    LIMIT_BODY_RATE,
    LIMIT_WRITE_TIMEOUT,
    LIMIT_WRITE_RATE,
    LIMIT_KEEPALIVE,
    LIMIT_REQUEST_TIMEOUT,
    LIMIT_SLOW_REQUEST,
    LIMIT_QUEUE,
    LIMIT_QUEUE_TIMEOUT,
    LIMIT_PER_ADDRESS,
    LIMIT_COUNT
};

struct limit_name {
    const char *mark;   /* "head-timeout" */
    const char *option; /* "limits.head_timeout"; "": it has none */
};

/** LIMIT_NONE, and what is no limit: two empty words. */
struct limit_name limit_name(unsigned limit);

#endif
