/* SPDX-License-Identifier: MIT */
/*
 * fd - the few things we do to descriptors in more than one place.
 * All return -1 with errno kept on failure.
 */
#ifndef COMMON_FD_H
#define COMMON_FD_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/** close(2), and *fd = -1. Accepts -1. errno is kept. */
void fd_close(int *fd);

int fd_set_nonblock(int fd, bool nonblock);
int fd_set_cloexec(int fd, bool cloexec);

/** A non-blocking, close-on-exec SOCK_SEQPACKET pair. */
int fd_pair(int out[static 2]);

/** Sends one datagram with at most one descriptor (-1: none). Never raises SIGPIPE, never
 *  waits. */
int fd_send(int fd, const void *bytes, size_t n, int passed);

/** Receives one datagram, never waits; *passed_out is a close-on-exec descriptor or -1,
 *  of several the kernel drops all but the first. The datagram's size (above n: it was
 *  cut), 0 at EOF, or -1. */
long fd_recv(int fd, void *bytes, size_t n, int *passed_out);

/** A sealed memfd with a copy of `path` (regular file). -1 with errno where refused;
 *  ETXTBSY when the file changes meanwhile. */
int fd_image(const char *path, const char *name);

/** Closes every descriptor above 2 that is not in keep[] (sorted or not; -1 ignored). */
void fd_close_others(const int *keep, size_t count);

/** How many descriptors are open in this process; for tests and the resource report. */
int fd_count(void);

/** Makes the process's table of descriptors large enough for that many, once and at once (the
 *  limit allowing). A table that grows later makes the kernel wait for all CPUs if there is
 *  a second thread, up to seconds when they are busy: so call it before the first. */
void fd_grow_table(uint64_t count);

/** write(2) until all is written; EINTR is retried. */
int fd_write_all(int fd, const void *bytes, size_t n);

#endif
