/* SPDX-License-Identifier: MIT */
/*
 * test_master_lost - the lines of requests whose worker died, in each format; never twice.
 */
#include "master/lost.h"

#include "common/check.h"
#include "common/clock.h"
#include "common/fd.h"
#include "common/log.h"
#include "conf/conf.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <time.h>
#include <unistd.h>

#include <cmocka.h>

enum { INDEX = 2, TEXT = 65536 };

struct mourner {
    struct master master;
    struct conf conf;
    struct slot slot;
    struct ledger_entry *entry;
    struct board_ring *ring;
    int board_fd, log;
    char text[TEXT];
};

static int setup(void **state)
{
    struct mourner *m = calloc(1, sizeof(*m));

    setenv("TZ", "UTC", 1);
    *state = m;
    m->master.board = board_create(&m->board_fd);
    if (m->master.board == NULL)
        return -1;
    board_set32(&m->master.board->worker_slots, 4);
    m->log = memfd_create("log", MFD_CLOEXEC);
    m->master.running.conf = &m->conf;
    m->master.running.logs.access_fd = m->log;
    m->master.heritage.uid = (uid_t)-1;
    m->conf.log.access_format = "%h \"%r\" %s %b %X %P %{worker}x %{slot}x %{route}x "
                                "%{id}x %{note}x";
    m->slot = (struct slot){.index = INDEX, .pid = 0x1a2b};
    m->entry = m->master.board->ledger[INDEX].entry;
    m->ring = &m->master.board->ring[INDEX];
    routes_add(&m->master.board->routes[INDEX], "GET /first", "one");
    routes_add(&m->master.board->routes[INDEX], "GET /{name}", "two");
    return 0;
}

static int teardown(void **state)
{
    struct mourner *m = *state;

    board_close(&m->master.board);
    fd_close(&m->board_fd);
    fd_close(&m->log);
    free(m);
    return 0;
}

static struct ledger_entry *begin(struct mourner *m, unsigned index, uint64_t number)
{
    struct board_ledger *ledger = &m->master.board->ledger[INDEX];
    struct ledger_entry *e = &m->entry[index];

    if (index >= board_get32(&ledger->used))
        board_set32(&ledger->used, index + 1);
    *e = (struct ledger_entry){.begun_ns = clock_mono_ns() - 2000000000u,
                               .pid = m->slot.pid,
                               .peer = "10.0.0.1",
                               .route = LEDGER_NO_ROUTE,
                               .slot = LEDGER_NO_SLOT,
                               .minor = -1};
    ledger_set(e, number);
    return e;
}

static struct ledger_entry *begin_head(struct mourner *m, unsigned index, uint64_t number)
{
    struct ledger_entry *e = begin(m, index, number);

    ledger_note_head(e, (struct slice){"GET /x?y=z HTTP/1", 3}, SLICE_LIT("/x?y=z"), 1);
    e->route = 1;
    e->queued_ns = e->begun_ns + 1000;
    return e;
}

static const char *written(struct mourner *m)
{
    ssize_t n = pread(m->log, m->text, TEXT - 1, 0);

    assert_true(n >= 0);
    m->text[n] = '\0';
    return m->text;
}

static unsigned bury(struct mourner *m)
{
    unsigned count = lost_count(&m->master, &m->slot);

    lost_write(&m->master, &m->slot);
    return count;
}

static void test_each_state_has_its_line(void **state)
{
    struct mourner *m = *state;

    begin(m, 0, 1);
    begin_head(m, 1, 2);
    struct ledger_entry *e = begin_head(m, 3, 255);
    e->slot = 7;
    e->started_ns = e->queued_ns + 1000;
    assert_int_equal(bury(m), 3);
    assert_string_equal(
        written(m), "10.0.0.1 \"-\" 000 - X 6699 2 - - 1a2b-1 killed\n"
                    "10.0.0.1 \"GET /x?y=z HTTP/1.1\" 000 - X 6699 2 - /{name} 1a2b-2 "
                    "killed\n"
                    "10.0.0.1 \"GET /x?y=z HTTP/1.1\" 000 - X 6699 2 7 /{name} 1a2b-ff "
                    "killed\n");
}

static void test_named_formats(void **state)
{
    static const struct {
        const char *format, *in_it;
    } formats[] = {
        {"combined", "\"GET /x?y=z HTTP/1.1\" 000 - \"-\" \"-\"\n"},
        {"common", "\"GET /x?y=z HTTP/1.1\" 000 -\n"},
        {"json", "\"status\":0,\"bytes\":0,\"referer\":null,"},
        {"json", "\"route\":\"/{name}\",\"id\":\"1a2b-1\",\"note\":\"killed\"}\n"},
    };
    struct mourner *m = *state;

    for (size_t i = 0; i < COUNT_OF(formats); i++) {
        m->conf.log.access_format = formats[i].format;
        begin_head(m, 0, 1);
        assert_int_equal(ftruncate(m->log, 0), 0);
        assert_int_equal(lseek(m->log, 0, SEEK_SET), 0);
        assert_int_equal(bury(m), 1);
        if (strstr(written(m), formats[i].in_it) == NULL)
            fail_msg("%s: %s", formats[i].format, m->text);
        ledger_clear(&m->master.board->ledger[INDEX]);
    }
}

/* Times: it waited for 1.5 s and ran for 0.5 s, up to now. */
static void test_times(void **state)
{
    struct mourner *m = *state;
    char *end;

    m->conf.log.access_format = "%{queue}x %{service}x";
    struct ledger_entry *e = begin_head(m, 0, 1);
    e->queued_ns = e->begun_ns;
    e->started_ns = e->queued_ns + 1500000000u;
    bury(m);
    assert_int_equal(strtoull(written(m), &end, 10), 1500000);
    assert_in_range(strtoull(end, &end, 10), 500000, 60000000);
}

/* Killed between the line and the end of its entry. */
static void test_line_in_the_ring_is_the_only_one(void **state)
{
    struct mourner *m = *state;

    m->conf.log.access_format = "%{id}x";
    begin_head(m, 0, 4);
    begin_head(m, 1, 5);
    begin_head(m, 2, 6);
    assert_true(ring_put_line(m->ring, "five\n", 5, 5));
    assert_int_equal(bury(m), 2);
    assert_string_equal(written(m), "five\n1a2b-4\n1a2b-6\n");
}

static void test_numbers_of_another_worker(void **state)
{
    struct mourner *m = *state;

    m->conf.log.access_format = "%{id}x";
    assert_true(ring_put_line(m->ring, "one\n", 4, 1));
    bury(m);
    board_retire(m->master.board, INDEX);
    begin_head(m, 0, 1); /* the successor's first */
    assert_int_equal(bury(m), 1);
    assert_string_equal(written(m), "one\n1a2b-1\n");
}

static void test_nothing_is_trusted(void **state)
{
    struct mourner *m = *state;

    memset((void *)m->entry, 0xff, 3 * sizeof(*m->entry));
    for (unsigned i = 0; i < 3; i++)
        ledger_set(&m->entry[i], 100 + i);
    board_set32(&m->master.board->ledger[INDEX].used, 3);
    m->entry[1].minor = 1;
    memset((void *)m->ring, 0xff, 64);
    atomic_store(&m->ring->line_of, 5); /* one of nobody's */
    memset((void *)&m->master.board->routes[INDEX], 0xff, sizeof(struct board_routes));
    assert_int_equal(bury(m), 3);
    unsigned lines = 0;
    for (const char *at = written(m); (at = strchr(at, '\n')) != NULL; at++)
        lines++;
    assert_int_equal(lines, 3);
}

static void test_off(void **state)
{
    struct mourner *m = *state;

    m->master.running.logs.access_fd = -1;
    begin_head(m, 0, 1);
    assert_int_equal(bury(m), 1);
    assert_int_equal(ring_pending(m->ring), 0);
}

/* ---- between two workers ---- */

enum { SENDER = 1 };

static struct ledger_entry *send_one(struct mourner *m, uint64_t number, uint64_t age_ms)
{
    struct ledger_entry *e = &m->master.board->ledger[SENDER].entry[0];

    board_set32(&m->master.board->ledger[SENDER].used, 1);
    *e = (struct ledger_entry){
        .pid = 77, .minor = -1, .peer = "10.0.0.9", .slot = LEDGER_NO_SLOT};
    e->sent_ns = clock_mono_ns() - age_ms * 1000000;
    ledger_set(e, number | LEDGER_SENT);
    return e;
}

/* The receiver died between its entry and the claim, or after it: one line either way. */
static void test_receiver_died(void **state)
{
    struct mourner *m = *state;
    struct ledger_entry *sent = send_one(m, 9, 0);

    m->conf.log.access_format = "%{id}x";
    struct ledger_entry *e = begin_head(m, 0, 4);
    e->origin = ledger_ticket(9, 0);
    e->origin_worker = SENDER;
    assert_int_equal(bury(m), 1);
    assert_string_equal(written(m), "1a2b-4\n");
    assert_int_equal(sent->number, 9 | LEDGER_TAKEN);
    assert_int_equal(bury(m), 1); /* as if it had claimed it itself */
}

/* It arrived too late: its line had been written. */
static void test_receiver_was_late(void **state)
{
    struct mourner *m = *state;

    ledger_set(send_one(m, 9, 0), 9 | LEDGER_LOGGED);
    struct ledger_entry *e = begin_head(m, 0, 4);
    e->origin = ledger_ticket(9, 0);
    e->origin_worker = SENDER;
    assert_int_equal(bury(m), 0);
    assert_string_equal(written(m), "");
}

/* Of the dead sender's too, when nobody has claimed it for long; never before. */
static void test_sender_died(void **state)
{
    struct mourner *m = *state;
    struct board_ledger *ledger = &m->master.board->ledger[SENDER];
    struct ledger_entry *sent = send_one(m, 9, LEDGER_TAKE_MS - 2000);

    m->master.slot_count = 4;
    m->conf.log.access_format = "%P %{id}x %{note}x";
    m->slot.index = SENDER;
    assert_int_equal(bury(m), 0);
    board_retire(m->master.board, SENDER);
    assert_int_equal(ledger->left, 1);
    lost_each_second(&m->master);
    assert_string_equal(written(m), "");
    sent->sent_ns -= 3000000000u;
    lost_each_second(&m->master);
    lost_each_second(&m->master);
    assert_string_equal(written(m), "77 4d-9 killed\n");
    assert_false(ledger_claim(ledger, ledger_ticket(9, 0)));
    sent->sent_ns -= LEDGER_KEPT_MS * UINT64_C(1000000);
    lost_each_second(&m->master);
    assert_int_equal(sent->number, 0);
    assert_int_equal(ledger->left, 0);
}

/* In a stop nobody waits so long for it: nobody is left to claim it. */
static void test_lost_in_a_stop(void **state)
{
    struct mourner *m = *state;

    (void)send_one(m, 9, 0);
    m->master.slot_count = 4;
    m->conf.log.access_format = "%P %{id}x %{note}x";
    m->slot.index = SENDER;
    assert_int_equal(bury(m), 0);
    board_retire(m->master.board, SENDER);
    lost_at_end(&m->master);
    lost_at_end(&m->master);
    assert_string_equal(written(m), "77 4d-9 killed\n");
}

/* What the error log shows: each, up to a bound, then a number. */
static void test_told(void **state)
{
    struct mourner *m = *state;
    int error_log = memfd_create("error", MFD_CLOEXEC);
    char text[8192] = "";

    begin(m, 0, 1);
    for (unsigned i = 1; i < 10; i++)
        begin_head(m, i, i + 1);
    m->entry[1].slot = 3;
    m->entry[1].started_ns = m->entry[1].queued_ns;
    m->entry[2].route = LEDGER_NO_ROUTE;
    log_set_fd(error_log);
    lost_tell(&m->master, &m->slot, 10, 4);
    lost_tell(&m->master, &m->slot, 10, 0);
    log_set_fd(2);
    assert_true(pread(error_log, text, sizeof(text) - 1, 0) > 0);
    fd_close(&error_log);
    assert_non_null(
        strstr(text, " lost: an unfinished head from 10.0.0.1, being read, after 20"));
    assert_non_null(
        strstr(text, " lost: GET /x from 10.0.0.1, route GET /{name} of plugin two, "
                     "running in slot 3, after 20"));
    assert_non_null(strstr(text, " lost: GET /x from 10.0.0.1, waiting, after 20"));
    assert_non_null(strstr(text, " lost: 6 more requests\n"));
    assert_null(
        strstr(text, "y=z")); /* what a client has put there is not for this log */
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(test_each_state_has_its_line, setup, teardown),
        cmocka_unit_test_setup_teardown(test_named_formats, setup, teardown),
        cmocka_unit_test_setup_teardown(test_times, setup, teardown),
        cmocka_unit_test_setup_teardown(test_line_in_the_ring_is_the_only_one, setup,
                                        teardown),
        cmocka_unit_test_setup_teardown(test_numbers_of_another_worker, setup, teardown),
        cmocka_unit_test_setup_teardown(test_nothing_is_trusted, setup, teardown),
        cmocka_unit_test_setup_teardown(test_off, setup, teardown),
        cmocka_unit_test_setup_teardown(test_receiver_died, setup, teardown),
        cmocka_unit_test_setup_teardown(test_receiver_was_late, setup, teardown),
        cmocka_unit_test_setup_teardown(test_sender_died, setup, teardown),
        cmocka_unit_test_setup_teardown(test_lost_in_a_stop, setup, teardown),
        cmocka_unit_test_setup_teardown(test_told, setup, teardown),
    };

    return cmocka_run_group_tests_name("master_lost", tests, NULL, NULL);
}
