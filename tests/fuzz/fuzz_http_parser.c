/* SPDX-License-Identifier: MIT */
/*
 * fuzz_http_parser - whatever the bytes and however they are split, one transcript.
 *
 * The first byte seeds the splits, the second shrinks the limits; the rest is what a
 * client sends. Beyond equality, a reference that knows nothing of llhttp checks each
 * request that was accepted against what RFC 9112 says its framing must be.
 */
#include "tests/fuzz/must.h"
#include "tests/unit/http_transcript.h"

#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

/** The lines of an accepted head, read naively: no bare CR or LF, no NUL, no folding,
 *  at most one Host, Content-Length and Transfer-Encoding, never the last two together.
 */
static void check_lines(const char *head, size_t n)
{
    unsigned hosts = 0, lengths = 0, codings = 0;
    const char *at = head, *end = head + n;

    must(n >= 18 && memcmp(end - 4, "\r\n\r\n", 4) == 0, "the end of a head");
    must(memchr(head, '\0', n) == NULL, "a NUL in a head");
    for (unsigned line = 0; at < end; line++) {
        const char *stop = memmem(at, (size_t)(end - at), "\r\n", 2);
        must(stop != NULL, "a line without CRLF");
        must(memchr(at, '\r', (size_t)(stop - at)) == NULL, "a bare CR");
        must(memchr(at, '\n', (size_t)(stop - at)) == NULL, "a bare LF");
        must(line == 0 || (*at != ' ' && *at != '\t' && *at != ':'),
             "a line's first byte");
        hosts += strncasecmp(at, "Host:", 5) == 0;
        lengths += strncasecmp(at, "Content-Length:", 15) == 0;
        codings += strncasecmp(at, "Transfer-Encoding:", 18) == 0;
        at = stop + 2;
    }
    must(hosts <= 1 && lengths <= 1 && codings <= 1, "a field twice");
    must(lengths == 0 || codings == 0, "two framings");
}

/** The first head of the input, on its own. */
static void check_first_head(const char *bytes, size_t n,
                             const struct http_limits *limits)
{
    struct http_parser p;

    http_parser_init(&p, limits);
    if (http_parser_head(&p, bytes, n) == HTTP_EVENT_HEAD) {
        const struct http_request *r = &p.request;
        uint32_t start = r->method_text.at;
        must(r->head_bytes <= n && r->field_count <= limits->header_fields, "bounds");
        must(r->head_bytes - start <= limits->request_line_bytes + limits->header_bytes,
             "the limits of a head");
        check_lines(bytes + start, r->head_bytes - start);
        must((r->body_kind == HTTP_BODY_CHUNKED) ==
                 (http_request_field(r, bytes, SLICE_LIT("transfer-encoding"), NULL) !=
                  NULL),
             "chunked without the field");
    }
    http_parser_fini(&p);
}

static void check_split(const char *bytes, size_t n, struct split split,
                        const struct http_limits *limits, const char *whole)
{
    char *text = transcript_of(bytes, n, split, limits);

    if (strcmp(whole, text) != 0)
        fprintf(stderr, "first %zu step %zu seed %u:\n%s\nwhole:\n%s\n", split.first,
                split.step_max, split.seed, text, whole);
    must(strcmp(whole, text) == 0, "split");
    free(text);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    if (size < 2)
        return 0;
    struct http_limits limits = TRANSCRIPT_LIMITS;
    uint32_t seed = data[0];
    if (data[1] & 1)
        limits = (struct http_limits){.request_line_bytes = 32 + data[1] / 8,
                                      .header_bytes = 64 + data[1],
                                      .header_fields = 1 + data[1] / 4 % 40,
                                      .framing_bytes = 16 + data[1] / 2,
                                      .body_bytes = data[1]};
    const char *bytes = (const char *)data + 2;
    size_t n = size - 2;
    char *whole = transcript_of(bytes, n, (struct split){0}, &limits);

    check_first_head(bytes, n, &limits);
    check_split(bytes, n, (struct split){.step_max = 1}, &limits, whole);
    check_split(bytes, n, (struct split){.first = seed % (n + 1)}, &limits, whole);
    check_split(bytes, n, (struct split){.step_max = 2 + seed % 30, .seed = seed},
                &limits, whole);
    free(whole);
    return 0;
}
