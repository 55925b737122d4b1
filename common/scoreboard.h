/* SPDX-License-Identifier: MIT */
/*
 * scoreboard - the memory that master and workers share: a sparse memfd of fixed strides.
 *
 * Owns:    the layout below. Both generations of a reload live in the one table; an
 *          upgrade carries it over; it stays readable after a worker has died.
 * Rule:    one writer per word, named beside it: (M) the master, (W) the worker that
 *          holds the entry, (T) the thread that holds the slot. No mutex, so a process
 *          killed at any instruction leaves nothing locked. Readers use relaxed loads;
 *          where two words must agree, the protocol is stated. Groups of different
 *          writers start on cache lines of their own.
 * Growth:  fields are only ever added in the reserved space; another stride is another
 *          BOARD_VERSION, which an upgrade refuses.
 */
#ifndef COMMON_SCOREBOARD_H
#define COMMON_SCOREBOARD_H

#include "common/atomics.h"
#include "common/counters.h"
#include "common/ledger.h"
#include "common/readiness.h"
#include "common/record.h"
#include "common/ring.h"
#include "common/routes.h"

#include <stdalign.h>
#include <stdbool.h>
#include <stddef.h>
#include <sys/types.h>

enum {
    BOARD_VERSION = 2,
    BOARD_WORKERS = 256,  /* worker entries, and inboxes */
    BOARD_SLOTS = 1024,   /* slots of one worker */
    BOARD_INFLIGHT = 256, /* records of requests that hold no slot, per worker */
    BOARD_LISTENERS = 16  /* whose queues are shown */
};

#define BOARD_MAGIC 0x72656d7564610001ull

/** What a worker entry says of its process; written by the master. The names are those of
 *  the master's table. */
enum board_state {
    BOARD_EMPTY,
    BOARD_STARTING,
    BOARD_STANDBY,
    BOARD_SERVING,
    BOARD_RETIRING,
    BOARD_DRAINING,
    BOARD_KILLED
};

struct board_worker {
    /* (M) */
    alignas(ATOMICS_LINE) _Atomic uint32_t state; /* enum board_state */
    _Atomic uint32_t generation;
    _Atomic int32_t pid;
    _Atomic uint32_t threads;    /* slots of this worker */
    _Atomic uint64_t started_ms; /* monotonic */
    _Atomic uint32_t refusing;   /* 1: its listeners take nobody new; accept.c */
    uint32_t reserved_m[25];

    /* (W) */
    alignas(ATOMICS_LINE) _Atomic uint64_t tick_ms; /* last turn of its loop, monotonic */
    _Atomic uint64_t loop_lag_us; /* longest turn that ended in the last 1 to 2 s */
    _Atomic uint32_t connections; /* open now */
    _Atomic uint32_t load;        /* slots taken + requests and tasks that wait for one */
    _Atomic uint32_t waiting;     /* requests admitted to wait for a slot */
    _Atomic uint32_t inflight;    /* requests begun and not ended, both lanes */
    _Atomic uint32_t fd_room;     /* descriptors this process may still open */
    _Atomic uint32_t inflight_unrecorded; /* beyond the BOARD_INFLIGHT records */
    _Atomic uint64_t rss_bytes;
    /* the lane of ASYNC and EVENT on a loop, as load, waiting and threads for slots */
    _Atomic uint32_t flights_load, flights_waiting, flights_limit;
    _Atomic uint32_t admitting;      /* 1: about to let one more wait (load.h) */
    _Atomic uint64_t sends;          /* changes before and after a word of `sent` does */
    _Atomic uint64_t awake_since_ms; /* its turn under way; 0: it waits in poll */
    _Atomic uint64_t running;        /* what its loop runs now: running.h */
    uint64_t reserved_w[5];
    _Atomic uint64_t sent[BOARD_WORKERS]; /* messages this worker has sent to t */
    _Atomic uint64_t seen[BOARD_WORKERS]; /* last number it took from s */
    struct board_counters counters;

    /* (T) */
    struct board_record slot[BOARD_SLOTS];
    struct board_record flight[BOARD_INFLIGHT];
};

struct board {
    alignas(ATOMICS_LINE) uint64_t magic;
    uint32_t version;
    uint32_t worker_stride, record_stride, ring_stride;
    /* (M) */
    _Atomic uint32_t worker_slots; /* entries in use: worker_slots of the config */
    _Atomic uint32_t generation;   /* newest committed */
    _Atomic uint64_t started_ms;
    _Atomic uint32_t traces;    /* backtraces left: a crash takes one, (M) refills */
    _Atomic uint32_t epoch;     /* odd while `retired` and an entry are being changed */
    _Atomic uint32_t listeners; /* of the running generation */
    _Atomic uint32_t closing;   /* enum board_closing */
    struct board_backlog backlog[BOARD_LISTENERS]; /* of the first ones, each second */
    _Atomic uint32_t degraded; /* deaths in a row before a first answer; 0: all is well */
    _Atomic uint32_t readiness; /* enum board_readiness */
    struct board_counters retired;
    struct board_worker worker[BOARD_WORKERS];
    struct board_ring ring[BOARD_WORKERS];
    struct board_ledger ledger[BOARD_WORKERS];
    struct board_routes routes[BOARD_WORKERS];
};

/** A new table in a memfd: mapped shared, all zero but the header. NULL with errno. The
 *  descriptor is *fd_out (close-on-exec). */
struct board *board_create(int *fd_out);

/** Maps an existing one; NULL with errno, EPROTO when magic, version, strides or size
 *  differ. The descriptor stays the caller's. */
struct board *board_open(int fd);

/** The same for one who only looks: a descriptor without the right to write will do, and a
 *  store into the mapping faults. */
struct board *board_open_reader(int fd);
void board_close(struct board **board);

/** Master, when an entry's process is gone: its counters go to the retired totals, its
 *  tallies of messages are made equal to those of the others (`sent` to what they have
 *  seen, `seen` to what they have sent), all else in the entry is zeroed: the state is
 *  BOARD_EMPTY. board->worker_slots must be set. */
void board_retire(struct board *board, unsigned index);

static inline uint32_t board_state(const struct board *board, unsigned index)
{
    return board_get32(&board->worker[index].state);
}

/** Entries in use. Those beyond were never touched: even to read them would cost pages. */
static inline unsigned board_entries(const struct board *board)
{
    uint32_t n = board_get32(&board->worker_slots);

    return n < BOARD_WORKERS ? n : BOARD_WORKERS;
}

/** The sum of the retired totals and of the worker_slots entries in use: what metrics
 *  show. Any process that maps the board. */
void board_total(struct board *board, struct board_counters *out);

#endif
