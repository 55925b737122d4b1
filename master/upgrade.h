/* SPDX-License-Identifier: MIT */
/*
 * upgrade - another binary takes the place of this one: exec in place, the pid stays.
 */
#ifndef MASTER_UPGRADE_H
#define MASTER_UPGRADE_H

#include <limits.h>
#include <stdbool.h>
#include <stdint.h>
#include <sys/stat.h>
#include <sys/types.h>

struct fault;
struct launch;
struct master;

struct upgrade {
    const struct launch *launch;
    char binary[PATH_MAX]; /* the next image; "": not known */
    bool wanted;           /* one USR2 waits */
    bool told;             /* that it waits was logged */
    bool passed;           /* the trial has: exec at the end of this turn */
    pid_t trial;           /* the child that tries it; 0: none */
    int verdict_fd;        /* what it says comes here */
    const char *doom;      /* why we ended it; NULL: we did not */
    struct stat image;     /* the file that is tried */
    uint64_t limit_ms;     /* of the trial, monotonic */
    int before_fd; /* the image we come from, until we have proved ourselves; -1 */
};

void upgrade_init(struct master *master, const struct launch *launch);
void upgrade_fini(struct master *master);

/** USR2, `ctl upgrade`. Begins at the next turn that can; one may wait. */
void upgrade_begin(struct master *master);

/** A trial runs, or has passed: nothing else may begin. */
bool upgrade_is_running(const struct master *master);

/** Once per turn: begins what was asked for, ends a trial that takes too long, or goes over to
 *  the next image, which does not return. When to ask again, in ms; UINT64_MAX: no need. */
uint64_t upgrade_turn(struct master *master);

/** A child ended that is no worker. */
void upgrade_on_exit(struct master *master, pid_t pid, int wait_status);

/** TERM ends a trial. */
void upgrade_cancel(struct master *master);

/** In the next image: its own generation serves; there is no way back any more. */
void upgrade_settle(struct master *master);

/** In the next image: it cannot take over. Back to the image before, which does not return;
 *  or returns with *why_not, and this one goes on. */
void upgrade_go_back(struct master *master, const char *why, struct fault *why_not);

#endif
