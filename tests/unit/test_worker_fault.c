/* SPDX-License-Identifier: MIT */
/*
 * test_worker_fault - the last words of a worker: what, where, for whom; and that it dies as it
 * would have without them. Each death happens in a child.
 */
#include "tests/unit/fault_fixture.h"

#include "common/running.h"
#include "worker/coro.h"
#include "worker/signal_stack.h"

#include <stdio.h>
#include <time.h>

enum { STACK = 256 * 1024, THREADS = TRACES / 2 };

static const struct plugin plugin = {.name = "crash"};
static const struct route route = {.plugin = &plugin,
                                   .label = (char *)(uintptr_t) "GET /x"};
static struct request request = {.route = &route, .record = 3};

static unsigned count(const char *text, const char *what)
{
    unsigned n = 0;

    for (; (text = strstr(text, what)) != NULL; text++)
        n++;
    return n;
}

/* ---- ways to die ---- */

static void (*volatile nowhere)(void);

/* A thread of the pool, with the request that it runs. */
static void *run_as_pool(void *arg)
{
    void *stack;

    (void)signal_stack_give(&stack);
    fault_request = arg != NULL ? &request : NULL;
    crash();
    return NULL;
}

static void in_thread(void *arg)
{
    pthread_t id;

    CHECK(pthread_create(&id, NULL, run_as_pool, arg) == 0);
    pthread_join(id, NULL);
}

static void in_slot(void)
{
    in_thread(&request);
}

static void in_own_thread(void)
{
    in_thread(NULL);
}

static void test_who_and_where(void **state)
{
    struct death *d = die(crash);

    (void)state;
    assert_says(d, " remuda: fault: signal SEGV MAPERR at 0x40, on the loop\n");
    assert_died_of(d, SIGSEGV);
    d = die(in_slot);
    assert_says(
        d, "fault: signal SEGV MAPERR at 0x40, in slot 3, in GET /x of plugin crash\n");
    assert_died_of(d, SIGSEGV);
    d = die(in_own_thread);
    assert_says(d, "fault: signal SEGV MAPERR at 0x40, in thread test_worker_fau\n");
    assert_died_of(d, SIGSEGV);
}

static void test_stack_is_shown(void **state)
{
    struct death *d = die(in_slot);

    (void)state;
    assert_says(d, "fault: #0 remuda(");
    assert_says(d, "fault: #1 remuda(");
    assert_non_null(strstr(d->text, "libc"));
    assert_int_equal(count(d->text, "fault: #0"), 1);
}

static void without_permit(void)
{
    board_set32(&heritage.board->traces, 0);
    crash();
}

static void test_storm_shows_no_stacks(void **state)
{
    struct death *d = die(without_permit);

    (void)state;
    assert_says(d, "fault: signal SEGV");
    assert_int_equal(count(d->text, "fault: #"), 0);
    assert_died_of(d, SIGSEGV);
}

/* ---- signals ---- */

static int number_to_raise;

static void raise_it(void)
{
    raise(number_to_raise);
}

static void abort_it(void)
{
    abort();
}

static void trap_it(void)
{
    __builtin_trap();
}

static void test_each_signal_kills_as_before(void **state)
{
    char text[64];

    (void)state;
    for (size_t i = 0; i < COUNT_OF(fatal); i++) {
        number_to_raise = fatal[i].number;
        struct death *d = die(raise_it);
        snprintf(text, sizeof(text), "fault: signal %s raised by itself, on the loop",
                 fatal[i].name);
        assert_says(d, text);
        assert_died_of(d, fatal[i].number);
    }
    assert_died_of(die(abort_it), SIGABRT);
    assert_died_of(die(trap_it), SIGILL);
}

static void send_from_outside(void)
{
    pid_t victim = getpid(), sender = fork();

    if (sender == 0) {
        (void)nanosleep(&(struct timespec){.tv_nsec = 20000000}, NULL);
        kill(victim, SIGBUS);
        _exit(0);
    }
    (void)sleep(5);
}

static void test_sender_is_named(void **state)
{
    struct death *d = die(send_from_outside);

    (void)state;
    assert_says(d, "fault: signal BUS sent by process ");
    assert_died_of(d, SIGBUS);
}

/* ---- who else handles signals ---- */

static void show_and_exit(int number, siginfo_t *info, void *machine)
{
    (void)machine;
    log_error("handler of a plugin: %d %d %p", number, info->si_code, info->si_addr);
    _exit(42);
}

static void handle_with(void (*handler)(int, siginfo_t *, void *))
{
    struct sigaction action = {.sa_flags = SA_SIGINFO};

    action.sa_sigaction = handler;
    sigaction(SIGSEGV, &action, NULL);
}

static void replaced(void)
{
    handle_with(show_and_exit);
    crash();
}

/* A sanitizer's: there before us. */
static void chained(void)
{
    handle_with(show_and_exit);
    become_worker();
    crash();
}

static void test_handlers_of_others(void **state)
{
    struct death *d = die(replaced);

    (void)state;
    assert_true(WIFEXITED(d->status) && WEXITSTATUS(d->status) == 42);
    assert_null(strstr(d->text, "fault:"));
    assert_says(d, "handler of a plugin: 11 1 0x40");
    d = die(chained);
    assert_true(WIFEXITED(d->status) && WEXITSTATUS(d->status) == 42);
    assert_says(d, "fault: signal SEGV MAPERR at 0x40");
    assert_says(d, "handler of a plugin: 11 1 0x40"); /* it sees the very same */
}

static void in_a_child_of_the_plugin(void)
{
    pid_t pid = fork();
    int status;

    if (pid == 0)
        crash();
    waitpid(pid, &status, 0);
    log_error("child: %d", WIFSIGNALED(status));
}

static void test_child_of_a_plugin_is_no_worker(void **state)
{
    struct death *d = die(in_a_child_of_the_plugin);

    (void)state;
    assert_says(d, "child: 1");
    assert_null(strstr(d->text, "fault:"));
}

/* ---- damaged stacks ---- */

__attribute__((noinline)) static unsigned dig(unsigned depth)
{
    volatile char frame[400];

    frame[0] = (char)depth;
    return depth == 0 ? 0 : dig(depth - 1) + (unsigned)frame[0];
}

static void dig_too_deep(void *arg)
{
    (void)arg;
    dig(1u << 30);
}

static void overflow_coroutine(void)
{
    struct coro_pool *pool = coro_pool_create(STACK, 1, 4);

    coro_start(pool, dig_too_deep, NULL, "GET /deep");
}

static void *overflow_stack(void *arg)
{
    void *stack;

    (void)signal_stack_give(&stack);
    fault_request = &request;
    dig_too_deep(arg);
    return NULL;
}

static void overflow_thread(void)
{
    pthread_t id;

    CHECK(pthread_create(&id, NULL, overflow_stack, NULL) == 0);
    pthread_join(id, NULL);
}

static void test_overflow(void **state)
{
    struct death *d = die(overflow_coroutine);

    (void)state;
    assert_says(d, "coroutine stack overflow in route GET /deep\n");
    assert_says(d, "fault: stack overflow, signal SEGV ");
    assert_died_of(d, SIGSEGV);
    assert_in_range(count(d->text, "fault: #"), 2, 12);
    d = die(overflow_thread);
    assert_says(d, "fault: stack overflow, signal SEGV ");
    assert_says(d, "in slot 3, in GET /x of plugin crash\n");
    assert_died_of(d, SIGSEGV);
}

/* Newer sanitizers of clang look at what stands before a function that is called by pointer. */
__attribute__((no_sanitize("undefined"))) static void jump_nowhere(void)
{
    nowhere();
    log_error("not reached"); /* so that the call is no jump */
}

__attribute__((no_sanitize("address", "undefined"), noinline)) static void smash(void)
{
    volatile uintptr_t *at = __builtin_frame_address(0);

    for (int i = -2; i < 64; i++)
        at[i] = 0x4141414141414141u;
}

static void smash_and_return(void)
{
    smash();
    log_error("not reached");
}

static void test_damaged_stacks(void **state)
{
    struct death *d = die(jump_nowhere);

    (void)state;
    assert_says(d, "at 0x0, on the loop\n");
    assert_says(d, "fault: #? remuda(");
    assert_died_of(d, SIGSEGV);
    d = die(smash_and_return);
    assert_says(d, "fault: signal SEGV ");
    assert_died_of(d, SIGSEGV);
}

/* ---- many at once ---- */

static pthread_barrier_t start_line;

static void *crash_together(void *arg)
{
    (void)arg;
    pthread_barrier_wait(&start_line);
    return run_as_pool(&request);
}

static void all_at_once(void)
{
    pthread_t id[THREADS];

    CHECK(pthread_barrier_init(&start_line, NULL, THREADS) == 0);
    for (int i = 0; i < THREADS; i++)
        CHECK(pthread_create(&id[i], NULL, crash_together, NULL) == 0);
    for (int i = 0; i < THREADS; i++)
        pthread_join(id[i], NULL);
}

static void test_many_at_once(void **state)
{
    (void)state;
    for (int i = 0; i < 20; i++) {
        struct death *d = die(all_at_once);

        assert_died_of(d, SIGSEGV);
        assert_says(d, "fault: signal SEGV MAPERR at 0x40, in slot 3");
        assert_int_equal(count(d->text, "fault: #0 "), 1);
    }
}

/* It does not die at once of what is passed on, so that the others could have their say; then
 * the fault comes again. */
static void die_late(int number, siginfo_t *info, void *machine)
{
    (void)info;
    (void)machine;
    nanosleep(&(struct timespec){.tv_nsec = 300000000}, NULL);
    sigaction(number, &(struct sigaction){.sa_handler = SIG_DFL}, NULL);
}

static void all_at_once_slowly(void)
{
    handle_with(die_late);
    become_worker();
    all_at_once();
}

static void test_one_shows_its_stack(void **state)
{
    struct death *d = die(all_at_once_slowly);

    (void)state;
    assert_died_of(d, SIGSEGV);
    assert_int_equal(count(d->text, "fault: #0 "), 1);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_who_and_where),
        cmocka_unit_test(test_stack_is_shown),
        cmocka_unit_test(test_storm_shows_no_stacks),
        cmocka_unit_test(test_each_signal_kills_as_before),
        cmocka_unit_test(test_sender_is_named),
        cmocka_unit_test(test_handlers_of_others),
        cmocka_unit_test(test_child_of_a_plugin_is_no_worker),
        cmocka_unit_test(test_overflow),
        cmocka_unit_test(test_damaged_stacks),
        cmocka_unit_test(test_many_at_once),
        cmocka_unit_test(test_one_shows_its_stack),
    };

    return cmocka_run_group_tests_name("worker_fault", tests, NULL, NULL);
}
