/* SPDX-License-Identifier: MIT */
/*
 * frame - where a thread stands: its call chain, one log line for each frame.   [worker]
 *
 * For signal handlers: everything here is async-signal-safe, takes no lock and no memory
 * (glibc 2.35 and libgcc 12, which look up code without the loader's lock; so no dladdr(3),
 * which takes it, and another thread may hold it for as long as a dlopen lasts). A name is
 * shown where the module exports it, found in its symbol table; else the offset in the module,
 * which addr2line -e MODULE understands.
 */
#ifndef WORKER_FRAME_H
#define WORKER_FRAME_H

#include "common/log.h"

struct heritage;

enum { FRAME_MOST = 48 };

/** Once, before the others: the first call takes memory. Plugins are loaded from memfds: the
 *  heritage knows their names. */
void frame_start(const struct heritage *heritage);

/** Lines "WORD #0 ./slow.so(on_slow+0x1f)", from where the signal met the thread: `machine` is
 *  the handler's third argument. At most `most` frames; how many there were. */
int frame_write_all(enum log_level level, const char *word, const void *machine,
                    int most);

/** For a stack that cannot be walked: what looks like a return address, "WORD ? ...". */
void frame_write_guesses(enum log_level level, const char *word, const void *machine);

/** The stack pointer there; NULL: not known on this machine. */
const char *frame_stack_pointer(const void *machine);

/** n as 0x1f or 31, at the end of out[FRAME_NUMBER]; returns where it begins. */
enum { FRAME_NUMBER = 24 };
const char *frame_hex(unsigned long n, char out[static FRAME_NUMBER]);
const char *frame_decimal(unsigned long n, char out[static FRAME_NUMBER]);

#endif
