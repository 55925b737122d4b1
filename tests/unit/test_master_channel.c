/* SPDX-License-Identifier: MIT */
/*
 * test_master_channel - what a hostile worker may say to the master, and what comes
 * through.
 */
#include "common/check.h"
#include "common/fd.h"
#include "common/log.h"
#include "master/channel.h"

#include <fcntl.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>
#include <cmocka.h>

enum { PID = 4711, GENERATION = 7 };

struct fixture {
    struct ev_loop *loop;
    struct channel channel;
    int worker; /* the other end */
    unsigned heard, eofs;
    struct message last;
};

static void on_message(struct channel *channel, const struct message *message)
{
    struct fixture *f = CONTAINER_OF(channel, struct fixture, channel);

    if (message == NULL) {
        f->eofs++;
        return;
    }
    f->heard++;
    f->last = *message;
}

static int set_up(void **state)
{
    static struct fixture f;
    int pair[2];

    f = (struct fixture){.loop = ev_loop_new(EVFLAG_NOENV)};
    assert_int_equal(fd_pair(pair), 0);
    f.worker = pair[1];
    channel_open(&f.channel, f.loop, pair[0], on_message);
    channel_set_peer(&f.channel, PID, GENERATION);
    log_set_fd(open("/dev/null", O_WRONLY | O_CLOEXEC));
    *state = &f;
    return 0;
}

static int tear_down(void **state)
{
    struct fixture *f = *state;
    int null = log_get_fd();

    log_set_fd(2);
    fd_close(&null);
    channel_close(&f->channel);
    fd_close(&f->worker);
    ev_loop_destroy(f->loop);
    return 0;
}

static void turn(struct fixture *f)
{
    ev_run(f->loop, EVRUN_NOWAIT);
}

static void hears_its_worker(void **state)
{
    struct fixture *f = *state;

    message_send(f->worker, MESSAGE_READY, GENERATION, PID, 78, "no such plugin", -1);
    turn(f);
    assert_int_equal(f->heard, 1);
    assert_int_equal(f->last.type, MESSAGE_READY);
    assert_int_equal(f->last.arg, 78);
    assert_string_equal(f->last.text, "no such plugin");
}

static const struct {
    const char *name;
    uint32_t magic, type, generation;
    int32_t pid;
    size_t size;
} hostile[] = {
    {"another pid", MESSAGE_MAGIC, MESSAGE_READY, GENERATION, PID + 1,
     sizeof(struct message)},
    {"another generation", MESSAGE_MAGIC, MESSAGE_READY, GENERATION + 1, PID,
     sizeof(struct message)},
    {"a command of the master", MESSAGE_MAGIC, MESSAGE_DRAIN, GENERATION, PID,
     sizeof(struct message)},
    {"no such type", MESSAGE_MAGIC, 4000000000u, GENERATION, PID, sizeof(struct message)},
    {"type 0", MESSAGE_MAGIC, 0, GENERATION, PID, sizeof(struct message)},
    {"no magic", 0, MESSAGE_READY, GENERATION, PID, sizeof(struct message)},
    {"too short", MESSAGE_MAGIC, MESSAGE_READY, GENERATION, PID, 24},
    {"one byte", MESSAGE_MAGIC, MESSAGE_READY, GENERATION, PID, 1},
    {"too long", MESSAGE_MAGIC, MESSAGE_READY, GENERATION, PID,
     sizeof(struct message) + 100},
};

static void drops_what_is_hostile_and_goes_on(void **state)
{
    struct fixture *f = *state;

    for (size_t i = 0; i < COUNT_OF(hostile); i++) {
        char bytes[sizeof(struct message) + 100] = "";
        struct message m = {.magic = hostile[i].magic,
                            .type = hostile[i].type,
                            .generation = hostile[i].generation,
                            .pid = hostile[i].pid};

        memcpy(bytes, &m, sizeof(m));
        assert_true(send(f->worker, bytes, hostile[i].size, 0) > 0);
        turn(f);
        if (f->heard != 0)
            fail_msg("%s came through", hostile[i].name);
    }
    message_send(f->worker, MESSAGE_BYE, GENERATION, PID, 0, NULL, -1);
    turn(f);
    assert_int_equal(f->heard, 1);
    assert_int_equal(f->eofs, 0);
}

static void ends_a_text_that_does_not(void **state)
{
    struct fixture *f = *state;
    struct message m = {.magic = MESSAGE_MAGIC,
                        .type = MESSAGE_READY,
                        .generation = GENERATION,
                        .pid = PID,
                        .arg = 70};

    memset(m.text, 'x', sizeof(m.text));
    assert_true(send(f->worker, &m, sizeof(m), 0) > 0);
    turn(f);
    assert_int_equal(f->heard, 1);
    assert_int_equal(strlen(f->last.text), MESSAGE_TEXT - 1);
}

static void takes_no_descriptor(void **state)
{
    struct fixture *f = *state;
    const int before = fd_count();

    for (int i = 0; i < 10; i++)
        message_send(f->worker, MESSAGE_READY, GENERATION, PID, 0, NULL, f->worker);
    turn(f);
    assert_int_equal(f->heard, 0);
    assert_int_equal(fd_count(), before);
}

/* One that never stops talking must not keep the loop from others. */
static void reads_a_flood_in_portions(void **state)
{
    struct fixture *f = *state;
    unsigned sent = 0;

    while (message_send(f->worker, MESSAGE_BYE, GENERATION, PID, 0, NULL, -1) == 0)
        sent++;
    turn(f);
    assert_in_range(f->heard, 1, sent - 1);
    for (unsigned i = 0; i < sent; i++)
        turn(f);
    assert_int_equal(f->heard, sent);
}

static void says_once_that_the_other_end_is_closed(void **state)
{
    struct fixture *f = *state;

    message_send(f->worker, MESSAGE_BYE, GENERATION, PID, 0, NULL, -1);
    fd_close(&f->worker);
    turn(f);
    turn(f);
    assert_int_equal(f->heard, 1);
    assert_int_equal(f->eofs, 1);
    channel_drain(&f->channel);
    assert_int_equal(f->eofs, 1);
    assert_int_equal(channel_send(&f->channel, MESSAGE_GO, 0, -1), -1);
}

static void drains_last_words(void **state)
{
    struct fixture *f = *state;

    message_send(f->worker, MESSAGE_READY, GENERATION, PID, 78, "bad option", -1);
    fd_close(&f->worker);
    channel_drain(&f->channel);
    assert_int_equal(f->heard, 1);
    assert_string_equal(f->last.text, "bad option");
}

static void sends_with_pid_and_generation(void **state)
{
    struct fixture *f = *state;
    struct message m;
    int passed;

    assert_int_equal(channel_send(&f->channel, MESSAGE_DRAIN, 25000, -1), 0);
    assert_int_equal(message_recv(f->worker, &m, &passed), 1);
    assert_int_equal(m.type, MESSAGE_DRAIN);
    assert_int_equal(m.arg, 25000);
    assert_int_equal(m.pid, PID);
    assert_int_equal(m.generation, GENERATION);
}

/* How a reload knows that no old worker accepts any more. */
static void knows_what_was_not_heard(void **state)
{
    struct fixture *f = *state;
    struct message m;
    int passed;

    assert_false(channel_is_unheard(&f->channel));
    assert_int_equal(channel_send(&f->channel, MESSAGE_DRAIN, 25000, -1), 0);
    assert_true(channel_is_unheard(&f->channel));
    assert_int_equal(message_recv(f->worker, &m, &passed), 1);
    assert_false(channel_is_unheard(&f->channel));
    channel_send(&f->channel, MESSAGE_DRAIN, 25000, -1);
    fd_close(&f->worker);
    assert_false(channel_is_unheard(&f->channel));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(hears_its_worker, set_up, tear_down),
        cmocka_unit_test_setup_teardown(drops_what_is_hostile_and_goes_on, set_up,
                                        tear_down),
        cmocka_unit_test_setup_teardown(ends_a_text_that_does_not, set_up, tear_down),
        cmocka_unit_test_setup_teardown(takes_no_descriptor, set_up, tear_down),
        cmocka_unit_test_setup_teardown(reads_a_flood_in_portions, set_up, tear_down),
        cmocka_unit_test_setup_teardown(says_once_that_the_other_end_is_closed, set_up,
                                        tear_down),
        cmocka_unit_test_setup_teardown(drains_last_words, set_up, tear_down),
        cmocka_unit_test_setup_teardown(knows_what_was_not_heard, set_up, tear_down),
        cmocka_unit_test_setup_teardown(sends_with_pid_and_generation, set_up, tear_down),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
