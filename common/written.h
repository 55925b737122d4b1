/* SPDX-License-Identifier: MIT */
/*
 * written - how many bytes a thread has written, as the kernel counts them.
 *
 * `wchar` of proc(5): the sum of what its write and writev have returned, to whatever file.
 * A write that was under way when the process was killed is counted too; that is the point.
 */
#ifndef COMMON_WRITTEN_H
#define COMMON_WRITTEN_H

#include <stdbool.h>
#include <stdint.h>
#include <sys/types.h>

/** The count of that process's first thread, to be read as often as wanted: as long as it has
 *  not been waited for, even after its death. To be opened while it lives. -1 with errno. */
int written_open(pid_t pid);

/** False when it cannot be read: no /proc, or we may not. Async-signal-safe. */
bool written_read(int fd, uint64_t *count_out);

#endif
