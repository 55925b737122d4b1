/* SPDX-License-Identifier: MIT */
/*
 * test_master_control - the peers of the control socket, good ones and bad ones.
 */
#include "common/check.h"
#include "common/clock.h"
#include "common/fd.h"
#include "common/log.h"
#include "master/control.h"

#include <errno.h>
#include <fcntl.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>
#include <cmocka.h>

struct fixture {
    struct ev_loop *loop;
    struct control control;
    char folder[32], path[CONTROL_PATH];
    unsigned asked;
    struct control_peer *last; /* who asked last */
    struct control_message ask;
};

static void on_ask(struct control_peer *peer, const struct control_message *ask)
{
    struct fixture *f = CONTAINER_OF(peer->control, struct fixture, control);

    f->asked++;
    f->last = peer;
    f->ask = *ask;
}

static int set_up(void **state)
{
    static struct fixture f;
    struct control_socket socket;
    struct fault fault;

    f = (struct fixture){.loop = ev_loop_new(EVFLAG_NOENV),
                         .folder = "/tmp/control.XXXXXX"};
    assert_non_null(mkdtemp(f.folder));
    setenv("RUNTIME_DIRECTORY", f.folder, 1);
    assert_int_equal(control_socket_open(&socket, NULL, "", &fault), 0);
    (void)snprintf(f.path, sizeof(f.path), "%s", socket.path);
    control_open(&f.control, f.loop, &socket, "/etc/remuda/shop.ini", on_ask);
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
    control_close(&f->control);
    ev_loop_destroy(f->loop);
    rmdir(f->folder);
    return 0;
}

static void turn(struct fixture *f)
{
    for (int i = 0; i < 4; i++) /* one for the door, one for what was said */
        ev_run(f->loop, EVRUN_NOWAIT);
}

static int connect_to(struct fixture *f)
{
    struct sockaddr_un address = {.sun_family = AF_UNIX};
    int fd = socket(AF_UNIX, SOCK_SEQPACKET | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);

    (void)snprintf(address.sun_path, sizeof(address.sun_path), "%s", f->path);
    assert_int_equal(connect(fd, (struct sockaddr *)&address, sizeof(address)), 0);
    turn(f);
    return fd;
}

static int hear(int fd, struct control_message *out)
{
    int passed, got = control_recv(fd, out, &passed);

    fd_close(&passed);
    return got;
}

/* It is there, and has been welcomed. */
static int guest(struct fixture *f)
{
    struct control_message message;
    int fd = connect_to(f);

    assert_int_equal(hear(fd, &message), 1);
    assert_int_equal(message.type, CONTROL_WELCOME);
    assert_int_equal(message.pid, getpid());
    assert_string_equal(message.text, "/etc/remuda/shop.ini");
    return fd;
}

static int ask(struct fixture *f, int fd, uint32_t verb)
{
    struct control_message message = {.type = CONTROL_ASK, .verb = verb, .worker = 5};
    int status = control_send(fd, &message, -1);

    turn(f);
    return status;
}

static bool is_gone(int fd)
{
    struct control_message message;
    int got = hear(fd, &message);

    return got == 0 || (got < 0 && errno == ECONNRESET);
}

static unsigned taken_places(const struct fixture *f)
{
    unsigned n = 0;

    for (size_t i = 0; i < CONTROL_PEERS; i++)
        n += f->control.peer[i].fd >= 0;
    return n;
}

static void a_question_is_answered(void **state)
{
    struct fixture *f = *state;
    struct control_message message;
    int fd = guest(f);

    assert_int_equal(ask(f, fd, CONTROL_WORKER_RECYCLE), 0);
    assert_int_equal(f->asked, 1);
    assert_int_equal(f->ask.verb, CONTROL_WORKER_RECYCLE);
    assert_int_equal(f->ask.worker, 5);
    assert_ptr_equal(control_find(&f->control, f->last->number), f->last);
    assert_true(control_tell(f->last, CONTROL_PROGRESS, "half of it"));
    control_answer(f->last, 0, "done", -1);
    assert_int_equal(hear(fd, &message), 1);
    assert_int_equal(message.type, CONTROL_PROGRESS);
    assert_string_equal(message.text, "half of it");
    assert_int_equal(hear(fd, &message), 1);
    assert_int_equal(message.type, CONTROL_DONE);
    assert_int_equal(message.verb, CONTROL_WORKER_RECYCLE);
    assert_string_equal(message.text, "done");
    assert_true(is_gone(fd));
    assert_int_equal(taken_places(f), 0);
    fd_close(&fd);
}

static void the_file_is_the_owners_alone(void **state)
{
    struct fixture *f = *state;
    struct stat st;

    assert_int_equal(stat(f->path, &st), 0);
    assert_int_equal(st.st_mode & 07777, 0600);
    control_close(&f->control);
    assert_int_equal(stat(f->path, &st), -1);
}

static void a_namesake_that_answers_keeps_its_place(void **state)
{
    struct fixture *f = *state;
    struct control_socket second;
    struct fault fault;

    assert_int_equal(control_socket_open(&second, NULL, "", &fault), EXIT_UNAVAILABLE);
    assert_int_equal(second.fd, -1);
    close(f->control.socket.fd); /* it is dead, its file is left */
    f->control.socket.fd = dup(2);
    assert_int_equal(control_socket_open(&second, NULL, "", &fault), 0);
    control_close(&f->control); /* does not unlink what is another's */
    assert_int_equal(access(second.path, F_OK), 0);
    control_socket_close(&second);
    assert_int_equal(access(f->path, F_OK), -1);
}

static void the_ninth_is_told_to_come_again(void **state)
{
    struct fixture *f = *state;
    struct control_message message;
    int fd[CONTROL_PEERS], ninth;

    for (size_t i = 0; i < COUNT_OF(fd); i++)
        fd[i] = guest(f);
    ninth = connect_to(f);
    assert_int_equal(hear(ninth, &message), 1);
    assert_int_equal(message.type, CONTROL_DONE);
    assert_int_equal(message.status, EXIT_TEMPORARY);
    assert_true(is_gone(ninth));
    fd_close(&ninth);
    fd_close(&fd[3]);
    turn(f);
    fd[3] = guest(f); /* its place is free again */
    for (size_t i = 0; i < COUNT_OF(fd); i++)
        fd_close(&fd[i]);
    turn(f);
    assert_int_equal(taken_places(f), 0);
}

static void what_is_no_question_ends_the_peer(void **state)
{
    struct fixture *f = *state;
    const struct control_message half = {.magic = CONTROL_MAGIC, .type = CONTROL_ASK};
    struct control_message answer = {.type = CONTROL_DONE, .verb = CONTROL_RELOAD};
    int fd = guest(f), other;

    assert_int_equal(fd_send(fd, &half, sizeof(half) / 2, -1), 0);
    turn(f);
    assert_true(is_gone(fd));
    other = guest(f);
    assert_int_equal(control_send(other, &answer, -1), 0);
    turn(f);
    assert_true(is_gone(other));
    assert_int_equal(f->asked, 0);
    assert_int_equal(taken_places(f), 0);
    fd_close(&fd);
    fd_close(&other);
}

static void a_second_question_ends_the_peer(void **state)
{
    struct fixture *f = *state;
    int fd = guest(f);

    ask(f, fd, CONTROL_RELOAD);
    ask(f, fd, CONTROL_RELOAD);
    assert_int_equal(f->asked, 1);
    assert_true(is_gone(fd));
    fd_close(&fd);
}

static void a_descriptor_that_comes_along_is_closed(void **state)
{
    struct fixture *f = *state;
    struct control_message message = {.type = CONTROL_ASK, .verb = CONTROL_RELOAD};
    int fd = guest(f), open = fd_count();

    assert_int_equal(control_send(fd, &message, 2), 0);
    turn(f);
    assert_int_equal(f->asked, 1);
    assert_int_equal(fd_count(), open);
    fd_close(&fd);
}

static void one_that_goes_away_is_not_found(void **state)
{
    struct fixture *f = *state;
    int fd = guest(f);
    uint64_t number;

    ask(f, fd, CONTROL_RELOAD);
    number = f->last->number;
    fd_close(&fd);
    turn(f);
    assert_null(control_find(&f->control, number));
    fd = guest(f); /* in the same place, under another number */
    assert_null(control_find(&f->control, number));
    assert_null(control_find(&f->control, 0));
    fd_close(&fd);
}

static void one_that_does_not_read_is_dropped(void **state)
{
    struct fixture *f = *state;
    int fd = guest(f), told = 0;

    ask(f, fd, CONTROL_RELOAD);
    while (told < 10000 && control_tell(f->last, CONTROL_PROGRESS, "and so on"))
        told++;
    assert_in_range(told, 8, 9999);
    assert_int_equal(taken_places(f), 0);
    fd_close(&fd);
}

static void one_that_says_nothing_is_dropped(void **state)
{
    struct fixture *f = *state;
    int silent = guest(f), waiting = guest(f);
    uint64_t next_ms;

    ask(f, waiting, CONTROL_RELOAD);
    next_ms = control_expire(&f->control, clock_mono_ms());
    assert_in_range(next_ms, clock_mono_ms() + 1, clock_mono_ms() + CONTROL_PATIENCE_MS);
    assert_int_equal(taken_places(f), 2);
    assert_int_equal(control_expire(&f->control, next_ms), UINT64_MAX);
    assert_true(is_gone(silent));
    assert_int_equal(taken_places(f), 1);
    fd_close(&silent);
    fd_close(&waiting);
}

static const struct {
    uid_t uid, own;
    bool is_for_group, may;
} guests[] = {
    {0, 0, false, true},         {0, 1000, false, true},     {1000, 1000, false, true},
    {1001, 1000, false, false},  {1001, 1000, true, true},   {1001, 0, false, false},
    {65534, 1000, false, false}, {65534, 1000, true, false}, {65534, 65534, false, false},
    {65534, 65534, true, false},
};

static void only_root_oneself_and_the_group_may_ask(void **state)
{
    (void)state;
    for (size_t i = 0; i < COUNT_OF(guests); i++)
        assert_int_equal(
            control_may_ask(guests[i].uid, guests[i].own, 65534, guests[i].is_for_group),
            guests[i].may);
}

#define WITH_SOCKET(test) cmocka_unit_test_setup_teardown(test, set_up, tear_down)

int main(void)
{
    const struct CMUnitTest tests[] = {
        WITH_SOCKET(a_question_is_answered),
        WITH_SOCKET(the_file_is_the_owners_alone),
        WITH_SOCKET(a_namesake_that_answers_keeps_its_place),
        WITH_SOCKET(the_ninth_is_told_to_come_again),
        WITH_SOCKET(what_is_no_question_ends_the_peer),
        WITH_SOCKET(a_second_question_ends_the_peer),
        WITH_SOCKET(a_descriptor_that_comes_along_is_closed),
        WITH_SOCKET(one_that_goes_away_is_not_found),
        WITH_SOCKET(one_that_does_not_read_is_dropped),
        WITH_SOCKET(one_that_says_nothing_is_dropped),
        cmocka_unit_test(only_root_oneself_and_the_group_may_ask),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
