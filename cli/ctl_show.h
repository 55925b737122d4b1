/* SPDX-License-Identifier: MIT */
/*
 * ctl_show - what `remuda ctl show` prints, for people and for programs.     [ctl]
 *
 * Called:  by ctl.c.
 */
#ifndef CLI_CTL_SHOW_H
#define CLI_CTL_SHOW_H

#include "common/scoreboard.h"

#include <stdint.h>
#include <stdio.h>
#include <sys/types.h>

struct ctl_view_of {
    struct board *board;
    uint64_t now_ms; /* monotonic */
    pid_t pid;       /* of the master */
    const char *status;
};

void ctl_show_workers(FILE *out, const struct ctl_view_of *view);
void ctl_show_slots(FILE *out, const struct ctl_view_of *view);
void ctl_show_limits(FILE *out, const struct ctl_view_of *view);

/** `text`: as CONTROL_SHOW_LISTENERS brings it; changed in place. */
void ctl_show_listeners(FILE *out, char *text);

void ctl_json_workers(FILE *out, const struct ctl_view_of *view);
void ctl_json_slots(FILE *out, const struct ctl_view_of *view);
void ctl_json_limits(FILE *out, const struct ctl_view_of *view);
void ctl_json_listeners(FILE *out, char *text);

struct ctl_listener {
    unsigned long length, limit; /* 0, 0: not known */
    const char *name;
};

/** Takes the next line off *text. False: there is none. */
bool ctl_next_listener(char **text, struct ctl_listener *out);

#endif
