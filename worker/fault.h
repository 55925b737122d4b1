/* SPDX-License-Identifier: MIT */
/*
 * fault - names the plugin whose code crashes while the worker boots.    [worker]
 */
#ifndef WORKER_FAULT_H
#define WORKER_FAULT_H

/** Until fault_end, SIGSEGV, SIGBUS, SIGFPE, SIGILL and SIGABRT first write one line to fd,
 *  if fault_set_plugin has named somebody, and then go where they went before. */
void fault_begin(int fd);
void fault_end(void);

/** Whose code runs: constructors, check, start. NULL: nobody's. Not copied. */
void fault_set_plugin(const char *name);

#endif
