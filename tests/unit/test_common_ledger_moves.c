/* SPDX-License-Identifier: MIT */
/*
 * test_common_ledger_moves - a request that goes from one process to another has one line,
 * whichever of them is killed at whatever instruction.
 */
#include "common/check.h"
#include "common/fd.h"
#include "common/scoreboard.h"
#include "common/written.h"

#include <errno.h>
#include <fcntl.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include <cmocka.h>

enum { ENTRIES = 64, LINE = 40, ROUNDS = 200, SENDER = 0, RECEIVER = 1 };

static struct shared {
    struct board_ring ring[2];
    struct board_ledger ledger[2];
    _Atomic uint64_t begun;
} * s;

static int inbox[2], log_fd;
static pid_t worker[2];
static int written_fd[2];

/* ---- the two workers ---- */

static struct ledger_entry *free_entry(int who)
{
    board_set32(&s->ledger[who].used, ENTRIES);
    for (unsigned i = 0;; i = (i + 1) % ENTRIES) {
        struct ledger_entry *e = &s->ledger[who].entry[i];
        uint64_t number = board_get(&e->number);

        if (number == 0 || (number & LEDGER_STATE) == LEDGER_TAKEN)
            return e;
    }
}

static void write_line(int who, uint64_t request, uint64_t number, int count_fd)
{
    char line[LINE];
    int n = snprintf(line, sizeof(line), "%llu\n", (unsigned long long)request);
    uint64_t count;

    CHECK(ring_put_line(&s->ring[who], line, (size_t)n, number));
    CHECK(written_read(count_fd, &count));
    ring_begin_flush(&s->ring[who], count);
    ring_flush(&s->ring[who], log_fd);
    ring_end_flush(&s->ring[who]);
}

static _Noreturn void send_all(void)
{
    int count_fd = written_open(getpid());

    for (uint64_t number = atomic_load(&s->begun) + 1;; number++) {
        struct ledger_entry *e = free_entry(SENDER);
        uint64_t ticket = ledger_ticket(number, (unsigned)(e - s->ledger[SENDER].entry));

        e->origin = 0;
        ledger_set(e, number);
        atomic_store(&s->begun, number);
        ledger_set(e, number | LEDGER_SENT);
        if (send(inbox[0], &ticket, sizeof(ticket), MSG_DONTWAIT) < 0) {
            ledger_set(e, number); /* it is served here */
            write_line(SENDER, number, number, count_fd);
            ledger_set(e, 0);
        }
    }
}

static _Noreturn void receive_all(void)
{
    int count_fd = written_open(getpid());
    uint64_t ticket;

    for (uint64_t number = 1;; number++) {
        struct ledger_entry *e = free_entry(RECEIVER);

        if (recv(inbox[1], &ticket, sizeof(ticket), 0) != sizeof(ticket))
            _exit(1);
        e->origin = ticket;
        e->origin_worker = SENDER;
        ledger_set(e, number);
        if (ledger_claim(&s->ledger[SENDER], ticket))
            write_line(RECEIVER, ticket >> LEDGER_INDEX_BITS, number, count_fd);
        ledger_set(e, 0);
    }
}

static void start(int who)
{
    worker[who] = fork();
    assert_true(worker[who] >= 0);
    if (worker[who] == 0 && who == SENDER)
        send_all();
    if (worker[who] == 0)
        receive_all();
    written_fd[who] = written_open(worker[who]);
}

/* ---- the master ---- */

static void log_killed(const struct ledger_entry *e)
{
    const uint64_t number = board_get(&e->number) & ~LEDGER_STATE;
    char line[LINE];
    int n = snprintf(
        line, sizeof(line), "%llu\n",
        (unsigned long long)(e->origin != 0 ? e->origin >> LEDGER_INDEX_BITS : number));

    if (e->origin == 0 && number > atomic_load(&s->begun))
        atomic_store(&s->begun, number); /* killed before it could say so */
    assert_int_equal(write(log_fd, line, (size_t)n), n);
}

static void bury(int who)
{
    struct board_ledger *ledger = &s->ledger[who];
    siginfo_t info;
    uint64_t count;

    assert_int_equal(kill(worker[who], SIGKILL), 0);
    assert_int_equal(waitid(P_PID, (id_t)worker[who], &info, WEXITED | WNOWAIT), 0);
    assert_true(written_read(written_fd[who], &count));
    ring_settle(&s->ring[who], count);
    const uint64_t newest = ring_newest_line(&s->ring[who]);
    while (ring_flush(&s->ring[who], log_fd) > 0)
        continue;
    ring_forget(&s->ring[who]);
    for (unsigned i = 0; i < ledger_count(ledger); i++) {
        struct ledger_entry *e = &ledger->entry[i];
        uint64_t number = board_get(&e->number);

        if (number == 0 || (number & LEDGER_STATE) != 0 || number == newest)
            continue;
        if (e->origin == 0 || ledger_claim(&s->ledger[SENDER], e->origin))
            log_killed(e);
    }
    ledger_clear(ledger);
    assert_int_equal(waitpid(worker[who], NULL, 0), worker[who]);
    fd_close(&written_fd[who]);
}

static void give_up_all(void)
{
    for (unsigned i = 0; i < ENTRIES; i++)
        if (ledger_give_up(&s->ledger[SENDER].entry[i],
                           s->ledger[SENDER].entry[i].number))
            log_killed(&s->ledger[SENDER].entry[i]);
}

static void assert_each_once(uint64_t last)
{
    off_t n = lseek(log_fd, 0, SEEK_END);
    char *text = calloc(1, (size_t)n + 1);
    unsigned char *seen = calloc(last + 1, 1);
    uint64_t lines = 0;

    assert_int_equal(pread(log_fd, text, (size_t)n, 0), n);
    for (char *at = text; *at != '\0'; at++, lines++) {
        uint64_t number = strtoull(at, &at, 10);

        assert_true(*at == '\n' && number >= 1 && number <= last);
        if (seen[number]++ != 0)
            fail_msg("%llu twice", (unsigned long long)number);
    }
    assert_int_equal(lines, last);
    free(seen);
    free(text);
}

static void wait_until_empty(void)
{
    int queued = 1;
    uint64_t ticket;

    while (queued > 0) {
        queued = recv(inbox[1], &ticket, sizeof(ticket), MSG_PEEK | MSG_DONTWAIT) > 0;
        (void)nanosleep(&(struct timespec){.tv_nsec = 1000000}, NULL);
    }
}

static void test_killed_while_it_moves(void **state)
{
    char path[] = "/tmp/test_common_ledger_moves.XXXXXX";
    int made = mkstemp(path);
    uint64_t count;

    (void)state;
    log_fd = open(path, O_RDWR | O_APPEND | O_CLOEXEC);
    unlink(path);
    fd_close(&made);
    int own = written_open(getpid());
    bool has_counts = written_read(own, &count);
    fd_close(&own);
    if (!has_counts)
        skip();
    s = mmap(NULL, sizeof(*s), PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
    assert_ptr_not_equal(s, MAP_FAILED);
    assert_int_equal(socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, inbox), 0);
    srandom((unsigned)getpid());
    start(SENDER);
    start(RECEIVER);
    for (int i = 0; i < ROUNDS; i++) {
        int victim = (int)(random() % 2);

        (void)nanosleep(&(struct timespec){.tv_nsec = 1000 * (random() % 3000)}, NULL);
        bury(victim);
        start(victim);
    }
    bury(SENDER);
    wait_until_empty();
    bury(RECEIVER);
    give_up_all();
    assert_each_once(atomic_load(&s->begun));
    munmap(s, sizeof(*s));
    fd_close(&log_fd);
    fd_close(&inbox[0]);
    fd_close(&inbox[1]);
}

static void test_states(void **state)
{
    static struct board_ledger ledger;
    struct ledger_entry *e = &ledger.entry[5];
    const uint64_t ticket = ledger_ticket(123456789, 5);

    (void)state;
    ledger_set(e, 123456789);
    assert_false(ledger_give_up(e, e->number)); /* begun here */
    ledger_set(e, 123456789 | LEDGER_SENT);
    assert_true(ledger_claim(&ledger, ticket));
    assert_int_equal(e->number, 123456789 | LEDGER_TAKEN);
    assert_true(ledger_claim(&ledger, ticket)); /* the master, for one that had */
    assert_false(ledger_give_up(e, e->number));
    ledger_set(e, 123456789 | LEDGER_SENT);
    assert_true(ledger_give_up(e, e->number));
    assert_false(ledger_give_up(e, e->number));
    assert_false(ledger_claim(&ledger, ticket));
    ledger_set(e, 99 | LEDGER_SENT); /* another has the entry by now */
    assert_true(ledger_claim(&ledger, ticket));
    assert_int_equal(e->number, 99 | LEDGER_SENT);
    board_set32(&ledger.used, 7);
    ledger_set(&ledger.entry[6], 8 | LEDGER_TAKEN);
    ledger_set(&ledger.entry[0], 7);
    ledger_clear(&ledger);
    assert_int_equal(ledger.left, 1);
    assert_int_equal(ledger.used, 6);
    assert_int_equal(e->number, 99 | LEDGER_SENT);
    assert_int_equal(ledger.entry[0].number, 0);
    assert_int_equal(ledger.entry[6].number, 0);
}

/* It was read, and then taken; what is sent next has its entry, and is on its way. */
static void test_given_up_too_late(void **state)
{
    struct ledger_entry e = {.number = 7 | LEDGER_SENT}, seen;

    (void)state;
    assert_true(ledger_read(&e, &seen));
    ledger_set(&e, 8 | LEDGER_SENT);
    assert_false(ledger_give_up(&e, seen.number));
    assert_int_equal(e.number, 8 | LEDGER_SENT);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_killed_while_it_moves),
        cmocka_unit_test(test_states),
        cmocka_unit_test(test_given_up_too_late),
    };

    return cmocka_run_group_tests_name("common_ledger_moves", tests, NULL, NULL);
}
