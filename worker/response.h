/* SPDX-License-Identifier: MIT */
/*
 * response - what a handler has said, until the loop writes it.  [worker]
 *
 * Filled on the handler's thread by api_response.c; read on the loop by answer.c once the
 * handler has ended.
 */
#ifndef WORKER_RESPONSE_H
#define WORKER_RESPONSE_H

#include "common/slice.h"
#include "include/remuda.h"

#include <stdint.h>

enum response_state {
    RESPONSE_NONE,
    RESPONSE_HANDLER,   /* a complete answer was given by send or file */
    RESPONSE_STREAMING, /* begin was called */
    RESPONSE_HOST,      /* the host answered in the handler's place */
    RESPONSE_DONE       /* all of it is in the output, or nothing will be */
};

struct response_field {
    struct response_field *next;
    struct slice name, value; /* in the arena */
};

/** What the handler has said; read by respond.c on the loop. */
struct response {
    int status;
    const char *type; /* in the arena; "" for none */
    struct response_field *fields, *last_field;
    const char *bytes;
    size_t byte_count;
    remuda_free_fn own; /* how the bytes are given back; REMUDA_STATIC: not */
    int fd;             /* of a file; -1: none */
    uint64_t file_offset, file_bytes;
};

#endif
