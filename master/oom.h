/* SPDX-License-Identifier: MIT */
/*
 * oom - did the kernel kill one of ours for memory? The counter of our cgroup tells.
 */
#ifndef MASTER_OOM_H
#define MASTER_OOM_H

#include <stdbool.h>
#include <stdint.h>

struct oom {
    int fd;        /* memory.events, or memory.oom_control of version 1; -1: neither */
    uint64_t seen; /* oom_kill when we last looked */
    unsigned unmatched; /* moves of it that belong to no death yet */
    uint64_t moved_ms;  /* the newest of them */
};

/** A kill and the death of its victim are that far apart at most: a move that is older was
 *  somebody else's in our cgroup. */
enum { OOM_MATCH_MS = 5000 };

/** `self` is /proc/self/cgroup, `mount` /sys/fs/cgroup. Never fails: without a counter
 *  nothing is ever said. */
void oom_open(struct oom *oom, const char *self, const char *mount);
void oom_close(struct oom *oom);

/** Is there a counter? */
bool oom_is_known(const struct oom *oom);

/** Each second: a move is dated. */
void oom_look(struct oom *oom, uint64_t now_ms);

/** A process of ours has died of a SIGKILL that was not our own: true if a move of the counter
 *  explains it, which is used up. */
bool oom_explains(struct oom *oom, uint64_t now_ms);

#endif
