/* SPDX-License-Identifier: MIT */
/*
 * test_master_adopt - a master that is collected and taken again is the same one: workers,
 * numbers, descriptors and configuration; and nobody is judged by the pause.
 */
#include "tests/unit/master_fixture.h"

#include "common/log.h"

#include <fcntl.h>

/* Over the text, as exec does it. */
static struct estate *passed_on(struct estate *estate)
{
    int fd = estate_write(estate);
    struct estate *read = estate_read(fd, &fault);

    if (read == NULL)
        fail_msg("%s", fault.text);
    fd_close(&fd);
    estate_destroy(&estate);
    return read;
}

static void test_same_again(void **state)
{
    struct master *before = fixture_make();
    struct master *after = calloc(1, sizeof(*after));
    struct estate *estate = passed_on(adopt_collect(before, "", &fault));

    (void)state;
    upgrade_init(after, &fixture_launch);
    if (adopt_take(after, estate, &fault) != EXIT_OK)
        fail_msg("%s", fault.text);
    estate_destroy(&estate);
    assert_int_equal(after->phase, MASTER_RUNNING);
    assert_int_equal(after->slot_count, 3);
    assert_int_equal(after->want, 2);
    assert_int_equal(after->last_number, 7);
    assert_int_equal(after->governor.failures, 3);
    assert_int_equal(after->governor.not_before_ms, 4711);
    assert_true(after->change.wanted);
    assert_true(after->upgrade.wanted);
    assert_string_equal(after->upgrade.binary, "/usr/sbin/remuda");
    assert_int_equal(after->upgrade.before_fd, -1);
    assert_int_equal(after->heritage.board_fd, before->heritage.board_fd);
    assert_ptr_equal(after->heritage.board, after->board);
    assert_int_equal(after->heritage.uid, after->running.conf->server.uid);
    assert_int_equal(after->heritage.inbox_count, 3);
    assert_int_equal(after->heritage.inbox[2].tx, before->heritage.inbox[2].tx);
    assert_int_equal(after->heritage.common_inbox.rx, before->heritage.common_inbox.rx);
    assert_int_equal(after->running.number, 5);
    assert_int_equal(after->running.conf->server.workers, 2);
    assert_string_equal(after->running.conf->server.pid_file, "/run/x");
    assert_string_equal(after->running.conf->env.item[0].value, "b c");
    assert_int_equal(after->running.images.item[0].inode, 8);
    assert_string_equal(after->running.images.item[0].path, "/etc/passwd");
    assert_int_equal(after->slots[1].state, SLOT_EMPTY);
    assert_int_equal(after->slots[0].pid, 10);
    assert_null(after->slots[0].doom);
    assert_int_equal(after->slots[2].state, SLOT_KILLED);
    assert_int_equal(after->slots[2].limits.heartbeat, 9);
    assert_int_equal(after->slots[2].channel.fd, 77);
    assert_string_equal(after->slots[2].doom, "not needed any more");
    fixture_unmake(after, false);
    fixture_unmake(before, true);
}

/* What other parts of the master remember. */
static void test_memory_of_the_parts(void **state)
{
    struct master *before = fixture_make();
    struct master *after = calloc(1, sizeof(*after));
    struct estate *estate;
    const struct control_peer *peer;

    (void)state;
    log_set_lost(12);
    estate = passed_on(adopt_collect(before, "", &fault));
    log_set_lost(0);
    upgrade_init(after, &fixture_launch);
    if (adopt_take(after, estate, &fault) != EXIT_OK)
        fail_msg("%s", fault.text);
    estate_destroy(&estate);
    assert_int_equal(log_get_lost(), 12);
    log_set_lost(0);
    assert_int_equal(after->governor.probe_from_ms, 4712);
    assert_memory_equal(&after->flood, &before->flood, sizeof(after->flood));
    assert_memory_equal(&after->oom, &before->oom, sizeof(after->oom));
    assert_true(after->is_paused);
    assert_int_equal(after->slots[0].written_fd, -1);
    assert_int_equal(after->slots[2].written_fd, 79);
    assert_true(after->slots[2].channel.complained);
    assert_int_equal(after->slots[2].recycle.since_ms, 4713);
    assert_string_equal(after->slots[2].recycle.why, "worn");
    assert_int_equal(after->slots[2].lag.told, 4714);
    assert_int_equal(after->slots[2].lag.asked_ms, 4715);
    assert_int_equal(after->control.socket.fd, 80);
    assert_true(after->control.socket.is_for_group);
    assert_true(after->control.socket.has_made_folder);
    assert_string_equal(after->control.socket.path, "/run/a b/control.sock");
    assert_int_equal(after->control.socket.device, 8);
    assert_int_equal(after->control.socket.inode, 9);
    assert_int_equal(after->control.last_number, 10);
    assert_int_equal(after->control.warned_ms, 11);
    peer = control_find(&after->control, 9);
    assert_non_null(peer);
    assert_int_equal(peer->fd, 81);
    assert_int_equal(peer->uid, 33);
    assert_int_equal(peer->pid, 34);
    assert_int_equal(peer->verb, CONTROL_UPGRADE);
    assert_true(peer->has_begun);
    assert_int_equal(peer->deadline_ms, 35);
    assert_int_equal(after->control.peer[1].fd, -1);
    fixture_unmake(after, false);
    fixture_unmake(before, true);
}

/* The seconds in which no master looked count for no deadline. */
static void test_pause_is_nobodys_fault(void **state)
{
    struct master *before = fixture_make();
    struct master *after = calloc(1, sizeof(*after));
    struct estate *estate = adopt_collect(before, "", &fault);

    (void)state;
    upgrade_init(after, &fixture_launch);
    estate->self.saved_ms -= 5000;
    estate = passed_on(estate);
    if (adopt_take(after, estate, &fault) != EXIT_OK)
        fail_msg("%s", fault.text);
    estate_destroy(&estate);
    assert_in_range(after->slots[2].deadline_ms, 6000, 6000 + 60 * 1000);
    assert_int_equal(after->slots[0].deadline_ms, 0);
    fixture_unmake(after, false);
    fixture_unmake(before, true);
}

/* Descriptors of parts that this image does not have are closed; ours are found. */
static void test_named_descriptors(void **state)
{
    struct master *before = fixture_make();
    struct master *after = calloc(1, sizeof(*after));
    struct estate *estate = adopt_collect(before, "", &fault);
    const int image = dup(STDERR_FILENO), other = dup(STDERR_FILENO);

    (void)state;
    upgrade_init(after, &fixture_launch);
    assert_true(adopt_add_before(estate, image));
    assert_true(estate_add_named(estate, "of-a-later-version", other));
    estate = passed_on(estate);
    if (adopt_take(after, estate, &fault) != EXIT_OK)
        fail_msg("%s", fault.text);
    estate_destroy(&estate);
    assert_int_equal(after->upgrade.before_fd, image);
    assert_int_equal(fcntl(image, F_GETFD), FD_CLOEXEC);
    assert_int_equal(fcntl(other, F_GETFD), -1);
    upgrade_settle(after);
    assert_int_equal(fcntl(image, F_GETFD), -1);
    fixture_unmake(after, false);
    fixture_unmake(before, true);
}

/* What cannot be taken leaves the master empty, so that there is a way back. */
static void test_refused_whole(void **state)
{
    static const struct conf_told unknown = {"server", "velocity", "9", "",
                                             CONF_FROM_FILE};
    struct master *before = fixture_make();

    (void)state;
    for (int how = 0; how < 3; how++) {
        struct master *after = calloc(1, sizeof(*after));
        struct estate *estate = adopt_collect(before, "why", &fault);

        upgrade_init(after, &fixture_launch);
        if (how == 0)
            assert_true(estate_add_told(estate, &unknown));
        else if (how == 1)
            estate->image_count = 2;
        else
            estate->self.board_fd = STDERR_FILENO;
        estate = passed_on(estate);
        assert_string_equal(estate->self.refusal, "why");
        assert_int_not_equal(adopt_take(after, estate, &fault), EXIT_OK);
        assert_null(after->board);
        assert_null(after->running.conf);
        assert_int_equal(after->slot_count, 0);
        estate_destroy(&estate);
        free(after);
    }
    fixture_unmake(before, true);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_same_again),
        cmocka_unit_test(test_memory_of_the_parts),
        cmocka_unit_test(test_pause_is_nobodys_fault),
        cmocka_unit_test(test_named_descriptors),
        cmocka_unit_test(test_refused_whole),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
