/* SPDX-License-Identifier: MIT */
/*
 * ctl_talk - finds a server's control socket, asks, waits for the answer.   [ctl]
 *
 * Owns:    the connection.
 * Called:  by ctl.c.
 * Fails:   with a line on stderr and an exit status.
 */
#ifndef CLI_CTL_TALK_H
#define CLI_CTL_TALK_H

#include "cli/ctl_args.h"

#include <sys/types.h>

enum ctl_status {
    CTL_OK = 0,
    CTL_NO_SERVER = 69,
    CTL_REFUSED = 70, /* the order has not taken; or the server is gone */
    CTL_AGAIN = 75,   /* busy, or not within --timeout */
    CTL_PERMISSION = 77
};

struct ctl_talk {
    int fd;
    int process_fd;    /* readable when the server has gone; -1: not to be had */
    pid_t pid;         /* of the master */
    uint64_t until_ms; /* monotonic; UINT64_MAX: no limit */
};

struct ctl_answer {
    int fd; /* what a SHOW brings; -1: nothing. The caller's */
    char text[CONTROL_TEXT];
};

/** CTL_OK: connected to, and welcomed by, the server that `args` means. */
int ctl_open(struct ctl_talk *talk, const struct ctl_args *args);
void ctl_close(struct ctl_talk *talk);

/** Asks and waits until it has taken. CTL_OK, or the reason is on stderr. */
int ctl_ask(struct ctl_talk *talk, const struct ctl_args *args,
            struct ctl_answer *answer);

#endif
