/* SPDX-License-Identifier: MIT */
/*
 * access_escape - bytes of a client, made harmless for a log line.
 */
#ifndef COMMON_ACCESS_ESCAPE_H
#define COMMON_ACCESS_ESCAPE_H

#include "common/slice.h"

#include <stdbool.h>

enum { ACCESS_ESCAPE_MAX = 6 }; /* bytes that one byte can become: \u001b */

/** Writes at most ACCESS_ESCAPE_MAX * text.n bytes and returns the end. As Apache does:
 *  \" \\ \n \t \r, and \xNN for all that is not printable ASCII. */
char *access_escape_text(char *out, struct slice text);

/** The inside of a JSON string. UTF-8 stays; a byte that is none becomes U+FFFD. */
char *access_escape_json(char *out, struct slice text);

#endif
