/* SPDX-License-Identifier: MIT */
/*
 * access_log - when to write the ring out.                   [worker]
 *
 * Owns:    struct access_log and its format; the ring and the counter are those of
 *          the scoreboard.
 * Called:  by whoever ends a request, and by the loop once a second.
 * Fails:   never towards its callers. While a log takes nothing (full disk, slow
 *          reader) the ring fills, then lines are dropped and counted.
 */
#include "worker/access_log.h"

#include "common/check.h"
#include "common/log.h"
#include "common/written.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>

enum { LOG_BATCH = 64 * 1024, LOG_MAGIC = 0x61636c67 };

struct access_log {
    unsigned magic;
    int fd;
    bool failing; /* said so, and not written since */
    size_t flush_at;
    struct access_format *format;
    struct board_ring *ring;
    _Atomic uint64_t *dropped;
    int written_fd; /* the caller's; -1: none */
};

struct access_log *access_log_create(const char *format, struct board_ring *ring,
                                     _Atomic uint64_t *dropped, char *error_out,
                                     size_t size)
{
    struct access_log *log = calloc(1, sizeof(*log));

    snprintf(error_out, size, "out of memory");
    if (log == NULL)
        return NULL;
    *log = (struct access_log){.magic = LOG_MAGIC,
                               .fd = -1,
                               .flush_at = LOG_BATCH,
                               .format = access_format_create(format, error_out, size),
                               .ring = ring,
                               .dropped = dropped,
                               .written_fd = -1};
    if (log->format == NULL)
        access_log_destroy(&log);
    return log;
}

void access_log_destroy(struct access_log **log)
{
    struct access_log *l = *log;

    *log = NULL;
    if (l == NULL)
        return;
    if (l->format != NULL)
        access_log_flush(l);
    access_format_destroy(&l->format);
    l->magic = 0;
    free(l);
}

int access_log_set_fd(struct access_log *log, int fd)
{
    CHECK_OBJ(log, LOG_MAGIC);
    int before = log->fd;
    log->fd = fd;
    log->failing = false;
    log->flush_at = LOG_BATCH;
    return before;
}

void access_log_count_by(struct access_log *log, int written_fd)
{
    CHECK_OBJ(log, LOG_MAGIC);
    log->written_fd = written_fd;
}

void access_log_write(struct access_log *log, const struct access_entry *e,
                      uint64_t number)
{
    CHECK_OBJ(log, LOG_MAGIC);
    if (log->fd < 0)
        return;
    struct slice line = access_format_line(log->format, e);
    if (!ring_put_line(log->ring, line.p, line.n, number)) {
        access_log_flush(log);
        if (!ring_put_line(log->ring, line.p, line.n, number))
            board_add(log->dropped, 1);
    }
    if (ring_pending(log->ring) >= log->flush_at)
        access_log_flush(log);
}

static void complain_once(struct access_log *log)
{
    if (errno == EAGAIN || log->failing)
        return;
    log_error("access log: %m; lines are kept for a while, then dropped");
    log->failing = true;
}

/* A worker may be killed when the kernel has written and `tail` does not say so yet: a kill
 * that comes during a write always does that. */
static long flush_counted(struct access_log *log)
{
    uint64_t count;

    if (ring_pending(log->ring) > 0 && written_read(log->written_fd, &count))
        ring_begin_flush(log->ring, count);
    long n = ring_flush(log->ring, log->fd);
    ring_end_flush(log->ring);
    return n;
}

void access_log_settle(struct access_log *log)
{
    uint64_t count;

    if (log != NULL && written_read(log->written_fd, &count))
        ring_settle(log->ring, count);
}

void access_log_flush(struct access_log *log)
{
    CHECK_OBJ(log, LOG_MAGIC);
    if (log->fd < 0)
        return;
    long n = flush_counted(log);
    if (n < 0)
        complain_once(log);
    else if (n > 0)
        log->failing = false;
    /* not again for each line while the reader is slow: with the next 64 KiB, or second
     */
    log->flush_at = ring_pending(log->ring) + LOG_BATCH;
}
