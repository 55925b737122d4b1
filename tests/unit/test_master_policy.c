/* SPDX-License-Identifier: MIT */
/*
 * test_master_policy - how many workers to start, with the clock in the test's hand.
 */
#include "common/check.h"
#include "master/policy.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <string.h>
#include <cmocka.h>

enum { ENTRIES = 8, NOW = 100000 };

/* One letter per entry: - empty, b starting, s standby, S serving, R retiring, D
 * draining, K killed; lower generation: preceded by an apostrophe. */
static void fill(struct slot slots[static ENTRIES], const char *picture)
{
    static const char letters[] = "-bsSRDK";
    size_t n = 0;

    memset(slots, 0, sizeof(struct slot) * ENTRIES);
    for (const char *p = picture; *p != '\0'; p++) {
        const uint32_t generation = *p == '\'' ? 1 : 2;

        p += generation == 1;
        slots[n].state = (enum slot_state)(strchr(letters, *p) - letters);
        slots[n].generation = slots[n].state == SLOT_EMPTY ? 0 : generation;
        slots[n].started_ms = NOW - 500;
        slots[n].index = (unsigned)n;
        n++;
    }
    assert_true(n <= ENTRIES);
}

static const struct {
    const char *name, *picture;
    unsigned want;
    struct governor governor;
    unsigned start, surplus;
    uint64_t wake_ms;
} cases[] = {
    {"from nothing", "--------", 3, {0}, 3, 0, UINT64_MAX},
    {"all there", "SSS-----", 3, {0}, 0, 0, UINT64_MAX},
    {"one died", "S-S-----", 3, {0}, 1, 0, UINT64_MAX},
    {"starting and standby count", "Ssb-----", 3, {0}, 0, 0, UINT64_MAX},
    {"retiring wants a successor", "SSR-----", 3, {0}, 1, 0, UINT64_MAX},
    {"draining and killed do not count", "SDK-----", 2, {0}, 1, 0, UINT64_MAX},
    {"another generation does not count", "'S'S------", 2, {0}, 2, 0, UINT64_MAX},
    {"one too many", "SSSS----", 3, {0}, 0, 1, UINT64_MAX},
    {"no room", "SDDDDDDD", 2, {0}, 0, 0, UINT64_MAX},
    {"room for one of two", "DDDDDDD-", 2, {0}, 1, 0, UINT64_MAX},
    {"back-off: wait", "S-------", 2, {1, NOW + 700, NOW + 700}, 0, 0, NOW + 700},
    {"back-off: one probe", "--------", 3, {1, NOW, NOW}, 1, 0, UINT64_MAX},
    {"back-off: the probe starts",
     "b-------",
     3,
     {1, NOW - 500, NOW - 500},
     0,
     0,
     UINT64_MAX},
    {"back-off: the probe serves",
     "S-------",
     3,
     {1, NOW - 500, NOW - 500},
     0,
     0,
     UINT64_MAX},
    {"back-off: an old one is no probe",
     "S-------",
     3,
     {1, NOW - 100, NOW - 100},
     1,
     0,
     UINT64_MAX},
    {"back-off: the probe has lived",
     "S-------",
     3,
     {1, NOW - 500, NOW - 100},
     1,
     0,
     UINT64_MAX},
};

static void decides(void **state)
{
    (void)state;
    for (size_t i = 0; i < COUNT_OF(cases); i++) {
        struct slot slots[ENTRIES];
        struct policy_verdict got;
        struct policy_view view = {.now_ms = NOW,
                                   .generation = 2,
                                   .want = cases[i].want,
                                   .governor = &cases[i].governor,
                                   .slots = slots,
                                   .slot_count = ENTRIES};

        fill(slots, cases[i].picture);
        policy_decide(&view, &got);
        if (got.start != cases[i].start || got.surplus != cases[i].surplus ||
            got.wake_ms != cases[i].wake_ms)
            fail_msg("%s: start %u, surplus %u, wake %llu", cases[i].name, got.start,
                     got.surplus, (unsigned long long)got.wake_ms);
    }
}

static void delays_double_up_to_a_minute(void **state)
{
    static const uint64_t want_s[] = {1, 2, 4, 8, 16, 32, 60, 60, 60};
    struct governor governor = {0};
    uint64_t now_ms = NOW;

    (void)state;
    assert_int_equal(governor_delay_ms(&governor), 0);
    for (size_t i = 0; i < COUNT_OF(want_s); i++) {
        assert_true(governor_on_death(&governor, now_ms));
        assert_int_equal(governor_delay_ms(&governor), want_s[i] * 1000);
        assert_int_equal(governor.not_before_ms, now_ms + want_s[i] * 1000);
        now_ms = governor.not_before_ms;
    }
}

static void deaths_together_earn_one_delay(void **state)
{
    struct governor governor = {0};

    (void)state;
    assert_true(governor_on_death(&governor, NOW));
    assert_false(governor_on_death(&governor, NOW + 999));
    assert_int_equal(governor.failures, 1);
    assert_true(governor_on_death(&governor, NOW + 1000));
}

static enum governor_news alive(struct governor *governor, uint64_t started_ms,
                                bool served, unsigned missing, uint64_t now_ms)
{
    const struct slot slot = {.started_ms = started_ms, .serving_ms = started_ms + 50};

    return governor_on_alive(governor, &slot, served, missing, now_ms);
}

static void a_probe_that_serves_releases_the_rest(void **state)
{
    struct governor governor = {2, NOW, NOW};

    (void)state;
    assert_int_equal(alive(&governor, NOW - 1, true, 3, NOW + 9000), GOVERNOR_SILENT);
    assert_int_equal(governor.failures, 2);
    assert_int_equal(alive(&governor, NOW, true, 3, NOW + 60), GOVERNOR_RECOVERED);
    assert_int_equal(governor.failures, 0);
    assert_int_equal(alive(&governor, NOW, true, 3, NOW + 60), GOVERNOR_SILENT);
}

/* Nobody asks anything: one after the other, and the first answer of any releases the rest. */
static void a_probe_that_lives_lets_one_more_start(void **state)
{
    struct governor governor = {2, NOW, NOW};
    const uint64_t then_ms = NOW + 50 + POLICY_PROBE_MS;

    (void)state;
    assert_int_equal(alive(&governor, NOW, false, 2, then_ms - 1), GOVERNOR_SILENT);
    assert_int_equal(alive(&governor, NOW, false, 2, then_ms), GOVERNOR_NEXT);
    assert_int_equal(governor.failures, 2);
    assert_int_equal(alive(&governor, NOW, false, 2, then_ms + 9000), GOVERNOR_SILENT);
    assert_int_equal(alive(&governor, NOW, true, 2, then_ms), GOVERNOR_RECOVERED);
    governor = (struct governor){2, NOW, then_ms};
    assert_int_equal(alive(&governor, then_ms, false, 0, then_ms + 50 + POLICY_PROBE_MS),
                     GOVERNOR_RECOVERED);
    assert_int_equal(governor.failures, 0);
}

/* After a long delay a short life proves nothing. */
static void a_probe_lives_as_long_as_the_last_delay(void **state)
{
    struct governor governor = {5, NOW, NOW};

    (void)state;
    assert_int_equal(alive(&governor, NOW, false, 0, NOW + 50 + 15999), GOVERNOR_SILENT);
    assert_int_equal(alive(&governor, NOW, false, 0, NOW + 50 + 16000),
                     GOVERNOR_RECOVERED);
}

/* Fewer are wanted than were: nothing is held back. The one that starts is the probe. */
static void all_there_is_recovered(void **state)
{
    static const struct {
        const char *picture;
        struct governor governor;
        bool want;
    } table[] = {
        {"SS------", {2, NOW, NOW}, true},
        {"SSR-----", {2, NOW, NOW}, true},
        {"SS------", {0}, false},
        {"S-------", {2, NOW, NOW}, false},
        {"S'S-----", {2, NOW, NOW}, false},
        {"SR------", {2, NOW, NOW}, false},
        {"SS------", {2, NOW + 1, NOW}, false},
        {"Sb------", {2, NOW - 600, NOW - 500}, false},
        {"SS------", {2, NOW - 600, NOW - 500}, false},
    };

    (void)state;
    for (size_t i = 0; i < COUNT_OF(table); i++) {
        struct governor governor = table[i].governor;
        struct slot slots[ENTRIES];
        const struct policy_view view = {NOW, 2, 2, &governor, slots, ENTRIES};

        fill(slots, table[i].picture);
        if (governor_on_enough(&governor, &view) != table[i].want)
            fail_msg("%zu: %s", i, table[i].picture);
        assert_int_equal(governor.failures,
                         table[i].want ? 0 : table[i].governor.failures);
    }
}

enum { CRASH_WORKERS = 4, CRASH_STEP_MS = 10, CRASH_MS = 30000 };

static void crash_some(struct slot slots[static ENTRIES], struct governor *governor,
                       uint64_t life_ms, uint64_t now_ms)
{
    for (int i = 0; i < ENTRIES; i++)
        if (slots[i].state == SLOT_SERVING && now_ms >= slots[i].started_ms + life_ms) {
            slots[i] = (struct slot){.index = (unsigned)i};
            (void)governor_on_death(governor, now_ms);
        }
}

static void start_some(struct slot slots[static ENTRIES], unsigned count, uint64_t now_ms)
{
    for (int i = 0; i < ENTRIES && count > 0; i++)
        if (slots[i].state == SLOT_EMPTY) {
            slots[i] = (struct slot){.state = SLOT_SERVING,
                                     .generation = 2,
                                     .started_ms = now_ms,
                                     .serving_ms = now_ms};
            count--;
        }
}

/* A crash loop, played through: each worker lives for so long, and nobody asks it anything. */
static unsigned play(uint64_t life_ms)
{
    struct governor governor = {0};
    struct slot slots[ENTRIES];
    unsigned boots = 0;

    fill(slots, "--------");
    for (uint64_t now_ms = NOW; now_ms < NOW + CRASH_MS; now_ms += CRASH_STEP_MS) {
        struct policy_verdict got;
        const struct policy_view view = {now_ms,    2,     CRASH_WORKERS,
                                         &governor, slots, ENTRIES};

        crash_some(slots, &governor, life_ms, now_ms);
        for (int i = 0; i < ENTRIES; i++)
            if (slots[i].state == SLOT_SERVING)
                (void)governor_on_alive(
                    &governor, &slots[i], false,
                    CRASH_WORKERS - policy_count_live(slots, ENTRIES, 2), now_ms);
        (void)governor_on_enough(&governor, &view);
        policy_decide(&view, &got);
        start_some(slots, got.start, now_ms);
        boots += got.start;
    }
    return boots;
}

static void a_crash_loop_boots_rarely(void **state)
{
    static const uint64_t life_ms[] = {0,    10,   500,  1000, 1500,  2000, 4990,
                                       5100, 6000, 7000, 9000, 10000, 20000};

    (void)state;
    for (size_t i = 0; i < COUNT_OF(life_ms); i++) {
        const unsigned boots = play(life_ms[i]);

        if (boots < CRASH_WORKERS || boots > CRASH_WORKERS + 6)
            fail_msg("each lives %u ms: %u boots", (unsigned)life_ms[i], boots);
    }
}

static void counts(void **state)
{
    struct slot slots[ENTRIES];

    (void)state;
    fill(slots, "'D'DSSsbK-");
    assert_int_equal(policy_count_live(slots, ENTRIES, 2), 4);
    assert_int_equal(policy_count_state(slots, ENTRIES, 2, SLOT_SERVING), 2);
    assert_int_equal(policy_count_state(slots, ENTRIES, 2, SLOT_DRAINING), 0);
    assert_int_equal(policy_count_state(slots, ENTRIES, 0, SLOT_EMPTY), 1);
    assert_int_equal(policy_count_old(slots, ENTRIES, 2), 1);
    assert_int_equal(policy_count_old(slots, ENTRIES, 3), 2);
    assert_int_equal(policy_count_old(slots, ENTRIES, 1), 0);
    slots[3].deadline_ms = NOW + 5;
    slots[1].deadline_ms = NOW + 4;
    assert_int_equal(policy_next_deadline(slots, ENTRIES), NOW + 4);
    assert_true(policy_next_deadline(slots, 1) == UINT64_MAX);
}

static void gives_up_one_that_does_not_serve(void **state)
{
    static const struct {
        const char *picture;
        int want; /* -1: nobody */
    } table[] = {
        {"SSS-----", 2}, {"bSS-----", 0}, {"SsS-----", 1},
        {"bSsS----", 2}, {"SS'SDKR-", 1}, {"DKR-----", -1},
    };
    struct slot slots[ENTRIES], *slot;

    (void)state;
    for (size_t i = 0; i < COUNT_OF(table); i++) {
        fill(slots, table[i].picture);
        slot = policy_choose_surplus(slots, ENTRIES, 2);
        assert_int_equal(slot == NULL ? -1 : slot - slots, table[i].want);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(decides),
        cmocka_unit_test(delays_double_up_to_a_minute),
        cmocka_unit_test(deaths_together_earn_one_delay),
        cmocka_unit_test(a_probe_that_serves_releases_the_rest),
        cmocka_unit_test(a_probe_that_lives_lets_one_more_start),
        cmocka_unit_test(a_probe_lives_as_long_as_the_last_delay),
        cmocka_unit_test(all_there_is_recovered),
        cmocka_unit_test(a_crash_loop_boots_rarely),
        cmocka_unit_test(counts),
        cmocka_unit_test(gives_up_one_that_does_not_serve),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
