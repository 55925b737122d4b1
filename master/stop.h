/* SPDX-License-Identifier: MIT */
/*
 * stop - the end of the server, in its order. It begins with master_stop().
 */
#ifndef MASTER_STOP_H
#define MASTER_STOP_H

#include <stdbool.h>
#include <stdint.h>

struct master;

/** How far a stop has come. */
enum stop_stage {
    STOP_NOT,
    STOP_ANNOUNCED, /* drain_delay: all is served, and dead workers are replaced, as ever */
    STOP_REFUSING, /* nobody new gets in; handshakes that have begun end */
    STOP_ENDING    /* all workers drain, or are killed */
};

struct stop {
    enum stop_stage stage;
    uint64_t until_ms; /* monotonic; of the first two stages */
};

enum { HANDSHAKE_MS = 100 }; /* from the last SYN to the ACK: a round trip, and some */

/** Once per turn: goes on to what is due. When to ask again, in ms; UINT64_MAX: no need. */
uint64_t stop_turn(struct master *master);

/** All workers have been told to go, or were killed: with the last one it is over. */
bool stop_is_last_stage(const struct master *master);

/** Traffic is served, so what is missing is started: from the first READY to the end of a
 *  stop's drain_delay. */
bool master_is_serving(const struct master *master);

#endif
