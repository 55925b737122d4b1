/* SPDX-License-Identifier: MIT */
/*
 * chars - the table of byte classes.                                [inside http/]
 *
 * Path and query are wider than RFC 3986 by what browsers send raw (the URL standard's
 * percent-encode sets): | [ ] in a path, and also \ ^ ` { } in a query. Bytes from 0x80
 * up belong to a field value alone. A host has no comma: Host could be taken for a list.
 * The unit test derives the table again from the RFCs.
 */
#include "http/chars.h"

/* clang-format off */
const uint8_t http_chars[256] = {
    /* 00 */ 0, 0, 0, 0, 0, 0, 0, 0, 0, 16, 0, 0, 0, 0, 0, 0,
    /* 10 */ 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0,
    /* 20 */ 16, 31, 16, 17, 31, 23, 31, 31, 30, 30, 31, 31, 22, 31, 31, 22,
    /* 30 */ 31, 31, 31, 31, 31, 31, 31, 31, 31, 31, 22, 30, 16, 30, 16, 20,
    /* 40 */ 22, 31, 31, 31, 31, 31, 31, 31, 31, 31, 31, 31, 31, 31, 31, 31,
    /* 50 */ 31, 31, 31, 31, 31, 31, 31, 31, 31, 31, 31, 22, 20, 22, 21, 31,
    /* 60 */ 21, 31, 31, 31, 31, 31, 31, 31, 31, 31, 31, 31, 31, 31, 31, 31,
    /* 70 */ 31, 31, 31, 31, 31, 31, 31, 31, 31, 31, 31, 20, 23, 20, 31, 0,
    /* obs-text */
    [0x80 ... 0xff] = HTTP_CHAR_VALUE,
};
