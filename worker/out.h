/* SPDX-License-Identifier: MIT */
/*
 * out - what waits to be written to one client, in order.        [worker]
 *
 * Small bytes are copied into one block, so a response is one send; large bodies and files
 * stay where they are and are written by sendmsg and sendfile. Loop thread only.
 */
#ifndef WORKER_OUT_H
#define WORKER_OUT_H

#include "common/list.h"
#include "worker/block.h"

#include <stddef.h>
#include <stdint.h>

struct request;

enum out_result { OUT_DONE, OUT_BLOCKED, OUT_BROKEN };

struct out {
    char *block;         /* NULL while nothing is queued in it */
    uint32_t start, end; /* unwritten bytes of the block */
    struct list pieces;  /* struct out_piece: what follows the block */
    size_t queued_bytes; /* block and pieces together */
    struct block_pool *pool;
    void (*release)(struct request *); /* drops a piece's hold on its request */
};

void out_init(struct out *o, struct block_pool *pool, void (*release)(struct request *));
/** Drops everything unwritten. */
void out_fini(struct out *o);

/** Contiguous room for n more bytes at the end; NULL when out of memory. */
char *out_reserve(struct out *o, size_t n);
/** The first n of the reserved bytes are filled. */
void out_commit(struct out *o, size_t n);
/** Reserve, copy, commit. -1 when out of memory. */
int out_copy(struct out *o, const void *bytes, size_t n);

/** n bytes that stay valid until `owner` is released. -1 when out of memory (the hold is
 *  released). */
int out_refer(struct out *o, const void *bytes, size_t n, struct request *owner);

/** n bytes of an open file; fd is the queue's from here on, even on error. */
int out_file(struct out *o, int fd, uint64_t offset, uint64_t n);

/** Writes as far as the socket takes. OUT_BROKEN: errno says why; the client is gone.
 *  *written_out grows by what was written. */
enum out_result out_flush(struct out *o, int socket, uint64_t *written_out);

#endif
