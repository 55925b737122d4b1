/* SPDX-License-Identifier: MIT */
/*
 * ring - the access-log ring of one worker.                  [worker, master]
 *
 * Owns:    head and tail of struct board_ring, while the worker lives; then the master.
 * Called:  by worker/access_log.c; by the master for a worker that is gone.
 * Fails:   ring_put refuses what does not fit; ring_flush leaves what it could not write.
 *          Without the kernel's count, what was being written is written again.
 * Rule:    a dead worker's positions are not trusted: they are checked before use.
 */
#include "common/ring.h"

#include <errno.h>
#include <limits.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/uio.h>
#include <unistd.h>

/* How many of the n bytes from position `at` lie before the wrap. */
static size_t first_piece(uint64_t at, size_t n)
{
    size_t to_end = BOARD_RING - (size_t)(at % BOARD_RING);

    return n < to_end ? n : to_end;
}

bool ring_put(struct board_ring *r, const char *line, size_t n)
{
    uint64_t head = atomic_load_explicit(&r->head, memory_order_relaxed);
    uint64_t tail = atomic_load_explicit(&r->tail, memory_order_acquire);

    if (n > BOARD_RING - (head - tail))
        return false;
    size_t first = first_piece(head, n);
    memcpy(r->data + head % BOARD_RING, line, first);
    memcpy(r->data, line + first, n - first);
    atomic_store_explicit(&r->head, head + n, memory_order_release);
    return true;
}

/* What is said of a line is there before `head` is: the compiler must keep the order, and no
 * more, for whoever asks does so when the writer is dead. */
bool ring_put_line(struct board_ring *r, const char *line, size_t n, uint64_t number)
{
    atomic_store_explicit(&r->line_of, 0, memory_order_relaxed);
    atomic_signal_fence(memory_order_release);
    board_set(&r->line_end, board_get(&r->head) + n);
    atomic_signal_fence(memory_order_release);
    board_set(&r->line_of, number);
    atomic_signal_fence(memory_order_release);
    return ring_put(r, line, n);
}

uint64_t ring_newest_line(const struct board_ring *r)
{
    return board_get(&r->head) == board_get(&r->line_end) ? board_get(&r->line_of) : 0;
}

void ring_forget(struct board_ring *r)
{
    board_set(&r->line_of, 0);
    board_set(&r->is_flushing, 0);
}

size_t ring_pending(const struct board_ring *r)
{
    uint64_t head = atomic_load_explicit(&r->head, memory_order_acquire);

    return (size_t)(head - atomic_load_explicit(&r->tail, memory_order_relaxed));
}

/* How many of n bytes from `tail` to write at once. A file takes all. What goes into a
 * pipe or a socket shares it with the other workers: writes up to PIPE_BUF do not mix
 * (pipe(7)), so we send as many whole lines as fit. */
static size_t portion(const struct board_ring *r, uint64_t tail, size_t n, bool file)
{
    if (file || n <= PIPE_BUF)
        return n;
    for (size_t i = PIPE_BUF; i > 0; i--)
        if (r->data[(tail + i - 1) % BOARD_RING] == '\n')
            return i;
    return PIPE_BUF; /* one line longer than that */
}

/* Others may have the same socket, as our stdout: only this call of ours does not wait. */
static ssize_t write_piece(struct board_ring *r, uint64_t tail, size_t n, int fd,
                           bool socket)
{
    size_t first = first_piece(tail, n);
    struct iovec piece[2] = {{r->data + tail % BOARD_RING, first}, {r->data, n - first}};
    const struct msghdr message = {.msg_iov = piece, .msg_iovlen = first < n ? 2 : 1};
    ssize_t written;

    do {
        written = socket ? sendmsg(fd, &message, MSG_DONTWAIT | MSG_NOSIGNAL)
                         : writev(fd, piece, first < n ? 2 : 1);
    } while (written < 0 && errno == EINTR);
    return written;
}

long ring_flush(struct board_ring *r, int fd)
{
    uint64_t head = atomic_load_explicit(&r->head, memory_order_acquire);
    uint64_t tail = atomic_load_explicit(&r->tail, memory_order_relaxed);
    struct stat st = {.st_mode = 0};
    long total = 0;

    if (head == tail)
        return 0;
    if (head - tail > BOARD_RING) {
        atomic_store_explicit(&r->tail, head, memory_order_release);
        errno = EPROTO;
        return -1;
    }
    (void)fstat(fd, &st);
    while (tail != head) {
        size_t n = portion(r, tail, (size_t)(head - tail), S_ISREG(st.st_mode));
        ssize_t written = write_piece(r, tail, n, fd, S_ISSOCK(st.st_mode));

        if (written <= 0)
            return total > 0 ? total : -1;
        tail += (uint64_t)written;
        total += written;
        atomic_store_explicit(&r->tail, tail, memory_order_release);
    }
    return total;
}

/* ---- a write that nobody lived to count ---- */

void ring_begin_flush(struct board_ring *r, uint64_t count)
{
    board_set(&r->written, count - board_get(&r->tail));
    atomic_signal_fence(memory_order_release);
    board_set(&r->is_flushing, 1);
    atomic_signal_fence(memory_order_release);
}

void ring_end_flush(struct board_ring *r)
{
    atomic_signal_fence(memory_order_release);
    board_set(&r->is_flushing, 0);
}

void ring_settle(struct board_ring *r, uint64_t count)
{
    const uint64_t tail = board_get(&r->tail), written = count - board_get(&r->written);

    /* not trusted: only within what was published */
    if (board_get(&r->is_flushing) == 1 && written - tail <= board_get(&r->head) - tail)
        atomic_store_explicit(&r->tail, written, memory_order_release);
    board_set(&r->is_flushing, 0);
}
