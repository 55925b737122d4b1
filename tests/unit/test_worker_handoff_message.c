/* SPDX-License-Identifier: MIT */
/*
 * test_worker_handoff_message - the message over real sockets: what travels, what fails, and
 * that no descriptor is left behind in any case.
 */
#include "tests/unit/handoff_fixture.h"

#include <sys/resource.h>
#include <sys/wait.h>

enum { INBOX_ALL = 4096, TOO_MANY = 24, NOBODY = 65534 };

static void same_facts(const struct handoff_message *got,
                       const struct handoff_message *want)
{
    assert_int_equal(got->type, want->type);
    assert_int_equal(got->sender, want->sender);
    assert_int_equal(got->generation, want->generation);
    assert_int_equal(got->number, want->number);
    assert_int_equal(got->listener, want->listener);
    assert_int_equal(got->requests, want->requests);
    assert_int_equal(got->hops, want->hops);
    assert_int_equal(got->flags, want->flags);
    assert_int_equal(got->begun_ns, want->begun_ns);
    assert_int_equal(got->queued_ns, want->queued_ns);
    assert_int_equal(got->body_bytes, want->body.n);
    assert_string_equal(got->peer, want->peer);
    same_bytes(got->head, want->head);
    same_bytes(got->rest, want->rest);
}

/* The socket is the client's: what is written here arrives there. */
static void check_socket(int fd)
{
    char byte = 0;
    assert_int_equal(fcntl(fd, F_GETFD), FD_CLOEXEC);
    assert_true((fcntl(fd, F_GETFL) & O_NONBLOCK) != 0);
    assert_int_equal(write(fd, "x", 1), 1);
    assert_int_equal(read(client[1], &byte, 1), 1);
    assert_int_equal(byte, 'x');
}

static void check_body(const struct handoff_message *got,
                       const struct handoff_parts *parts, struct slice want)
{
    if (parts->body < 0) {
        same_bytes(got->body, want);
        return;
    }
    char *body = malloc(want.n);
    assert_non_null(body);
    assert_int_equal(handoff_read_body(parts, got->body_bytes, body), 0);
    assert_memory_equal(body, want.p, want.n);
    free(body);
    assert_int_equal(write(parts->body, "x", 1), -1); /* nobody changes it any more */
    assert_int_equal(fcntl(parts->body, F_GETFD), FD_CLOEXEC);
}

static void test_round_trip(void **state)
{
    (void)state;
    static const struct {
        const char *name;
        size_t head, body, rest;
        bool is_beside;
    } rows[] = {
        {"an idle connection", 0, 0, 0, false},
        {"idle, a head has begun", 0, 0, 100, false},
        {"a head alone", 300, 0, 0, false},
        {"a small body and a pipeline", 300, 10, 2000, false},
        {"8 KiB", 8192 - HANDOFF_HEADER_BYTES, 0, 0, false},
        {"64 KiB", 65536 - HANDOFF_HEADER_BYTES, 0, 0, false},
        {"the largest body inline", 300, HANDOFF_BODY_INLINE, 5, false},
        {"one more: beside", 300, HANDOFF_BODY_INLINE + 1, 5, true},
        {"300 kB beside", 300, 300000, 0, true},
        {"the longest message", HANDOFF_BYTES_MOST - HANDOFF_HEADER_BYTES, 0, 0, false},
        {"the longest, and a body", 65536, 1 << 19, 65536 - HANDOFF_HEADER_BYTES, true},
    };
    for (size_t i = 0; i < COUNT_OF(rows); i++) {
        struct handoff_message m = message(rows[i].head, rows[i].body, rows[i].rest), got;
        struct handoff_parts parts;
        if (handoff_send(inbox[1], &m, client[0]) != 0 ||
            receive(&got, &parts) != HANDOFF_TAKEN)
            fail_msg("%s: %s", rows[i].name, strerror(errno));
        same_facts(&got, &m);
        assert_int_equal(parts.body >= 0, rows[i].is_beside);
        assert_int_equal((got.flags & HANDOFF_BODY_BESIDE) != 0, rows[i].is_beside);
        check_body(&got, &parts, m.body);
        check_socket(parts.socket);
        close_parts(&parts);
        assert_int_equal(fd_count(), open_before);
    }
}

static void test_ask(void **state)
{
    (void)state;
    struct handoff_message m = {.type = HANDOFF_ASK, .sender = 4, .generation = 2}, got;
    struct handoff_parts parts;
    assert_int_equal(handoff_send(inbox[1], &m, -1), 0);
    assert_int_equal(receive(&got, &parts), HANDOFF_TAKEN);
    same_facts(&got, &m);
    assert_int_equal(parts.socket, -1);
    assert_int_equal(receive(&got, &parts), HANDOFF_NONE);
    assert_int_equal(errno, EAGAIN);
    assert_int_equal(handoff_send(inbox[1], &m, client[0]), -1);
    assert_int_equal(errno, EINVAL);
    m.type = HANDOFF_CONNECTION;
    assert_int_equal(handoff_send(inbox[1], &m, -1), -1);
    assert_int_equal(errno, EINVAL);
}

static void test_peer_is_cut(void **state)
{
    (void)state;
    struct handoff_message m = message(10, 0, 0), got;
    struct handoff_parts parts;
    memset(m.peer, 'p', sizeof m.peer); /* no NUL */
    assert_int_equal(handoff_send(inbox[1], &m, client[0]), 0);
    assert_int_equal(receive(&got, &parts), HANDOFF_TAKEN);
    assert_int_equal(strlen(got.peer), HANDOFF_PEER_BYTES - 1);
    close_parts(&parts);
}

/* ---- keep it here ---- */

static void test_too_long(void **state)
{
    (void)state;
    static const struct {
        size_t head, body, rest;
    } rows[] = {
        {HANDOFF_BYTES_MOST - HANDOFF_HEADER_BYTES + 1, 0, 0},
        {HANDOFF_BYTES_MOST - HANDOFF_HEADER_BYTES, 1, 0},
        {HANDOFF_BYTES_MOST - HANDOFF_HEADER_BYTES, HANDOFF_BODY_INLINE + 1, 1},
        {SIZE_MAX, 0, HANDOFF_BYTES_MOST},
        {300, 0, SIZE_MAX - 300},
    };
    for (size_t i = 0; i < COUNT_OF(rows); i++) {
        struct handoff_message m = message(rows[i].head, rows[i].body, rows[i].rest);
        assert_int_equal(handoff_send(inbox[1], &m, client[0]), -1);
        assert_int_equal(errno, EMSGSIZE);
        assert_int_equal(fd_count(), open_before);
    }
    int small = 4608; /* the kernel's own refusal */
    assert_int_equal(setsockopt(inbox[1], SOL_SOCKET, SO_SNDBUF, &small, sizeof small),
                     0);
    struct handoff_message m = message(65536, 300000, 0);
    assert_int_equal(handoff_send(inbox[1], &m, client[0]), -1);
    assert_int_equal(errno, EMSGSIZE);
}

/* Fills the inbox; the message that did not fit left nothing, and all others arrive. */
static unsigned fill(size_t head, size_t body)
{
    unsigned sent = 0, taken = 0;
    struct handoff_message got;
    struct handoff_parts parts;
    for (; sent < INBOX_ALL; sent++) {
        struct handoff_message m = message(head, body, 0);
        m.number = sent + 1;
        if (handoff_send(inbox[1], &m, client[0]) < 0)
            break;
        assert_int_equal(fd_count(), open_before);
    }
    assert_int_equal(errno, EAGAIN);
    assert_int_equal(fd_count(), open_before);
    for (; receive(&got, &parts) == HANDOFF_TAKEN; taken++) {
        assert_int_equal(got.number, taken + 1);
        close_parts(&parts);
    }
    assert_int_equal(taken, sent);
    return sent;
}

/* As measured for the design: an inbox holds a dozen of 8 KiB and some of 64 KiB. With a
 * larger default buffer there are more; with none the design would not hold. */
static void test_full_inbox(void **state)
{
    (void)state;
    assert_true(fill(8192 - HANDOFF_HEADER_BYTES, 0) >= 8);
    assert_true(fill(65536 - HANDOFF_HEADER_BYTES, 0) >= 2);
    assert_true(fill(300, 300000) >= 8); /* a body beside takes no room */
}

static void limit_descriptors(int more)
{
    struct rlimit limit;
    assert_int_equal(getrlimit(RLIMIT_NOFILE, &limit), 0);
    limit.rlim_cur = (rlim_t)(open_before + more);
    assert_int_equal(setrlimit(RLIMIT_NOFILE, &limit), 0);
}

/* The limit stays: so in a process of its own, which says with its status how it went. */
static void in_child(void (*run)(void))
{
    pid_t pid = fork();
    assert_true(pid >= 0);
    if (pid == 0) {
        run();
        _exit(0);
    }
    int status;
    assert_int_equal(waitpid(pid, &status, 0), pid);
    if (status != 0)
        fail_msg("child: exit status %d, signal %d", WEXITSTATUS(status),
                 WTERMSIG(status));
}

static void must(bool is_so, int line)
{
    if (!is_so)
        _exit(line % 256);
}

#define MUST(cond) must(cond, __LINE__)

/* The lowest numbers may be free: all up to the limit are taken. */
static void take_all_but(int spare)
{
    int last = -1, fd;
    while ((fd = dup(0)) >= 0)
        last = fd;
    for (; spare > 0; spare--)
        close(last--);
}

/* Without room the socket is lost, and nothing else: the message can be counted. */
static void receive_without_room(void)
{
    struct handoff_message m = message(300, 300000, 0), got;
    struct handoff_parts parts;
    for (int spare = 0; spare <= 2; spare++) {
        MUST(handoff_send(inbox[1], &m, client[0]) == 0);
        limit_descriptors(8);
        take_all_but(spare);
        enum handoff_result want = spare < 2 ? HANDOFF_LOST : HANDOFF_TAKEN;
        MUST(receive(&got, &parts) == want);
        MUST(got.number == m.number && got.sender == m.sender);
        MUST((parts.socket >= 0) == (spare == 2) && (parts.body >= 0) == (spare == 2));
        close_parts(&parts);
        int again[2] = {dup(0), dup(0)}; /* exactly as many are free as before */
        MUST((again[0] >= 0) == (spare >= 1) && (again[1] >= 0) == (spare >= 2));
        fd_close_others((int[]){inbox[0], inbox[1], client[0], client[1]}, 4);
        limit_descriptors(64);
    }
}

static void test_receiver_without_room(void **state)
{
    (void)state;
    in_child(receive_without_room);
}

static void send_without_room(void)
{
    struct handoff_message m = message(300, 300000, 0);
    limit_descriptors(8);
    take_all_but(0);
    MUST(handoff_send(inbox[1], &m, client[0]) < 0 && errno == EMFILE);
    m = message(300, 100, 0); /* without a memfd it goes */
    MUST(handoff_send(inbox[1], &m, client[0]) == 0);
}

static void test_sender_without_room(void **state)
{
    (void)state;
    in_child(send_without_room);
}

/* More descriptors in flight than the sender may have open: not for root. */
static void send_too_many(void)
{
    struct rlimit limit = {TOO_MANY, TOO_MANY};
    struct handoff_message m = message(0, 0, 0);
    int sent = 0;
    MUST(setrlimit(RLIMIT_NOFILE, &limit) == 0);
    MUST(geteuid() != 0 || setresuid(NOBODY, NOBODY, NOBODY) == 0);
    while (sent < 10 * TOO_MANY && handoff_send(inbox[1], &m, client[0]) == 0)
        sent++;
    MUST(sent < 10 * TOO_MANY && errno == ETOOMANYREFS);
}

static void test_too_many_in_flight(void **state)
{
    struct handoff_message got;
    struct handoff_parts parts;
    (void)state;
    in_child(send_too_many);
    while (receive(&got, &parts) == HANDOFF_TAKEN)
        close_parts(&parts);
}

static void test_inbox_is_gone(void **state)
{
    (void)state;
    int gone[2];
    struct handoff_message m = message(300, 300000, 0), got;
    struct handoff_parts parts;
    assert_int_equal(fd_pair(gone), 0);
    fd_close(&gone[0]);
    assert_int_equal(handoff_send(gone[1], &m, client[0]), -1);
    assert_int_equal(errno, EPIPE);
    assert_int_equal(handoff_receive(gone[1], buffer, &got, &parts), HANDOFF_NONE);
    fd_close(&gone[1]);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(test_round_trip, setup, teardown),
        cmocka_unit_test_setup_teardown(test_ask, setup, teardown),
        cmocka_unit_test_setup_teardown(test_peer_is_cut, setup, teardown),
        cmocka_unit_test_setup_teardown(test_too_long, setup, teardown),
        cmocka_unit_test_setup_teardown(test_full_inbox, setup, teardown),
        cmocka_unit_test_setup_teardown(test_receiver_without_room, setup, teardown),
        cmocka_unit_test_setup_teardown(test_sender_without_room, setup, teardown),
        cmocka_unit_test_setup_teardown(test_too_many_in_flight, setup, teardown),
        cmocka_unit_test_setup_teardown(test_inbox_is_gone, setup, teardown),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
