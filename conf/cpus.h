/* SPDX-License-Identifier: MIT */
/*
 * cpus - how many processors this process may really use.    [master]
 *
 * Owns:    nothing.
 * Called:  by load.c for workers = auto.
 * Fails:   never; what cannot be read is no limit.
 */
#ifndef CONF_CPUS_H
#define CONF_CPUS_H

#include <stddef.h>

enum { CPUS_MOST = 64, CPUS_WHY = 128 };

/** Where the kernel says it; tests bring their own. */
struct cpus_view {
    const char *self;   /* /proc/self/cgroup */
    const char *mount;  /* /sys/fs/cgroup */
    unsigned available; /* by affinity; 0: ask the kernel */
};

/** 1..CPUS_MOST: the smaller of CPU affinity and the cgroup's quota (rounded up), of
 *  every group from ours to the root; version 1, 2 or both. `why` reads "4 CPUs by
 *  affinity". */
unsigned cpus_count(const struct cpus_view *view, char why[static CPUS_WHY]);

/** The real one. */
unsigned cpus_count_here(char why[static CPUS_WHY]);

#endif
