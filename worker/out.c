/* SPDX-License-Identifier: MIT */
/*
 * out - the output queue of a connection.                        [worker]
 *
 * Owns:    its block, its pieces; a hold on the requests whose memory the pieces point at.
 * Called:  by conn.c, respond.c and stream.c.
 * Fails:   -1 out of memory; OUT_BROKEN when the client is gone.
 *
 * Order: the block is always written before the pieces. Once there is a piece, further
 * bytes go into a piece of their own, until the queue has run empty.
 */
#include "worker/out.h"

#include "common/fd.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/sendfile.h>
#include <sys/socket.h>
#include <sys/uio.h>

enum { OUT_VECTORS = 16, OUT_SENDFILE_MAX = 512 << 10, OUT_PIECE_ROOM = 4096 };
enum { OUT_TURN_MAX = 512 << 10 }; /* then other connections have their turn */

struct out_piece {
    struct list link;
    const char *bytes;     /* NULL: a file */
    size_t start, end;     /* unwritten bytes */
    size_t room;           /* of an own buffer behind the struct; 0: not own */
    struct request *owner; /* of `bytes`, held until written; NULL: own, or a file */
    int fd;
    uint64_t offset, left; /* of the file */
};

void out_init(struct out *o, struct block_pool *pool, void (*release)(struct request *))
{
    *o = (struct out){.pool = pool, .release = release};
    list_init(&o->pieces);
}

static void piece_destroy(struct out *o, struct out_piece *p)
{
    list_remove(&p->link);
    if (p->owner != NULL)
        o->release(p->owner);
    fd_close(&p->fd);
    free(p);
}

static void drop_block(struct out *o)
{
    if (o->block != NULL)
        block_put(o->pool, o->block);
    o->block = NULL;
    o->start = o->end = 0;
}

void out_fini(struct out *o)
{
    LIST_FOREACH (link, &o->pieces)
        piece_destroy(o, LIST_ENTRY(link, struct out_piece, link));
    drop_block(o);
    o->queued_bytes = 0;
}

static struct out_piece *piece_create(struct out *o, size_t room)
{
    struct out_piece *p = malloc(sizeof *p + room);
    if (p == NULL)
        return NULL;
    *p = (struct out_piece){.room = room, .fd = -1};
    if (room > 0)
        p->bytes = (char *)(p + 1);
    list_append(&o->pieces, &p->link);
    return p;
}

static struct out_piece *last_piece(struct out *o)
{
    return list_is_empty(&o->pieces) ? NULL
                                     : LIST_ENTRY(o->pieces.prev, struct out_piece, link);
}

char *out_reserve(struct out *o, size_t n)
{
    struct out_piece *last = last_piece(o);
    if (last == NULL) {
        if (o->block == NULL && (o->block = block_get(o->pool)) == NULL)
            return NULL;
        if (BLOCK_BYTES - o->end >= n)
            return o->block + o->end;
    } else if (last->room - last->end >= n && last->room > 0) {
        return (char *)(last + 1) + last->end;
    }
    last = piece_create(o, n > OUT_PIECE_ROOM ? n : OUT_PIECE_ROOM);
    return last != NULL ? (char *)(last + 1) : NULL;
}

void out_commit(struct out *o, size_t n)
{
    struct out_piece *last = last_piece(o);
    if (last == NULL)
        o->end += (uint32_t)n;
    else
        last->end += n;
    o->queued_bytes += n;
}

int out_copy(struct out *o, const void *bytes, size_t n)
{
    char *room = out_reserve(o, n);
    if (room == NULL)
        return -1;
    if (n > 0)
        memcpy(room, bytes, n);
    out_commit(o, n);
    return 0;
}

int out_refer(struct out *o, const void *bytes, size_t n, struct request *owner)
{
    struct out_piece *p = piece_create(o, 0);
    if (p == NULL) {
        o->release(owner);
        return -1;
    }
    p->bytes = bytes;
    p->end = n;
    p->owner = owner;
    o->queued_bytes += n;
    return 0;
}

int out_file(struct out *o, int fd, uint64_t offset, uint64_t n)
{
    struct out_piece *p = piece_create(o, 0);
    if (p == NULL) {
        fd_close(&fd);
        return -1;
    }
    p->fd = fd;
    p->offset = offset;
    p->left = n;
    o->queued_bytes += n;
    return 0;
}

/* Takes n written bytes off the front. */
static void consume(struct out *o, size_t n)
{
    o->queued_bytes -= n;
    size_t of_block = o->end - o->start < n ? o->end - o->start : n;
    o->start += (uint32_t)of_block;
    n -= of_block;
    if (o->start == o->end)
        drop_block(o);
    LIST_FOREACH (link, &o->pieces) {
        struct out_piece *p = LIST_ENTRY(link, struct out_piece, link);
        if (p->bytes == NULL)
            break;
        size_t of_piece = p->end - p->start < n ? p->end - p->start : n;
        p->start += of_piece;
        n -= of_piece;
        if (p->start < p->end)
            break;
        piece_destroy(o, p);
    }
}

/* The bytes up to the first file, gathered. */
static int gather(struct out *o, struct iovec *vectors)
{
    int count = 0;
    if (o->end > o->start)
        vectors[count++] = (struct iovec){o->block + o->start, o->end - o->start};
    LIST_FOREACH (link, &o->pieces) {
        struct out_piece *p = LIST_ENTRY(link, struct out_piece, link);
        if (p->bytes == NULL || count == OUT_VECTORS)
            break;
        union {
            const char *in;
            void *out;
        } bytes = {p->bytes + p->start};
        vectors[count++] = (struct iovec){bytes.out, p->end - p->start};
    }
    return count;
}

static long write_bytes(struct out *o, int socket, bool more)
{
    if (list_is_empty(&o->pieces))
        return send(socket, o->block + o->start, o->end - o->start, MSG_NOSIGNAL);
    struct iovec vectors[OUT_VECTORS];
    struct msghdr m = {.msg_iov = vectors, .msg_iovlen = (size_t)gather(o, vectors)};
    return sendmsg(socket, &m, MSG_NOSIGNAL | (more ? MSG_MORE : 0));
}

static long write_file(struct out *o, struct out_piece *p, int socket)
{
    off_t offset = (off_t)p->offset;
    size_t want = p->left < OUT_SENDFILE_MAX ? (size_t)p->left : OUT_SENDFILE_MAX;
    long n = sendfile(socket, p->fd, &offset, want);
    if (n == 0) { /* the file has become shorter than promised: the framing is broken */
        errno = EIO;
        return -1;
    }
    if (n > 0) {
        p->offset += (uint64_t)n;
        p->left -= (uint64_t)n;
        o->queued_bytes -= (size_t)n;
        if (p->left == 0)
            piece_destroy(o, p);
    }
    return n;
}

static bool file_is_next(struct out *o, struct out_piece **piece_out)
{
    struct list *link = list_first(&o->pieces);
    *piece_out = link != NULL ? LIST_ENTRY(link, struct out_piece, link) : NULL;
    return o->start == o->end && *piece_out != NULL && (*piece_out)->bytes == NULL;
}

static bool file_follows(struct out *o)
{
    LIST_FOREACH (link, &o->pieces) {
        if (LIST_ENTRY(link, struct out_piece, link)->bytes == NULL)
            return true;
    }
    return false;
}

enum out_result out_flush(struct out *o, int socket, uint64_t *written_out)
{
    uint64_t most = *written_out + OUT_TURN_MAX;
    while (o->queued_bytes > 0) {
        if (*written_out >= most)
            return OUT_BLOCKED;
        struct out_piece *piece;
        bool file = file_is_next(o, &piece);
        long n =
            file ? write_file(o, piece, socket) : write_bytes(o, socket, file_follows(o));
        if (n < 0 && errno == EINTR)
            continue;
        if (n < 0)
            return errno == EAGAIN ? OUT_BLOCKED : OUT_BROKEN;
        *written_out += (uint64_t)n;
        if (!file)
            consume(o, (size_t)n);
    }
    drop_block(o);
    return OUT_DONE;
}
