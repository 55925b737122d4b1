/* SPDX-License-Identifier: MIT */
/*
 * watch - finds the scoreboard of a server, reads its loads as of one instant.
 *
 * Owns:    the mapping.
 * Called:  see watch.h.
 * Fails:   only where the scoreboard cannot be found or mapped.
 *
 * One instant: each word has a writer of its own and there is no lock, so a request that
 * moves between two readings could be seen twice, or not at all. What was the same in two
 * readings, one after the other, was the same at the instant between them; the numbers of
 * messages only grow, so a move and its way back do not look like rest.
 */
#include "cli/watch.h"

#include "common/clock.h"
#include "common/fd.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

enum { LOOK_TRIES = 8, PATH_BYTES = 64 };

static const char memfd_name[] = "/memfd:remuda-scoreboard (deleted)";

/* ---- finding it ---- */

static bool is_scoreboard(int dir, const char *name)
{
    char link[sizeof memfd_name];
    const ssize_t n = readlinkat(dir, name, link, sizeof link);

    return n == (ssize_t)sizeof memfd_name - 1 &&
           memcmp(link, memfd_name, (size_t)n) == 0;
}

/* The descriptor, opened anew without the right to write; or -1 with errno. */
static int find(DIR *dir)
{
    const struct dirent *entry;

    while ((entry = readdir(dir)) != NULL)
        if (is_scoreboard(dirfd(dir), entry->d_name))
            return openat(dirfd(dir), entry->d_name, O_RDONLY | O_CLOEXEC);
    errno = ESRCH;
    return -1;
}

static int open_board(pid_t master)
{
    char path[PATH_BYTES];
    DIR *dir;
    int fd;

    snprintf(path, sizeof path, "/proc/%d/fd", (int)master);
    dir = opendir(path);
    if (dir == NULL) {
        if (errno == ENOENT)
            errno = ESRCH;
        return -1;
    }
    fd = find(dir);
    const int error = errno;
    closedir(dir);
    errno = error;
    return fd;
}

int watch_open(pid_t master, struct watch *out)
{
    int fd = open_board(master);

    out->board = NULL;
    if (fd < 0)
        return -1;
    out->board = board_open_reader(fd);
    fd_close(&fd);
    return out->board != NULL ? 0 : -1;
}

void watch_close(struct watch *watch)
{
    board_close(&watch->board);
}

/* ---- one reading ---- */

static uint64_t get(const _Atomic uint64_t *word)
{
    return atomic_load_explicit(word, memory_order_acquire);
}

static uint32_t get32(const _Atomic uint32_t *word)
{
    return atomic_load_explicit(word, memory_order_acquire);
}

static uint64_t turn_ms(const struct board_worker *w)
{
    const uint64_t since_ms = get(&w->awake_since_ms), now_ms = clock_mono_ms();

    return since_ms != 0 && now_ms > since_ms ? now_ms - since_ms : 0;
}

static void read_worker(const struct board *board, struct watch_worker *out)
{
    const struct board_worker *w = &board->worker[out->index];

    out->pid = atomic_load_explicit(&w->pid, memory_order_relaxed);
    out->generation = get32(&w->generation);
    out->state = (enum board_state)get32(&w->state);
    out->threads = get32(&w->threads);
    out->load = get32(&w->load);
    out->waiting = get32(&w->waiting);
    out->turn_ms = turn_ms(w);
}

/* What others have sent to it, and it has seen of them. Those whose entry is empty do not
 * count: the master has made their tallies equal. */
static void read_way(const struct board *board, const struct watch_look *look,
                     struct watch_worker *to)
{
    to->sent = to->seen = to->coming = 0;
    for (size_t i = 0; i < look->count; i++) {
        const unsigned from = look->worker[i].index;
        const uint64_t seen = get(&board->worker[to->index].seen[from]);
        const uint64_t sent = get(&board->worker[from].sent[to->index]);

        to->seen += seen;
        to->sent += sent;
        to->coming += sent > seen ? (uint32_t)(sent - seen) : 0;
    }
}

static void list_workers(const struct board *board, struct watch_look *out)
{
    out->count = 0;
    for (unsigned i = 0; i < board_entries(board); i++)
        if (get32(&board->worker[i].state) != BOARD_EMPTY)
            out->worker[out->count++].index = i;
}

static void read_all(const struct board *board, struct watch_look *out)
{
    list_workers(board, out);
    for (size_t i = 0; i < out->count; i++)
        read_worker(board, &out->worker[i]);
    for (size_t i = 0; i < out->count; i++)
        read_way(board, out, &out->worker[i]);
}

static bool is_same(const struct watch_worker *a, const struct watch_worker *b)
{
    return a->index == b->index && a->pid == b->pid && a->state == b->state &&
           a->load == b->load && a->waiting == b->waiting && a->sent == b->sent &&
           a->seen == b->seen;
}

static bool are_same(const struct watch_look *a, const struct watch_look *b)
{
    if (a->count != b->count)
        return false;
    for (size_t i = 0; i < a->count; i++)
        if (!is_same(&a->worker[i], &b->worker[i]))
            return false;
    return true;
}

/* ---- a look ---- */

static void sum_up(struct watch_look *look)
{
    look->threads = look->load = look->waiting = look->coming = look->free_slots = 0;
    for (size_t i = 0; i < look->count; i++) {
        const struct watch_worker *w = &look->worker[i];
        const uint64_t taken = (uint64_t)w->load + w->coming;

        look->threads += w->threads;
        look->load += w->load;
        look->waiting += w->waiting;
        look->coming += w->coming;
        if (w->state == BOARD_SERVING && taken < w->threads)
            look->free_slots += w->threads - taken;
    }
}

void watch_look(const struct watch *watch, struct watch_look *out)
{
    struct watch_look before;

    read_all(watch->board, out);
    out->is_sure = false;
    for (int i = 0; i < LOOK_TRIES && !out->is_sure; i++) {
        before.count = out->count;
        memcpy(before.worker, out->worker, out->count * sizeof out->worker[0]);
        read_all(watch->board, out);
        out->is_sure = are_same(&before, out);
    }
    sum_up(out);
}

bool watch_is_wasteful(const struct watch_look *look)
{
    return look->waiting > 0 && look->free_slots > 0;
}
