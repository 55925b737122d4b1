/* SPDX-License-Identifier: MIT */
/*
 * logs - the error log and the access log as descriptors that workers inherit.
 */
#ifndef MASTER_LOGS_H
#define MASTER_LOGS_H

#include "master/fault.h"

#include <stdbool.h>

struct conf_log;

struct logs {
    int error_fd;  /* 2, or a description of its own: stderr */
    int access_fd; /* 1, or a description of its own: stdout; -1: off */
};

enum { LOGS_CLOSED = -1 };

/** Opens both for appending, made with mode 0640 where missing. 0, or an exit status with
 *  *fault filled and nothing open. */
int logs_open(struct logs *logs, const struct conf_log *conf, struct fault *fault);

/** Does what is written to fd come out of our stderr? */
bool logs_is_stderr(int fd);

/** Never closes 1 and 2. Accepts a closed one. */
void logs_close(struct logs *logs);

#endif
