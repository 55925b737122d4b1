/* SPDX-License-Identifier: MIT */
/*
 * test_master_recycle - whose turn it is to be recycled, and when it is nobody's.
 */
#include "common/check.h"
#include "master/recycle.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <string.h>
#include <cmocka.h>

enum { ENTRIES = 8, NOBODY = -1 };

/* One letter per entry, as in test_master_policy; w: serves, and is to be recycled; a digit:
 * the same, since then. */
static void fill(struct slot slots[static ENTRIES], const char *picture)
{
    static const char letters[] = "-bsSRDK";

    memset(slots, 0, sizeof(struct slot) * ENTRIES);
    for (size_t i = 0; picture[i] != '\0'; i++) {
        const char *at = strchr(letters, picture[i]);

        slots[i].index = (unsigned)i;
        slots[i].generation = 2;
        slots[i].state = at != NULL ? (enum slot_state)(at - letters) : SLOT_SERVING;
        if (at == NULL)
            slots[i].recycle.since_ms = (uint64_t)(picture[i] - '0');
        if (slots[i].state == SLOT_EMPTY)
            slots[i].generation = 0;
    }
}

static const struct {
    const char *name, *picture;
    unsigned want;
    int next;
} cases[] = {
    {"nobody wishes", "SSS-----", 3, NOBODY},
    {"one does", "S5S-----", 3, 1},
    {"the first to wish", "735-----", 3, 1},
    {"one is being replaced", "S5SR----", 3, NOBODY},
    {"its successor starts", "S5b-----", 3, NOBODY},
    {"its successor is ready", "S5s-----", 3, NOBODY},
    {"one is missing", "S5------", 3, NOBODY},
    {"one too many", "S5SS----", 3, NOBODY},
    {"the one before drains, entries enough", "S5SD----", 3, 1},
    {"the one before drains, a reload needs the rest", "S5SDD---", 3, NOBODY},
    {"the one before was killed", "S5SKK---", 3, NOBODY},
    {"the last free entry", "SSSSSS5-", 7, 6},
    {"no free entry", "SSSSSSS5", 8, NOBODY},
};

static void chooses(void **state)
{
    (void)state;
    for (size_t i = 0; i < COUNT_OF(cases); i++) {
        struct slot slots[ENTRIES];
        const struct recycle_view view = {2, cases[i].want, slots, ENTRIES};
        const struct slot *next;

        fill(slots, cases[i].picture);
        next = recycle_next(&view);
        if ((next == NULL ? NOBODY : (int)next->index) != cases[i].next)
            fail_msg("%s: %d", cases[i].name, next == NULL ? NOBODY : (int)next->index);
    }
}

static void an_old_generation_is_left_alone(void **state)
{
    struct slot slots[ENTRIES];
    const struct recycle_view view = {3, 3, slots, ENTRIES};

    (void)state;
    fill(slots, "S5S-----");
    assert_null(recycle_next(&view));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(chooses),
        cmocka_unit_test(an_old_generation_is_left_alone),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
