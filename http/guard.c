/* SPDX-License-Identifier: MIT */
/*
 * guard - what llhttp lets through and we do not, written once for 8.1 and 9.x.
 *
 * Called:  by parser.c. The request line and each line of the head are judged before
 *          llhttp sees them, each field after it: framing rests on our reading, and
 *          llhttp must agree. Why: a proxy in front must read the same message: one
 *          length, one coding, one Host, no folded line, no bare line end (RFC 9112 6.3,
 *          11.2).
 * Fails:   with a status and a static reason; what was stored until then is not read.
 */
#include "http/guard.h"

#include "http/chars.h"
#include "http/target.h"

#include <stdint.h>

static const struct http_refusal FINE = {0, NULL};

static struct http_refusal refuse(int status, const char *reason)
{
    return (struct http_refusal){status, reason};
}

/* ---- the request line ---- */

enum { VERSION_BYTES = 9 }; /* " HTTP/1.1" */

/** At the end of the line: the SP and the version. 505 for one that is well-formed, but a
 *  minor above ours is read as ours: RFC 9110 2.5. */
static struct http_refusal check_version(struct http_request *req, const char *version)
{
    char minor = version[8];

    if (memcmp(version, " HTTP/1.", 8) == 0 && minor >= '0' && minor <= '9') {
        req->minor = minor > '0';
        return FINE;
    }
    if (memcmp(version, " HTTP/", 6) == 0 && version[6] >= '0' && version[6] <= '9' &&
        version[7] == '.' && minor >= '0' && minor <= '9')
        return refuse(505, "unsupported HTTP version");
    return refuse(400, "no HTTP version at the end of the request line");
}

static struct http_refusal check_method(struct http_request *req, struct slice method)
{
    req->method = http_method_of(method);
    if (req->method == HTTP_METHOD_CONNECT)
        return refuse(501, "CONNECT is not served");
    if (req->method != HTTP_METHOD_NONE)
        return FINE;
    if (method.n == 0 || !http_chars_are(method, HTTP_CHAR_TOKEN))
        return refuse(400, "malformed method");
    return refuse(501, "unknown method");
}

static struct http_span span_of(const char *base, struct slice part)
{
    return (struct http_span){(uint32_t)(part.p - base), (uint32_t)part.n};
}

struct http_refusal http_guard_request_line(struct http_request *req, const char *base,
                                            struct slice line)
{
    const char *blank = memchr(line.p, ' ', line.n);
    struct http_target parts;

    if (line.n < 2 || line.p[line.n - 2] != '\r')
        return refuse(400, "bare LF ends the request line");
    const char *end = line.p + line.n - 2;
    if (blank == NULL || end - blank <= VERSION_BYTES)
        return refuse(400, "malformed request line");
    end -= VERSION_BYTES;
    struct http_refusal bad = check_version(req, end);
    if (bad.status != 0)
        return bad;
    struct slice method = {line.p, (size_t)(blank - line.p)};
    bad = check_method(req, method);
    if (bad.status != 0)
        return bad;
    struct slice target = {blank + 1, (size_t)(end - blank) - 1};
    if (!http_target_split(target, req->method, &parts))
        return refuse(400, "malformed request target");
    req->method_text = span_of(base, method);
    req->target = span_of(base, target);
    req->path = span_of(base, parts.path);
    req->has_query = parts.has_query;
    if (parts.has_query)
        req->query = span_of(base, parts.query);
    if (parts.authority.n > 0)
        req->host = span_of(base, parts.authority);
    return FINE;
}

/* ---- fields ---- */

/** ASCII case ignored. `want` is lower case: letters, digits and '-' alone, for which
 *  setting bit 5 folds the case (the name before is known to be a token). */
static inline bool word_is(const char *p, const char *want, size_t n)
{
    for (size_t i = 0; i < n; i++)
        if ((p[i] | 0x20) != want[i])
            return false;
    return true;
}

/** The next element of a comma list, trimmed; false at its end. Empty ones are given,
 *  too. */
static bool next_element(struct slice *list, struct slice *out)
{
    if (list->p == NULL)
        return false;
    const char *comma = memchr(list->p, ',', list->n);
    size_t n = comma != NULL ? (size_t)(comma - list->p) : list->n;
    *out = (struct slice){list->p, n};
    *list = comma != NULL ? (struct slice){comma + 1, list->n - n - 1}
                          : (struct slice){NULL, 0};
    while (out->n > 0 && http_char_is_blank(out->p[0])) {
        out->p++;
        out->n--;
    }
    while (out->n > 0 && http_char_is_blank(out->p[out->n - 1]))
        out->n--;
    return true;
}

static struct http_refusal check_host(struct http_request *req, struct slice value,
                                      const char *base, uint8_t *seen)
{
    if (*seen & HTTP_SEEN_HOST)
        return refuse(400, "two Host fields");
    *seen |= HTTP_SEEN_HOST;
    /* an empty one says that there is no authority: RFC 9110 7.2 */
    if (!http_target_host_is_valid(value) && value.n > 0)
        return refuse(400, "malformed Host");
    if (req->host.n == 0) /* an absolute target goes first: RFC 9112 3.2.2 */
        req->host = span_of(base, value);
    return FINE;
}

enum { LENGTH_SAFE = 19 }; /* so many digits cannot overflow */

/** NULL, or what is wrong. */
static inline const char *read_length(struct slice digits, uint64_t *length_out)
{
    uint64_t length = 0;

    if (digits.n == 0)
        return "malformed Content-Length";
    for (size_t i = 0; i < digits.n; i++) {
        unsigned digit = (unsigned char)digits.p[i] - (unsigned)'0';
        if (digit > 9)
            return "malformed Content-Length";
        if (i >= LENGTH_SAFE && length > (UINT64_MAX - digit) / 10)
            return "Content-Length beyond 64 bits";
        length = length * 10 + digit;
    }
    *length_out = length;
    return NULL;
}

static struct http_refusal check_length(struct http_request *req, struct slice value,
                                        uint8_t *seen)
{
    if (*seen & HTTP_SEEN_LENGTH)
        return refuse(400, "two Content-Length fields");
    *seen |= HTTP_SEEN_LENGTH;
    const char *reason = read_length(value, &req->content_length);
    return reason == NULL ? FINE : refuse(400, reason);
}

/** Only "chunked" is served. A list that ends with it is well-framed, with a coding
 *  that we do not know: 501 (RFC 9112 6.1). Anything else has no length: 400 (6.3). */
static struct http_refusal check_coding(struct slice value, uint8_t *seen)
{
    struct slice coding = {NULL, 0};
    bool well_formed = true, last_is_chunked = false;

    if (*seen & HTTP_SEEN_CODING)
        return refuse(400, "two Transfer-Encoding fields");
    *seen |= HTTP_SEEN_CODING;
    if (slice_is_nocase(value, SLICE_LIT("chunked")))
        return FINE;
    while (next_element(&value, &coding)) {
        well_formed &= coding.n > 0 && !last_is_chunked;
        last_is_chunked = slice_is_nocase(coding, SLICE_LIT("chunked"));
    }
    if (well_formed && last_is_chunked)
        return refuse(501, "unknown transfer coding");
    return refuse(400, "malformed Transfer-Encoding");
}

static void note_connection(struct slice value, uint8_t *seen)
{
    struct slice option;

    while (next_element(&value, &option)) {
        if (slice_is_nocase(option, SLICE_LIT("close")))
            *seen |= HTTP_SEEN_CLOSE;
        else if (slice_is_nocase(option, SLICE_LIT("keep-alive")))
            *seen |= HTTP_SEEN_KEEP_ALIVE;
        else if (slice_is_nocase(option, SLICE_LIT("upgrade")))
            *seen |= HTTP_SEEN_UPGRADE;
    }
}

static struct http_refusal check_expect(struct http_request *req, struct slice value)
{
    if (req->minor == 0) /* RFC 9110 10.1.1: such an expectation is ignored */
        return FINE;
    if (!slice_is_nocase(value, SLICE_LIT("100-continue")))
        return refuse(417, "unknown expectation");
    req->expect_continue = true;
    return FINE;
}

struct http_refusal http_guard_field(struct http_request *req, const char *base,
                                     const struct http_field *field, uint8_t *seen)
{
    const char *name = base + field->name.at;
    struct slice value = http_span_slice(field->value, base);

    switch (field->name.n) {
    case 4:
        return word_is(name, "host", 4) ? check_host(req, value, base, seen) : FINE;
    case 6:
        return word_is(name, "expect", 6) ? check_expect(req, value) : FINE;
    case 10:
        if (word_is(name, "connection", 10))
            note_connection(value, seen);
        return FINE;
    case 14:
        return word_is(name, "content-length", 14) ? check_length(req, value, seen)
                                                   : FINE;
    case 17:
        return word_is(name, "transfer-encoding", 17) ? check_coding(value, seen) : FINE;
    default:
        return FINE;
    }
}

struct http_refusal http_guard_head(struct http_request *req, uint8_t seen)
{
    if (req->minor >= 1 && !(seen & HTTP_SEEN_HOST))
        return refuse(400, "no Host");
    if (seen & HTTP_SEEN_CODING) {
        if (seen & HTTP_SEEN_LENGTH)
            return refuse(400, "Transfer-Encoding and Content-Length");
        if (req->minor == 0)
            return refuse(400, "Transfer-Encoding in HTTP/1.0");
        req->body_kind = HTTP_BODY_CHUNKED;
    } else if (req->content_length > 0) {
        req->body_kind = HTTP_BODY_LENGTH;
    }
    if (req->body_kind == HTTP_BODY_NONE)
        req->expect_continue = false; /* nothing is being held back */
    req->upgrade_offered = (seen & HTTP_SEEN_UPGRADE) != 0;
    req->keep_alive = !(seen & HTTP_SEEN_CLOSE) &&
                      (req->minor >= 1 || (seen & HTTP_SEEN_KEEP_ALIVE) != 0);
    return FINE;
}
