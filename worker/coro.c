/* SPDX-License-Identifier: MIT */
/*
 * coro - the pool of stacks and who runs on them.         [worker, loop thread]
 *
 * Owns:    every mapping of the pool: guard, stack, and at its top the struct coro. A
 *          stack that has ended keeps its context: its entry function loops, so that the
 *          next start is a switch and nothing more. Idle ones are used last in, first
 *          out.
 * Called:  see the header; calls coro_switch.c.
 * Fails:   a call from the wrong place (another thread, inside a coroutine) is a bug and
 *          aborts.
 */
#include "worker/coro.h"

#include "common/check.h"
#include "common/list.h"
#include "worker/coro_switch.h"
#include "worker/spare.h"

#include <dlfcn.h>
#include <errno.h>
#include <fcntl.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

enum {
    POOL_MAGIC = 0x636f7270,
    CORO_MAGIC = 0x636f726f,
    RUNTIMES = 4, /* C++ runtimes of different plugins in one process */
    /* Stacks start at different cache lines of their page: else the hot lines of all would
     * fall into the same cache sets. Not in its lower half: a handler with a small frame
     * then waits on one page. */
    COLOURS = 32,
    COLOUR_BYTES = 64,
    MAPPINGS_KEPT = 4096 /* left for libraries, heap, pool threads */
};

/* __cxa_eh_globals of the Itanium C++ ABI, 2.2.2: what is thrown and caught right now */
struct exception_state {
    void *caught;
    unsigned uncaught;
};

struct coro {
    unsigned magic;
    bool ended;
    coro_fn fn;
    void *arg;
    const char *label;
    struct coro_pool *pool;
    struct coro *next_idle;
    struct coro_context context;
    struct exception_state exceptions[RUNTIMES];
    char *mapping;       /* the guard is its lowest part */
    struct list in_pool; /* every mapped one */
};

struct coro_pool {
    unsigned magic;
    struct coro *current;
    struct coro *idle;
    struct coro_count count; /* but for `idle`, which is spare.count */
    unsigned idle_max, serial;
    struct spare spare; /* of the list `idle` */
    size_t stack_bytes;
    struct coro_context loop;
    struct exception_state *runtime[RUNTIMES]; /* this thread's, one of each runtime */
    size_t runtime_count;
    struct list all; /* of struct coro.in_pool */
};

/* The pool of this thread, so that another thread sees that it has none. */
static _Thread_local struct coro_pool *own_pool;

static size_t page_bytes(void)
{
    return (size_t)sysconf(_SC_PAGESIZE);
}

/* ---- the pool ---- */

struct coro_pool *coro_pool_create(size_t stack_bytes, unsigned idle_max, unsigned cap)
{
    size_t page = page_bytes();
    struct coro_pool *pool;

    CHECK(own_pool == NULL);
    if (coro_context_allow() < 0)
        return NULL;
    pool = calloc(1, sizeof(*pool));
    if (pool == NULL)
        return NULL;
    if (stack_bytes < CORO_STACK_MIN)
        stack_bytes = CORO_STACK_MIN;
    pool->magic = POOL_MAGIC;
    pool->stack_bytes = (stack_bytes + page - 1) & ~(page - 1);
    pool->idle_max = idle_max;
    pool->count.cap = cap < CORO_CAP ? cap : CORO_CAP;
    list_init(&pool->all);
    coro_context_init(&pool->loop);
    own_pool = pool;
    return pool;
}

void coro_pool_destroy(struct coro_pool **pool)
{
    if (*pool == NULL)
        return;
    CHECK_OBJ(*pool, POOL_MAGIC);
    CHECK((*pool)->count.live == 0);
    coro_pool_trim(*pool, 0);
    CHECK(list_is_empty(&(*pool)->all));
    own_pool = NULL;
    (*pool)->magic = 0;
    free(*pool);
    *pool = NULL;
}

void coro_pool_count(const struct coro_pool *pool, struct coro_count *out)
{
    CHECK_OBJ(pool, POOL_MAGIC);
    *out = pool->count;
    out->idle = pool->spare.count;
}

void coro_pool_learn(struct coro_pool *pool, void *dl_handle)
{
    struct exception_state *(*get_globals)(void);
    void *symbol = dlsym(dl_handle, "__cxa_get_globals");
    struct exception_state *state;

    CHECK_OBJ(pool, POOL_MAGIC);
    CHECK(pool == own_pool);
    if (symbol == NULL)
        return;
    /* ISO C has no cast from data to function; POSIX promises that this works */
    memcpy(&get_globals, &symbol, sizeof(get_globals));
    state = get_globals();
    for (size_t i = 0; i < pool->runtime_count; i++)
        if (pool->runtime[i] == state)
            return;
    if (pool->runtime_count < RUNTIMES)
        pool->runtime[pool->runtime_count++] = state;
}

/* The lines of /proc/self/maps, or 0. */
static unsigned long count_mappings(void)
{
    char buf[4096];
    unsigned long lines = 0;
    ssize_t n;
    int fd = open("/proc/self/maps", O_RDONLY | O_CLOEXEC);

    if (fd < 0)
        return 0;
    while ((n = read(fd, buf, sizeof(buf))) > 0)
        for (ssize_t i = 0; i < n; i++)
            lines += buf[i] == '\n';
    close(fd);
    return lines;
}

unsigned coro_cap(void)
{
    char text[32] = "";
    unsigned long most = 65530, used = count_mappings() + MAPPINGS_KEPT;
    int fd = open("/proc/sys/vm/max_map_count", O_RDONLY | O_CLOEXEC);

    if (fd >= 0) {
        if (read(fd, text, sizeof(text) - 1) > 0)
            most = strtoul(text, NULL, 10);
        close(fd);
    }
    if (most < used + 32)
        return 16;
    return (most - used) / 2 < CORO_CAP ? (unsigned)((most - used) / 2) : CORO_CAP;
}

/* ---- stacks ---- */

static void coro_main(void *arg)
{
    struct coro *co = arg;
    struct coro_pool *pool = co->pool;

    coro_context_arrived(&co->context, &pool->loop);
    for (;;) {
        co->fn(co->arg);
        co->ended = true;
        coro_context_switch(&co->context, &pool->loop, true);
    }
}

/* NULL with ENOMEM, and nothing left mapped. Out of line: the hot path of coro_start then
 * needs few registers. */
__attribute__((noinline)) static struct coro *map_stack(struct coro_pool *pool)
{
    size_t length = CORO_GUARD + pool->stack_bytes;
    char *mapping = mmap(NULL, length, PROT_NONE,
                         MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE | MAP_STACK, -1, 0);
    uintptr_t top;
    struct coro *co;

    if (mapping == MAP_FAILED ||
        mprotect(mapping + CORO_GUARD, pool->stack_bytes, PROT_READ | PROT_WRITE) < 0) {
        if (mapping != MAP_FAILED)
            munmap(mapping, length);
        errno = ENOMEM;
        return NULL;
    }
    top = (uintptr_t)(mapping + length) - sizeof(struct coro);
    top -= (uintptr_t)(pool->serial++ % COLOURS) * COLOUR_BYTES;
    top &= ~(uintptr_t)63;
    co = (struct coro *)top; /* fresh pages: all zero */
    co->magic = CORO_MAGIC;
    co->pool = pool;
    co->mapping = mapping;
    list_append(&pool->all, &co->in_pool);
    coro_context_make(&co->context, mapping + CORO_GUARD,
                      (size_t)(top - (uintptr_t)mapping - CORO_GUARD), coro_main, co);
    return co;
}

__attribute__((noinline)) static void unmap_stack(struct coro *co)
{
    size_t length = CORO_GUARD + co->pool->stack_bytes;

    list_remove(&co->in_pool);
    coro_context_fini(&co->context);
    co->magic = 0;
    CHECK(munmap(co->mapping, length) == 0);
}

static struct coro *take_idle(struct coro_pool *pool)
{
    struct coro *co = pool->idle;

    if (co != NULL) {
        pool->idle = co->next_idle;
        spare_take(&pool->spare);
    }
    return co;
}

void coro_pool_trim(struct coro_pool *pool, unsigned keep)
{
    CHECK_OBJ(pool, POOL_MAGIC);
    CHECK(pool == own_pool);
    while (pool->spare.count > keep)
        unmap_stack(take_idle(pool));
}

unsigned coro_pool_relax(struct coro_pool *pool)
{
    unsigned excess = spare_excess(&pool->spare);

    coro_pool_trim(pool, pool->spare.count - excess);
    return excess;
}

static void give_back(struct coro_pool *pool, struct coro *co)
{
    CHECK(pool->count.live > 0);
    pool->count.live--;
    if (pool->spare.count >= pool->idle_max) {
        unmap_stack(co);
        return;
    }
    co->label = NULL;
    co->next_idle = pool->idle;
    pool->idle = co;
    spare_put(&pool->spare);
}

/* ---- running ---- */

/* The loop's exception state goes out and the coroutine's comes in, or the other way: the
 * same exchange. */
__attribute__((noinline)) static void exchange_exceptions(struct coro_pool *pool,
                                                          struct coro *co)
{
    for (size_t i = 0; i < pool->runtime_count; i++) {
        struct exception_state outgoing = *pool->runtime[i];

        *pool->runtime[i] = co->exceptions[i];
        co->exceptions[i] = outgoing;
    }
}

static void enter(struct coro_pool *pool, struct coro *co)
{
    pool->current = co;
    if (pool->runtime_count > 0)
        exchange_exceptions(pool, co);
    coro_context_switch(&pool->loop, &co->context, false);
    if (pool->runtime_count > 0)
        exchange_exceptions(pool, co);
    pool->current = NULL;
    if (co->ended)
        give_back(pool, co);
}

int coro_start(struct coro_pool *pool, coro_fn fn, void *arg, const char *label)
{
    struct coro *co;

    CHECK_OBJ(pool, POOL_MAGIC);
    CHECK(pool == own_pool && pool->current == NULL);
    co = take_idle(pool);
    if (co == NULL && pool->count.live >= pool->count.cap) {
        errno = EAGAIN;
        return -1;
    }
    if (co == NULL && (co = map_stack(pool)) == NULL)
        return -1;
    co->fn = fn;
    co->arg = arg;
    co->label = label;
    co->ended = false;
    pool->count.live++;
    if (pool->count.live > pool->count.peak)
        pool->count.peak = pool->count.live;
    enter(pool, co);
    return 0;
}

struct coro *coro_current(void)
{
    return own_pool != NULL ? own_pool->current : NULL;
}

void coro_suspend(void)
{
    struct coro *co = coro_current();

    CHECK_OBJ(co, CORO_MAGIC);
    coro_context_switch(&co->context, &co->pool->loop, false);
}

void coro_resume(struct coro *co)
{
    CHECK_OBJ(co, CORO_MAGIC);
    CHECK(co->pool == own_pool && own_pool->current == NULL && !co->ended);
    enter(co->pool, co);
}

void coro_set_label(struct coro *co, const char *label)
{
    CHECK_OBJ(co, CORO_MAGIC);
    co->label = label;
}

const char *coro_label(const struct coro *co)
{
    CHECK_OBJ(co, CORO_MAGIC);
    return co->label != NULL ? co->label : "(unnamed)";
}

const struct coro *coro_fault_address(const void *address)
{
    uintptr_t at = (uintptr_t)address;

    if (own_pool == NULL)
        return NULL;
    LIST_FOREACH (link, &own_pool->all) {
        const struct coro *co = LIST_ENTRY(link, struct coro, in_pool);

        if (at - (uintptr_t)co->mapping < CORO_GUARD)
            return co;
    }
    return NULL;
}
