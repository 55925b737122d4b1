/* SPDX-License-Identifier: MIT */
/*
 * test_http_guard - what llhttp lets through and we refuse.
 *
 * A row for each known spelling, with the bytes that go in and what comes out. Each is
 * also cut at every byte, sent byte by byte, and put behind a good request, whose answer
 * must not be lost: the outcome may not change.
 *
 * want: the start of "status reason" of the refusal, or "ok" when all bytes made whole
 * messages.
 */
#include "tests/unit/http_transcript.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

struct row {
    const char *name;
    const char *bytes;
    size_t n; /* 0: up to the NUL */
    const char *want;
};

#define H              "Host: a\r\n"
#define GET            "GET / HTTP/1.1\r\n" H
#define POST           "POST / HTTP/1.1\r\n" H
#define CHUNKS         POST "Transfer-Encoding: chunked\r\n\r\n"
#define BYTES(literal) literal, sizeof(literal) - 1

/* clang-format off */
static const struct row ROWS[] = {
    /* 1: the empty line is a bare LF */
    { "crlf then lf", GET "\nGET /2 HTTP/1.1\r\n" H "\r\n",
      0, "400 bare LF ends a field line" },
    { "lf ends a field", "GET / HTTP/1.1\r\nHost: a\n\r\n",
      0, "400 bare LF ends a field line" },
    { "lf everywhere", "GET / HTTP/1.1\nHost: a\n\n", 0, "400 bare LF ends the request line" },
    { "cr cr lf", GET "\r\r\n", 0, "400" },
    { "bare cr in a value", GET "X: a\rb\r\n\r\n", 0, "400" },
    { "bare cr hides a field", GET "X: \rxTransfer-Encoding: chunked\r\n\r\n", 0, "400" },
    { "bare cr between fields", GET "X: a\rY: b\r\n\r\n", 0, "400" },
    /* 2, 3, 4: folded lines */
    { "fold", GET "X: a\r\n b\r\n\r\n", 0, "400 folded field line" },
    { "fold with tab", GET "X: a\r\n\tb\r\n\r\n", 0, "400 folded field line" },
    { "fold hides length", "POST / HTTP/1.1\r\nHost: a\r\n Content-Length: 3\r\n\r\nabc",
      0, "400 folded field line" },
    { "folded length", POST "Content-Length:\r\n 3\r\n\r\nabc", 0, "400 folded field line" },
    { "folded length, tab", POST "Content-Length:\r\n\t3\r\n\r\nabc",
      0, "400 folded field line" },
    { "folded coding", POST "Transfer-Encoding:\r\n chunked\r\n\r\n0\r\n\r\n",
      0, "400 folded field line" },
    { "fold of blanks", GET "X: a\r\n \r\n\r\n", 0, "400 folded field line" },
    { "blank before first field", "GET / HTTP/1.1\r\n Host: a\r\n\r\n",
      0, "400 folded field line" },
    /* 5, 6, 7: Transfer-Encoding */
    { "empty coding and length", POST "Transfer-Encoding:\r\nContent-Length: 3\r\n\r\nabc",
      0, "400 malformed Transfer-Encoding" },
    { "length and empty coding", POST "Content-Length: 3\r\nTransfer-Encoding:\r\n\r\nabc",
      0, "400" },
    { "empty coding", POST "Transfer-Encoding:\r\n\r\n", 0, "400 malformed Transfer-Encoding" },
    { "blank coding", POST "Transfer-Encoding: \t \r\n\r\n",
      0, "400 malformed Transfer-Encoding" },
    { "coding and length",
      POST "Transfer-Encoding: chunked\r\nContent-Length: 3\r\n\r\n0\r\n\r\n",
      0, "400" },
    { "length and coding",
      POST "Content-Length: 3\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n",
      0, "400" },
    { "length 0 and coding",
      POST "Content-Length: 0\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n",
      0, "400" },
    { "gzip, chunked", POST "Transfer-Encoding: gzip, chunked\r\n\r\n0\r\n\r\n",
      0, "501 unknown transfer coding" },
    { "xyz, chunked", POST "Transfer-Encoding: xyz, chunked\r\n\r\n0\r\n\r\n",
      0, "501 unknown transfer coding" },
    { ",chunked", POST "Transfer-Encoding: ,chunked\r\n\r\n0\r\n\r\n", 0, "400" },
    { "chunked,", POST "Transfer-Encoding: chunked,\r\n\r\n0\r\n\r\n", 0, "400" },
    { "chunked, chunked", POST "Transfer-Encoding: chunked, chunked\r\n\r\n0\r\n\r\n",
      0, "400" },
    { "chunked, gzip", POST "Transfer-Encoding: chunked, gzip\r\n\r\n0\r\n\r\n", 0, "400" },
    { "gzip", POST "Transfer-Encoding: gzip\r\n\r\n", 0, "400" },
    { "identity", POST "Transfer-Encoding: identity\r\n\r\n", 0, "400" },
    { "xchunked", POST "Transfer-Encoding: xchunked\r\n\r\n", 0, "400" },
    { "chunked in quotes", POST "Transfer-Encoding: \"chunked\"\r\n\r\n", 0, "400" },
    { "chunked;q", POST "Transfer-Encoding: chunked;q=1\r\n\r\n", 0, "400" },
    { "two codings",
      POST "Transfer-Encoding: chunked\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n",
      0, "400" },
    { "identity and chunked",
      POST "Transfer-Encoding: identity\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n",
      0, "400" },
    { "empty and chunked",
      POST "Transfer-Encoding:\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n",
      0, "400" },
    { "chunked and empty",
      POST "Transfer-Encoding: chunked\r\nTransfer-Encoding:\r\n\r\n0\r\n\r\n",
      0, "400" },
    { "coding with a blank before the colon", POST "Transfer-Encoding : chunked\r\n\r\n0\r\n\r\n",
      0, "400" },
    { "vertical tab before chunked", POST "Transfer-Encoding: \vchunked\r\n\r\n0\r\n\r\n",
      0, "400" },
    { "CHUNKED", POST "Transfer-Encoding: CHUNKED\r\n\r\n0\r\n\r\n", 0, "ok" },
    /* 8 */
    { "coding in 1.0", "POST / HTTP/1.0\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n",
      0, "400 Transfer-Encoding in HTTP/1.0" },
    /* 9: sizes beyond 63 bits are just large: see also test_http_parser */
    { "chunk 2^64-1", CHUNKS "ffffffffffffffff\r\n", 0, "413 body too large" },
    { "chunk 2^63-1", CHUNKS "7fffffffffffffff\r\n", 0, "413 body too large" },
    { "chunk 2^64", CHUNKS "10000000000000000\r\n", 0, "400" },
    { "sum of chunks wraps", CHUNKS "1\r\na\r\nffffffffffffffff\r\n", 0, "413 body too large" },
    { "length 2^64", POST "Content-Length: 18446744073709551616\r\n\r\n", 0, "400" },
    /* 10, 11, 12, 13, 27: versions and protocols */
    { "no version", "GET /\r\n\r\n", 0, "400" },
    { "0.9", "GET / HTTP/0.9\r\n\r\n", 0, "505 unsupported HTTP version" },
    { "lf ends the request line", "GET /x\nHost: a\r\nContent-Length: 5\r\n\r\nhello",
      0, "400" },
    { "lf behind a version", "GET /x HTTP/1.1\nHost: a\r\n\r\n",
      0, "400 bare LF ends the request line" },
    { "2.0", "GET / HTTP/2.0\r\n" H "\r\n", 0, "505 unsupported HTTP version" },
    { "preface of HTTP/2", "PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n",
      0, "505 unsupported HTTP version" },
    { "rtsp", "GET / RTSP/1.0\r\n" H "\r\n", 0, "400" },
    { "describe", "DESCRIBE / RTSP/1.0\r\n" H "\r\n", 0, "400" },
    { "source", "SOURCE / ICE/1.0\r\n" H "\r\n", 0, "400" },
    { "3.0", "GET / HTTP/3.0\r\n" H "\r\n", 0, "505 unsupported HTTP version" },
    { "1.10", "GET / HTTP/1.10\r\n" H "\r\n", 0, "400" },
    { "1", "GET / HTTP/1\r\n" H "\r\n", 0, "400" },
    { "http", "GET / http/1.1\r\n" H "\r\n", 0, "400" },
    { "tab before version", "GET /\tHTTP/1.1\r\n" H "\r\n", 0, "400" },
    { "blank behind version", "GET / HTTP/1.1 \r\n" H "\r\n", 0, "400" },
    /* 14: Host */
    { "no host", "GET / HTTP/1.1\r\n\r\n", 0, "400 no Host" },
    { "no host in 1.0", "GET / HTTP/1.0\r\n\r\n", 0, "ok" },
    { "two hosts", GET H "\r\n", 0, "400 two Host fields" },
    { "two hosts in 1.0", "GET / HTTP/1.0\r\n" H H "\r\n", 0, "400 two Host fields" },
    { "a,b", "GET / HTTP/1.1\r\nHost: a,b\r\n\r\n", 0, "400 malformed Host" },
    { "a b", "GET / HTTP/1.1\r\nHost: a b\r\n\r\n", 0, "400 malformed Host" },
    { "a/b", "GET / HTTP/1.1\r\nHost: a/b\r\n\r\n", 0, "400 malformed Host" },
    { "a@b", "GET / HTTP/1.1\r\nHost: a@b\r\n\r\n", 0, "400 malformed Host" },
    { "a,b", "GET / HTTP/1.1\r\nHost: a, b\r\n\r\n", 0, "400 malformed Host" },
    { "absolute target, no host", "GET http://h/ HTTP/1.1\r\n\r\n", 0, "400 no Host" },
    /* 15 */
    { "empty name", GET ": x\r\n\r\n", 0, "400 field without a name" },
    { "no colon", GET "X\r\n\r\n", 0, "400" },
    { "blank in a name", GET "X Y: a\r\n\r\n", 0, "400" },
    { "blank before the colon", GET "X : a\r\n\r\n", 0, "400" },
    { "bytes of a name", GET "X(: a\r\n\r\n", 0, "400" },
    { "high byte in a name", GET "X\xe4: a\r\n\r\n", 0, "400" },
    { "nul in a name", BYTES(GET "X\0Y: a\r\n\r\n"), "400" },
    { "nul in a value", BYTES(GET "X: a\0b\r\n\r\n"), "400" },
    { "del in a value", GET "X: a\x7f\r\n\r\n", 0, "400" },
    { "control in a value", GET "X: a\x01\r\n\r\n", 0, "400" },
    { "nul in a target", BYTES("GET /\0 HTTP/1.1\r\n" H "\r\n"),
      "400 malformed request target" },
    /* 16, 26: before the method */
    { "two blanks", "GET  / HTTP/1.1\r\n" H "\r\n", 0, "400 malformed request target" },
    { "two blanks behind", "GET /  HTTP/1.1\r\n" H "\r\n", 0, "400 malformed request target" },
    { "crlf", "\r\n" GET "\r\n", 0, "ok" },
    { "four crlf", "\r\n\r\n\r\n\r\n" GET "\r\n", 0, "ok" },
    { "five crlf", "\r\n\r\n\r\n\r\n\r\n" GET "\r\n", 0, "400" },
    { "lf first", "\n" GET "\r\n", 0, "400" },
    { "cr first", "\r" GET "\r\n", 0, "400" },
    { "cr cr lf first", "\r\r\n" GET "\r\n", 0, "400" },
    { "blank first", " " GET "\r\n", 0, "400" },
    { "nul first", BYTES("\0" GET "\r\n"), "400" },
    { "tls", BYTES("\x16\x03\x01\x02\x00\x01\x00"), "400" },
    /* 17: targets */
    { "* for GET", "GET * HTTP/1.1\r\n" H "\r\n", 0, "400 malformed request target" },
    { "* for OPTIONS", "OPTIONS * HTTP/1.1\r\n" H "\r\n", 0, "ok" },
    { "*foo", "OPTIONS *foo HTTP/1.1\r\n" H "\r\n", 0, "400 malformed request target" },
    { "fragment", "GET /a#b HTTP/1.1\r\n" H "\r\n", 0, "400 malformed request target" },
    { "userinfo", "GET http://u:p@h/ HTTP/1.1\r\n" H "\r\n",
      0, "400 malformed request target" },
    { "two @", "GET http://u@p@a/ HTTP/1.1\r\n" H "\r\n", 0, "400 malformed request target" },
    { "relative", "GET a/b HTTP/1.1\r\n" H "\r\n", 0, "400 malformed request target" },
    { "authority for GET", "GET a:80 HTTP/1.1\r\n" H "\r\n",
      0, "400 malformed request target" },
    { "high byte", "GET /\xc3\xa4 HTTP/1.1\r\n" H "\r\n", 0, "400 malformed request target" },
    { "cr in a target", "GET /\rx HTTP/1.1\r\n" H "\r\n", 0, "400 malformed request target" },
    /* 18 */
    { "connect", "CONNECT a:443 HTTP/1.1\r\n" H "\r\n", 0, "501 CONNECT is not served" },
    { "connect /", "CONNECT / HTTP/1.1\r\n" H "\r\n", 0, "501 CONNECT is not served" },
    { "connect with a body", "CONNECT a:443 HTTP/1.1\r\n" H "Content-Length: 3\r\n\r\nabc",
      0, "501 CONNECT is not served" },
    /* 19: an upgrade that we decline */
    { "upgrade", GET "Connection: upgrade\r\nUpgrade: x\r\n\r\n", 0, "ok" },
    { "upgrade in 1.0", "GET / HTTP/1.0\r\nConnection: upgrade\r\nUpgrade: x\r\n\r\n",
      0, "ok" },
    { "upgrade with a body",
      POST "Connection: upgrade\r\nUpgrade: x\r\nContent-Length: 3\r\n\r\nabc",
      0, "ok" },
    { "upgrade with chunks",
      POST "Connection: upgrade\r\nUpgrade: x\r\nTransfer-Encoding: chunked\r\n\r\n3\r\n"
      "abc\r\n0\r\n\r\n",
      0, "ok" },
    /* 20: trailers */
    { "trailers",
      CHUNKS "1\r\na\r\n0\r\nConnection: close\r\nHost: b\r\nX:\r\nExpect: x\r\n"
      "Content-Lengt: 1\r\nContent-Lengths: 1\r\n\r\n",
      0, "ok" },
    { "length in a trailer", CHUNKS "0\r\nX:\r\nCONTENT-length: 5\r\n\r\n",
      0, "400 malformed chunk" },
    { "empty length in a trailer", CHUNKS "0\r\nContent-Length:\r\n\r\n",
      0, "400 malformed chunk" },
    { "folded trailer", CHUNKS "0\r\nX: a\r\n b\r\n\r\n", 0, "400 malformed chunk" },
    { "trailer with lf", CHUNKS "0\r\nX: a\n\r\n", 0, "400 malformed chunk" },
    { "trailers end with lf", CHUNKS "0\r\nX: a\r\n\n", 0, "400 malformed chunk" },
    { "trailer without a name", CHUNKS "0\r\n: a\r\n\r\n", 0, "400 malformed chunk" },
    { "trailer with nul", BYTES(CHUNKS "0\r\nX: \0\r\n\r\n"), "400 malformed chunk" },
    { "trailer with cr", CHUNKS "0\r\nX: a\rb\r\n\r\n", 0, "400 malformed chunk" },
    { "coding in a trailer", CHUNKS "0\r\nTransfer-Encoding: chunked\r\n\r\n",
      0, "400 malformed chunk" },
    /* chunk grammar */
    { "chunks", CHUNKS "5\r\nhello\r\nA\r\n0123456789\r\n0\r\n\r\n", 0, "ok" },
    { "zeros before a size", CHUNKS "0005\r\nhello\r\n000\r\n\r\n", 0, "ok" },
    { "extension", CHUNKS "5;a=b\r\nhello\r\n0;c\r\n\r\n", 0, "ok" },
    { "no size", CHUNKS "\r\nhello\r\n0\r\n\r\n", 0, "400 malformed chunk" },
    { "0x5", CHUNKS "0x5\r\nhello\r\n0\r\n\r\n", 0, "400 malformed chunk" },
    { "-1", CHUNKS "-1\r\nhello\r\n0\r\n\r\n", 0, "400 malformed chunk" },
    { "+5", CHUNKS "+5\r\nhello\r\n0\r\n\r\n", 0, "400 malformed chunk" },
    { "blank before a size", CHUNKS " 5\r\nhello\r\n0\r\n\r\n", 0, "400 malformed chunk" },
    { "size ends with lf", CHUNKS "5\nhello\r\n0\r\n\r\n", 0, "400 malformed chunk" },
    { "size ends with cr", CHUNKS "5\rhello\r\n0\r\n\r\n", 0, "400 malformed chunk" },
    { "data ends with lf", CHUNKS "5\r\nhello\n0\r\n\r\n", 0, "400 malformed chunk" },
    { "data ends with xx", CHUNKS "5\r\nhelloxx0\r\n\r\n", 0, "400 malformed chunk" },
    { "data is too long", CHUNKS "5\r\nhellox\r\n0\r\n\r\n", 0, "400 malformed chunk" },
    { "lf in an extension", CHUNKS "5;a\nb\r\nhello\r\n0\r\n\r\n", 0, "400 malformed chunk" },
    { "cr in an extension", CHUNKS "5;a\rb\r\nhello\r\n0\r\n\r\n", 0, "400 malformed chunk" },
    { "nul in an extension", BYTES(CHUNKS "5;a\0\r\nhello\r\n0\r\n\r\n"),
      "400 malformed chunk" },
    { "end with lf", CHUNKS "0\r\n\n", 0, "400 malformed chunk" },
    { "last chunk with lf", CHUNKS "0\n\r\n", 0, "400 malformed chunk" },
    { "end with cr", CHUNKS "0\r\n\rX", 0, "400 malformed chunk" },
    /* 23: blanks around values */
    { "blanks behind chunked", POST "Transfer-Encoding: chunked  \r\n\r\n0\r\n\r\n", 0, "ok" },
    { "blanks around a length", POST "Content-Length:  3  \r\n\r\nabc", 0, "ok" },
    /* 24: Content-Length */
    { "3, 4", POST "Content-Length: 3, 4\r\n\r\nabc", 0, "400" },
    { "two lengths", POST "Content-Length: 3\r\nContent-Length: 4\r\n\r\nabc", 0,
      "400" },
    { "empty length", POST "Content-Length:\r\n\r\n", 0, "400" },
    { "length +3", POST "Content-Length: +3\r\n\r\nabc", 0, "400" },
    { "length -3", POST "Content-Length: -3\r\n\r\nabc", 0, "400" },
    { "length 0x3", POST "Content-Length: 0x3\r\n\r\nabc", 0, "400" },
    { "length 3 3", POST "Content-Length: 3 3\r\n\r\nabc", 0, "400" },
    { "length 3.0", POST "Content-Length: 3.0\r\n\r\nabc", 0, "400" },
    { "length 003", POST "Content-Length: 003\r\n\r\nabc", 0, "ok" },
    /* 25: methods */
    { "unknown", "FOOBAR / HTTP/1.1\r\n" H "\r\n", 0, "501 unknown method" },
    { "query", "QUERY / HTTP/1.1\r\n" H "\r\n", 0, "501 unknown method" },
    { "get", "get / HTTP/1.1\r\n" H "\r\n", 0, "501 unknown method" },
    { "describe in http", "DESCRIBE / HTTP/1.1\r\n" H "\r\n", 0, "501 unknown method" },
    { "GE(T", "GE(T / HTTP/1.1\r\n" H "\r\n", 0, "400 malformed method" },
    { "method alone", "GET\r\n\r\n", 0, "400" },
    { "no target", "GET HTTP/1.1\r\n" H "\r\n", 0, "400" },
    /* Expect */
    { "expect", POST "Expect: 100-Continue\r\nContent-Length: 3\r\n\r\nabc", 0, "ok" },
    { "unknown expectation", POST "Expect: x\r\n\r\n", 0, "417 unknown expectation" },
    { "expectation in 1.0", "GET / HTTP/1.0\r\nExpect: x\r\n\r\n", 0, "ok" },
};
/* clang-format on */

static char *outcome(const char *transcript)
{
    const char *error = strstr(transcript, "\nerror ");

    if (error != NULL)
        return strdup(error + 7);
    return strdup(strstr(transcript, "\nmore\n") != NULL ? "more" : "ok");
}

static bool ends_as(const struct row *row, const char *bytes, size_t n)
{
    char *text = transcript_of(bytes, n, (struct split){0}, &TRANSCRIPT_LIMITS);
    char *got = outcome(text);
    bool good = strncmp(got, row->want, strlen(row->want)) == 0;

    if (!good)
        print_error("%s: want %s, got %s", row->name, row->want, got);
    free(got);
    free(text);
    return good;
}

/** Cut at every byte, and byte by byte: the same transcript? */
static bool is_split_proof(const struct row *row, const char *bytes, size_t n)
{
    char *whole = transcript_of(bytes, n, (struct split){0}, &TRANSCRIPT_LIMITS);
    bool good = true;

    for (size_t at = 1; at <= n && good; at++) {
        struct split split =
            at < n ? (struct split){.first = at} : (struct split){.step_max = 1};
        char *text = transcript_of(bytes, n, split, &TRANSCRIPT_LIMITS);
        good = strcmp(whole, text) == 0;
        if (!good)
            print_error("%s: cut at %zu\n%s\nwhole:\n%s\n", row->name, at, text, whole);
        free(text);
    }
    free(whole);
    return good;
}

static bool check_row(const struct row *row)
{
    static const char FIRST[] = "GET /first HTTP/1.1\r\nHost: f\r\n\r\n";
    size_t n = row->n > 0 ? row->n : strlen(row->bytes);
    char piped[1024];

    memcpy(piped, FIRST, sizeof(FIRST) - 1);
    memcpy(piped + sizeof(FIRST) - 1, row->bytes, n);
    size_t piped_n = sizeof(FIRST) - 1 + n;
    char *text = transcript_of(piped, piped_n, (struct split){0}, &TRANSCRIPT_LIMITS);
    bool first_answered = strstr(text, "end 32\n") != NULL;
    free(text);
    return ends_as(row, row->bytes, n) && is_split_proof(row, row->bytes, n) &&
           first_answered && ends_as(row, piped, piped_n) &&
           is_split_proof(row, piped, piped_n);
}

static void every_row_ends_as_told(void **state)
{
    size_t wrong = 0;

    (void)state;
    for (size_t i = 0; i < sizeof(ROWS) / sizeof(ROWS[0]); i++)
        wrong += !check_row(&ROWS[i]);
    assert_int_equal(wrong, 0);
}

/** 22: nothing that a client may send without end is taken without end. */
static void endless_input_is_refused(void **state)
{
    static const struct {
        const char *start, *more, *want;
    } FLOODS[] = {
        {"", "G", "\nerror 414"},
        {"GET /", "a", "\nerror 414"},
        {GET, "X", "\nerror 431"},
        {GET "X: ", "a", "\nerror 431"},
        {GET "X: ", " ", "\nerror 431"},
        {GET, "X: a\r\n", "\nerror 431"},
        {"", "\r\n", "\nerror 400"},
        {CHUNKS, "0", "\nerror 413"},
        {CHUNKS "5;", "x", "\nerror 413"},
        {CHUNKS, "1\r\na\r\n", "\nerror 413"},
        {CHUNKS "0\r\n", "X: a\r\n", "\nerror 413"},
        {CHUNKS "0\r\nX: ", "a", "\nerror 413"},
    };
    enum { ROOM = 40000 };
    char *flood = malloc(ROOM);

    (void)state;
    assert_non_null(flood);
    for (size_t i = 0; i < sizeof(FLOODS) / sizeof(FLOODS[0]); i++) {
        size_t n = strlen(FLOODS[i].start), more = strlen(FLOODS[i].more);
        memcpy(flood, FLOODS[i].start, n);
        for (; n + more <= ROOM; n += more)
            memcpy(flood + n, FLOODS[i].more, more);
        char *whole = transcript_of(flood, n, (struct split){0}, &TRANSCRIPT_LIMITS);
        struct split odd = {.step_max = 700, .seed = 7};
        char *parts = transcript_of(flood, n, odd, &TRANSCRIPT_LIMITS);
        if (strstr(whole, FLOODS[i].want) == NULL)
            fail_msg("flood %zu: %.200s", i, whole);
        assert_string_equal(whole, parts);
        free(whole);
        free(parts);
    }
    free(flood);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_row_ends_as_told),
        cmocka_unit_test(endless_input_is_refused),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
