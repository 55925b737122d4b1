/* SPDX-License-Identifier: MIT */
/*
 * test_coro - stacks, switches and bounds. Built twice: with the assembly and, as
 * test_coro_ucontext, with ucontext.
 */
#include "worker/coro.h"
#include "worker/spare.h"

#include <dlfcn.h>
#include <errno.h>
#include <fenv.h>
#include <pthread.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <string.h>
#include <time.h>
#include <cmocka.h>

enum { STACK = 256 * 1024, IDLE_MAX = 8, CAP = 64 };

static int make_pool(void **state)
{
    *state = coro_pool_create(STACK, IDLE_MAX, CAP);
    return *state == NULL ? -1 : 0;
}

static int drop_pool(void **state)
{
    struct coro_pool *pool = *state;

    coro_pool_destroy(&pool);
    assert_null(pool);
    return 0;
}

static struct coro_count count_of(const struct coro_pool *pool)
{
    struct coro_count count;

    coro_pool_count(pool, &count);
    return count;
}

/* ---- start, suspend, resume ---- */

struct probe {
    struct coro *self;
    uintptr_t at;
    int calls;
};

static void probe_once(void *arg)
{
    struct probe *p = arg;

    p->self = coro_current();
    /* not the address of a variable: ASan may keep those elsewhere */
    p->at = (uintptr_t)__builtin_frame_address(0);
    p->calls++;
}

static void test_runs_at_once(void **state)
{
    struct probe p = {.calls = 0};

    assert_int_equal(coro_start(*state, probe_once, &p, "GET /x"), 0);
    assert_int_equal(p.calls, 1);
    assert_non_null(p.self);
    assert_int_equal(p.at % 16, 0);
    assert_null(coro_current());
    assert_int_equal(count_of(*state).live, 0);
}

static void test_many_in_sequence_reuse_one_stack(void **state)
{
    struct probe first = {.calls = 0}, p = {.calls = 0};

    coro_start(*state, probe_once, &first, NULL);
    for (int i = 0; i < 100000; i++)
        assert_int_equal(coro_start(*state, probe_once, &p, NULL), 0);
    assert_int_equal(p.calls, 100000);
    assert_ptr_equal(p.self, first.self);
    assert_int_equal(count_of(*state).idle, 1);
    assert_int_equal(count_of(*state).peak, 1);
}

struct walker {
    struct coro *self;
    unsigned seed, steps, sum, want;
    double real;
};

static unsigned next_random(unsigned *seed)
{
    *seed = *seed * 1103515245u + 12345u;
    return *seed >> 16;
}

/* More live values than there are callee-saved registers, so some are on the stack. */
static void walk(void *arg)
{
    struct walker *w = arg;
    unsigned a = w->seed, b = a * 3, c = a * 5, d = a * 7, e = a * 11, f = a * 13,
             g = a * 17;
    double real = a;
    char local[64];

    memset(local, (int)(a & 0x7f), sizeof(local));
    w->self = coro_current();
    for (unsigned i = 0; i < w->steps; i++) {
        coro_suspend();
        assert_ptr_equal(coro_current(), w->self);
        a++, b += 2, c += 3, d += 5, e += 7, f += 11, g += 13;
        real += 0.5;
    }
    w->sum = a + b + c + d + e + f + g + (unsigned)local[63];
    w->real = real;
    w->self = NULL;
}

static void test_interleaved(void **state)
{
    struct walker walkers[CAP];
    unsigned left = CAP, seed = 42;

    for (unsigned i = 0; i < CAP; i++) {
        walkers[i] = (struct walker){.seed = i + 1, .steps = 1 + i % 50};
        walkers[i].want = (i + 1) * 57 + walkers[i].steps * 42 + ((i + 1) & 0x7f);
        assert_int_equal(coro_start(*state, walk, &walkers[i], NULL), 0);
    }
    assert_int_equal(count_of(*state).live, CAP);
    while (left > 0) {
        struct walker *w = &walkers[next_random(&seed) % CAP];

        if (w->self == NULL)
            continue;
        coro_resume(w->self);
        left -= w->self == NULL;
    }
    for (unsigned i = 0; i < CAP; i++) {
        assert_int_equal(walkers[i].sum, walkers[i].want);
        assert_true(walkers[i].real == (i + 1) + 0.5 * walkers[i].steps);
    }
    assert_int_equal(count_of(*state).live, 0);
}

static void round_upward(void *arg)
{
    struct probe *p = arg;

    p->self = coro_current();
    fesetround(FE_UPWARD);
    coro_suspend();
    p->calls = fegetround();
    fesetround(FE_TONEAREST);
}

static void test_rounding_mode_is_its_own(void **state)
{
    struct probe p = {.calls = -1};

    coro_start(*state, round_upward, &p, NULL);
    assert_int_equal(fegetround(), FE_TONEAREST);
    coro_resume(p.self);
    assert_int_equal(p.calls, FE_UPWARD);
    assert_int_equal(fegetround(), FE_TONEAREST);
}

/* The Itanium C++ ABI's per-thread record, as the C++ runtime sees it. */
struct cxx_state {
    void *caught;
    unsigned uncaught;
};

static struct cxx_state *cxx_now;

static void catch_something(void *arg)
{
    struct probe *p = arg;

    p->self = coro_current();
    assert_null(cxx_now->caught);
    cxx_now->caught = p;
    cxx_now->uncaught = 3;
    coro_suspend();
    p->calls = cxx_now->caught == p && cxx_now->uncaught == 3;
    *cxx_now = (struct cxx_state){.uncaught = 0};
}

static void test_exceptions_are_its_own(void **state)
{
    void *handle = dlopen("libstdc++.so.6", RTLD_NOW | RTLD_LOCAL);
    struct cxx_state *(*globals)(void);
    struct probe p = {.calls = 0};
    void *symbol;

    if (handle == NULL)
        skip();
    symbol = dlsym(handle, "__cxa_get_globals");
    assert_non_null(symbol);
    memcpy(&globals, &symbol, sizeof(globals));
    cxx_now = globals();
    coro_pool_learn(*state, handle);
    coro_pool_learn(*state, handle); /* twice is once, or the exchange undoes itself */

    cxx_now->uncaught = 7;
    coro_start(*state, catch_something, &p, NULL);
    assert_null(cxx_now->caught);
    assert_int_equal(cxx_now->uncaught, 7);
    coro_resume(p.self);
    assert_int_equal(p.calls, 1);
    assert_int_equal(cxx_now->uncaught, 7);
    cxx_now->uncaught = 0;
}

static void *look_from_thread(void *arg)
{
    *(struct coro **)arg = coro_current();
    return NULL;
}

static void ask_a_thread(void *arg)
{
    pthread_t thread;

    assert_int_equal(pthread_create(&thread, NULL, look_from_thread, arg), 0);
    pthread_join(thread, NULL);
}

static void test_other_threads_have_none(void **state)
{
    struct coro *seen = (struct coro *)(uintptr_t)1;

    coro_start(*state, ask_a_thread, &seen, NULL);
    assert_null(seen);
}

/* ---- bounds ---- */

static void start_walkers(struct coro_pool *pool, struct walker *walkers, unsigned n)
{
    for (unsigned i = 0; i < n; i++) {
        walkers[i] = (struct walker){.seed = i, .steps = 1};
        assert_int_equal(coro_start(pool, walk, &walkers[i], NULL), 0);
    }
}

static void finish_walkers(struct walker *walkers, unsigned n)
{
    for (unsigned i = 0; i < n; i++)
        coro_resume(walkers[i].self);
}

static void test_idle_stacks_are_bounded(void **state)
{
    struct walker walkers[CAP];

    start_walkers(*state, walkers, CAP);
    assert_int_equal(count_of(*state).idle, 0);
    finish_walkers(walkers, CAP);
    assert_int_equal(count_of(*state).idle, IDLE_MAX);
    coro_pool_trim(*state, 3);
    assert_int_equal(count_of(*state).idle, 3);
    start_walkers(*state, walkers, 5);
    assert_int_equal(count_of(*state).idle, 0);
    finish_walkers(walkers, 5);
    assert_int_equal(count_of(*state).idle, 5);
    assert_int_equal(count_of(*state).peak, CAP);
}

/* A steady load keeps its stacks; after a peak they go in portions. */
static void test_unneeded_stacks_go(void **state)
{
    enum { PEAK = 4 * SPARE_KEPT };
    static struct walker walkers[PEAK];
    struct coro_pool *pool = coro_pool_create(STACK, PEAK, PEAK);
    unsigned idle;

    (void)state;
    for (int second = 0; second < 3; second++) {
        start_walkers(pool, walkers, PEAK);
        finish_walkers(walkers, PEAK);
        assert_int_equal(coro_pool_relax(pool), 0);
        assert_int_equal(count_of(pool).idle, PEAK);
    }
    assert_in_range(coro_pool_relax(pool), 1, PEAK - SPARE_KEPT);
    idle = count_of(pool).idle;
    assert_true(idle < PEAK);
    start_walkers(pool, walkers, idle); /* all are needed again */
    assert_int_equal(coro_pool_relax(pool), 0);
    finish_walkers(walkers, idle);
    assert_int_equal(coro_pool_relax(pool), 0);
    for (int second = 0; second < 20; second++)
        coro_pool_relax(pool);
    assert_int_equal(count_of(pool).idle, SPARE_KEPT);
    coro_pool_destroy(&pool);
}

static void test_cap(void **state)
{
    struct walker walkers[CAP], more = {.steps = 0};

    start_walkers(*state, walkers, CAP);
    errno = 0;
    assert_int_equal(coro_start(*state, walk, &more, NULL), -1);
    assert_int_equal(errno, EAGAIN);
    coro_resume(walkers[0].self);
    assert_int_equal(coro_start(*state, walk, &more, NULL), 0);
    finish_walkers(walkers + 1, CAP - 1);
}

static void test_no_memory(void **state)
{
    struct coro_pool *pool = coro_pool_create((size_t)1 << 60, 1, 1);
    struct probe p = {.calls = 0};

    (void)state;
    assert_non_null(pool);
    assert_int_equal(coro_start(pool, probe_once, &p, NULL), -1);
    assert_int_equal(errno, ENOMEM);
    assert_int_equal(p.calls, 0);
    assert_int_equal(count_of(pool).live, 0);
    coro_pool_destroy(&pool);
}

static void test_cap_of_the_system(void **state)
{
    unsigned cap = coro_cap();

    (void)state;
    assert_in_range(cap, 16, CORO_CAP);
}

/* ---- what it costs, for the eye ---- */

static double now_ns(void)
{
    struct timespec t;

    clock_gettime(CLOCK_MONOTONIC, &t);
    return (double)t.tv_sec * 1e9 + (double)t.tv_nsec;
}

static void count_for_ever(void *arg)
{
    struct probe *p = arg;

    p->self = coro_current();
    while (p->calls < 200000) {
        p->calls++;
        coro_suspend();
    }
}

static void test_cost(void **state)
{
    struct probe p = {.calls = 0};
    double begin = now_ns(), middle;

    for (int i = 0; i < 200000; i++)
        coro_start(*state, probe_once, &p, NULL);
    middle = now_ns();
    p.calls = 0;
    coro_start(*state, count_for_ever, &p, NULL);
    for (int i = 0; i < 200000; i++)
        coro_resume(p.self);
    print_message("start to end %.0f ns, resume to suspend %.0f ns\n",
                  (middle - begin) / 200000, (now_ns() - middle) / 200000);
    assert_int_equal(count_of(*state).live, 0);
}

#define WITH_POOL(test) cmocka_unit_test_setup_teardown(test, make_pool, drop_pool)

int main(void)
{
    const struct CMUnitTest tests[] = {
        WITH_POOL(test_runs_at_once),
        WITH_POOL(test_many_in_sequence_reuse_one_stack),
        WITH_POOL(test_interleaved),
        WITH_POOL(test_rounding_mode_is_its_own),
        WITH_POOL(test_exceptions_are_its_own),
        WITH_POOL(test_other_threads_have_none),
        WITH_POOL(test_idle_stacks_are_bounded),
        cmocka_unit_test(test_unneeded_stacks_go),
        WITH_POOL(test_cap),
        cmocka_unit_test(test_no_memory),
        cmocka_unit_test(test_cap_of_the_system),
        WITH_POOL(test_cost),
    };

    return cmocka_run_group_tests_name("coro", tests, NULL, NULL);
}
