/* SPDX-License-Identifier: MIT */
/*
 * ctl_args - the words behind `remuda ctl`.                                  [ctl]
 *
 * Owns:    nothing.
 * Called:  by ctl.c.
 * Fails:   64, after a line that says what is allowed.
 */
#ifndef CLI_CTL_ARGS_H
#define CLI_CTL_ARGS_H

#include "common/control.h"

#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>

enum ctl_view {
    CTL_NO_VIEW,
    CTL_WORKERS,
    CTL_SLOTS,
    CTL_LISTENERS,
    CTL_CONFIG,
    CTL_LIMITS
};

struct ctl_args {
    enum control_verb verb;
    enum ctl_view view;  /* of a show */
    int worker;          /* or CONTROL_ANY_WORKER */
    const char *file;    /* -c: whose server; NULL: not given */
    const char *socket;  /* --socket; NULL: looked for */
    uint64_t timeout_ms; /* 0: none */
    bool is_quick, is_json, has_defaults, wants_help;
};

/** `words` end with NULL. 0, or 64. */
int ctl_args_parse(struct ctl_args *args, char **words, FILE *err);

#endif
