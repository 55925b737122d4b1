/* SPDX-License-Identifier: MIT */
/*
 * test_worker_place - each rule of placement, as a row.
 */
#include "worker/place.h"

#include "common/check.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>

#include <cmocka.h>

enum { MOST = 4, ROOM = 1000, DRAWS = 3000 };

struct row {
    const char *name;
    uint32_t busy, waiting, limit, hops; /* ours */
    struct place_sibling sibling[MOST];  /* index, load, waiting, limit, fd_room */
    enum place_verdict want;
    unsigned index;
};

static struct place_view view_of(const struct row *row)
{
    size_t count = 0;
    while (count < MOST && row->sibling[count].index != 0)
        count++;
    return (struct place_view){.sibling = row->sibling,
                               .count = count,
                               .busy = row->busy,
                               .waiting = row->waiting,
                               .limit = row->limit,
                               .hops = row->hops,
                               .random = 12345};
}

static void check(const struct row *row, struct place got)
{
    bool names_one = row->want == PLACE_MOVE || row->want == PLACE_ASK;
    if (got.verdict != row->want || (names_one && got.index != row->index))
        fail_msg("%s: verdict %d index %u, want %d %u", row->name, (int)got.verdict,
                 got.index, (int)row->want, row->index);
}

static const struct row requests[] = {
    {"alone, free", 0, 0, 8, 0, {{0}}, PLACE_HERE, 0},
    {"alone, full", 8, 0, 8, 0, {{0}}, PLACE_QUEUE_HERE, 0},
    {"the last slot is ours, whoever is idle",
     7,
     0,
     8,
     0,
     {{1, 0, 0, 8, ROOM}},
     PLACE_HERE,
     0},
    {"free, but one waits before it", 7, 1, 8, 0, {{1, 0, 0, 8, ROOM}}, PLACE_MOVE, 1},
    {"a free slot there", 8, 0, 8, 0, {{1, 7, 0, 8, ROOM}}, PLACE_MOVE, 1},
    {"as full as we are", 8, 0, 8, 0, {{1, 8, 0, 8, ROOM}}, PLACE_QUEUE_HERE, 0},
    {"a shorter queue there", 8, 3, 8, 0, {{1, 10, 2, 8, ROOM}}, PLACE_MOVE, 1},
    {"an equal queue there", 8, 3, 8, 0, {{1, 11, 3, 8, ROOM}}, PLACE_QUEUE_HERE, 0},
    {"a longer queue there", 8, 3, 8, 0, {{1, 12, 4, 8, ROOM}}, PLACE_QUEUE_HERE, 0},
    {"on its way there counts", 8, 0, 8, 0, {{1, 9, 0, 8, ROOM}}, PLACE_QUEUE_HERE, 0},
    {"the smallest of three",
     8,
     9,
     8,
     0,
     {{3, 9, 1, 8, ROOM}, {1, 2, 0, 8, ROOM}, {2, 5, 0, 8, ROOM}},
     PLACE_MOVE,
     1},
    {"the smallest has no descriptors",
     8,
     9,
     8,
     0,
     {{3, 9, 1, 8, ROOM}, {1, 2, 0, 8, PLACE_FD_ROOM - 1}, {2, 5, 0, 8, PLACE_FD_ROOM}},
     PLACE_MOVE,
     2},
    {"nobody has descriptors", 8, 9, 8, 0, {{1, 0, 0, 8, 3}}, PLACE_QUEUE_HERE, 0},
    {"an entry that is not filled in yet",
     8,
     9,
     8,
     0,
     {{1, 0, 0, 0, ROOM}},
     PLACE_QUEUE_HERE,
     0},
    {"it has moved twice", 8, 0, 8, PLACE_HOPS - 1, {{1, 0, 0, 8, ROOM}}, PLACE_MOVE, 1},
    {"it has moved enough",
     8,
     0,
     8,
     PLACE_HOPS,
     {{1, 0, 0, 8, ROOM}},
     PLACE_QUEUE_HERE,
     0},
    {"moved enough, and a slot is free", 7, 0, 8, PLACE_HOPS, {{0}}, PLACE_HERE, 0},
    {"no slots here at all", 0, 0, 0, 0, {{1, 0, 0, 8, ROOM}}, PLACE_MOVE, 1},
    /* two generations with other threads */
    {"a free slot of a small worker", 8, 0, 8, 0, {{1, 0, 0, 1, ROOM}}, PLACE_MOVE, 1},
    {"the last slot of a large one", 8, 0, 8, 0, {{1, 15, 0, 16, ROOM}}, PLACE_MOVE, 1},
    {"a queue of one before one thread",
     8,
     1,
     8,
     0,
     {{1, 1, 0, 1, ROOM}},
     PLACE_QUEUE_HERE,
     0},
    {"the same queue, twice the threads",
     8,
     4,
     8,
     0,
     {{1, 20, 4, 16, ROOM}},
     PLACE_MOVE,
     1},
    {"loads that would overflow 32 bits",
     UINT32_MAX / 2,
     UINT32_MAX / 2,
     UINT32_MAX / 2,
     0,
     {{1, UINT32_MAX, 0, UINT32_MAX / 2, ROOM}},
     PLACE_QUEUE_HERE,
     0},
};

static void test_request(void **state)
{
    (void)state;
    for (size_t i = 0; i < COUNT_OF(requests); i++) {
        struct place_view view = view_of(&requests[i]);
        check(&requests[i], place_request(&view));
    }
}

static const struct row freed[] = {
    {"alone", 7, 0, 8, 0, {{0}}, PLACE_REST, 0},
    {"nobody waits", 7, 0, 8, 0, {{1, 8, 0, 8, ROOM}}, PLACE_REST, 0},
    {"one waits there", 7, 0, 8, 0, {{1, 9, 1, 8, ROOM}}, PLACE_ASK, 1},
    {"the longest queue",
     0,
     0,
     8,
     0,
     {{1, 9, 1, 8, ROOM}, {2, 12, 4, 8, ROOM}, {3, 11, 3, 8, ROOM}},
     PLACE_ASK,
     2},
    {"it has no descriptors: it wants to send",
     7,
     0,
     8,
     0,
     {{1, 9, 1, 8, 0}},
     PLACE_ASK,
     1},
    {"one waits here too", 7, 1, 8, 0, {{1, 12, 4, 8, ROOM}}, PLACE_REST, 0},
    {"still full", 8, 0, 8, 0, {{1, 12, 4, 8, ROOM}}, PLACE_REST, 0},
};

static void test_freed(void **state)
{
    (void)state;
    for (size_t i = 0; i < COUNT_OF(freed); i++) {
        struct place_view view = view_of(&freed[i]);
        check(&freed[i], place_free(&view));
    }
}

static void test_give(void **state)
{
    (void)state;
    static const struct {
        const char *name;
        uint32_t waiting;
        struct place_sibling to;
        bool want;
    } rows[] = {
        {"one waits, one is free", 1, {1, 7, 0, 8, ROOM}, true},
        {"none waits any more", 0, {1, 7, 0, 8, ROOM}, false},
        {"it is full by now", 1, {1, 8, 0, 8, ROOM}, false},
        {"it has no descriptors", 1, {1, 7, 0, 8, PLACE_FD_ROOM - 1}, false},
        {"it has no slots", 1, {1, 0, 0, 0, ROOM}, false},
    };
    for (size_t i = 0; i < COUNT_OF(rows); i++) {
        struct place_view view = {.busy = 8, .limit = 8, .waiting = rows[i].waiting};
        if (place_may_give(&view, &rows[i].to) != rows[i].want)
            fail_msg("%s", rows[i].name);
    }
}

/* Four that tie get a quarter each, 10 % off at most; a fifth that is worse gets nothing. */
static void count_ties(struct place (*decide)(const struct place_view *),
                       const struct place_view *view)
{
    unsigned hits[8] = {0};
    struct place_view v = *view;
    uint32_t random = 1;
    for (int i = 0; i < DRAWS; i++) {
        random ^= random << 13;
        random ^= random >> 17;
        random ^= random << 5;
        v.random = random;
        hits[decide(&v).index]++;
    }
    assert_int_equal(hits[5], 0);
    for (unsigned i = 1; i <= 4; i++)
        assert_in_range(hits[i], DRAWS / 4 * 9 / 10, DRAWS / 4 * 11 / 10);
}

static void test_ties(void **state)
{
    (void)state;
    static const struct place_sibling takers[] = {{5, 4, 0, 8, ROOM},
                                                  {1, 3, 0, 8, ROOM},
                                                  {2, 3, 0, 8, ROOM},
                                                  {3, 3, 0, 8, ROOM},
                                                  {4, 3, 0, 8, ROOM}};
    static const struct place_sibling givers[] = {{1, 9, 2, 8, ROOM},
                                                  {2, 9, 2, 8, ROOM},
                                                  {5, 9, 1, 8, ROOM},
                                                  {3, 9, 2, 8, ROOM},
                                                  {4, 9, 2, 8, ROOM}};
    struct place_view view = {.sibling = takers, .count = 5, .busy = 8, .limit = 8};
    count_ties(place_request, &view);
    view = (struct place_view){.sibling = givers, .count = 5, .busy = 7, .limit = 8};
    count_ties(place_free, &view);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_request),
        cmocka_unit_test(test_freed),
        cmocka_unit_test(test_give),
        cmocka_unit_test(test_ties),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
