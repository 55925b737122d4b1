/* SPDX-License-Identifier: MIT */
/*
 * scoreboard - makes, opens, folds and sums the shared table. [master, worker, admin]
 *
 * Owns:    the mapping; the memfd's descriptor is the caller's.
 * Called:  board_create and board_retire by the master, board_total by whoever shows
 *          figures.
 * Fails:   only create and open, with errno. Epoch: odd while the master moves counters
 *          from an entry to `retired`. A reader whose sum began or ended in there starts
 *          again, a bounded number of times: a master that was killed in the middle must
 *          not hang it.
 */
#include "common/scoreboard.h"

#include "common/check.h"
#include "common/fd.h"

#include <assert.h>
#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#if defined(__SANITIZE_THREAD__) && !defined(__clang__)
#pragma GCC diagnostic ignored "-Wtsan" /* fences order us with other processes only */
#endif

/* What BOARD_VERSION 2 is. Change a number here, and the version changes. */
static_assert(sizeof(struct board_worker) == 336704, "stride of a worker");
static_assert(sizeof(struct board_ring) == 64 + BOARD_RING, "stride of a ring");
static_assert(offsetof(struct board_worker, tick_ms) == 128, "(W) has its own lines");
static_assert(offsetof(struct board_worker, running) == 208, "words of (W)");
static_assert(offsetof(struct board_worker, sent) == 256, "tallies");
static_assert(offsetof(struct board_worker, counters) == 4352, "counters of a worker");
static_assert(offsetof(struct board_worker, slot) == 9024, "(T) has its own lines");
static_assert(offsetof(struct board_worker, flight) == 271168, "(T) has its own lines");
static_assert(offsetof(struct board_ring, data) == 64, "data of a ring");
static_assert(offsetof(struct board, closing) == 52, "header");
static_assert(offsetof(struct board, degraded) == 184, "header");
static_assert(offsetof(struct board, readiness) == 188, "header");
static_assert(offsetof(struct board, retired) == 192, "header");
static_assert(offsetof(struct board, worker) == 4864, "first worker");

/* ---- birth and death ---- */

static struct board *map(int fd, int rights)
{
    void *p = mmap(NULL, sizeof(struct board), rights, MAP_SHARED, fd, 0);

    if (p == MAP_FAILED)
        return NULL;
    /* or a core dump would touch, and so fill, all of the sparse memory */
    (void)madvise(p, sizeof(struct board), MADV_DONTDUMP);
    return p;
}

struct board *board_create(int *fd_out)
{
    int fd = memfd_create("remuda-scoreboard", MFD_CLOEXEC | MFD_ALLOW_SEALING);
    struct board *board = NULL;

    *fd_out = -1;
    if (fd < 0)
        return NULL;
    /* sealed, or whoever holds the descriptor could cut it under everyone's feet; and for
     * one user alone, or whoever was handed it to read could open it anew to write */
    if (fchmod(fd, 0600) == 0 && ftruncate(fd, sizeof(struct board)) == 0 &&
        fcntl(fd, F_ADD_SEALS, F_SEAL_SEAL | F_SEAL_SHRINK | F_SEAL_GROW) == 0)
        board = map(fd, PROT_READ | PROT_WRITE);
    if (board == NULL) {
        fd_close(&fd);
        return NULL;
    }
    board->magic = BOARD_MAGIC;
    board->version = BOARD_VERSION;
    board->worker_stride = sizeof(struct board_worker);
    board->record_stride = sizeof(struct board_record);
    board->ring_stride = sizeof(struct board_ring);
    *fd_out = fd;
    return board;
}

static bool is_ours(const struct board *board)
{
    return board->magic == BOARD_MAGIC && board->version == BOARD_VERSION &&
           board->worker_stride == sizeof(struct board_worker) &&
           board->record_stride == sizeof(struct board_record) &&
           board->ring_stride == sizeof(struct board_ring);
}

static struct board *open_with(int fd, int rights)
{
    struct stat st;

    if (fstat(fd, &st) != 0)
        return NULL;
    if (st.st_size != (off_t)sizeof(struct board)) {
        errno = EPROTO;
        return NULL;
    }
    struct board *board = map(fd, rights);
    if (board != NULL && !is_ours(board)) {
        board_close(&board);
        errno = EPROTO;
    }
    return board;
}

struct board *board_open(int fd)
{
    return open_with(fd, PROT_READ | PROT_WRITE);
}

struct board *board_open_reader(int fd)
{
    return open_with(fd, PROT_READ);
}

void board_close(struct board **board)
{
    if (*board != NULL)
        munmap(*board, sizeof(struct board));
    *board = NULL;
}

/* ---- totals ---- */

static void equal_tallies(struct board *board, unsigned index)
{
    struct board_worker *gone = &board->worker[index];

    for (unsigned i = 0; i < board_entries(board); i++) {
        board_set(&gone->sent[i], board->worker[i].seen[index]);
        atomic_store_explicit(&gone->seen[i], board->worker[i].sent[index],
                              memory_order_release);
    }
}

static void clear_records(struct board_worker *w)
{
    uint32_t threads = board_get32(&w->threads);

    /* not all of them: slots that were never used own no memory */
    memset((void *)w->slot, 0,
           sizeof(w->slot[0]) * (threads < BOARD_SLOTS ? threads : BOARD_SLOTS));
    memset((void *)w->flight, 0, sizeof(w->flight));
}

/* The epoch covers the counters alone, to keep it short. */
static void fold_counters(struct board *board, struct board_counters *c)
{
    uint32_t epoch = board_get32(&board->epoch) | 1;

    board_set32(&board->epoch, epoch);
    atomic_thread_fence(memory_order_release);
    board_counters_add(&board->retired, c);
    memset((void *)c, 0, sizeof(*c));
    atomic_store_explicit(&board->epoch, epoch + 1, memory_order_release);
}

void board_retire(struct board *board, unsigned index)
{
    CHECK(index < BOARD_WORKERS);
    struct board_worker *w = &board->worker[index];

    fold_counters(board, &w->counters);
    /* first: who finds a tally equal must not take it for one that the dead has made so */
    board_set32(&w->state, BOARD_EMPTY);
    equal_tallies(board, index);
    clear_records(w);
    ledger_clear(&board->ledger[index]);
    board_set32(&board->routes[index].count, 0);
    ring_forget(&board->ring[index]);
    memset((void *)w, 0, offsetof(struct board_worker, sent));
}

static void sum_up(struct board *board, struct board_counters *out)
{
    memset((void *)out, 0, sizeof(*out));
    board_counters_add(out, &board->retired);
    for (unsigned i = 0; i < board_entries(board); i++)
        board_counters_add(out, &board->worker[i].counters);
}

void board_total(struct board *board, struct board_counters *out)
{
    for (int i = 0; i < BOARD_READ_TRIES; i++) {
        uint32_t before = atomic_load_explicit(&board->epoch, memory_order_acquire);

        sum_up(board, out);
        atomic_thread_fence(memory_order_acquire);
        if (before % 2 == 0 && before == board_get32(&board->epoch))
            return;
        board_read_pause(i);
    }
}
