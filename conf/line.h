/* SPDX-License-Identifier: MIT */
/*
 * line - one line of an ini file, judged before inih sees it.   [master]
 *
 * Owns:    nothing. Pure.
 * Called:  by reader.c.
 * Fails:   with the sentence that says why.
 */
#ifndef CONF_LINE_H
#define CONF_LINE_H

#include "common/slice.h"
#include "conf/mistakes.h"

enum {
    LINE_KEY_MOST = 49,     /* as many bytes as inih keeps of a key */
    LINE_SECTION_MOST = 48, /* and of a section's name */
    LINE_BUFFER = 256,
    LINE_DETAIL = 64
};

enum line_kind {
    LINE_EMPTY,   /* or a comment */
    LINE_SECTION, /* text is the name between the brackets */
    LINE_PAIR,    /* text is what inih is to read */
    LINE_WRONG    /* mistake says why; a and b fill its sentence */
};

struct line {
    enum line_kind kind;
    enum mistake mistake;
    char a[LINE_BUFFER], b[LINE_DETAIL];
    char text[LINE_BUFFER];
};

/** Judges a line (without its end) of which inih keeps `most` bytes, below LINE_BUFFER.
 *  In text each ';' inside quotes has become LINE_SEMICOLON, which line_unquote turns
 *  back. */
void line_judge(struct slice raw, size_t most, struct line *out);

#define LINE_SEMICOLON '\x01' /* cannot be in a line: control bytes are refused */

/** Takes the quotes off a value that inih has cut out of such a text, in place. */
void line_unquote(char *value);

/** Puts them on, where a value needs them to be read back as it is; n is the size of out
 *  and must be 2 * strlen(value) + 3 at least. */
void line_quote(const char *value, char *out, size_t n);

/** Bytes of the UTF-8 sequence that begins at p, of n; 0: there is none. */
size_t line_utf8_length(const char *p, size_t n);

#endif
