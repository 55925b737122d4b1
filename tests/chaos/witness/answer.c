/* SPDX-License-Identifier: MIT */
/*
 * answer - the head is collected and judged whole; bodies are compared as they come.
 * [test tool]
 *
 * Called:  by conn.c.
 * Fails:   with the first thing that is wrong.
 */
#include "tests/chaos/witness/answer.h"

#include <stdlib.h>
#include <string.h>
#include <strings.h>

void answer_begin(struct answer *a, const struct plan_ask *ask)
{
    a->state = ANSWER_HEAD;
    a->ask = ask;
    a->status = 0;
    a->worker = 0;
    a->says_close = a->has_length = a->is_chunked = false;
    a->left = a->body_n = 0;
    a->n = 0;
    a->why = NULL;
}

bool answer_has_begun(const struct answer *a)
{
    return a->state != ANSWER_HEAD || a->n > 0;
}

static enum answer_verdict refuse(struct answer *a, enum answer_verdict verdict,
                                  const char *why)
{
    a->state = ANSWER_ENDED;
    a->why = why;
    return verdict;
}

static enum answer_verdict malformed(struct answer *a, const char *why)
{
    return refuse(a, ANSWER_MALFORMED, why);
}

/* The whole body was there, no byte too many. */
static enum answer_verdict finish(struct answer *a)
{
    a->state = ANSWER_ENDED;
    if (a->body_n != plan_length(a->ask))
        return refuse(a, ANSWER_BYTES, "the body is too short");
    return ANSWER_RIGHT;
}

/* ---- the head ---- */

static bool parse_number(const char *text, uint64_t *out)
{
    char *end;

    if (*text < '0' || *text > '9')
        return false;
    *out = strtoull(text, &end, 10);
    return *end == '\0';
}

static const char *take_length(struct answer *a, const char *value)
{
    if (a->has_length)
        return "two Content-Lengths";
    a->has_length = true;
    return parse_number(value, &a->left) ? NULL : "a Content-Length that is no number";
}

static const char *take_field(struct answer *a, char *line)
{
    char *value = strchr(line, ':');
    uint64_t number;

    if (value == NULL || value == line || line[0] == ' ' || line[0] == '\t')
        return "a line that is no field";
    *value++ = '\0';
    value += strspn(value, " \t");
    if (strcasecmp(line, "Content-Length") == 0)
        return take_length(a, value);
    if (strcasecmp(line, "Transfer-Encoding") == 0) {
        a->is_chunked = strcasecmp(value, "chunked") == 0;
        return a->is_chunked ? NULL : "an unknown Transfer-Encoding";
    }
    if (strcasecmp(line, "Connection") == 0)
        a->says_close = strcasecmp(value, "close") == 0;
    if (strcasecmp(line, "X-Worker") == 0 && parse_number(value, &number))
        a->worker = (int)number;
    return NULL;
}

static const char *take_status(struct answer *a, const char *line)
{
    static const char version[] = "HTTP/1.1 ";
    uint64_t status;
    char digits[4];

    if (strncmp(line, version, sizeof version - 1) != 0)
        return "no status line";
    memcpy(digits, line + sizeof version - 1, 3);
    digits[3] = '\0';
    if (!parse_number(digits, &status) || line[sizeof version + 2] != ' ')
        return "a status line without a status";
    a->status = (unsigned)status;
    return NULL;
}

/* Each line ends in CRLF, and no CR or LF stands elsewhere. */
static const char *take_lines(struct answer *a)
{
    char *line = a->text, *end = a->text + a->n - 2; /* the empty line */
    const char *why = NULL;

    for (bool is_first = true; line < end && why == NULL; is_first = false) {
        char *lf = memchr(line, '\n', (size_t)(end - line));

        if (lf == NULL || lf == line || lf[-1] != '\r' ||
            memchr(line, '\r', (size_t)(lf - line)) != lf - 1)
            return "a line that does not end in CRLF";
        lf[-1] = '\0';
        why = is_first ? take_status(a, line) : take_field(a, line);
        line = lf + 1;
    }
    return why;
}

static enum answer_verdict take_head(struct answer *a)
{
    const char *why = take_lines(a);

    if (why != NULL)
        return malformed(a, why);
    if (a->has_length == a->is_chunked)
        return malformed(a, a->has_length ? "two framings" : "no framing");
    if (a->status != 200)
        return refuse(a, ANSWER_STATUS, "not 200");
    a->n = 0;
    if (a->is_chunked) {
        a->state = ANSWER_CHUNK_SIZE;
        return ANSWER_MORE;
    }
    if (a->left != plan_length(a->ask))
        return refuse(a, ANSWER_BYTES, "another length");
    a->state = ANSWER_BODY;
    return a->left == 0 ? finish(a) : ANSWER_MORE;
}

/* ---- collecting ---- */

/* Bytes up to and with the mark, at most `size` of them; true: it is there. */
static bool collect(struct answer *a, const char *mark, const char *p, size_t n,
                    size_t size, size_t *used_out)
{
    const size_t mark_n = strlen(mark);

    for (*used_out = 0; *used_out < n && a->n < size;) {
        a->text[a->n++] = p[(*used_out)++];
        if (a->n >= mark_n && memcmp(a->text + a->n - mark_n, mark, mark_n) == 0)
            return true;
    }
    return false;
}

static enum answer_verdict read_head(struct answer *a, const char *p, size_t n,
                                     size_t *used_out)
{
    if (collect(a, "\r\n\r\n", p, n, sizeof a->text, used_out))
        return take_head(a);
    return a->n == sizeof a->text ? malformed(a, "an endless head") : ANSWER_MORE;
}

/* ---- the body ---- */

static enum answer_verdict take_data(struct answer *a, const char *p, size_t n,
                                     size_t *used_out)
{
    const size_t some = n < a->left ? n : (size_t)a->left;

    *used_out = some;
    if (!plan_matches(a->ask, a->body_n, p, some))
        return refuse(a, ANSWER_BYTES, "other bytes");
    a->body_n += some;
    a->left -= some;
    if (a->left > 0)
        return ANSWER_MORE;
    if (a->state == ANSWER_BODY)
        return finish(a);
    a->state = ANSWER_CHUNK_END;
    return ANSWER_MORE;
}

static enum answer_verdict take_chunk_size(struct answer *a)
{
    char *end;

    a->text[a->n - 2] = '\0';
    if (a->text[0] == '\0' || strspn(a->text, "0123456789abcdefABCDEF") != a->n - 2)
        return malformed(a, "a chunk size that is none");
    a->left = strtoull(a->text, &end, 16);
    a->state = a->left == 0 ? ANSWER_LAST_LINE : ANSWER_CHUNK_DATA;
    return ANSWER_MORE;
}

static enum answer_verdict read_line(struct answer *a, const char *p, size_t n,
                                     size_t *used_out)
{
    enum answer_verdict verdict = ANSWER_MORE;

    if (!collect(a, "\r\n", p, n, ANSWER_LINE_MAX, used_out))
        return a->n == ANSWER_LINE_MAX ? malformed(a, "an endless line") : ANSWER_MORE;
    if (a->state == ANSWER_CHUNK_SIZE)
        verdict = take_chunk_size(a);
    else if (a->n != 2)
        verdict = malformed(a, "no CRLF behind a chunk");
    else if (a->state == ANSWER_LAST_LINE)
        verdict = finish(a);
    else
        a->state = ANSWER_CHUNK_SIZE;
    a->n = 0;
    return verdict;
}

enum answer_verdict answer_feed(struct answer *a, const char *p, size_t n,
                                size_t *used_out)
{
    enum answer_verdict verdict = ANSWER_MORE;
    size_t used;

    for (*used_out = 0; *used_out < n && verdict == ANSWER_MORE; *used_out += used) {
        const char *from = p + *used_out;
        const size_t left = n - *used_out;

        used = left;
        if (a->state == ANSWER_HEAD)
            verdict = read_head(a, from, left, &used);
        else if (a->state == ANSWER_BODY || a->state == ANSWER_CHUNK_DATA)
            verdict = take_data(a, from, left, &used);
        else
            verdict = read_line(a, from, left, &used);
    }
    return verdict;
}
