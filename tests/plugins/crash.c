/* SPDX-License-Identifier: MIT */
/*
 * crash - handlers that end their worker in every way, and one that says when it has begun.
 *
 * GET /{sync,async,event}/die?how=segv|abrt|fpe|ill|trap|jump|smash|overflow|exit
 * GET /{sync,async}/task?how=...          the same, in a task of the pool
 * GET /sync/together?n=N                  N of them crash at once
 * GET /{sync,async}/work?ms=N&id=TEXT     TEXT into ./begun.log, then "worked" after N ms
 * GET /who                                pid
 *
 * Option `handler`: the plugin has a SIGSEGV handler of its own, which exits with 9.
 * Option `linger`: it has one that asks the one before it, and takes so long itself.
 */
#include <remuda.h>

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#define NO_SANITIZER __attribute__((no_sanitize("address", "undefined"), noinline))

static unsigned number(remuda_ctx *c, const char *name)
{
    const char *text = remuda_query(c, name);

    return text != NULL ? (unsigned)strtoul(text, NULL, 10) : 0;
}

/* ---- ways to die ---- */

NO_SANITIZER static void crash_segv(void)
{
    static int *volatile nowhere;

    *nowhere = 1;
}

NO_SANITIZER static int dig(const volatile char *above, unsigned depth)
{
    volatile char frame[2048];

    memset((char *)(uintptr_t)frame, above[0], sizeof frame);
    return depth == 0 ? frame[1] : dig(frame, depth - 1) + frame[2];
}

static void crash_overflow(void)
{
    (void)dig("x", 1u << 20);
}

NO_SANITIZER static void crash_smash(void)
{
    volatile uintptr_t *at = __builtin_frame_address(0);

    for (int i = 0; i < 32; i++)
        at[i] = 0x4141414141414141u;
}

static void crash_jump(void)
{
    static void (*volatile nowhere)(void);

    nowhere();
    atomic_signal_fence(memory_order_seq_cst); /* a call, no jump */
}

static void crash_fpe(void)
{
    raise(SIGFPE);
}

static void crash_trap(void)
{
    raise(SIGTRAP);
}

static void crash_exit(void)
{
    _exit(3);
}

static const struct {
    const char *how;
    void (*fn)(void);
} ways[] = {
    {"segv", crash_segv},   {"abrt", abort},
    {"fpe", crash_fpe},     {"ill", NULL},
    {"trap", crash_trap},   {"jump", crash_jump},
    {"smash", crash_smash}, {"overflow", crash_overflow},
    {"exit", crash_exit},
};

static void die_of(const char *how)
{
    for (size_t i = 0; how != NULL && i < sizeof ways / sizeof ways[0]; i++) {
        if (strcmp(ways[i].how, how) != 0)
            continue;
        if (ways[i].fn == NULL)
            __builtin_trap();
        ways[i].fn();
    }
}

static int die(remuda_ctx *c)
{
    die_of(remuda_query(c, "how"));
    return remuda_text(c, 200, "lives\n");
}

static int die_in_task(remuda_ctx *c, void *arg)
{
    (void)c;
    die_of(arg);
    return 0;
}

static int task(remuda_ctx *c)
{
    const char *how = remuda_query(c, "how");
    char *copy = remuda_alloc(c, 32);
    remuda_task *child;

    strncpy(copy, how != NULL ? how : "", 31);
    copy[31] = '\0';
    child = remuda_spawn(c, REMUDA_ON_POOL, die_in_task, copy);
    (void)remuda_wait(c, &child, 1, REMUDA_ALL, 10000);
    return remuda_text(c, 200, "lives\n");
}

/* Each waits until all are here. */
static int together(remuda_ctx *c)
{
    static atomic_uint here;
    unsigned all = number(c, "n");

    atomic_fetch_add(&here, 1);
    while (atomic_load(&here) < all)
        continue;
    crash_segv();
    return 0;
}

/* ---- work ---- */

static int work(remuda_ctx *c)
{
    const char *id = remuda_query(c, "id");
    char line[64];

    if (id != NULL && strlen(id) < sizeof line - 1) {
        int fd = open("begun.log", O_WRONLY | O_APPEND | O_CREAT | O_CLOEXEC, 0600);
        size_t n = strlen(id);

        memcpy(line, id, n);
        line[n++] = '\n';
        if (fd < 0 || write(fd, line, n) != (ssize_t)n)
            return -EIO;
        close(fd);
    }
    unsigned ms = number(c, "ms");
    int rc = ms > 0 ? remuda_sleep(c, ms) : 0;
    return rc != 0 ? rc : remuda_text(c, 200, "worked\n");
}

static int who(remuda_ctx *c)
{
    return remuda_text(c, 200, "%d", (int)getpid());
}

/* ---- a handler of its own ---- */

static void on_segv(int signo)
{
    (void)signo;
    _exit(9);
}

static struct sigaction before;
static long linger_ms;

static void on_segv_slowly(int signo, siginfo_t *info, void *machine)
{
    const struct timespec time = {linger_ms / 1000, linger_ms % 1000 * 1000000};

    before.sa_sigaction(signo, info, machine);
    nanosleep(&time, NULL);
}

static int start(remuda_ctx *c, void **state)
{
    struct sigaction action = {.sa_handler = on_segv};

    (void)state;
    linger_ms = (long)remuda_conf_num(c, "linger");
    if (linger_ms > 0) {
        action.sa_flags = SA_SIGINFO | SA_ONSTACK;
        action.sa_sigaction = on_segv_slowly;
    }
    if (remuda_conf_num(c, "handler") || linger_ms > 0)
        sigaction(SIGSEGV, &action, &before);
    return 0;
}

REMUDA_PLUGIN(.name = "crash", .start = start,
              REMUDA_OPTIONS(REMUDA_OPTION("handler", REMUDA_BOOL, "no"),
                             REMUDA_OPTION("linger", REMUDA_DURATION, "0")),
              REMUDA_ROUTES(REMUDA_GET("/sync/die", die),
                            REMUDA_GET("/async/die", die, .mode = REMUDA_ASYNC),
                            REMUDA_GET("/event/die", die, .mode = REMUDA_EVENT),
                            REMUDA_GET("/sync/task", task),
                            REMUDA_GET("/async/task", task, .mode = REMUDA_ASYNC),
                            REMUDA_GET("/sync/together", together),
                            REMUDA_GET("/sync/work", work),
                            REMUDA_GET("/async/work", work, .mode = REMUDA_ASYNC),
                            REMUDA_GET("/who", who)));
