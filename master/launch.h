/* SPDX-License-Identifier: MIT */
/*
 * launch - how this process was started, so that it can be started again.
 */
#ifndef MASTER_LAUNCH_H
#define MASTER_LAUNCH_H

#include <limits.h>
#include <stdbool.h>

struct launch {
    char **argv;        /* as at start; the process's own */
    char **environment; /* as at start; an array of ours, the texts are the process's */
    char binary[PATH_MAX]; /* where the next one is looked for */
    int estate_fd;         /* of the image before; -1: an ordinary start */
    int verdict_fd; /* this is a trial, and says here how it went; -1: it is none */
};

/** First thing in main: takes our own word out of argv or the environment. False: out of
 *  memory. */
bool launch_note(struct launch *launch, int *argc, char **argv);
void launch_fini(struct launch *launch);

/** argv of a trial, and the environment of the next image: arrays on the heap, texts are the
 *  process's but for one, which is `word`. NULL: out of memory. */
enum { LAUNCH_WORD = 64 };
char **launch_trial_argv(const struct launch *launch, int estate_fd, int verdict_fd,
                         char word[static LAUNCH_WORD]);
char **launch_next_environment(const struct launch *launch, int estate_fd,
                               char word[static LAUNCH_WORD]);

#endif
