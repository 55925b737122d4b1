/* SPDX-License-Identifier: MIT */
/*
 * test_pool - order, exact concurrency, cancelling, stopping, no thread too many, and a signal
 * for the one that runs a job.
 */
#include "worker/pool.h"

#include "worker/worker.h"

#include "common/fd.h"
#include "common/log.h"

#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <sched.h>
#include <semaphore.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

enum { THREADS = 4 };

/* A job that waits at a gate. */
struct task {
    struct pool_job job;
    int number;
    sem_t *gate; /* NULL: runs through */
    unsigned thread;
};

static struct {
    atomic_int running, most, ended, order[1000];
    atomic_int right;
    sem_t begun, done;
} seen;

static void run_task(struct pool_job *job, unsigned thread_index)
{
    struct task *task = CONTAINER_OF(job, struct task, job);
    int now = atomic_fetch_add(&seen.running, 1) + 1;
    int most = atomic_load(&seen.most);

    while (now > most && !atomic_compare_exchange_weak(&seen.most, &most, now))
        continue;
    task->thread = thread_index;
    sem_post(&seen.begun);
    if (task->gate != NULL)
        while (sem_wait(task->gate) != 0)
            continue;
    atomic_store(&seen.order[atomic_fetch_add(&seen.ended, 1) % 1000], task->number);
    atomic_fetch_sub(&seen.running, 1);
    sem_post(&seen.done); /* and now the test may free the task */
}

static void wait_times(sem_t *sem, int times)
{
    while (times > 0)
        if (sem_wait(sem) == 0)
            times--;
}

static void open_gate(sem_t *sem, int times)
{
    while (times-- > 0)
        sem_post(sem);
}

static int setup(void **state)
{
    struct pool *pool = pool_create(THREADS);

    memset((void *)&seen, 0, sizeof(seen));
    sem_init(&seen.begun, 0, 0);
    sem_init(&seen.done, 0, 0);
    *state = pool;
    return pool == NULL ? -1 : 0;
}

static int teardown(void **state)
{
    struct pool *pool = *state;

    pool_destroy(&pool);
    sem_destroy(&seen.begun);
    sem_destroy(&seen.done);
    return 0;
}

static void test_none_until_needed(void **state)
{
    struct pool *pool = *state;
    struct task task = {.job.run = run_task};

    assert_int_equal(pool_thread_count(pool), 0);
    for (int i = 0; i < 100; i++) {
        assert_int_equal(pool_submit(pool, &task.job), 0);
        wait_times(&seen.done, 1);
        assert_false(pool_cancel(pool, &task.job)); /* it has ended */
        while (pool_free_count(pool) < 1) /* it has ended, but not gone to sleep */
            sched_yield();
    }
    assert_int_equal(pool_thread_count(pool), 1);
}

static void test_exactly_so_many_at_once(void **state)
{
    struct pool *pool = *state;
    struct task tasks[20];
    bool used[THREADS] = {false};
    sem_t gate;

    sem_init(&gate, 0, 0);
    for (int i = 0; i < 20; i++) {
        tasks[i] = (struct task){.job.run = run_task, .number = i, .gate = &gate};
        assert_int_equal(pool_submit(pool, &tasks[i].job), 0);
    }
    wait_times(&seen.begun, THREADS);
    assert_int_equal(sem_trywait(&seen.begun), -1);
    assert_int_equal(atomic_load(&seen.running), THREADS);
    open_gate(&gate, 20);
    wait_times(&seen.done, 20);
    assert_int_equal(atomic_load(&seen.most), THREADS);
    assert_int_equal(pool_thread_count(pool), THREADS);
    for (int i = 0; i < 20; i++)
        used[tasks[i].thread] = true;
    for (int i = 0; i < THREADS; i++)
        assert_true(used[i]);
    sem_destroy(&gate);
}

static void test_order(void **state)
{
    struct task tasks[500];
    struct pool *pool = pool_create(1);

    (void)state;
    for (int i = 0; i < 500; i++) {
        tasks[i] = (struct task){.job.run = run_task, .number = i};
        assert_int_equal(pool_submit(pool, &tasks[i].job), 0);
    }
    wait_times(&seen.done, 500);
    for (int i = 0; i < 500; i++)
        assert_int_equal(atomic_load(&seen.order[i]), i);
    assert_int_equal(pool_thread_count(pool), 1);
    pool_destroy(&pool);
    assert_null(pool);
    pool_destroy(&pool);
}

static void test_cancel(void **state)
{
    struct pool *pool = pool_create(1);
    struct task first, second, third;
    sem_t gate;

    (void)state;
    sem_init(&gate, 0, 0);
    first = (struct task){.job.run = run_task, .number = 1, .gate = &gate};
    second = (struct task){.job.run = run_task, .number = 2};
    third = (struct task){.job.run = run_task, .number = 3};
    pool_submit(pool, &first.job);
    wait_times(&seen.begun, 1);
    pool_submit(pool, &second.job);
    pool_submit(pool, &third.job);
    assert_false(pool_cancel(pool, &first.job)); /* it runs */
    assert_true(pool_cancel(pool, &second.job));
    assert_false(pool_cancel(pool, &second.job));
    assert_int_equal(pool_submit(pool, &second.job), 0); /* again, behind the third */
    open_gate(&gate, 1);
    wait_times(&seen.done, 3);
    assert_int_equal(atomic_load(&seen.order[0]), 1);
    assert_int_equal(atomic_load(&seen.order[1]), 3);
    assert_int_equal(atomic_load(&seen.order[2]), 2);
    pool_destroy(&pool);
    sem_destroy(&gate);
}

/* Stopping finishes what was accepted and refuses the rest. */
static void test_stop(void **state)
{
    struct pool *pool = *state;
    struct task tasks[50], late = {.job.run = run_task};

    for (int i = 0; i < 50; i++) {
        tasks[i] = (struct task){.job.run = run_task, .number = i};
        pool_submit(pool, &tasks[i].job);
    }
    pool_stop(pool);
    assert_int_equal(atomic_load(&seen.ended), 50);
    assert_int_equal(pool_thread_count(pool), 0);
    assert_int_equal(pool_submit(pool, &late.job), -1);
    assert_int_equal(errno, ECANCELED);
    assert_false(pool_cancel(pool, &late.job));
}

struct again {
    struct pool_job job;
    struct pool *pool;
    int left;
};

static void run_again(struct pool_job *job, unsigned thread_index)
{
    struct again *again = CONTAINER_OF(job, struct again, job);

    (void)thread_index;
    if (--again->left > 0)
        pool_submit(again->pool, job); /* from a thread of the pool, and itself */
    else
        sem_post(&seen.done);
}

static void test_resubmits_itself(void **state)
{
    struct again jobs[8];

    for (size_t i = 0; i < COUNT_OF(jobs); i++) {
        jobs[i] = (struct again){.job.run = run_again, .pool = *state, .left = 2000};
        pool_submit(*state, &jobs[i].job);
    }
    wait_times(&seen.done, COUNT_OF(jobs));
}

static void run_and_free(struct pool_job *job, unsigned thread_index)
{
    (void)thread_index;
    free(CONTAINER_OF(job, struct task, job));
    sem_post(&seen.done);
}

/* ASan and TSan watch: nothing touches a job that has been given away. */
static void test_job_is_freed_by_run(void **state)
{
    struct pool *pool = *state;

    for (int i = 0; i < 5000; i++) {
        struct task *task = calloc(1, sizeof(*task));

        task->job.run = run_and_free;
        assert_int_equal(pool_submit(pool, &task->job), 0);
    }
    wait_times(&seen.done, 5000);
}

static void *submit_many(void *arg)
{
    for (int i = 0; i < 2000; i++) {
        struct task *task = calloc(1, sizeof(*task));

        task->job.run = run_and_free;
        pool_submit(arg, &task->job);
    }
    return NULL;
}

static void test_many_submitters(void **state)
{
    pthread_t threads[3];

    for (size_t i = 0; i < COUNT_OF(threads); i++)
        pthread_create(&threads[i], NULL, submit_many, *state);
    wait_times(&seen.done, 2000 * (int)COUNT_OF(threads));
    for (size_t i = 0; i < COUNT_OF(threads); i++)
        pthread_join(threads[i], NULL);
}

static struct {
    char name[32];
    size_t stack_bytes;
    sigset_t mask;
} thread_traits;

static void run_look(struct pool_job *job, unsigned thread_index)
{
    pthread_attr_t attr;

    (void)job;
    (void)thread_index;
    pthread_getname_np(pthread_self(), thread_traits.name, sizeof(thread_traits.name));
    pthread_getattr_np(pthread_self(), &attr);
    pthread_attr_getstacksize(&attr, &thread_traits.stack_bytes);
    pthread_attr_destroy(&attr);
    pthread_sigmask(SIG_BLOCK, NULL, &thread_traits.mask);
    sem_post(&seen.done);
}

static void test_traits(void **state)
{
    struct pool_job job = {.run = run_look};
    sigset_t mine;

    pool_set_stack(*state, 3 << 20);
    pool_submit(*state, &job);
    wait_times(&seen.done, 1);
    assert_string_equal(thread_traits.name, "remuda/0");
    assert_true(thread_traits.stack_bytes >= 3 << 20);
    assert_true(sigismember(&thread_traits.mask, SIGTERM));
    assert_true(sigismember(&thread_traits.mask, SIGUSR1));
    assert_false(sigismember(&thread_traits.mask, SIGSEGV));
    assert_false(sigismember(&thread_traits.mask, SIGABRT));
    pthread_sigmask(SIG_BLOCK, NULL, &mine);
    assert_false(sigismember(&mine, SIGTERM));
}

/* A stack that no machine has: no thread, so the job is refused, told once, and all is
 * well again afterwards. With one thread there, jobs wait for it instead. */
static void test_no_thread_to_be_had(void **state)
{
    struct pool *pool = *state;
    struct task task = {.job.run = run_task}, second = {.job.run = run_task};
    int pipes[2];
    char text[512];
    sem_t gate;

    assert_int_equal(pipe2(pipes, O_CLOEXEC | O_NONBLOCK), 0);
    sem_init(&gate, 0, 0);
    log_set_fd(pipes[1]);
    pool_set_stack(pool, (size_t)1 << 60);
    for (int i = 0; i < 3; i++) {
        assert_int_equal(pool_submit(pool, &task.job), -1);
        assert_true(errno == EAGAIN || errno == ENOMEM || errno == EINVAL);
        assert_false(pool_cancel(pool, &task.job));
    }
    pool_set_stack(pool, 1 << 20);
    task.gate = &gate;
    assert_int_equal(pool_submit(pool, &task.job), 0);
    wait_times(&seen.begun, 1);
    pool_set_stack(pool, (size_t)1 << 60);
    assert_int_equal(pool_submit(pool, &second.job), 0);
    open_gate(&gate, 1);
    wait_times(&seen.done, 2);
    assert_int_equal(pool_thread_count(pool), 1);
    log_set_fd(2);
    ssize_t n = read(pipes[0], text, sizeof(text) - 1);
    assert_true(n > 0);
    text[n] = '\0';
    assert_non_null(strstr(text, "warn remuda: thread 1 of 4 cannot be made: "));
    const char *second_line = strchr(text, '\n') + 1;
    assert_non_null(strstr(second_line, "warn remuda: thread 2 of 4 cannot be made: "));
    assert_int_equal(strchr(second_line, '\n') + 1 - text, n);
    fd_close(&pipes[0]);
    fd_close(&pipes[1]);
    sem_destroy(&gate);
}

static void on_signal(int number, siginfo_t *info, void *machine)
{
    (void)number;
    (void)machine;
    if (info->si_code == SI_QUEUE && info->si_value.sival_ptr == pool_job_here())
        atomic_fetch_add(&seen.right, 1);
    sem_post(&seen.begun);
}

/* Of three threads the one that runs it, and none that does not. */
static void test_signal(void **state)
{
    struct pool *pool = *state;
    struct sigaction action = {.sa_flags = SA_SIGINFO | SA_RESTART};
    struct task task[3] = {{.number = 0}, {.number = 1}, {.number = 2}};
    sem_t gate;

    action.sa_sigaction = on_signal;
    assert_int_equal(sigaction(WORKER_SIGNAL_STACK, &action, NULL), 0);
    sem_init(&gate, 0, 0);
    for (size_t i = 0; i < 2; i++) {
        task[i].job.run = run_task;
        task[i].gate = &gate;
        assert_int_equal(pool_submit(pool, &task[i].job), 0);
    }
    wait_times(&seen.begun, 2);
    for (size_t i = 0; i < 2; i++) {
        if (pool_signal(pool, &task[i].job, WORKER_SIGNAL_STACK))
            wait_times(&seen.begun, 1);
    }
    bool is_found = pool_signal(pool, &task[2].job, WORKER_SIGNAL_STACK);
    open_gate(&gate, 2); /* or a failure would hang in the teardown */
    wait_times(&seen.done, 2);
    assert_int_equal(seen.right, 2);
    assert_false(is_found);
    assert_null(pool_job_here());
    while (pool_free_count(pool) < 2)
        sched_yield();
    assert_false(pool_signal(pool, &task[0].job, WORKER_SIGNAL_STACK));
    sem_destroy(&gate);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(test_none_until_needed, setup, teardown),
        cmocka_unit_test_setup_teardown(test_exactly_so_many_at_once, setup, teardown),
        cmocka_unit_test_setup_teardown(test_order, setup, teardown),
        cmocka_unit_test_setup_teardown(test_cancel, setup, teardown),
        cmocka_unit_test_setup_teardown(test_stop, setup, teardown),
        cmocka_unit_test_setup_teardown(test_resubmits_itself, setup, teardown),
        cmocka_unit_test_setup_teardown(test_job_is_freed_by_run, setup, teardown),
        cmocka_unit_test_setup_teardown(test_many_submitters, setup, teardown),
        cmocka_unit_test_setup_teardown(test_traits, setup, teardown),
        cmocka_unit_test_setup_teardown(test_no_thread_to_be_had, setup, teardown),
        cmocka_unit_test_setup_teardown(test_signal, setup, teardown),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
