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
    if (in->data != NULL && in->room == BLOCK_BYTES)
        block_put(in->pool, in->data);
    else
        free(in->data);
    in->data = NULL;
    in->room = in->start = in->end = 0;
}

static bool grow(struct in *in, uint32_t most)
{
    uint32_t room = in->room * 2 < most ? in->room * 2 : most;
    if (room <= in->room)
        return false;
    char *data = malloc(room);
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

bool in_make_room(struct in *in, uint32_t most)
{
    if (in->data == NULL) {
        in->data = block_get(in->pool);
        in->room = BLOCK_BYTES;
        in->start = in->end = 0;
        return in->data != NULL;
    }
    if (in->end < in->room)
        return true;
    if (in->start > 0) {
        memmove(in->data, in->data + in->start, in_count(in));
        in->end -= in->start;
        in->start = 0;
        return true;
    }
    return grow(in, most);
}

bool in_reserve(struct in *in, uint32_t n)
{
    if (n <= BLOCK_BYTES)
        return n == 0 || in_make_room(in, BLOCK_BYTES);
    in->data = malloc(n);
    in->room = in->data != NULL ? n : 0;
    in->start = in->end = 0;
    return in->data != NULL;
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
    if (in->start == in->end)
        in_fini(in);
}
