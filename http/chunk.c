/* SPDX-License-Identifier: MIT */
/*
 * chunk - the lines of a chunked body, byte by byte.                 [inside http/]
 *
 * Called:  by parser.c. Why: llhttp refuses what RFC 9112 7.1.1 allows (blanks around an
 *          extension, a quoted pair), so it is not shown extensions; and what it lets pass
 *          (bare line ends, folded trailers, control bytes) is refused here.
 * Fails:   with HTTP_CHUNK_REFUSED, from which no byte leads out.
 */
#include "http/chunk.h"

#include "http/chars.h"

/** Behind a size, an extension or its value: what may come anywhere there. */
static uint8_t between(char c, uint8_t blank, uint8_t token)
{
    if (http_char_is_blank(c))
        return blank;
    if (c == ';')
        return HTTP_CHUNK_NAME;
    if (c == '\r')
        return HTTP_CHUNK_SIZE_LF;
    return http_char_is(c, HTTP_CHAR_TOKEN) ? token : HTTP_CHUNK_REFUSED;
}

static uint8_t in_quotes(char c)
{
    if (c == '"')
        return HTTP_CHUNK_GAP;
    if (c == '\\')
        return HTTP_CHUNK_ESCAPED;
    return http_char_is(c, HTTP_CHAR_VALUE) ? HTTP_CHUNK_QUOTED : HTTP_CHUNK_REFUSED;
}

static uint8_t on_size_line(uint8_t state, char c)
{
    switch (state) {
    case HTTP_CHUNK_SIZE_START:
        return http_hex_value(c) >= 0 ? HTTP_CHUNK_SIZE : HTTP_CHUNK_REFUSED;
    case HTTP_CHUNK_SIZE:
        return http_hex_value(c) >= 0 ? HTTP_CHUNK_SIZE
                                      : between(c, HTTP_CHUNK_GAP, HTTP_CHUNK_REFUSED);
    case HTTP_CHUNK_GAP:
        return between(c, HTTP_CHUNK_GAP, HTTP_CHUNK_REFUSED);
    case HTTP_CHUNK_NAME:
        return c == '=' ? HTTP_CHUNK_VALUE_START
                        : between(c, HTTP_CHUNK_NAME, HTTP_CHUNK_NAME);
    case HTTP_CHUNK_VALUE_START:
        return c == '"' ? HTTP_CHUNK_QUOTED
                        : between(c, HTTP_CHUNK_VALUE_START, HTTP_CHUNK_VALUE);
    case HTTP_CHUNK_VALUE:
        return between(c, HTTP_CHUNK_GAP, HTTP_CHUNK_VALUE);
    case HTTP_CHUNK_QUOTED:
        return in_quotes(c);
    default: /* HTTP_CHUNK_ESCAPED */
        return http_char_is(c, HTTP_CHAR_VALUE) ? HTTP_CHUNK_QUOTED : HTTP_CHUNK_REFUSED;
    }
}

static uint8_t expect(char c, char want, uint8_t next)
{
    return c == want ? next : HTTP_CHUNK_REFUSED;
}

static uint8_t on_other_line(uint8_t state, char c)
{
    switch (state) {
    case HTTP_CHUNK_SIZE_LF: /* the parser knows what follows */
    case HTTP_CHUNK_DATA_LF:
        return expect(c, '\n', HTTP_CHUNK_SIZE_START);
    case HTTP_CHUNK_DATA_CR:
        return expect(c, '\r', HTTP_CHUNK_DATA_LF);
    case HTTP_CHUNK_TRAILERS:
        if (c == '\r')
            return HTTP_CHUNK_END_LF;
        return http_char_is(c, HTTP_CHAR_TOKEN) ? HTTP_CHUNK_TRAILER_NAME
                                                : HTTP_CHUNK_REFUSED;
    case HTTP_CHUNK_TRAILER_NAME:
        if (c == ':')
            return HTTP_CHUNK_TRAILER_VALUE;
        return http_char_is(c, HTTP_CHAR_TOKEN) ? state : HTTP_CHUNK_REFUSED;
    case HTTP_CHUNK_TRAILER_VALUE:
        if (c == '\r')
            return HTTP_CHUNK_TRAILER_LF;
        return http_char_is(c, HTTP_CHAR_VALUE) ? state : HTTP_CHUNK_REFUSED;
    case HTTP_CHUNK_TRAILER_LF:
    case HTTP_CHUNK_END_LF:
        return expect(c, '\n', HTTP_CHUNK_TRAILERS);
    default:
        return HTTP_CHUNK_REFUSED;
    }
}

static bool is_fed(uint8_t state)
{
    return state < HTTP_CHUNK_GAP || state > HTTP_CHUNK_ESCAPED;
}

size_t http_chunk_run(uint8_t *state, const char *bytes, size_t n, bool *fed_out)
{
    uint8_t now = *state;
    size_t i = 0;

    *fed_out = false;
    while (i < n) {
        uint8_t next = now < HTTP_CHUNK_SIZE_LF ? on_size_line(now, bytes[i])
                                                : on_other_line(now, bytes[i]);
        bool fed = is_fed(next), ends = bytes[i] == '\n' && now != HTTP_CHUNK_DATA_LF;
        if (next == HTTP_CHUNK_REFUSED)
            return 0;
        if (i > 0 && fed != *fed_out)
            break; /* the next run begins with it */
        *fed_out = fed;
        now = next;
        i++;
        if (ends)
            break;
    }
    *state = now;
    return i;
}
