/* SPDX-License-Identifier: MIT */
/*
 * test_bench_load - whole loads against a stub server in a process of its own, which can
 * stall: what it did not answer in time must show, whoever was waiting for whom.
 */
#include "cli/load.h"
#include "common/check.h"

#include <netinet/in.h>
#include <netinet/tcp.h>
#include <poll.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>
#include <cmocka.h>

enum { PEERS = 64, STALL_AT = 80, STALL_MS = 300 };

enum manner {
    ANSWERS, /* at once */
    STALLS,  /* before the answer to request STALL_AT it does nothing for STALL_MS */
    DEAF,    /* reads and never answers */
    SHEDS,   /* 503 to every second request */
    CLOSES,  /* after each answer, and says so */
    LINGERS, /* says that it closes, answers nothing more, and leaves it to the client */
    LEAVES,  /* closes after each answer without a word, in the same segment */
    CUTS     /* in the middle of each answer */
};

static const uint64_t ms = 1000000;
static const char request[] = "GET / HTTP/1.1\r\nHost: stub\r\n\r\n";
static const char good[] = "HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok";
static const char shed[] =
    "HTTP/1.1 503 x\r\nRetry-After: 1\r\nContent-Length: 0\r\n\r\n";
static const char leave[] =
    "HTTP/1.1 200 OK\r\nConnection: close\r\nContent-Length: 2\r\n\r\nok";
static const char last[] = "HTTP/1.1 200 OK\r\nConnection: close\r\n\r\nok";

static struct {
    pid_t pid;
    struct addr address;
} stub;

static struct load_result r; /* of the load that a test has run */

/* ---- the stub ---- */

static const char *answer_of(enum manner manner, unsigned number)
{
    if (manner == STALLS && number == STALL_AT)
        poll(NULL, 0, STALL_MS);
    if (manner == SHEDS && number % 2 == 0)
        return shed;
    return manner == CLOSES ? last : manner == LINGERS ? leave : good;
}

/* False: the connection is over. Requests arrive whole: they are small. */
static bool serve(int fd, enum manner manner)
{
    static unsigned number;
    static bool is_spent[1024];
    char bytes[4096];
    const ssize_t n = read(fd, bytes, sizeof(bytes));
    const char *answer;

    if (n <= 0) {
        is_spent[fd] = false;
        return false;
    }
    if (manner == DEAF || is_spent[fd])
        return true;
    is_spent[fd] = manner == LINGERS;
    answer = answer_of(manner, ++number);
    if (manner == LEAVES)
        setsockopt(fd, IPPROTO_TCP, TCP_CORK, &(int){1}, sizeof(int));
    if (manner == CUTS)
        return write(fd, good, sizeof(good) - 2) < 0;
    return write(fd, answer, strlen(answer)) > 0 && manner != CLOSES && manner != LEAVES;
}

static _Noreturn void be_stub(int listener, enum manner manner)
{
    struct pollfd peer[PEERS] = {{.fd = listener, .events = POLLIN}};
    nfds_t n = 1;

    alarm(60); /* never outlives a test that died */
    for (;;) {
        poll(peer, n, -1);
        for (nfds_t i = n; i-- > 1;)
            if (peer[i].revents != 0 && !serve(peer[i].fd, manner)) {
                close(peer[i].fd);
                peer[i] = peer[--n];
            }
        if (peer[0].revents != 0 && n < PEERS)
            peer[n++] =
                (struct pollfd){.fd = accept(listener, NULL, NULL), .events = POLLIN};
    }
}

static void start_stub(enum manner manner)
{
    int fd;

    assert_null(addr_parse("127.0.0.1:0", &stub.address));
    fd = socket(AF_INET, SOCK_STREAM, 0);
    assert_return_code(
        bind(fd, (struct sockaddr *)&stub.address.storage, stub.address.length), 0);
    assert_return_code(listen(fd, PEERS), 0);
    assert_return_code(
        getsockname(fd, (struct sockaddr *)&stub.address.storage, &stub.address.length),
        0);
    stub.pid = fork();
    assert_true(stub.pid >= 0);
    if (stub.pid == 0)
        be_stub(fd, manner);
    close(fd);
}

static void stop_stub(void)
{
    if (stub.pid > 0) {
        kill(stub.pid, SIGKILL);
        waitpid(stub.pid, NULL, 0);
    }
    stub.pid = 0;
}

/* ---- the loads ---- */

/* A plan for a stub of that manner, which serves from now on. */
static struct load_plan plan_for(enum manner manner, unsigned clients,
                                 uint64_t duration_ms)
{
    start_stub(manner);
    return (struct load_plan){
        .address = stub.address,
        .request = SLICE_LIT(request),
        .clients = clients,
        .duration_ms = duration_ms,
        .timeout_ms = 20000,
    };
}

/* Whatever happened, nothing is lost and nothing counted twice. */
static void assert_balanced(void)
{
    uint64_t per_second = 0, statuses = 0;

    assert_int_equal(r.sent, r.answered + load_failures(&r) - r.failed[LOAD_UNSENT]);
    for (size_t i = 0; i < r.second_count; i++)
        per_second += r.second[i].answered + r.second[i].failed;
    assert_int_equal(per_second, r.answered + load_failures(&r));
    for (size_t i = 0; i < LOAD_STATUSES; i++)
        statuses += r.status[i];
    assert_int_equal(statuses, r.answered + r.failed[LOAD_STATUS]);
}

static void run(const struct load_plan *plan)
{
    assert_null(load_run(plan, &r));
    assert_balanced();
}

static int teardown(void **state)
{
    (void)state;
    load_result_fini(&r);
    stop_stub();
    return 0;
}

static void a_stall_is_charged_to_all_it_delayed(void **state)
{
    struct load_plan plan = plan_for(STALLS, 16, 1000);

    (void)state;
    plan.rate = 200;
    run(&plan);
    /* unsent: what a busy machine did not let us send in the last moments */
    assert_int_equal(r.answered + r.failed[LOAD_UNSENT], 200);
    assert_int_equal(load_failures(&r), r.failed[LOAD_UNSENT]);
    assert_int_equal(r.latency.count, 200);
    /* 60 were due meanwhile; counted from their sending, only the 16 on the wire would
     * have taken long */
    assert_true(histogram_quantile(&r.latency, 0.9) > 100 * ms);
    assert_true(r.latency.max_ns > (STALL_MS - 50) * ms);
    assert_true(histogram_quantile(&r.lag, 0.9) > 100 * ms);
}

static void what_was_never_sent_is_a_failure(void **state)
{
    struct load_plan plan = plan_for(DEAF, 1, 200);

    (void)state;
    plan.rate = 100;
    plan.timeout_ms = 1500;
    run(&plan);
    assert_int_equal(r.sent, 1);
    assert_int_equal(r.failed[LOAD_TIMEOUT], 1);
    assert_int_equal(r.failed[LOAD_UNSENT], 19);
    assert_int_equal(r.latency.count, 20);
    assert_true(r.latency.max_ns >= 1500 * ms);
}

static void a_deaf_server_times_out(void **state)
{
    struct load_plan plan = plan_for(DEAF, 2, 150);

    (void)state;
    plan.timeout_ms = 100;
    run(&plan);
    assert_int_equal(r.answered, 0);
    assert_in_range(r.failed[LOAD_TIMEOUT], 2, 4);
    assert_true(r.fairness.jain == 0 && r.fairness.starved == 2);
}

static void clients_share_alike(void **state)
{
    struct load_plan plan = plan_for(ANSWERS, 4, 1000);

    (void)state;
    plan.warmup_ms = 300;
    plan.is_spread = true;
    plan.connect_burst = 1;
    run(&plan);
    assert_int_equal(load_failures(&r), 0);
    assert_int_equal(r.connects, 4);
    assert_int_equal(r.body_bytes, 2 * r.answered);
    assert_true(r.completions > 4 && r.completions < r.answered);
    assert_true(r.rate > 0);
    assert_true(r.fairness.jain > 0.8);
}

static void thinking_holds_a_client_back(void **state)
{
    struct load_plan plan = plan_for(ANSWERS, 2, 600);

    (void)state;
    plan.think_ms = 50;
    run(&plan);
    assert_in_range(r.sent, 2, 24);
}

static void unexpected_statuses_are_apart(void **state)
{
    struct load_plan plan = plan_for(SHEDS, 16, 500);

    (void)state;
    plan.rate = 40;
    plan.expect = 200;
    run(&plan);
    assert_int_equal(r.answered, 10);
    assert_int_equal(r.failed[LOAD_STATUS], 10);
    assert_int_equal(r.status[503], 10);
    assert_int_equal(r.retry_after, 10);
    assert_int_equal(r.latency.count, 10);
    assert_int_equal(r.unexpected.count, 10);
}

static void assert_ends_do_no_harm(const struct load_plan *plan)
{
    run(plan);
    assert_int_equal(load_failures(&r), 0);
    assert_true(r.answered > 2 && r.connects >= r.answered);
}

static void a_connection_that_ends_well_is_replaced(void **state)
{
    struct load_plan plan = plan_for(CLOSES, 2, 400);

    (void)state;
    assert_ends_do_no_harm(&plan);
}

/* The end comes with the answer: it must be seen before the next request is sent. */
static void a_server_that_just_leaves_is_no_failure(void **state)
{
    struct load_plan plan = plan_for(LEAVES, 2, 400);

    (void)state;
    assert_ends_do_no_harm(&plan);
}

static void a_server_that_says_close_is_believed(void **state)
{
    struct load_plan plan = plan_for(LINGERS, 2, 400);

    (void)state;
    plan.timeout_ms = 5000;
    assert_ends_do_no_harm(&plan);
}

static void a_cut_answer_is_short(void **state)
{
    struct load_plan plan = plan_for(CUTS, 1, 120);

    (void)state;
    run(&plan);
    assert_int_equal(r.answered, 0);
    assert_in_range(r.failed[LOAD_SHORT], 1, 4); /* it holds back 50 ms after each */
}

static void stop(void *arg, size_t second, const struct load_second *what)
{
    assert_int_equal(second, 0);
    assert_true(what->answered > 0);
    *(sig_atomic_t *)arg = 1;
}

static void can_be_stopped(void **state)
{
    sig_atomic_t stopped = 0;
    struct load_plan plan = plan_for(ANSWERS, 1, 30000);

    (void)state;
    plan.think_ms = 5;
    plan.on_second = stop;
    plan.arg = &stopped;
    plan.stop = &stopped;
    run(&plan);
    assert_true(r.run_ns < 15000 * ms);
}

static void does_not_begin_without_a_server(void **state)
{
    struct load_plan plan = plan_for(ANSWERS, 3, 10000);

    (void)state;
    stop_stub();
    assert_non_null(strstr(load_run(&plan, &r), "no connection"));
    assert_int_equal(r.failed[LOAD_REFUSED], 3);
    assert_int_equal(r.sent, 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_teardown(a_stall_is_charged_to_all_it_delayed, teardown),
        cmocka_unit_test_teardown(what_was_never_sent_is_a_failure, teardown),
        cmocka_unit_test_teardown(a_deaf_server_times_out, teardown),
        cmocka_unit_test_teardown(clients_share_alike, teardown),
        cmocka_unit_test_teardown(thinking_holds_a_client_back, teardown),
        cmocka_unit_test_teardown(unexpected_statuses_are_apart, teardown),
        cmocka_unit_test_teardown(a_connection_that_ends_well_is_replaced, teardown),
        cmocka_unit_test_teardown(a_server_that_just_leaves_is_no_failure, teardown),
        cmocka_unit_test_teardown(a_server_that_says_close_is_believed, teardown),
        cmocka_unit_test_teardown(a_cut_answer_is_short, teardown),
        cmocka_unit_test_teardown(can_be_stopped, teardown),
        cmocka_unit_test_teardown(does_not_begin_without_a_server, teardown),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
