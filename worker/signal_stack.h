/* SPDX-License-Identifier: MIT */
/*
 * signal_stack - a stack of its own for the signal handlers of a thread.    [worker]
 *
 * A handler that has to say why a stack is full, or smashed, cannot run on it. Address space
 * until it is used.
 */
#ifndef WORKER_SIGNAL_STACK_H
#define WORKER_SIGNAL_STACK_H

/** The calling thread gets one, unless it has one that is large enough (a sanitizer brings its
 *  own). What is to be given back, or NULL. -1 with errno where there is no memory. */
int signal_stack_give(void **stack_out);

/** Takes back what was given, on the same thread. Accepts NULL inside. */
void signal_stack_take(void **stack);

#endif
