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
    {"from nothing", "--------", 3, {0, 0}, 3, 0, UINT64_MAX},
    {"all there", "SSS-----", 3, {0, 0}, 0, 0, UINT64_MAX},
    {"one died", "S-S-----", 3, {0, 0}, 1, 0, UINT64_MAX},
    {"starting and standby count", "Ssb-----", 3, {0, 0}, 0, 0, UINT64_MAX},
    {"retiring wants a successor", "SSR-----", 3, {0, 0}, 1, 0, UINT64_MAX},
    {"draining and killed do not count", "SDK-----", 2, {0, 0}, 1, 0, UINT64_MAX},
    {"another generation does not count", "'S'S------", 2, {0, 0}, 2, 0, UINT64_MAX},
    {"one too many", "SSSS----", 3, {0, 0}, 0, 1, UINT64_MAX},
    {"no room", "SDDDDDDD", 2, {0, 0}, 0, 0, UINT64_MAX},
    {"room for one of two", "DDDDDDD-", 2, {0, 0}, 1, 0, UINT64_MAX},
    {"back-off: wait", "S-------", 2, {1, NOW + 700}, 0, 0, NOW + 700},
    {"back-off: one probe", "--------", 3, {1, NOW}, 1, 0, UINT64_MAX},
    {"back-off: the probe starts", "b-------", 3, {1, NOW - 500}, 0, 0, UINT64_MAX},
    {"back-off: the probe serves", "S-------", 3, {1, NOW - 500}, 0, 0, UINT64_MAX},
    {"back-off: an old one is no probe", "S-------", 3, {1, NOW - 100}, 1, 0, UINT64_MAX},
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

static void a_probe_that_serves_releases_the_rest(void **state)
{
    const struct governor failed = {2, NOW};
    const struct slot old = {.started_ms = NOW - 1, .serving_ms = NOW - 1};
    const struct slot probe = {.started_ms = NOW, .serving_ms = NOW + 50};
    struct governor governor = failed;

    (void)state;
    assert_false(governor_on_alive(&governor, &old, true, NOW + 9000));
    assert_false(governor_on_alive(&governor, &probe, false, NOW + 2049));
    assert_int_equal(governor.failures, 2);
    assert_true(governor_on_alive(&governor, &probe, true, NOW + 60));
    assert_int_equal(governor.failures, 0);
    governor = failed;
    assert_true(governor_on_alive(&governor, &probe, false, NOW + 2050));
    assert_int_equal(governor.failures, 0);
    assert_false(governor_on_alive(&governor, &probe, true, NOW + 2050));
}

/* A crash loop, played through: every start dies at once. */
static void a_crash_loop_boots_rarely(void **state)
{
    struct governor governor = {0};
    struct slot slots[ENTRIES];
    unsigned boots = 0;

    (void)state;
    fill(slots, "--------");
    for (uint64_t now_ms = NOW; now_ms < NOW + 30000; now_ms += 10) {
        struct policy_verdict got;
        const struct policy_view view = {now_ms, 2, 4, &governor, slots, ENTRIES};

        policy_decide(&view, &got);
        boots += got.start;
        for (unsigned i = 0; i < got.start; i++)
            governor_on_death(&governor, now_ms);
    }
    assert_in_range(boots, 4, 4 + 6);
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

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(decides),
        cmocka_unit_test(delays_double_up_to_a_minute),
        cmocka_unit_test(deaths_together_earn_one_delay),
        cmocka_unit_test(a_probe_that_serves_releases_the_rest),
        cmocka_unit_test(a_crash_loop_boots_rarely),
        cmocka_unit_test(counts),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
