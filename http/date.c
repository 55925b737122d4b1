/* SPDX-License-Identifier: MIT */
/*
 * date - the fields that all responses share, built once a second.  [worker: the loop]
 *
 * Owns:    two blocks of text and which of them is current.
 * Called:  refreshed by the loop, read by whoever builds a head, pool threads too.
 * Fails:   never; before the first refresh the date is that of 1970.
 */
#include "http/date.h"

#include "common/check.h"

#include <stdatomic.h>
#include <stdio.h>
#include <string.h>

#define BLOCK_HEAD "Server: remuda\r\nDate: "
#define BLOCK_1970 BLOCK_HEAD "Thu, 01 Jan 1970 00:00:00 GMT\r\n"

_Static_assert(sizeof(BLOCK_1970) - 1 == HTTP_DATE_BLOCK_BYTES,
               "http/date.h counts wrong");

static char blocks[2][sizeof(BLOCK_1970)] = {BLOCK_1970, BLOCK_1970};
static _Atomic unsigned current;
static time_t current_s;

void http_date_format(time_t wall_s, char out[static HTTP_DATE_BYTES + 1])
{
    static const char DAYS[7][4] = {"Sun", "Mon", "Tue", "Wed", "Thu", "Fri", "Sat"};
    static const char MONTHS[12][4] = {"Jan", "Feb", "Mar", "Apr", "May", "Jun",
                                       "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"};
    char text[64];
    struct tm tm;

    /* not strftime: the names must not follow the locale of a plugin */
    CHECK(gmtime_r(&wall_s, &tm) != NULL);
    int n = snprintf(text, sizeof(text), "%s, %02d %s %04d %02d:%02d:%02d GMT",
                     DAYS[tm.tm_wday], tm.tm_mday, MONTHS[tm.tm_mon], tm.tm_year + 1900,
                     tm.tm_hour, tm.tm_min, tm.tm_sec);
    CHECK(n == HTTP_DATE_BYTES); /* until the year 10000 */
    memcpy(out, text, HTTP_DATE_BYTES + 1);
}

void http_date_refresh(time_t wall_s)
{
    unsigned next = 1 - atomic_load_explicit(&current, memory_order_relaxed);

    if (wall_s == current_s)
        return;
    char text[HTTP_DATE_BYTES + 1];
    http_date_format(wall_s, text);
    memcpy(blocks[next] + sizeof(BLOCK_HEAD) - 1, text, HTTP_DATE_BYTES);
    current_s = wall_s;
    atomic_store_explicit(&current, next, memory_order_release);
}

const char *http_date_block(void)
{
    return blocks[atomic_load_explicit(&current, memory_order_acquire)];
}
