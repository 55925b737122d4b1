/* SPDX-License-Identifier: MIT */
/*
 * heritage - everything that crosses fork from the master to a worker, in one struct.
 *
 * Owns:    nothing; the master fills it before each fork, the child reads its copy.
 * Rule:    a descriptor that is not named here is closed in the child before anything
 *          else runs (worker_main checks that nothing else is open).
 */
#ifndef COMMON_HERITAGE_H
#define COMMON_HERITAGE_H

#include "common/scoreboard.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

struct conf;

enum { HERITAGE_LISTENERS = 64, HERITAGE_IMAGES = 64 };

struct heritage_listener {
    int fd; /* listening, non-blocking, shared by all workers */
    bool unix_socket;
    char name[128]; /* as bound: 127.0.0.1:8000, unix:/path */
};

/** One inbox: SEQPACKET; belongs to a table index, not to a worker, and lives as long as
 *  the master. Anyone sends to tx, the worker with that index reads rx. */
struct heritage_inbox {
    int rx, tx;
};

/** The image of one plugin file, by [plugin] section: same order as conf->plugins. Two
 *  sections with the same path share a descriptor. */
struct heritage_image {
    int fd;           /* sealed memfd, or -1: load `path` itself */
    const char *path; /* what to say in messages; the real path where fd is -1 */
    uint64_t inode,
        mtime_ns; /* of the file when fd is -1: a respawn refuses a changed one */
};

struct heritage {
    const struct conf *conf;

    struct board *board;
    int board_fd;

    struct heritage_listener listener[HERITAGE_LISTENERS];
    size_t listener_count;

    struct heritage_inbox inbox[BOARD_WORKERS];
    size_t inbox_count;
    struct heritage_inbox common_inbox; /* every serving worker reads it */

    struct heritage_image image[HERITAGE_IMAGES]; /* one for each [plugin] section */
    size_t image_count;

    int access_log_fd; /* -1: off. May be 1 or a file opened O_APPEND */
    int error_log_fd;

    /* this worker */
    unsigned index; /* its entry in the scoreboard, its inbox */
    uint32_t generation;
    int channel; /* its end of the pair */
    int written_fd; /* written.h, of this worker itself; opened in the child. -1: not to be had */

    /* identity to take; uid_t -1: stay who we are */
    uid_t uid;
    gid_t gid;
    const char *user; /* for initgroups; NULL with uid -1 */

    bool debug;       /* --debug: one process, no time-outs */
    bool list_routes; /* this worker logs its routes once: first of a generation */
};

#endif
