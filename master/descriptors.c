/* SPDX-License-Identifier: MIT */
/*
 * descriptors - raises the limit of open files, and says if it is too low.   [master]
 *
 * Owns:    RLIMIT_NOFILE of the master, which the workers inherit.
 * Called:  by master.c at start, reload.c with each new configuration.
 * Fails:   never: a worker without descriptors pauses its accepting (worker/accept.c).
 */
#include "master/descriptors.h"

#include "common/log.h"
#include "conf/conf.h"

#include <errno.h>
#include <string.h>
#include <sys/resource.h>

/* What a worker has open besides connections and both ends of every inbox: listeners, logs,
 * its loop, and a few for what plugins open. */
enum { DESCRIPTORS_OTHER = 64 };

/* The soft limit of 1024 is for programs that use select(2). */
void descriptors_raise(void)
{
    struct rlimit limit;

    if (getrlimit(RLIMIT_NOFILE, &limit) < 0)
        return;
    limit.rlim_cur = limit.rlim_max;
    if (setrlimit(RLIMIT_NOFILE, &limit) < 0)
        log_warn("the limit of open files stays: %s", strerror(errno));
}

void descriptors_compare(const struct conf *conf)
{
    const rlim_t need = (rlim_t)conf->limits.worker_connections +
                        2 * (rlim_t)conf->server.worker_slots + DESCRIPTORS_OTHER;
    struct rlimit limit;

    if (getrlimit(RLIMIT_NOFILE, &limit) < 0 || limit.rlim_cur == RLIM_INFINITY ||
        limit.rlim_cur >= need)
        return;
    log_warn(
        "worker_connections = %u needs some %llu open files in each worker, the limit "
        "is %llu: connections beyond it wait; raise LimitNOFILE= or ulimit -n",
        conf->limits.worker_connections, (unsigned long long)need,
        (unsigned long long)limit.rlim_cur);
}
