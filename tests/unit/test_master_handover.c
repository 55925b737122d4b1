/* SPDX-License-Identifier: MIT */
/*
 * test_master_handover - exec of another image: what it finds open, its environment; and when
 * it cannot be, nothing has changed. A shell script plays the other image.
 */
#include "tests/unit/master_fixture.h"

#include "common/message.h"
#include "master/handover.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <sys/stat.h>
#include <sys/wait.h>

static char script[] = "/tmp/remuda-handover-XXXXXX";

static void write_script(const char *text)
{
    int fd = open(script, O_WRONLY | O_TRUNC | O_CLOEXEC);

    assert_true(fd >= 0);
    assert_int_equal(fd_write_all(fd, text, strlen(text)), 0);
    assert_int_equal(fchmod(fd, 0700), 0);
    fd_close(&fd);
}

static int set_up(void **state)
{
    int fd = mkostemp(script, O_CLOEXEC);

    (void)state;
    assert_true(fd >= 0);
    fd_close(&fd);
    return 0;
}

static int tear_down(void **state)
{
    (void)state;
    return unlink(script);
}

static int ended(pid_t pid)
{
    int status = -1;

    assert_int_equal(waitpid(pid, &status, 0), pid);
    return WIFEXITED(status) ? WEXITSTATUS(status) : -1;
}

/* What the master has open for others: all of it close-on-exec. */
static void assert_closed_on_exec(const struct master *m)
{
    assert_int_equal(fcntl(m->heritage.board_fd, F_GETFD), FD_CLOEXEC);
    assert_int_equal(fcntl(m->heritage.common_inbox.rx, F_GETFD), FD_CLOEXEC);
    for (size_t i = 0; i < m->heritage.inbox_count; i++)
        assert_int_equal(fcntl(m->heritage.inbox[i].tx, F_GETFD), FD_CLOEXEC);
}

/* ---- for good ---- */

/* "$1" are the descriptors it must find, "$2" one that it must not. */
static const char looks_around[] =
    "#!/bin/sh\n"
    "for fd in $1 ${REMUDA_UPGRADE%:*}; do [ -e /proc/$$/fd/$fd ] || exit 2; done\n"
    "[ -e /proc/$$/fd/$2 ] && exit 3\n"
    "[ \"${REMUDA_UPGRADE#*:}\" = $$ ] || exit 4\n"
    "[ \"$A $HOME\" = 'b ' ] || exit 5\n"
    "exit 0\n";

static _Noreturn void go(struct master *m, int closed_fd)
{
    char open_fds[64], closed[16];
    char *argv[] = {fixture_text("x"), open_fds, closed, NULL};
    char *environment[] = {fixture_text("A=b"), NULL};
    const struct launch launch = {.argv = argv, .environment = environment};

    snprintf(open_fds, sizeof(open_fds), "%d %d %d", m->heritage.board_fd,
             m->heritage.common_inbox.rx, m->heritage.inbox[2].tx);
    snprintf(closed, sizeof(closed), "%d", closed_fd);
    m->pid = getpid();
    upgrade_init(m, &launch);
    snprintf(m->upgrade.binary, sizeof(m->upgrade.binary), "%s", script);
    handover_go(m, &fault);
    _exit(99);
}

static void test_next_image_finds_all(void **state)
{
    struct master *m = fixture_make();
    int closed_fd = fcntl(STDERR_FILENO, F_DUPFD_CLOEXEC, 60); /* sh uses low ones */
    pid_t pid;

    (void)state;
    write_script(looks_around);
    pid = fork();
    if (pid == 0)
        go(m, closed_fd);
    assert_int_equal(ended(pid), 0);
    assert_closed_on_exec(m);
    fd_close(&closed_fd);
    fixture_unmake(m, true);
}

static void test_failed_exec_changes_nothing(void **state)
{
    static char *argv[] = {NULL};
    const struct launch launch = {
        .argv = argv, .environment = argv, .binary = "/nowhere/x"};
    struct master *m = fixture_make();
    const int before = fd_count();

    (void)state;
    upgrade_init(m, &launch);
    handover_go(m, &fault);
    assert_non_null(strstr(fault.text, "cannot execute /nowhere/x: "));
    handover_return(m, "why", &fault);
    assert_non_null(strstr(fault.text, "not known"));
    m->upgrade.before_fd = open("/dev/null", O_PATH | O_CLOEXEC);
    handover_return(m, "why", &fault);
    assert_non_null(strstr(fault.text, "cannot execute"));
    fd_close(&m->upgrade.before_fd);
    assert_int_equal(fd_count(), before);
    assert_closed_on_exec(m);
    fixture_unmake(m, true);
}

/* By its descriptor, whatever has become of its name. */
static void test_way_back(void **state)
{
    static char *argv[] = {NULL, NULL};
    const struct launch launch = {.argv = argv, .environment = argv + 1};
    struct master *m = fixture_make();
    pid_t pid;

    (void)state;
    argv[0] = fixture_text("true");
    pid = fork();
    if (pid == 0) {
        upgrade_init(m, &launch);
        m->upgrade.before_fd = open("/bin/true", O_PATH | O_CLOEXEC);
        handover_return(m, "why", &fault);
        _exit(99);
    }
    assert_int_equal(ended(pid), 0);
    fixture_unmake(m, true);
}

/* By the descriptor that was left in the estate, and that the image before does not need. */
static void test_giving_back(void **state)
{
    char look[64];
    char *argv[] = {fixture_text("sh"), fixture_text("-c"), look, NULL};
    const struct launch launch = {.argv = argv, .environment = argv + 3};
    struct master *m = fixture_make();
    pid_t pid;

    (void)state;
    pid = fork();
    if (pid == 0) {
        struct estate *estate = adopt_collect(m, "", &fault);
        const int image = open("/bin/sh", O_PATH), kept = fcntl(image, F_DUPFD, 60);

        close(image);
        snprintf(look, sizeof(look), "[ ! -e /proc/$$/fd/%d ]", kept);
        upgrade_init(m, &launch);
        if (adopt_add_before(estate, kept))
            handover_give_back(m, estate, "why", &fault);
        _exit(99);
    }
    assert_int_equal(ended(pid), 0);
    fixture_unmake(m, true);
}

/* ---- the trial ---- */

/* Its exit status; *said: a verdict came. */
static int try_script(const char *text, struct message *verdict, bool *said)
{
    static char *argv[] = {NULL, NULL};
    const struct launch launch = {.argv = argv, .environment = environ};
    struct master *m = fixture_make();
    const int before = fd_count();
    int verdict_fd, passed_fd = -1, status;
    pid_t pid;

    argv[0] = script;
    write_script(text);
    m->pid = getpid();
    upgrade_init(m, &launch);
    snprintf(m->upgrade.binary, sizeof(m->upgrade.binary), "%s", script);
    pid = handover_try(m, &verdict_fd, &fault);
    assert_true(pid > 0);
    status = ended(pid);
    *said = message_recv(verdict_fd, verdict, &passed_fd) == 1;
    fd_close(&verdict_fd);
    assert_int_equal(fd_count(), before);
    assert_closed_on_exec(m);
    fixture_unmake(m, true);
    return status;
}

static void test_trial_gets_its_flag(void **state)
{
    struct message verdict;
    bool said;

    (void)state;
    assert_int_equal(
        try_script("#!/bin/sh\ncase $1 in --upgrade-trial=[0-9]*,[0-9]*) exit 5;;"
                   "esac\nexit 6\n",
                   &verdict, &said),
        5);
    assert_false(said);
}

static void test_trial_that_cannot_be_executed(void **state)
{
    struct message verdict;
    bool said;

    (void)state;
    assert_int_equal(try_script("hello", &verdict, &said), 127);
    assert_true(said);
    assert_non_null(strstr(verdict.text, "cannot be executed: Exec format error"));
    assert_int_not_equal(verdict.arg, 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_next_image_finds_all),
        cmocka_unit_test(test_failed_exec_changes_nothing),
        cmocka_unit_test(test_way_back),
        cmocka_unit_test(test_giving_back),
        cmocka_unit_test(test_trial_gets_its_flag),
        cmocka_unit_test(test_trial_that_cannot_be_executed),
    };

    return cmocka_run_group_tests(tests, set_up, tear_down);
}
