/* SPDX-License-Identifier: MIT */
/*
 * test_common_fd - passing, images, and closing what was not inherited.
 */
#include "common/fd.h"

#include "common/check.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/filter.h>
#include <linux/seccomp.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cmocka.h>

static void test_flags(void **state)
{
    int fd = open("/dev/null", O_RDONLY), none = -1;

    (void)state;
    assert_int_equal(fd_set_nonblock(fd, true), 0);
    assert_true(fcntl(fd, F_GETFL) & O_NONBLOCK);
    assert_int_equal(fd_set_nonblock(fd, false), 0);
    assert_false(fcntl(fd, F_GETFL) & O_NONBLOCK);
    assert_int_equal(fd_set_cloexec(fd, true), 0);
    assert_int_equal(fcntl(fd, F_GETFD), FD_CLOEXEC);
    assert_int_equal(fd_set_cloexec(fd, false), 0);
    assert_int_equal(fcntl(fd, F_GETFD), 0);

    int before = fd_count();
    errno = ENOENT;
    fd_close(&fd);
    fd_close(&none);
    assert_int_equal(fd, -1);
    assert_int_equal(errno, ENOENT);
    assert_int_equal(fd_count(), before - 1);
    assert_int_equal(fd_set_nonblock(-1, true), -1);
    assert_int_equal(errno, EBADF);
}

static void test_pair(void **state)
{
    char text[8];
    int pair[2], passed;

    (void)state;
    assert_int_equal(fd_pair(pair), 0);
    assert_true(fcntl(pair[0], F_GETFL) & O_NONBLOCK);
    assert_int_equal(fcntl(pair[1], F_GETFD), FD_CLOEXEC);
    assert_int_equal(fd_recv(pair[0], text, sizeof(text), &passed), -1);
    assert_int_equal(errno, EAGAIN);
    assert_int_equal(fd_send(pair[1], "ab", 2, -1), 0);
    assert_int_equal(fd_send(pair[1], "0123456789", 10, -1), 0);
    assert_int_equal(fd_recv(pair[0], text, sizeof(text), &passed), 2);
    assert_int_equal(passed, -1);
    assert_memory_equal(text, "ab", 2);
    assert_int_equal(fd_recv(pair[0], text, sizeof(text), &passed), 10); /* cut */
    while (fd_send(pair[1], text, sizeof(text), -1) == 0)
        continue;
    assert_int_equal(errno, EAGAIN); /* full: it did not wait */
    fd_close(&pair[0]);
    assert_int_equal(fd_send(pair[1], "x", 1, -1), -1);
    assert_true(errno == EPIPE || errno == ECONNRESET); /* and no SIGPIPE */
    fd_close(&pair[1]);
}

/* A child receives a pipe's end and writes through it. */
static void test_pass_to_child(void **state)
{
    int pair[2], pipes[2], status;
    char text[6] = "";

    (void)state;
    assert_int_equal(fd_pair(pair), 0);
    assert_int_equal(pipe2(pipes, O_CLOEXEC), 0);
    pid_t pid = fork();
    if (pid == 0) {
        int passed = -1;
        char byte;

        close(pipes[0]);
        close(pipes[1]);
        bool ok = fd_set_nonblock(pair[1], false) == 0 &&
                  recv(pair[1], &byte, 1, MSG_PEEK) == 1 &&
                  fd_recv(pair[1], &byte, 1, &passed) == 1 && passed >= 0 &&
                  fcntl(passed, F_GETFD) == FD_CLOEXEC &&
                  fd_write_all(passed, "hello", 5) == 0;
        _exit(ok ? 0 : 1);
    }
    assert_int_equal(fd_send(pair[0], "x", 1, pipes[1]), 0);
    fd_close(&pipes[1]);
    assert_int_equal(read(pipes[0], text, 5), 5);
    assert_string_equal(text, "hello");
    assert_int_equal(waitpid(pid, &status, 0), pid);
    assert_int_equal(status, 0);
    fd_close(&pipes[0]);
    fd_close(&pair[0]);
    fd_close(&pair[1]);
}

/* Two descriptors in one datagram: one arrives, the other does not stay open. */
static void test_hostile_two(void **state)
{
    union {
        struct cmsghdr header;
        char bytes[CMSG_SPACE(2 * sizeof(int))];
    } control = {0};
    struct iovec iov = {(void *)&control, 1};
    struct msghdr msg = {.msg_iov = &iov,
                         .msg_iovlen = 1,
                         .msg_control = &control,
                         .msg_controllen = sizeof(control)};
    int pair[2], two[2] = {0, 1}, passed;
    char byte;

    (void)state;
    assert_int_equal(fd_pair(pair), 0);
    control.header.cmsg_level = SOL_SOCKET;
    control.header.cmsg_type = SCM_RIGHTS;
    control.header.cmsg_len = CMSG_LEN(sizeof(two));
    memcpy(CMSG_DATA(&control.header), two, sizeof(two));
    assert_int_equal(sendmsg(pair[0], &msg, 0), 1);
    int before = fd_count();
    assert_int_equal(fd_recv(pair[1], &byte, 1, &passed), 1);
    assert_true(passed >= 0);
    assert_int_equal(fd_count(), before + 1);
    fd_close(&passed);
    fd_close(&pair[0]);
    fd_close(&pair[1]);
}

static void test_image(void **state)
{
    char path[] = "/tmp/remuda-test-fd-XXXXXX", *bytes = malloc(100000),
         *back = malloc(100001);
    int file = mkstemp(path);

    (void)state;
    for (size_t i = 0; i < 100000; i++)
        bytes[i] = (char)(i * 7 + i / 251);
    assert_int_equal(fd_write_all(file, bytes, 100000), 0);
    int before = fd_count();
    int image = fd_image(path, "test");
    assert_true(image >= 0);
    assert_int_equal(fd_count(), before + 1);
    assert_int_equal(pread(image, back, 100001, 0), 100000);
    assert_memory_equal(back, bytes, 100000);
    assert_int_equal(pwrite(image, "x", 1, 0), -1);
    assert_int_equal(errno, EPERM);
    assert_int_equal(ftruncate(image, 5), -1);
    assert_int_equal(fcntl(image, F_GET_SEALS),
                     F_SEAL_SEAL | F_SEAL_SHRINK | F_SEAL_GROW | F_SEAL_WRITE);
    assert_int_equal(fcntl(image, F_GETFD), FD_CLOEXEC);
    assert_int_equal(pwrite(file, "changed", 7, 0), 7); /* the copy stays as it was */
    assert_int_equal(pread(image, back, 7, 0), 7);
    assert_memory_equal(back, bytes, 7);
    fd_close(&image);
    fd_close(&file);
    unlink(path);
    free(bytes);
    free(back);
}

static void test_image_refused(void **state)
{
    char dir[] = "/tmp/remuda-test-fd-XXXXXX", fifo[64];
    int before = fd_count();

    (void)state;
    assert_non_null(mkdtemp(dir));
    snprintf(fifo, sizeof(fifo), "%s/fifo", dir);
    assert_int_equal(mkfifo(fifo, 0600), 0);
    assert_int_equal(fd_image(dir, "x"), -1);
    assert_int_equal(errno, EISDIR);
    assert_int_equal(fd_image(fifo, "x"), -1); /* does not wait for a writer */
    assert_int_equal(errno, EINVAL);
    assert_int_equal(fd_image("/dev/null", "x"), -1);
    assert_int_equal(errno, EINVAL);
    unlink(fifo);
    assert_int_equal(fd_image(fifo, "x"), -1);
    assert_int_equal(errno, ENOENT);
    rmdir(dir);
    assert_int_equal(fd_count(), before);
}

enum { FILTER_REFUSED = 99 };

static bool is_open(int fd)
{
    return fcntl(fd, F_GETFD) >= 0;
}

static const struct {
    const char *name;
    int keep[6];
    size_t count;
} keeps[] = {
    {"none", {0}, 0},
    {"only -1", {-1}, 1},
    {"one", {10}, 1},
    {"unsorted, twice, -1", {30, 10, -1, 10, 29, 3}, 6},
    {"standard ones named", {0, 1, 2, 31}, 4},
    {"not open itself", {500}, 1},
};

/* From now on close_range(2) is unknown to this process, as to a kernel before 5.9. */
static void forget_close_range(void)
{
    struct sock_filter program[] = {
        BPF_STMT(BPF_LD | BPF_W | BPF_ABS, offsetof(struct seccomp_data, nr)),
        BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, SYS_close_range, 0, 1),
        BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ERRNO | ENOSYS),
        BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ALLOW),
    };
    struct sock_fprog filter = {COUNT_OF(program), program};

    if (prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) != 0 ||
        prctl(PR_SET_SECCOMP, SECCOMP_MODE_FILTER, &filter) != 0)
        _exit(FILTER_REFUSED);
}

/* Descriptors 3 to 40 are open, then those not kept are not: 0, or one more than the
 * first that is wrong. */
static int close_and_look(const int *keep, size_t count)
{
    for (int fd = 3; fd <= 40; fd++)
        dup2(1, fd);
    fd_close_others(keep, count);
    for (int fd = 0; fd <= 40; fd++) {
        bool want = fd <= 2;

        for (size_t k = 0; k < count; k++)
            want = want || keep[k] == fd;
        if (is_open(fd) != want)
            return fd + 1;
    }
    return 0;
}

static void close_in_child(size_t i, bool old_kernel)
{
    int status;
    pid_t pid = fork();

    if (pid == 0) {
        if (old_kernel)
            forget_close_range();
        _exit(close_and_look(keeps[i].keep, keeps[i].count));
    }
    assert_int_equal(waitpid(pid, &status, 0), pid);
    if (WEXITSTATUS(status) == FILTER_REFUSED)
        skip();
    if (status != 0)
        fail_msg("%s: descriptor %d", keeps[i].name, WEXITSTATUS(status) - 1);
}

static void test_close_others(void **state)
{
    (void)state;
    for (size_t i = 0; i < COUNT_OF(keeps); i++)
        close_in_child(i, false);
}

static void test_close_others_old_kernel(void **state)
{
    (void)state;
    for (size_t i = 0; i < COUNT_OF(keeps); i++)
        close_in_child(i, true);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_flags),
        cmocka_unit_test(test_pair),
        cmocka_unit_test(test_pass_to_child),
        cmocka_unit_test(test_hostile_two),
        cmocka_unit_test(test_image),
        cmocka_unit_test(test_image_refused),
        cmocka_unit_test(test_close_others),
        cmocka_unit_test(test_close_others_old_kernel),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
