/* SPDX-License-Identifier: MIT */
/*
 * stack - shows, when the master asks, where the loop thread stands.           [worker]
 */
#ifndef WORKER_STACK_H
#define WORKER_STACK_H

struct worker;

/** Answers WORKER_SIGNAL_STACK from now on, until the process ends. On the loop thread, after
 *  the plugins are loaded and coro_install_overflow_handler has given it a signal stack. */
void stack_start(struct worker *w);

#endif
