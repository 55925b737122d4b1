/* SPDX-License-Identifier: MIT */
/*
 * load - the tallies of the scoreboard, counted and set right.   [worker]
 *
 * Owns:    `sent` and `seen` of this worker's entry.
 * Called:  before and after a hand-off, when a message is taken, once a second; load_of by
 *          anyone who has the board.
 * Fails:   never.
 *
 * Why no reservation: a worker that is killed between two steps would take it along. Here
 * it leaves a number that is off by one, and numbers are corrected by comparison.
 */
#include "worker/load.h"

#include "common/check.h"

#if defined(__SANITIZE_THREAD__) && !defined(__clang__)
#pragma GCC diagnostic ignored "-Wtsan" /* fences order us with other processes only */
#endif

enum {
    SNAPSHOT_TRIES = 4,
    STUCK_MS = 50,   /* of a turn, or of a message that is not taken */
    SILENT_MS = 1500 /* one that has nothing to do turns once a second */
};

/* When we sent the oldest of what t has not seen, or earlier; of this process alone. */
static uint64_t unseen_since_ms[BOARD_WORKERS];

/* `sent` is read after `seen`: a message that is taken in between counts as on its way, not
 * as a debt of 2^64. The order of one thread's own loads is not promised: hence also the
 * comparison. */
static uint32_t on_the_way(const struct board *board, unsigned t)
{
    const unsigned entries = board_entries(board);
    uint64_t sum = 0;
    for (unsigned s = 0; s < entries; s++) {
        uint64_t seen =
            atomic_load_explicit(&board->worker[t].seen[s], memory_order_acquire);
        uint64_t sent = board_get(&board->worker[s].sent[t]);
        sum += sent > seen ? sent - seen : 0;
    }
    return sum < UINT32_MAX ? (uint32_t)sum : UINT32_MAX;
}

uint32_t load_of(const struct board *board, unsigned t, enum load_lane lane)
{
    CHECK(t < BOARD_WORKERS);
    const struct board_worker *w = &board->worker[t];
    uint64_t own = board_get32(lane == LOAD_SLOTS ? &w->load : &w->flights_load);
    uint64_t load = own + on_the_way(board, t);
    return load < UINT32_MAX ? (uint32_t)load : UINT32_MAX;
}

/* ---- a look at the others ---- */

/* Generations are numbered from 1 and compared as a distance, so they may wrap. */
static bool is_older(uint32_t a, uint32_t b)
{
    return (int32_t)(a - b) < 0;
}

bool load_is_stuck(const struct board *board, unsigned self, unsigned t)
{
    CHECK(self < BOARD_WORKERS && t < BOARD_WORKERS);
    uint64_t now_ms = board_get(&board->worker[self].tick_ms);
    uint64_t tick_ms = board_get(&board->worker[t].tick_ms);
    uint64_t awake_since_ms = board_get(&board->worker[t].awake_since_ms);
    return now_ms > tick_ms + SILENT_MS ||
           (awake_since_ms != 0 && now_ms > awake_since_ms + STUCK_MS) ||
           (now_ms > tick_ms + STUCK_MS && load_is_unseen(board, self, t) &&
            now_ms > unseen_since_ms[t] + STUCK_MS);
}

/* For so long that it may be a matter of its replacement. */
static bool is_silent(const struct board *board, unsigned self, unsigned t)
{
    uint64_t now_ms = board_get(&board->worker[self].tick_ms);
    uint64_t awake_since_ms = board_get(&board->worker[t].awake_since_ms);
    return now_ms > board_get(&board->worker[t].tick_ms) + SILENT_MS ||
           (awake_since_ms != 0 && now_ms > awake_since_ms + SILENT_MS);
}

static bool is_peer(const struct board *board, unsigned self, unsigned t,
                    enum load_peers peers)
{
    uint32_t state = board_get32(&board->worker[t].state);
    if (state < BOARD_SERVING ||
        (peers == LOAD_HEIRS ? is_silent(board, self, t) : load_is_stuck(board, self, t)))
        return false;
    uint32_t theirs = board_get32(&board->worker[t].generation);
    uint32_t generation = board_get32(&board->worker[self].generation);
    bool is_serving = state == BOARD_SERVING || state == BOARD_RETIRING;
    if (peers != LOAD_GIVERS)
        return is_serving && !is_older(theirs, generation);
    return state != BOARD_KILLED && !is_older(generation, theirs);
}

static struct place_sibling copy(const struct board *board, unsigned i,
                                 enum load_lane lane)
{
    const struct board_worker *w = &board->worker[i];
    bool is_slots = lane == LOAD_SLOTS;
    return (struct place_sibling){
        .index = i,
        .load = load_of(board, i, lane),
        .waiting = board_get32(is_slots ? &w->waiting : &w->flights_waiting),
        .limit = board_get32(is_slots ? &w->threads : &w->flights_limit),
        .fd_room = board_get32(&w->fd_room)};
}

size_t load_look(const struct board *board, unsigned self, enum load_peers peers,
                 enum load_lane lane, struct place_sibling out[static BOARD_WORKERS])
{
    CHECK(self < BOARD_WORKERS);
    /* Of two that publish and then look, one sees the other: a slot that becomes free and a
     * request that begins to wait do not miss each other. */
    atomic_thread_fence(memory_order_seq_cst);
    const unsigned entries = board_entries(board);
    size_t count = 0;
    for (unsigned i = 0; i < entries; i++)
        if (i != self && is_peer(board, self, i, peers))
            out[count++] = copy(board, i, lane);
    return count;
}

uint64_t load_waiting(const struct board *board, enum load_lane lane,
                      const uint8_t *index, size_t count)
{
    uint64_t sum = 0;
    atomic_thread_fence(memory_order_seq_cst); /* as in load_look */
    for (size_t i = 0; i < count; i++) {
        const struct board_worker *w = &board->worker[index[i]];
        sum += board_get32(lane == LOAD_SLOTS ? &w->waiting : &w->flights_waiting);
    }
    return sum;
}

/* ---- queue_limit ---- */

static uint32_t room_in(const _Atomic uint32_t *load, const _Atomic uint32_t *limit)
{
    uint32_t taken = board_get32(load), places = board_get32(limit);
    return taken < places ? places - taken : 0;
}

/* Those on the way to t that will find no free place there; of what lane they are is not
 * known, so it is the fuller one's. */
static uint32_t about_to_wait(const struct board *board, unsigned t, uint32_t arriving)
{
    const struct board_worker *w = &board->worker[t];
    uint32_t room = room_in(&w->load, &w->threads), coming = on_the_way(board, t);
    uint32_t flights = room_in(&w->flights_load, &w->flights_limit);
    if (board_get32(&w->flights_limit) > 0 && flights < room)
        room = flights;
    coming = coming > arriving ? coming - arriving : 0;
    return coming > room ? coming - room : 0;
}

/* Each is read first where it was before: about to be admitted, then waiting; on its way,
 * then waiting there. So it may count twice, but not be missed. */
static uint64_t count_waiting(const struct board *board, unsigned self, uint32_t arriving)
{
    uint64_t sum = 0;
    for (unsigned i = 0; i < board_entries(board); i++) {
        const struct board_worker *w = &board->worker[i];
        if (board_get32(&w->state) == BOARD_EMPTY)
            continue;
        if (i != self)
            sum += atomic_load_explicit(&w->admitting, memory_order_acquire);
        /* what lay in the inbox of one that stands still may be with another by now */
        if (i == self || !load_is_stuck(board, self, i))
            sum += about_to_wait(board, i, i == self ? arriving : 0);
        sum += board_get32(&w->waiting) + board_get32(&w->flights_waiting);
    }
    return sum;
}

static uint64_t count_sends(const struct board *board)
{
    uint64_t sum = 0;
    atomic_thread_fence(memory_order_seq_cst);
    for (unsigned i = 0; i < board_entries(board); i++)
        sum += board_get(&board->worker[i].sends);
    atomic_thread_fence(memory_order_seq_cst);
    return sum;
}

/* One that moves from what is read last to what was read first would be missed: so the count
 * holds only if nobody has sent anything meanwhile. */
static bool is_below(const struct board *board, unsigned self, uint32_t limit,
                     uint32_t arriving)
{
    uint64_t before = count_sends(board);
    for (int i = 0; i < SNAPSHOT_TRIES; i++) {
        uint64_t waiting = count_waiting(board, self, arriving);
        uint64_t after = count_sends(board);
        if (waiting >= limit)
            return false;
        if (waiting + (after - before) < limit) /* each has changed it at least once */
            return true;
        before = after;
    }
    return false;
}

bool load_admit(struct board *board, unsigned self, uint32_t limit, uint32_t arriving)
{
    CHECK(self < BOARD_WORKERS);
    _Atomic uint32_t *own = &board->worker[self].admitting;
    atomic_store_explicit(own, 1, memory_order_seq_cst);
    bool is_in = is_below(board, self, limit, arriving);
    if (!is_in)
        load_admitted(board, self);
    return is_in;
}

void load_admitted(struct board *board, unsigned self)
{
    atomic_store_explicit(&board->worker[self].admitting, 0, memory_order_release);
}

/* ---- one message ---- */

uint64_t load_send(struct board *board, unsigned s, unsigned t)
{
    CHECK(s < BOARD_WORKERS && t < BOARD_WORKERS);
    _Atomic uint64_t *sent = &board->worker[s].sent[t];
    if (!load_is_unseen(board, s, t))
        unseen_since_ms[t] = board_get(&board->worker[s].tick_ms);
    _Atomic uint64_t *sends = &board->worker[s].sends;
    board_add(sends, 1); /* before and after: is_below */
    atomic_thread_fence(memory_order_release);
    board_add(sent, 1);
    atomic_thread_fence(memory_order_release);
    board_add(sends, 1);
    return board_get(sent);
}

void load_unsend(struct board *board, unsigned s, unsigned t)
{
    CHECK(s < BOARD_WORKERS && t < BOARD_WORKERS);
    _Atomic uint64_t *sent = &board->worker[s].sent[t];
    CHECK(board_get(sent) > 0);
    board_set(sent, board_get(sent) - 1);
}

bool load_is_unseen(const struct board *board, unsigned s, unsigned t)
{
    CHECK(s < BOARD_WORKERS && t < BOARD_WORKERS);
    uint64_t sent = board_get(&board->worker[s].sent[t]);
    return sent != atomic_load_explicit(&board->worker[t].seen[s], memory_order_acquire);
}

void load_take(struct board *board, unsigned t, unsigned s, uint64_t number)
{
    CHECK(t < BOARD_WORKERS && s < BOARD_WORKERS);
    if (number == 0)
        return;
    /* above `sent`: its sender has died, and the master has made the tally equal */
    uint64_t sent = board_get(&board->worker[s].sent[t]);
    atomic_store_explicit(&board->worker[t].seen[s], number < sent ? number : sent,
                          memory_order_release);
}

/* ---- setting right ---- */

/* Stores even what is equal would dirty a line of each entry; so only what differs. */
static void make_equal(_Atomic uint64_t *word, const _Atomic uint64_t *to)
{
    uint64_t value = board_get(to);
    if (board_get(word) != value)
        board_set(word, value);
}

void load_settle(struct board *board, unsigned self, bool is_inbox_empty)
{
    CHECK(self < BOARD_WORKERS);
    struct board_worker *own = &board->worker[self];
    for (unsigned i = 0; i < board_entries(board); i++) {
        const struct board_worker *other = &board->worker[i];
        if (board_get32(&other->state) == BOARD_EMPTY)
            make_equal(&own->sent[i], &other->seen[self]);
        /* a sender may stand between its count and its send: the message that comes later
         * bears a number that is in `seen` already */
        if (is_inbox_empty)
            make_equal(&own->seen[i], &other->sent[self]);
    }
}
