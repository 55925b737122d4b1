/* SPDX-License-Identifier: MIT */
/*
 * chars - classes of bytes in RFC 9110 and RFC 3986, as one table.   [inside http/]
 */
#ifndef HTTP_CHARS_H
#define HTTP_CHARS_H

#include "common/slice.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum http_char_class {
    HTTP_CHAR_TOKEN = 1, /* RFC 9110 5.6.2 */
    HTTP_CHAR_PATH = 2,  /* of a path as sent, '%' and '/' included */
    HTTP_CHAR_QUERY = 4, /* of a query as sent */
    HTTP_CHAR_HOST = 8,  /* RFC 3986 reg-name, without '%' and ',' */
    HTTP_CHAR_VALUE = 16 /* of a field value: no control byte but a tab */
};

extern const uint8_t http_chars[256];

static inline bool http_char_is(char c, enum http_char_class class)
{
    return (http_chars[(unsigned char)c] & class) != 0;
}

/** Are all n bytes of that class? True for none. */
static inline bool http_chars_are(struct slice text, enum http_char_class class)
{
    for (size_t i = 0; i < text.n; i++)
        if (!http_char_is(text.p[i], class))
            return false;
    return true;
}

/** 0..15, or -1. */
static inline int http_hex_value(char c)
{
    if (c >= '0' && c <= '9')
        return c - '0';
    c = (char)(c | 0x20);
    return c >= 'a' && c <= 'f' ? c - 'a' + 10 : -1;
}

/** A blank inside a field line: OWS is made of these. */
static inline bool http_char_is_blank(char c)
{
    return c == ' ' || c == '\t';
}

#endif
