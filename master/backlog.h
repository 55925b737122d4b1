/* SPDX-License-Identifier: MIT */
/*
 * backlog - the other queue: connections that wait in the kernel to be accepted.   [master]
 */
#ifndef MASTER_BACKLOG_H
#define MASTER_BACKLOG_H

#include <stdint.h>

struct board;
struct listeners;

/** The accept queue of a listening TCP socket, now: how many wait in it, and how many may. 0, 0
 *  for what is none; a unix socket tells neither. */
void backlog_read(int fd, uint32_t *length_out, uint32_t *limit_out);

/** All of them to the scoreboard. */
void backlog_publish(struct board *board, const struct listeners *listeners);

#endif
