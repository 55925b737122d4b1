/* SPDX-License-Identifier: MIT */
/*
 * chunk - the lines of a chunked body, byte by byte.                 [inside http/]
 *
 * Called:  by parser.c, before llhttp sees a byte of them.
 */
#ifndef HTTP_CHUNK_H
#define HTTP_CHUNK_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/** Where in the framing we are. The parser sets what stands behind a size line, because it
 *  knows the size; all else follows from the bytes. */
enum http_chunk_state {
    HTTP_CHUNK_SIZE_START,
    HTTP_CHUNK_SIZE,
    HTTP_CHUNK_GAP,  /* blanks behind the size or a quoted value */
    HTTP_CHUNK_NAME, /* of an extension, blanks around it included */
    HTTP_CHUNK_VALUE_START,
    HTTP_CHUNK_VALUE,
    HTTP_CHUNK_QUOTED,
    HTTP_CHUNK_ESCAPED, /* a quoted pair */
    HTTP_CHUNK_SIZE_LF,
    HTTP_CHUNK_DATA_CR, /* set by the parser: data come, then their line end */
    HTTP_CHUNK_DATA_LF,
    HTTP_CHUNK_TRAILERS, /* set by the parser: a trailer or the last line begins */
    HTTP_CHUNK_TRAILER_NAME,
    HTTP_CHUNK_TRAILER_VALUE,
    HTTP_CHUNK_TRAILER_LF,
    HTTP_CHUNK_END_LF,
    HTTP_CHUNK_REFUSED
};

/** The longest run at `bytes` that llhttp is to see, or that it is not (*fed_out): an
 *  extension is read here and told to nobody. It ends behind the LF of a size line or of a
 *  trailer at the latest. n > 0. 0: refused. */
size_t http_chunk_run(uint8_t *state, const char *bytes, size_t n, bool *fed_out);

#endif
