/* SPDX-License-Identifier: MIT */
/*
 * readiness - how a server stands to new traffic, as words of the scoreboard.
 */
#ifndef COMMON_READINESS_H
#define COMMON_READINESS_H

#include <stdint.h>

/** Written by the master. Of several that are true the last. */
enum board_readiness {
    BOARD_IS_STARTING, /* the first generation does not serve yet */
    BOARD_IS_READY,
    BOARD_IS_DEGRADED, /* fewer workers serve than should, for some have died */
    BOARD_IS_PAUSED,   /* new connections wait in the kernel */
    BOARD_IS_DRAINING, /* traffic is to go elsewhere, by order of the operator */
    BOARD_IS_STOPPING
};

/** Is the server on its way out? Written by the master, read by each worker at each answer. */
enum board_closing {
    BOARD_OPEN,
    BOARD_CLOSING, /* every answer says `Connection: close`; all else as ever */
    BOARD_CLOSED   /* all workers drain: nobody takes over what one of them leaves */
};

/** The kernel's queue of one listener: connections that nobody has accepted yet. */
struct board_backlog {
    _Atomic uint32_t length, limit; /* 0, 0: not known, as for a unix socket */
};

#endif
