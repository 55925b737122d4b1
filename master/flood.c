/* SPDX-License-Identifier: MIT */
/*
 * flood - counts deaths in windows.                          [master]
 *
 * Owns:    nothing; the struct is the master's.
 * Called:  by obituary.c.
 * Fails:   never.
 */
#include "master/flood.h"

enum flood_verdict flood_on_death(struct flood *flood, unsigned requests, uint64_t now_ms)
{
    if (flood->deaths == 0)
        flood->begun_ms = now_ms;
    flood->deaths++;
    if (flood->deaths <= FLOOD_WHOLE)
        return FLOOD_TELL_ALL;
    if (flood->deaths <= FLOOD_LINES)
        return FLOOD_TELL_LINE;
    flood->untold++;
    flood->untold_requests += requests;
    return FLOOD_COUNT;
}

bool flood_end(struct flood *flood, uint64_t now_ms, struct flood *told)
{
    if (flood->deaths == 0 || now_ms - flood->begun_ms < FLOOD_WINDOW_MS)
        return false;
    *told = *flood;
    *flood = (struct flood){.deaths = 0};
    return true;
}
