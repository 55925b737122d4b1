/* SPDX-License-Identifier: MIT */
/*
 * types - the words of a config file as numbers, and back.   [every process]
 *
 * Owns:    nothing. Pure; used for our own options and for those that plugins declare.
 * Fails:   a parser returns NULL, or what is wrong as a static text ("is not a size");
 *          then *out is untouched. Surrounding blanks are not accepted.
 */
#ifndef CONF_TYPES_H
#define CONF_TYPES_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum { TYPES_TEXT_MAX = 32 }; /* longest text a formatter writes, with its NUL */

/** Decimal digits, with a sign or none. */
const char *types_parse_int(const char *text, int64_t *out);

/** Bytes: 8192, 8k, 1M, 2G (1024 each; either case). */
const char *types_parse_size(const char *text, uint64_t *out);

/** Milliseconds: 250ms, 10s, 5m, 1h; a bare number is seconds. */
const char *types_parse_duration(const char *text, uint64_t *out_ms);

/** on yes true 1, off no false 0; either case. */
const char *types_parse_bool(const char *text, bool *out);

/** An octal mode 0..0777. */
const char *types_parse_mode(const char *text, int *out);

/** The shortest text that parses to the same number. */
void types_format_size(uint64_t bytes, char out[static TYPES_TEXT_MAX]);
void types_format_duration(uint64_t ms, char out[static TYPES_TEXT_MAX]);

#endif
