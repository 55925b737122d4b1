/* SPDX-License-Identifier: MIT */
/*
 * worker - the two things a forked child of the master can be told to do.
 */
#ifndef WORKER_WORKER_H
#define WORKER_WORKER_H

#include <signal.h>
#include <stdint.h>

struct heritage;

/** The master asks a worker whose loop is blocked where that stands; sent to the thread whose
 *  id is the pid, with running.count (running.h) as its value. The worker asks a thread of
 *  its pool in the same way, with the job as the value. A realtime signal: those with names have
 *  other uses, to plugins and to runtimes within them. */
#define WORKER_SIGNAL_STACK (SIGRTMIN + 10)

/** The version of what workers send each other through inboxes, which an upgrade must not
 *  change: those of both binaries read the same ones for a while. */
uint32_t worker_inbox_version(void);

/** The life of one worker, from right after fork (signals still blocked, descriptors other
 *  than those of the heritage already closed, identity already dropped) to its exit:
 *  exit 0 after a drain; 70 or 78 with a MESSAGE_READY that says why when it cannot
 *  start. Never returns. */
_Noreturn void worker_main(const struct heritage *heritage);

/** The throw-away child of `remuda -t`: loads every plugin, checks its options, runs its
 *  check(). Prints each complaint on stderr. Exits 0 or 78. */
_Noreturn void worker_check(const struct heritage *heritage);

#endif
