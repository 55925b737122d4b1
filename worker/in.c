/* SPDX-License-Identifier: MIT */
/*
 * in - the input buffer of a connection.                         [worker]
 *
 * Owns:    its block.
 * Called:  by conn.c; a request that outlives its connection takes the struct over.
 * Fails:   false or -1; the world is to blame.
 */
#include "worker/in.h"

#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>

void in_fini(struct in *in)
{
    if (in->data == NULL)
        return;
    if (in->room == BLOCK_SMALL_BYTES)
        block_put_small(in->pool, in->data);
    else if (in->room == BLOCK_BYTES)
        block_put(in->pool, in->data);
    else
        free(in->data);
    in->data = NULL;
    in->room = in->start = in->end = 0;
}

/* As in_fini gives it back. */
static char *get(struct block_pool *pool, uint32_t room)
{
    if (room == BLOCK_SMALL_BYTES)
        return block_get_small(pool);
    return room == BLOCK_BYTES ? block_get(pool) : malloc(room);
}

/* From a small block to a large one, then by doubling. */
static bool grow(struct in *in, uint32_t most)
{
    uint32_t room = in->room < BLOCK_BYTES ? BLOCK_BYTES : in->room * 2;
    room = room < most ? room : most;
    if (room <= in->room)
        return false;
    char *data = get(in->pool, room);
    if (data == NULL)
        return false;
    uint32_t count = in_count(in);
    memcpy(data, in->data + in->start, count);
    struct in old = *in;
    in_fini(&old);
    in->data = data;
    in->room = room;
    in->start = 0;
    in->end = count;
    return true;
}

static bool begin(struct in *in, uint32_t room)
{
    in->data = get(in->pool, room);
    in->room = in->data != NULL ? room : 0;
    in->start = in->end = 0;
    return in->data != NULL;
}

bool in_make_room(struct in *in, uint32_t most)
{
    if (in->data == NULL)
        return begin(in, in->is_wide ? BLOCK_BYTES : BLOCK_SMALL_BYTES);
    if (in->end < in->room)
        return true;
    if (in->start > 0 && in->room >= BLOCK_BYTES) {
        memmove(in->data, in->data + in->start, in_count(in));
        in->end -= in->start;
        in->start = 0;
        return true;
    }
    return grow(in, most);
}

bool in_reserve(struct in *in, uint32_t n)
{
    if (n < BLOCK_SMALL_BYTES) /* one that is full could not hear the client leave */
        return n == 0 || in_make_room(in, BLOCK_SMALL_BYTES);
    return begin(in, n > BLOCK_BYTES ? n : BLOCK_BYTES);
}

long in_receive(struct in *in, int socket)
{
    long n = recv(socket, in->data + in->end, in->room - in->end, 0);
    if (n > 0)
        in->end += (uint32_t)n;
    return n;
}

void in_consume(struct in *in, uint32_t n)
{
    in->start += n;
    if (in->start < in->end)
        return;
    in->is_wide = in->end >= BLOCK_SMALL_BYTES;
    in_fini(in);
}
