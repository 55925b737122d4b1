/* SPDX-License-Identifier: MIT */
/*
 * load - the tallies of the scoreboard, counted and set right.   [worker]
 *
 * Owns:    `sent` and `seen` of this worker's entry.
 * Called:  before and after a hand-off, when a message is taken, once a second; load_of and
 *          load_audit by anyone who has the board.
 * Fails:   never.
 *
 * Why no reservation: a worker that is killed between two steps would take it along. Here
 * it leaves a number that is off by one, and numbers are corrected by comparison.
 */
#include "worker/load.h"

#include "common/check.h"

static uint64_t get(const _Atomic uint64_t *word)
{
    return atomic_load_explicit(word, memory_order_relaxed);
}

static uint32_t get32(const _Atomic uint32_t *word)
{
    return atomic_load_explicit(word, memory_order_relaxed);
}

static unsigned entries(const struct board *board)
{
    uint32_t n = get32(&board->worker_slots);
    return n < BOARD_WORKERS ? n : BOARD_WORKERS;
}

/* `sent` is read after `seen`: a message that is taken in between counts as on its way, not
 * as a debt of 2^64. The order of one thread's own loads is not promised: hence also the
 * comparison. */
static uint32_t on_the_way(const struct board *board, unsigned t)
{
    uint64_t sum = 0;
    for (unsigned s = 0; s < entries(board); s++) {
        uint64_t seen =
            atomic_load_explicit(&board->worker[t].seen[s], memory_order_acquire);
        uint64_t sent = get(&board->worker[s].sent[t]);
        sum += sent > seen ? sent - seen : 0;
    }
    return sum < UINT32_MAX ? (uint32_t)sum : UINT32_MAX;
}

uint32_t load_of(const struct board *board, unsigned t)
{
    CHECK(t < BOARD_WORKERS);
    uint64_t load = (uint64_t)get32(&board->worker[t].load) + on_the_way(board, t);
    return load < UINT32_MAX ? (uint32_t)load : UINT32_MAX;
}

/* ---- a look at the others ---- */

/* Generations are numbered from 1 and compared as a distance, so they may wrap. */
static bool is_older(uint32_t a, uint32_t b)
{
    return (int32_t)(a - b) < 0;
}

static bool is_peer(const struct board_worker *w, uint32_t generation,
                    enum load_peers peers)
{
    uint32_t state = get32(&w->state), theirs = get32(&w->generation);
    if (peers == LOAD_TAKERS)
        return state == BOARD_SERVING && !is_older(theirs, generation);
    return state >= BOARD_SERVING && state != BOARD_KILLED &&
           !is_older(generation, theirs);
}

size_t load_look(const struct board *board, unsigned self, enum load_peers peers,
                 struct place_sibling out[static BOARD_WORKERS])
{
    CHECK(self < BOARD_WORKERS);
    uint32_t generation = get32(&board->worker[self].generation);
    size_t count = 0;
    for (unsigned i = 0; i < entries(board); i++) {
        const struct board_worker *w = &board->worker[i];
        if (i == self || !is_peer(w, generation, peers))
            continue;
        out[count++] = (struct place_sibling){.index = i,
                                              .load = load_of(board, i),
                                              .waiting = get32(&w->waiting),
                                              .limit = get32(&w->threads),
                                              .fd_room = get32(&w->fd_room)};
    }
    return count;
}

uint64_t load_waiting(const struct board *board, const uint8_t *index, size_t count)
{
    uint64_t sum = 0;
    for (size_t i = 0; i < count; i++)
        sum += get32(&board->worker[index[i]].waiting);
    return sum;
}

/* ---- one message ---- */

uint64_t load_send(struct board *board, unsigned s, unsigned t)
{
    CHECK(s < BOARD_WORKERS && t < BOARD_WORKERS);
    _Atomic uint64_t *sent = &board->worker[s].sent[t];
    board_add(sent, 1);
    return get(sent);
}

void load_unsend(struct board *board, unsigned s, unsigned t)
{
    CHECK(s < BOARD_WORKERS && t < BOARD_WORKERS);
    _Atomic uint64_t *sent = &board->worker[s].sent[t];
    CHECK(get(sent) > 0);
    board_set(sent, get(sent) - 1);
}

bool load_is_unseen(const struct board *board, unsigned s, unsigned t)
{
    CHECK(s < BOARD_WORKERS && t < BOARD_WORKERS);
    return get(&board->worker[s].sent[t]) != get(&board->worker[t].seen[s]);
}

void load_take(struct board *board, unsigned t, unsigned s, uint64_t number)
{
    CHECK(t < BOARD_WORKERS && s < BOARD_WORKERS);
    if (number == 0)
        return;
    /* above `sent`: its sender has died, and the master has made the tally equal */
    uint64_t sent = get(&board->worker[s].sent[t]);
    atomic_store_explicit(&board->worker[t].seen[s], number < sent ? number : sent,
                          memory_order_release);
}

/* ---- setting right ---- */

/* Stores even what is equal would dirty a line of each entry; so only what differs. */
static void make_equal(_Atomic uint64_t *word, const _Atomic uint64_t *to)
{
    uint64_t value = get(to);
    if (get(word) != value)
        board_set(word, value);
}

void load_settle(struct board *board, unsigned self, bool is_inbox_empty)
{
    CHECK(self < BOARD_WORKERS);
    struct board_worker *own = &board->worker[self];
    for (unsigned i = 0; i < entries(board); i++) {
        const struct board_worker *other = &board->worker[i];
        if (get32(&other->state) == BOARD_EMPTY)
            make_equal(&own->sent[i], &other->seen[self]);
        /* a sender may stand between its count and its send: the message that comes later
         * bears a number that is in `seen` already */
        if (is_inbox_empty)
            make_equal(&own->seen[i], &other->sent[self]);
    }
}

struct load_audit load_audit(const struct board *board)
{
    struct load_audit audit = {0};
    for (unsigned s = 0; s < entries(board); s++) {
        audit.load += get32(&board->worker[s].load);
        for (unsigned t = 0; t < entries(board); t++) {
            if (get(&board->worker[s].sent[t]) == get(&board->worker[t].seen[s]))
                continue;
            if (audit.unequal++ == 0) {
                audit.from = s;
                audit.to = t;
            }
        }
    }
    return audit;
}
