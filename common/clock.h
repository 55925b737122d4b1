/* SPDX-License-Identifier: MIT */
/*
 * clock - what time it is. Every time-out counts on the monotonic clock; the wall clock
 * is for people to read (log lines, Date).
 */
#ifndef COMMON_CLOCK_H
#define COMMON_CLOCK_H

#include <stdint.h>
#include <time.h>

/** CLOCK_MONOTONIC, in milliseconds or nanoseconds. Any thread. */
uint64_t clock_mono_ms(void);
uint64_t clock_mono_ns(void);

/** As libev wants its time-outs. */
static inline double clock_ms_as_s(uint64_t ms)
{
    return (double)ms / 1e3;
}

/** CLOCK_REALTIME in milliseconds since 1970. Any thread. */
uint64_t clock_wall_ms(void);

/** Writes 2026-11-20T09:38:23.042Z and a NUL. Any thread; async-signal-safe. */
void clock_format_iso(uint64_t wall_ms, char out[static 25]);

#endif
