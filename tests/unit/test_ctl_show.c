/* SPDX-License-Identifier: MIT */
/*
 * test_ctl_show - tables and JSON of a scoreboard that was filled by hand.
 */
#include "cli/ctl_board.h"
#include "cli/ctl_show.h"
#include "common/check.h"
#include "common/fd.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>

enum { NOW = 100000 };

static const char get[BOARD_METHOD] = "GET", post[BOARD_METHOD] = "POST";
static const char inet[BOARD_PEER] = "10.0.0.1:9", inet6[BOARD_PEER] = "[::1]:9";
static const char local[BOARD_PEER] = "unix:";
static int board_fd;

static int set_up(void **state)
{
    struct board *board = board_create(&board_fd);
    struct board_worker *w;

    assert_non_null(board);
    board_set32(&board->worker_slots, 4);
    board_set32(&board->generation, 3);
    board_set32(&board->readiness, BOARD_IS_PAUSED);
    board_set(&board->started_ms, NOW - 62000);
    board_set(&board->retired.requests, 1000);
    w = &board->worker[2];
    board_set32(&w->state, BOARD_RETIRING);
    board_set32(&w->generation, 3);
    w->pid = 4711;
    board_set32(&w->threads, 4);
    board_set(&w->started_ms, NOW - 500);
    board_set32(&w->load, 3);
    board_set32(&w->flights_load, 2);
    board_set32(&w->waiting, 1);
    board_set32(&w->connections, 7);
    board_set(&w->counters.requests, 234);
    board_set(&w->rss_bytes, 3 << 20);
    board_record_begin(&w->slot[1], NOW - 1500, get, slice_of("/a\"\x1b[2J\xc2\x9b\xff"),
                       inet, 0);
    board_record_begin(&w->slot[3], NOW - 70000, post, slice_of("/late"), local, 0);
    board_set32(&w->slot[3].state, BOARD_SLOT_LATE);
    board_record_begin(&w->flight[0], NOW - 20, get, slice_of("/flight"), inet6, 0);
    *state = board;
    return 0;
}

static int tear_down(void **state)
{
    struct board *board = *state;

    board_close(&board);
    fd_close(&board_fd);
    return 0;
}

typedef void view_fn(FILE *out, const struct ctl_view_of *view);

static char *shown(void **state, view_fn *fn)
{
    const struct ctl_view_of view = {
        .board = *state, .now_ms = NOW, .pid = 99, .status = "paused: \"all\" of it"};
    char *text;
    size_t size;
    FILE *out = open_memstream(&text, &size);

    fn(out, &view);
    fclose(out);
    return text;
}

static void assert_says(char *text, const char *const *parts)
{
    for (; *parts != NULL; parts++)
        if (strstr(text, *parts) == NULL)
            fail_msg("no '%s' in:\n%s", *parts, text);
    for (const char *c = text; *c != '\0'; c++)
        if ((unsigned char)*c < ' ' && *c != '\n')
            fail_msg("a control byte in:\n%s", text);
    free(text);
}

static void workers_as_a_table(void **state)
{
    static const char *const parts[] = {
        "paused: \"all\" of it\n",
        "readiness paused, master 99, generation 3, up 1m02s, 1234 requests",
        "WORKER  STATE",
        "     2  retiring     4711     3",
        " 2/4, 1 late ",
        "      234     3.0M\n",
        NULL};

    assert_says(shown(state, ctl_show_workers), parts);
}

static void workers_as_json(void **state)
{
    static const char *const parts[] = {"\"readiness\": \"paused\"",
                                        "\"status\": \"paused: \\\"all\\\" of it\"",
                                        "\"worker\": 2, \"state\": \"retiring\"",
                                        "\"load\": 5, \"slots\": 4, \"slots_busy\": 2",
                                        "\"slots_late\": 1, \"waiting\": 1",
                                        "\"requests\": 1234",
                                        "\"rss_bytes\": 3145728}\n  ]\n}\n",
                                        NULL};

    assert_says(shown(state, ctl_json_workers), parts);
}

static void slots_as_a_table(void **state)
{
    static const char *const parts[] = {
        "2 of 4 slots are taken",
        "     2     1  busy        1s  GET /a\"\\x1b[2J\xc2\\x9b",
        "     2     3  late     1m10s  POST /late  from unix:",
        "     2     -  flight    20ms  GET /flight  from [::1]:9", NULL};

    assert_says(shown(state, ctl_show_slots), parts);
}

static void slots_as_json(void **state)
{
    static const char *const parts[] = {
        "{\"worker\": 2, \"slot\": 1, \"state\": \"busy\", \"method\": \"GET\", "
        "\"path\": "
        "\"/a\\\"\\u001b[2J\\u00c2\\u009b\\u00ff\", \"client\": \"10.0.0.1:9\", "
        "\"age_ms\": 1500},\n",
        "\"slot\": null, \"state\": \"flight\"", "\"age_ms\": 20}\n]}\n", NULL};

    assert_says(shown(state, ctl_json_slots), parts);
}

static void a_count_that_cannot_be_is_cut(void **state)
{
    struct board *board = *state;
    struct ctl_worker worker;

    board_set32(&board->worker[2].threads, UINT32_MAX);
    board_set32(&board->worker[2].state, 77);
    board_set32(&board->readiness, 77);
    board_set(&board->started_ms, NOW + 1);
    assert_true(ctl_read_worker(board, 2, NOW, &worker));
    assert_int_equal(worker.slots, BOARD_SLOTS);
    assert_string_equal(worker.state, "?");
    assert_false(ctl_read_worker(board, 1, NOW, &worker));
    free(shown(state, ctl_show_workers));
}

typedef void text_fn(FILE *out, char *text);

static void listeners(text_fn *fn, const char *const *parts)
{
    char given[] = "0 0 unix:/run/a b.sock\n12 4096 127.0.0.1:80\n";
    char *text;
    size_t size;
    FILE *out = open_memstream(&text, &size);

    fn(out, given);
    fclose(out);
    assert_says(text, parts);
}

static void listeners_both_ways(void **state)
{
    static const char *const table[] = {"      -       -  unix:/run/a b.sock\n",
                                        "     12    4096  127.0.0.1:80\n", NULL};
    static const char *const json[] = {
        "{\"name\": \"unix:/run/a b.sock\", \"queued\": null, \"backlog\": null},",
        "{\"name\": \"127.0.0.1:80\", \"queued\": 12, \"backlog\": 4096}\n", NULL};

    (void)state;
    listeners(ctl_show_listeners, table);
    listeners(ctl_json_listeners, json);
}

#define WITH_BOARD(test) cmocka_unit_test_setup_teardown(test, set_up, tear_down)

int main(void)
{
    const struct CMUnitTest tests[] = {
        WITH_BOARD(workers_as_a_table),
        WITH_BOARD(workers_as_json),
        WITH_BOARD(slots_as_a_table),
        WITH_BOARD(slots_as_json),
        WITH_BOARD(a_count_that_cannot_be_is_cut),
        cmocka_unit_test(listeners_both_ways),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
