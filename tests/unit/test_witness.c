/* SPDX-License-Identifier: MIT */
/*
 * test_witness - the client of the chaos tests accepts the planned bytes and no others.
 */
#include "common/check.h"
#include "tests/chaos/witness/answer.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <cmocka.h>

#define OK      "HTTP/1.1 200 OK\r\n"
#define CHUNKED OK "Transfer-Encoding: chunked\r\n\r\n"

/* The answer to request 17, which is "17\n". */
static const struct {
    const char *name, *input;
    enum answer_verdict want;
    size_t left; /* bytes behind an answer that is right */
} table[] = {
    {"right", OK "Content-Length: 3\r\n\r\n17\n", ANSWER_RIGHT, 0},
    {"two behind one another", OK "Content-Length: 3\r\n\r\n17\nHTTP", ANSWER_RIGHT, 4},
    {"chunked", CHUNKED "1\r\n1\r\n2\r\n7\n\r\n0\r\n\r\n", ANSWER_RIGHT, 0},
    {"another's", OK "Content-Length: 3\r\n\r\n18\n", ANSWER_BYTES, 0},
    {"too long", OK "Content-Length: 4\r\n\r\n17\n\n", ANSWER_BYTES, 0},
    {"too short", OK "Content-Length: 2\r\n\r\n17", ANSWER_BYTES, 0},
    {"empty", OK "Content-Length: 0\r\n\r\n", ANSWER_BYTES, 0},
    {"chunked and cut", CHUNKED "2\r\n17\r\n0\r\n\r\n", ANSWER_BYTES, 0},
    {"chunked and too long", CHUNKED "4\r\n17\n\n\r\n0\r\n\r\n", ANSWER_BYTES, 0},
    {"503", "HTTP/1.1 503 x\r\nContent-Length: 3\r\n\r\n17\n", ANSWER_STATUS, 0},
    {"201", "HTTP/1.1 201 x\r\nContent-Length: 3\r\n\r\n17\n", ANSWER_STATUS, 0},
    {"unfinished head", OK "Content-Length: 3\r\n", ANSWER_MORE, 0},
    {"unfinished body", OK "Content-Length: 3\r\n\r\n17", ANSWER_MORE, 0},
    {"no last chunk", CHUNKED "3\r\n17\n\r\n", ANSWER_MORE, 0},
    {"half a last chunk", CHUNKED "3\r\n17\n\r\n0\r\n", ANSWER_MORE, 0},
    {"no framing", OK "\r\n17\n", ANSWER_MALFORMED, 0},
    {"two framings",
     OK "Content-Length: 3\r\nTransfer-Encoding: chunked\r\n\r\n3\r\n17\n\r\n",
     ANSWER_MALFORMED, 0},
    {"two lengths", OK "Content-Length: 3\r\nContent-Length: 3\r\n\r\n", ANSWER_MALFORMED,
     0},
    {"a bare LF", "HTTP/1.1 200 OK\nContent-Length: 3\r\n\r\n", ANSWER_MALFORMED, 0},
    {"1.0", "HTTP/1.0 200 OK\r\nContent-Length: 3\r\n\r\n", ANSWER_MALFORMED, 0},
    {"a signed length", OK "Content-Length: +3\r\n\r\n", ANSWER_MALFORMED, 0},
    {"a folded line", OK "X: y\r\n z\r\nContent-Length: 3\r\n\r\n", ANSWER_MALFORMED, 0},
    {"a bad chunk size", CHUNKED "0x3\r\n17\n\r\n", ANSWER_MALFORMED, 0},
    {"no CRLF behind a chunk", CHUNKED "3\r\n17\n!\r\n", ANSWER_MALFORMED, 0},
};

static const struct plan_ask ask = {.id = 17};

/* In two pieces, of which the first has `split` bytes. */
static enum answer_verdict feed(struct answer *a, const char *input, size_t split,
                                size_t *left_out)
{
    const size_t n = strlen(input);
    enum answer_verdict verdict;
    size_t used, more = 0;

    answer_begin(a, &ask);
    verdict = answer_feed(a, input, split, &used);
    if (verdict == ANSWER_MORE)
        verdict = answer_feed(a, input + split, n - split, &more);
    *left_out = n - used - more;
    return verdict;
}

static void test_every_split(void **state)
{
    (void)state;
    for (size_t i = 0; i < COUNT_OF(table); i++)
        for (size_t split = 0; split <= strlen(table[i].input); split++) {
            struct answer a;
            size_t left;

            if (feed(&a, table[i].input, split, &left) != table[i].want)
                fail_msg("%s, split at %zu: %s", table[i].name, split,
                         a.why != NULL ? a.why : "no reason");
            if (table[i].want == ANSWER_RIGHT && left != table[i].left)
                fail_msg("%s, split at %zu: %zu bytes left", table[i].name, split, left);
        }
}

static void test_what_it_notes(void **state)
{
    struct answer a;
    size_t left;

    (void)state;
    assert_int_equal(feed(&a,
                          OK "X-Worker: 4711\r\nConnection: close\r\nContent-Length: "
                             "3\r\n\r\n17\n",
                          5, &left),
                     ANSWER_RIGHT);
    assert_int_equal(a.worker, 4711);
    assert_true(a.says_close);
    assert_true(answer_has_begun(&a));
    answer_begin(&a, &ask);
    assert_false(answer_has_begun(&a));
}

static const struct plan_mix mix = {
    .seed = 7,
    .wait5 = 200000,
    .wait100 = 100000,
    .stream = 100000,
    .echo = 300000,
    .idle = 100000,
    .close = 300000,
    .split = 300000,
    .pair = 100000,
    .stream_pieces = 3,
};

/* Over some thousand: what is written fits, is cut inside, and echoes what it sends. */
static void test_requests(void **state)
{
    static char text[PLAN_BYTES_MAX], same[PLAN_BYTES_MAX];
    unsigned seen[3] = {0}, splits = 0, pairs = 0;

    (void)state;
    plan_init(mix.seed);
    for (uint64_t id = 0; id < 5000; id++) {
        struct plan_ask one, again;
        size_t cut[PLAN_CUTS], at = 0, n;

        plan_ask(&mix, id, &one);
        plan_ask(&mix, id, &again);
        n = plan_write(&mix, &one, text);
        assert_int_equal(plan_write(&mix, &again, same), n);
        assert_memory_equal(text, same, n);
        assert_in_range(n, 20, PLAN_BYTES_MAX);
        for (unsigned i = 0, cuts = plan_cut(&mix, &one, n, cut); i < cuts; i++) {
            assert_in_range(cut[i], at + 1, n - 1);
            at = cut[i];
        }
        seen[one.kind]++;
        splits += one.is_split;
        pairs += one.is_pair;
        if (one.kind != PLAN_ECHO)
            continue;
        assert_true(plan_matches(&one, 0, one.body, one.body_n));
        assert_false(plan_matches(&one, 0, one.body, one.body_n + 1));
        if (one.body_n > 1)
            assert_false(plan_matches(&one, 1, one.body, one.body_n - 1));
    }
    for (size_t i = 0; i < COUNT_OF(seen); i++)
        assert_in_range(seen[i], 200, 4000);
    assert_in_range(splits, 1000, 2000);
    assert_in_range(pairs, 200, 600);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_every_split),
        cmocka_unit_test(test_what_it_notes),
        cmocka_unit_test(test_requests),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
