/* SPDX-License-Identifier: MIT */
/*
 * place - where a ready request runs, and whom a free worker asks.  [worker]
 *
 * Pure: it sees a copy of the loads and decides; load.c makes the copy, the caller acts. A
 * request runs here if it can. Else it goes to the worker that is best off, if that is
 * better off than this one by more than the request itself: into its free slot or its
 * queue. To balance the waiting, not only to fill free slots, is what makes it fair.
 */
#ifndef WORKER_PLACE_H
#define WORKER_PLACE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum {
    PLACE_HOPS = 3,    /* a request moves no more often than this */
    PLACE_FD_ROOM = 64 /* a receiver below it could lose the socket: it gets none */
};

/** Another worker. A connection goes only to the same or a younger generation: those that
 *  may take one from us, or, for place_free, those that may give us one. */
struct place_sibling {
    unsigned index;   /* its entry in the scoreboard */
    uint32_t load;    /* busy + waiting + on the way to it */
    uint32_t waiting; /* of these, those in its queue */
    uint32_t limit;   /* of those that may be busy */
    uint32_t fd_room; /* descriptors that it may still open */
};

/** What a worker sees. Its own figures leave out the request that is to be placed. */
struct place_view {
    const struct place_sibling *sibling;
    size_t count;
    uint32_t busy, waiting, limit; /* ours */
    uint32_t hops;                 /* moves that the request has behind it */
    uint32_t random;               /* breaks ties */
};

enum place_verdict {
    PLACE_HERE,       /* a slot is free and nobody waits before it */
    PLACE_QUEUE_HERE, /* it waits here */
    PLACE_MOVE,       /* it goes to `index` */
    PLACE_ASK,        /* `index` has the longest queue: ask for one of it */
    PLACE_REST        /* nobody waits anywhere */
};

struct place {
    enum place_verdict verdict;
    unsigned index;  /* of PLACE_MOVE and PLACE_ASK */
    bool is_to_free; /* PLACE_MOVE: it will not wait there, as far as can be seen */
};

/** A request is ready: PLACE_HERE, PLACE_QUEUE_HERE or PLACE_MOVE. */
struct place place_request(const struct place_view *v);

/** Work has ended here: PLACE_ASK when a slot is free, nobody waits here and somebody does
 *  elsewhere, else PLACE_REST. */
struct place place_free(const struct place_view *v);

/** A sibling has asked: may the oldest that waits here go there? */
bool place_may_give(const struct place_view *v, const struct place_sibling *to);

#endif
