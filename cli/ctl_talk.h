/* SPDX-License-Identifier: MIT */
/*
 * ctl_talk - the connection to a server: found, asked, heard.                [ctl]
 *
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
    CTL_SYSTEM = 71,
    CTL_AGAIN = 75, /* busy, or not within --timeout */
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

/** Connected to, and welcomed by, the server that `args` means; or the exit status, and why is
 *  on stderr (ctl_find.c). */
int ctl_open(struct ctl_talk *talk, const struct ctl_args *args);
void ctl_close(struct ctl_talk *talk);

/** The next message, until a moment (monotonic): 1; 0 at EOF; -1 with errno, ETIMEDOUT.
 *  *passed_out: a descriptor of the caller's, or -1. */
int ctl_hear(const struct ctl_talk *talk, uint64_t until_ms, struct control_message *out,
             int *passed_out);

/** The exit status of a DONE that says no. */
int ctl_status_of(const struct control_message *refusal);

/** Asks and waits until it has taken. CTL_OK, or the reason is on stderr. */
int ctl_ask(struct ctl_talk *talk, const struct ctl_args *args,
            struct ctl_answer *answer);

#endif
