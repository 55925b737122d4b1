/* SPDX-License-Identifier: MIT */
/*
 * test_master_estate - what one master image leaves is what the next one reads; anything else
 * is refused with the line it is in.
 */
#include "common/check.h"
#include "common/fd.h"
#include "master/estate.h"

#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

static struct fault fault;

static struct estate *make(void)
{
    static const struct conf_told told = {"env", "A b", "two\nlines %41 \x7f", "",
                                          CONF_FROM_DEFINE};
    struct estate *e = estate_create();

    assert_non_null(e);
    e->abi = (struct estate_abi){1, 2, 3};
    e->self = (struct estate_self){.saved_ms = UINT64_MAX,
                                   .number = 4,
                                   .last_number = 9,
                                   .want = 2,
                                   .worker_slots = 3,
                                   .reload_waits = true,
                                   .upgrade_waits = true,
                                   .oom.fd = 16,
                                   .board_fd = 7,
                                   .error_log_fd = 2,
                                   .access_log_fd = -1,
                                   .binary = "/opt/a b/remuda",
                                   .version = "0.1.0"};
    e->slot[0] = (struct slot){.index = 2,
                               .state = SLOT_DRAINING,
                               .pid = 4711,
                               .generation = 3,
                               .deadline_ms = 5,
                               .limits = {1, 2, 3, 4},
                               .doom_text = "not needed any more",
                               .lost = true,
                               .channel.fd = 11,
                               .written_fd = 17};
    e->slot_count = 1;
    e->control.socket.fd = 14;
    e->peer[0] = (struct control_peer){.fd = 15, .pid = 42};
    e->peer_count = 1;
    for (int i = 0; i < 4; i++)
        e->inbox[i] = (struct heritage_inbox){20 + 2 * i, 21 + 2 * i};
    e->inbox_count = 4;
    e->listener[0] = (struct listener){.fd = 12,
                                       .key = "unix:/run/x y",
                                       .name = "unix:/run/x y",
                                       .unix_socket = true,
                                       .device = 1,
                                       .inode = 1ull << 40};
    e->listener_count = 1;
    e->image[0] = (struct heritage_image){.fd = -1, .inode = 5, .mtime_ns = 6};
    e->image_count = 1;
    assert_true(estate_add_named(e, "control", 13));
    assert_true(estate_add_told(e, &told));
    return e;
}

static char *text_of(const struct estate *e)
{
    int fd = estate_write(e);
    off_t n = lseek(fd, 0, SEEK_END);
    char *text = calloc(1, (size_t)n + 1);

    assert_true(fd >= 0);
    assert_non_null(text);
    assert_int_equal(pread(fd, text, (size_t)n, 0), n);
    fd_close(&fd);
    return text;
}

static struct estate *read_text(const char *text)
{
    int fd = memfd_create("test", MFD_CLOEXEC | MFD_ALLOW_SEALING);
    struct estate *e;

    assert_int_equal(fd_write_all(fd, text, strlen(text)), 0);
    assert_int_equal(fcntl(fd, F_ADD_SEALS, F_SEAL_WRITE), 0);
    e = estate_read(fd, &fault);
    fd_close(&fd);
    return e;
}

/* ---- it arrives ---- */

static void test_round_trip(void **state)
{
    struct estate *e = make();
    char *text = text_of(e);
    struct estate *r = read_text(text);
    char *again;

    (void)state;
    assert_non_null(r);
    again = text_of(r);
    assert_string_equal(again, text);
    assert_true(r->self.saved_ms == UINT64_MAX);
    assert_string_equal(r->self.binary, "/opt/a b/remuda");
    assert_int_equal(r->slot[0].state, SLOT_DRAINING);
    assert_int_equal(r->slot[0].channel.fd, 11);
    assert_int_equal(r->slot[0].limits.loop_block, 4);
    assert_string_equal(r->slot[0].doom_text, "not needed any more");
    assert_true(r->slot[0].lost && !r->slot[0].said_bye);
    assert_true(r->listener[0].inode == 1ull << 40);
    assert_string_equal(r->told[0].text, "two\nlines %41 \x7f");
    assert_int_equal(r->told[0].from, CONF_FROM_DEFINE);
    free(text);
    free(again);
    estate_destroy(&r);
    estate_destroy(&e);
}

static void test_named_is_taken_once(void **state)
{
    struct estate *e = make();

    (void)state;
    assert_int_equal(estate_take_named(e, "other"), -1);
    assert_int_equal(estate_take_named(e, "control"), 13);
    assert_int_equal(estate_take_named(e, "control"), -1);
    for (size_t i = e->named_count; i < ESTATE_NAMED; i++)
        assert_true(estate_add_named(e, "more", 1));
    assert_false(estate_add_named(e, "more", 1));
    estate_destroy(&e);
}

static void sum_fd(void *arg, const char *what, int fd)
{
    (void)what;
    *(int *)arg += fd;
}

/* Board, one log, channel, four inboxes, listener, named, control socket, its peer, two counters:
 * -1 is none. */
static void test_each_descriptor(void **state)
{
    struct estate *e = make();
    int sum = 0;

    (void)state;
    estate_each_fd(e, sum_fd, &sum);
    assert_int_equal(sum, 7 + 2 + 11 + (20 + 21 + 22 + 23 + 24 + 25 + 26 + 27) + 12 + 13 +
                              14 + 15 + 16 + 17);
    estate_destroy(&e);
}

/* ---- what a later version may add ---- */

static char *replaced(const char *text, const char *what, const char *by)
{
    const char *at = strstr(text, what);
    char *out = NULL;

    assert_non_null(at);
    assert_true(
        asprintf(&out, "%.*s%s%s", (int)(at - text), text, by, at + strlen(what)) > 0);
    return out;
}

static void test_more_is_passed_over(void **state)
{
    static const struct {
        const char *what, *by;
    } rows[] = {
        {" want=2", " speed=9 want=2"},      /* a field before one that is known */
        {" inbox=3\n", " inbox=3 more=1\n"}, /* a field behind all */
        {"\nnamed name=", "\nzebra a=1 b=2\nnamed name="}, /* a record */
    };

    (void)state;
    for (size_t i = 0; i < COUNT_OF(rows); i++) {
        struct estate *e = make();
        char *text = text_of(e);
        char *more = replaced(text, rows[i].what, rows[i].by);
        char *counted = i == 2 ? replaced(more, "\nend 14", "\nend 15") : strdup(more);
        struct estate *r = read_text(counted);

        if (r == NULL)
            fail_msg("%s", fault.text);
        estate_destroy(&r);
        estate_destroy(&e);
        free(text);
        free(more);
        free(counted);
    }
}

/* ---- what is refused ---- */

static void test_refused(void **state)
{
    static const struct {
        const char *what, *by, *why;
    } rows[] = {
        {"remuda-estate 1", "remuda-estate 2", "this binary reads"},
        {"remuda-estate 1", "hello", "this binary reads"},
        {"\nend 14\n", "\nend 13\n", "end: is missing"},
        {"\nend 14\n", "\n", "end: is missing"},
        {"\nend 14\n", "\nend 14", "end: is missing"},
        {"\nend 14\n", "\nend 14\nself\n", "more behind it"},
        {"\nabi ", "\nxyz ", "abi: is missing"},
        {"\nself ", "\nxyz ", "self: is missing"},
        {"\ncontrol ", "\nxyz ", "control: is missing"},
        {" want=2", "", "want: is missing"},
        {" want=2", " want", "without a value"},
        {" want=2", " want=", "want: not a number that fits"},
        {" want=2", " want=-1", "want: not a number that fits"},
        {" want=2", " want=4294967296", "want: not a number that fits"},
        {" want=2", " want=2x", "want: not a number that fits"},
        {" want=2", " want=0", "do not agree"},
        {" want=2", " want=4", "do not agree"},
        {" worker_slots=3", " worker_slots=4", "do not agree"},
        {" worker_slots=3", " worker_slots=257", "do not agree"},
        {" reload_waits=1", " reload_waits=2", "neither 0 nor 1"},
        {" board_fd=7", " board_fd=99999999999", "not a number that fits"},
        {" pid=4711", " pid=1", "no possible worker"},
        {" state=5", " state=0", "no possible worker"},
        {" state=5", " state=7", "no possible worker"},
        {" index=2", " index=3", "no possible worker"},
        {" from=4", " from=0", "no possible origin"},
        {" from=4", " from=6", "no possible origin"},
        {"%20b", "%2gb", "an escape that is none"},
        {"%20b", "%00b", "an escape that is none"},
        {"doom=",
         "doom=xxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxx"
         "xxxxxxxxxxxxxxxxxxxxxxxxxxxxxx",
         "too long"},
    };

    (void)state;
    for (size_t i = 0; i < COUNT_OF(rows); i++) {
        struct estate *e = make();
        char *text = text_of(e);
        char *wrong = replaced(text, rows[i].what, rows[i].by);
        struct estate *r = read_text(wrong);

        if (r != NULL || strstr(fault.text, rows[i].why) == NULL)
            fail_msg("row %zu: '%s' instead of '%s'", i, r != NULL ? "" : fault.text,
                     rows[i].why);
        estate_destroy(&e);
        free(text);
        free(wrong);
    }
}

/* No byte less than all of it is an estate. */
static void test_cut(void **state)
{
    struct estate *e = make();
    char *text = text_of(e);

    (void)state;
    for (size_t n = strlen(text); n-- > 0;) {
        text[n] = '\0';
        if (n > 0)
            assert_null(read_text(text));
    }
    free(text);
    estate_destroy(&e);
}

static void test_not_sealed(void **state)
{
    struct estate *e = make();
    char *text = text_of(e);
    int fd = memfd_create("test", MFD_CLOEXEC | MFD_ALLOW_SEALING);

    (void)state;
    assert_int_equal(fd_write_all(fd, text, strlen(text)), 0);
    assert_null(estate_read(fd, &fault));
    assert_non_null(strstr(fault.text, "holds no estate"));
    fd_close(&fd);
    assert_null(estate_read(-1, &fault));
    free(text);
    estate_destroy(&e);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_round_trip),
        cmocka_unit_test(test_named_is_taken_once),
        cmocka_unit_test(test_each_descriptor),
        cmocka_unit_test(test_more_is_passed_over),
        cmocka_unit_test(test_refused),
        cmocka_unit_test(test_cut),
        cmocka_unit_test(test_not_sealed),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
