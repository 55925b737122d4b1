/* SPDX-License-Identifier: MIT */
/*
 * access_escape - the two escapings of the access log. [worker, master]
 *
 * Owns:    nothing.
 * Called:  by access_format.c for every value that a client or a plugin can choose.
 * Fails:   never. A value of nothing but plain bytes, as nearly all are, is checked
 *          sixteen bytes at a time: this is most of what the log costs.
 */
#include "common/access_escape.h"

#include <stddef.h>
#include <stdint.h>

enum { CHUNK = 16 };

static const char hex[] = "0123456789abcdef";

/* Printable ASCII, neither " nor \: what both escapings leave alone. */
static bool is_plain(unsigned char c)
{
    return c >= 0x20 && c < 0x7f && c != '"' && c != '\\';
}

/* The same question for sixteen bytes at once: vector comparison gives 0 or -1 per byte.
 */
static bool is_plain_chunk(const char chunk[static CHUNK])
{
    unsigned char v __attribute__((vector_size(CHUNK)));
    uint64_t half[2];

    memcpy(&v, chunk, sizeof(v));
    __auto_type odd = (v < 0x20) | (v > 0x7e) | (v == '"') | (v == '\\');
    memcpy(half, &odd, sizeof(half));
    return (half[0] | half[1]) == 0;
}

/* Eight to fifteen bytes: two halves that overlap make a chunk. */
static bool copy_plain_short(char *out, struct slice text)
{
    char chunk[CHUNK];

    memcpy(chunk, text.p, 8);
    memcpy(chunk + 8, text.p + text.n - 8, 8);
    memcpy(out, chunk, 8);
    memcpy(out + text.n - 8, chunk + 8, 8);
    return is_plain_chunk(chunk);
}

/* Copies the text; false when it is not plain, and what was copied is worth nothing. */
static bool copy_plain(char *out, struct slice text)
{
    size_t i = 0;

    if (text.n < 8) {
        for (; i < text.n; i++) {
            out[i] = text.p[i];
            if (!is_plain((unsigned char)text.p[i]))
                return false;
        }
        return true;
    }
    if (text.n < CHUNK)
        return copy_plain_short(out, text);
    for (; text.n - i > CHUNK; i += CHUNK) {
        if (!is_plain_chunk(text.p + i))
            return false;
        memcpy(out + i, text.p + i, CHUNK);
    }
    i = text.n - CHUNK; /* the last one may overlap the one before */
    memcpy(out + i, text.p + i, CHUNK);
    return is_plain_chunk(text.p + i);
}

/* The letter of a short escape; '\0': there is none. */
static char short_escape(unsigned char c)
{
    switch (c) {
    case '"':
    case '\\':
        return (char)c;
    case '\n':
        return 'n';
    case '\r':
        return 'r';
    case '\t':
        return 't';
    default:
        return '\0';
    }
}

char *access_escape_text(char *out, struct slice text)
{
    if (copy_plain(out, text))
        return out + text.n;
    for (size_t i = 0; i < text.n; i++) {
        unsigned char c = (unsigned char)text.p[i];
        char letter = short_escape(c);

        if (is_plain(c)) {
            *out++ = text.p[i];
        } else if (letter != '\0') {
            *out++ = '\\';
            *out++ = letter;
        } else {
            memcpy(out, "\\x", 2);
            out[2] = hex[c >> 4];
            out[3] = hex[c & 15];
            out += 4;
        }
    }
    return out;
}

/* The length of the UTF-8 sequence at p; 0: there is none. RFC 3629: no overlong forms,
 * no surrogates, nothing above U+10FFFF. */
static size_t utf8_length(const unsigned char *p, size_t n)
{
    unsigned char first = p[0], low = 0x80, high = 0xbf;
    size_t length = first < 0xe0 ? 2 : first < 0xf0 ? 3 : 4;

    if (first < 0xc2 || first > 0xf4 || n < length)
        return 0;
    if (first == 0xe0)
        low = 0xa0;
    else if (first == 0xed)
        high = 0x9f;
    else if (first == 0xf0)
        low = 0x90;
    else if (first == 0xf4)
        high = 0x8f;
    if (p[1] < low || p[1] > high)
        return 0;
    for (size_t i = 2; i < length; i++)
        if ((p[i] & 0xc0) != 0x80)
            return 0;
    return length;
}

/* One character, or one bad byte; *p moves behind it. */
static char *json_character(char *out, const char **p, const char *end)
{
    unsigned char c = (unsigned char)**p;
    char letter = short_escape(c);
    size_t n = 1;

    if (letter != '\0') {
        *out++ = '\\';
        *out++ = letter;
    } else if (c < 0x20) {
        memcpy(out, "\\u00", 4);
        out[4] = hex[c >> 4];
        out[5] = hex[c & 15];
        out += 6;
    } else if (c < 0x80) {
        *out++ = **p;
    } else if ((n = utf8_length((const unsigned char *)*p, (size_t)(end - *p))) > 0) {
        memcpy(out, *p, n);
        out += n;
    } else {
        memcpy(out, "\\ufffd", 6);
        out += 6;
        n = 1;
    }
    *p += n;
    return out;
}

char *access_escape_json(char *out, struct slice text)
{
    if (copy_plain(out, text))
        return out + text.n;
    const char *p = text.p, *end = p + text.n;
    while (p < end)
        out = json_character(out, &p, end);
    return out;
}
