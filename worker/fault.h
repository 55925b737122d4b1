/* SPDX-License-Identifier: MIT */
/*
 * fault - the last words of a worker that crashes.             [worker]
 *
 * From its boot to its end, on every thread: which signal, of what, where; the route and the
 * plugin that ran there; the stack. Then the signal goes where it would have gone without us,
 * with all it brought: status and core are those of the crash.
 */
#ifndef WORKER_FAULT_H
#define WORKER_FAULT_H

#include <stdatomic.h>

struct request;
struct worker;

/** On the loop thread, before anything foreign is loaded. A handler that was there before (a
 *  sanitizer's) is called after ours; one that a plugin installs later is left alone. Without
 *  a heritage's board (`remuda -t`) it writes no stack. -1 with errno. */
int fault_start(struct worker *w);

/** Whose code runs while the worker boots: constructors, check, start. NULL: nobody's. Not
 *  copied. */
void fault_set_plugin(const char *name);

/** A thread says its last words. The loop goes on meanwhile with what it has, and takes in
 *  nothing more: it would go down with us. */
extern atomic_bool fault_has_begun;

/** What a thread of the pool runs for; NULL: nothing. The loop's is in the scoreboard. */
extern _Thread_local const struct request *fault_request;

#endif
