/* SPDX-License-Identifier: MIT */
/*
 * date - the fields that all responses share, built once a second.  [worker: the loop]
 *
 * Rule:    one thread refreshes, any thread reads: two blocks take turns, so a reader
 *          has a second to copy 53 bytes before its block is written again.
 */
#ifndef HTTP_DATE_H
#define HTTP_DATE_H

#include <stddef.h>
#include <time.h>

enum { HTTP_DATE_BYTES = 29, HTTP_DATE_BLOCK_BYTES = 16 + 6 + HTTP_DATE_BYTES + 2 };

/** Called by the loop at least once a second; does nothing while the second is the
 *  same. */
void http_date_refresh(time_t wall_s);

/** "Server: remuda\r\nDate: ...\r\n", HTTP_DATE_BLOCK_BYTES long. Any thread. */
const char *http_date_block(void);

/** IMF-fixdate, RFC 9110 5.6.7, HTTP_DATE_BYTES and a NUL. */
void http_date_format(time_t wall_s, char out[static HTTP_DATE_BYTES + 1]);

#endif
