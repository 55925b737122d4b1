/* SPDX-License-Identifier: MIT */
/*
 * lab_run - one experiment under way: what lab.h hides from the experiments.      [lab]
 *
 * Owns:    the result, the servers, their directory.
 * Called:  by lab.c; shared with lab_server.c and lab_load.c, which are parts of it.
 * Fails:   never; what goes wrong stands in result.why.
 */
#ifndef CLI_LAB_RUN_H
#define CLI_LAB_RUN_H

#include "cli/lab.h"
#include "cli/lab_report.h"

enum { LAB_SERVERS = 12 };

struct lab {
    const struct lab_experiment *experiment;
    struct lab_report *report;
    const volatile sig_atomic_t *stop; /* not 0: interrupted */
    bool is_short;
    struct lab_result result;
    char directory[PATH_MAX]; /* of the servers' files; "": none yet */
    unsigned started;         /* servers so far */
    struct lab_server server[LAB_SERVERS];
};

/** Runs it from prediction to verdict and leaves nothing behind. experiment, report, stop
 * and is_short are set, all else is zero. */
void lab_run(struct lab *lab);

/** A Ctrl-C, or another wish to stop. */
bool lab_is_interrupted(const struct lab *lab);

/** lab_fail, with the end of the log, when that server has ended by itself. */
void lab_server_check(struct lab *lab, const struct lab_server *server);

/** Stops all that run and removes the directory. */
void lab_server_clean_up(struct lab *lab);

#endif
