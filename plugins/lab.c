/* SPDX-License-Identifier: MIT */
/*
 * lab - handlers whose capacity can be worked out on paper; `remuda lab` measures them.
 *
 * Also an example of every way to wait. Not for a server that others can reach: these
 * routes sleep, compute and crash for whoever asks. All are GET; times are milliseconds.
 *
 * /sync/noawait?ms=100                       blocks its thread, holds its slot
 * /sync/cpu?ms=50                            computes for so much CPU time of its thread
 * /sync/draw?from=20&to=300                  blocks for a time drawn evenly
 * /sync/exponential?mean=100                 blocks for a time drawn exponentially
 * /sync/hog?ms=10&one_in=100&hog=5000        one in so many takes far longer
 * /sync/crash?ms=100&one_in=1000             one in so many kills its worker
 * /sync/deadline?limit=50&ms=100             a time limit, but its thread is blocked
 * /async/await-one?ms=100                    suspends its coroutine
 * /async/await-many?ms=1000,1500,500         that many tasks, waits for all
 * /async/wrap-blocking?ms=100                blocks a thread of the pool, by a task
 * /async/bad-blocking?ms=100                 wrong on purpose: blocks the loop
 * /async/cpu-bound?ms=50                     wrong on purpose: computes on the loop
 * /async/deadline?limit=50&ms=100            a time limit that ends the waiting task
 * /async/semaphore?permits=5&ms=100          waits for a permit, then suspends
 * /async/call-many?times=10&ms=100           asks another server for /sync/noawait, at once
 *
 * Option:  upstream_port, of that other server on 127.0.0.1; 0: call-many is 404.
 * Answers: one line of text, or 400 for a parameter that is no number or out of bounds.
 */
#include <remuda.h>

#include <errno.h>
#include <math.h>
#include <netinet/in.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

enum { MOST_MS = 60000, MOST_TASKS = 64 };

/* ---- parameters ---- */

/* A whole number of the query string, with what it is if it is not there. */
struct number {
    const char *name;
    long fallback, least, most;
};

/* From *text up to a comma or the end, which *text points at then. */
static bool read_number(const char **text, const struct number *what, long *out)
{
    char *end = NULL;

    if (**text < '0' || **text > '9')
        return false;
    errno = 0;
    *out = strtol(*text, &end, 10);
    *text = end;
    return errno == 0 && *out >= what->least && *out <= what->most &&
           (*end == '\0' || *end == ',');
}

static bool get_number(remuda_ctx *c, const struct number *what, long *out)
{
    const char *text = remuda_query(c, what->name);

    *out = what->fallback;
    return text == NULL || (read_number(&text, what, out) && *text == '\0');
}

static const struct number sleep_ms = {"ms", 100, 0, MOST_MS};
static const struct number work_ms = {"ms", 50, 0, MOST_MS};
static const struct number limit_ms = {"limit", 50, 1, MOST_MS};

/* ---- three ways to spend time ---- */

/* What a database client or a disk does: the thread can do nothing else meanwhile. */
static void block(double ms)
{
    struct timespec left = {.tv_sec = (time_t)(ms / 1000)};

    left.tv_nsec = (long)((ms - (double)left.tv_sec * 1000) * 1e6);
    while (clock_nanosleep(CLOCK_MONOTONIC, 0, &left, &left) == EINTR)
        continue;
}

static double cpu_ms(void)
{
    struct timespec now;

    clock_gettime(CLOCK_THREAD_CPUTIME_ID, &now);
    return (double)now.tv_sec * 1000 + (double)now.tv_nsec / 1e6;
}

/* Computes, and asks now and then whether anyone still wants the result. */
static int compute(remuda_ctx *c, double ms)
{
    const double end_ms = cpu_ms() + ms;
    volatile unsigned long result = 1;
    int rc = 0;

    while (rc == 0 && cpu_ms() < end_ms) {
        for (int i = 0; i < 10000; i++)
            result = result * 6364136223846793005ul + 1442695040888963407ul;
        rc = remuda_cancelled(c);
    }
    return rc;
}

/* As tasks. Waiting by remuda_ functions costs no thread: it suspends. */
static int suspend_task(remuda_ctx *c, void *arg)
{
    const long *ms = arg;

    return remuda_sleep(c, (uint32_t)*ms);
}

static int block_task(remuda_ctx *c, void *arg)
{
    const long *ms = arg;

    (void)c;
    block((double)*ms);
    return 0;
}

/* ---- chance ---- */

static atomic_ullong chance; /* of this process; seeded at start */

/* Evenly in [0, 1), for any thread: a counter of odd steps, its bits well mixed. */
static double draw(void)
{
    unsigned long long x = atomic_fetch_add(&chance, 0x9e3779b97f4a7c15ull);

    x = (x ^ (x >> 30)) * 0xbf58476d1ce4e5b9ull;
    x = (x ^ (x >> 27)) * 0x94d049bb133111ebull;
    x ^= x >> 31;
    return (double)(x >> 11) * 0x1p-53;
}

/* ---- SYNC: on a thread of the worker, with a slot ---- */

static int noawait(remuda_ctx *c)
{
    long ms;

    if (!get_number(c, &sleep_ms, &ms))
        return 400;
    block((double)ms);
    return remuda_text(c, 200, "blocked a thread for %ld ms\n", ms);
}

/* The same handler for /sync/cpu and /async/cpu-bound: only the mode differs. */
static int cpu(remuda_ctx *c)
{
    long ms;

    if (!get_number(c, &work_ms, &ms))
        return 400;
    int rc = compute(c, (double)ms);
    return rc < 0 ? rc : remuda_text(c, 200, "computed for %ld ms\n", ms);
}

static int draw_evenly(remuda_ctx *c)
{
    static const struct number from = {"from", 20, 0, MOST_MS},
                               to = {"to", 300, 0, MOST_MS};
    long least, most;

    if (!get_number(c, &from, &least) || !get_number(c, &to, &most) || least > most)
        return 400;
    double ms = (double)least + draw() * (double)(most - least);
    block(ms);
    return remuda_text(c, 200, "blocked a thread for %.1f ms\n", ms);
}

static int draw_exponential(remuda_ctx *c)
{
    static const struct number what = {"mean", 100, 0, MOST_MS / 10};
    long mean;

    if (!get_number(c, &what, &mean))
        return 400;
    double ms = -(double)mean * log(1 - draw());
    block(ms);
    return remuda_text(c, 200, "blocked a thread for %.1f ms\n", ms);
}

static int hog(remuda_ctx *c)
{
    static const struct number usual = {"ms", 10, 0, MOST_MS};
    static const struct number rare = {"hog", 5000, 0, MOST_MS};
    static const struct number share = {"one_in", 100, 1, 1000000};
    long ms, hog_ms, one_in;

    if (!get_number(c, &usual, &ms) || !get_number(c, &rare, &hog_ms) ||
        !get_number(c, &share, &one_in))
        return 400;
    if (draw() * (double)one_in < 1)
        ms = hog_ms;
    block((double)ms);
    return remuda_text(c, 200, "blocked a thread for %ld ms\n", ms);
}

static int crash(remuda_ctx *c)
{
    static const struct number share = {"one_in", 1000, 1, 1000000};
    static volatile int *volatile nowhere; /* or compilers know better */
    long ms, one_in;

    if (!get_number(c, &sleep_ms, &ms) || !get_number(c, &share, &one_in))
        return 400;
    block((double)ms);
    if (draw() * (double)one_in < 1)
        *nowhere = 1; /* NOLINT(clang-analyzer-core.NullDereference): on purpose */
    return remuda_text(c, 200, "survived\n");
}

/* Nothing can end what blocks in a thread: its slot comes back when it returns. */
static int sync_deadline(remuda_ctx *c)
{
    long ms, limit;

    if (!get_number(c, &sleep_ms, &ms) || !get_number(c, &limit_ms, &limit))
        return 400;
    remuda_deadline(c, (uint32_t)limit);
    block((double)ms);
    int rc = remuda_cancelled(c);
    return rc < 0 ? rc : remuda_text(c, 200, "in time\n");
}

/* ---- ASYNC: a coroutine on the loop ---- */

static int await_one(remuda_ctx *c)
{
    long ms;

    if (!get_number(c, &sleep_ms, &ms))
        return 400;
    int rc = remuda_sleep(c, (uint32_t)ms);
    return rc < 0 ? rc : remuda_text(c, 200, "suspended for %ld ms\n", ms);
}

/* "1000,1500,500": how many they are; 0 if one of them is no such number. */
static size_t read_list(const char *text, long ms[MOST_TASKS])
{
    for (size_t n = 0; n < MOST_TASKS && read_number(&text, &sleep_ms, &ms[n]); text++) {
        n++;
        if (*text == '\0')
            return n;
    }
    return 0;
}

static int await_many(remuda_ctx *c)
{
    const char *text = remuda_query(c, "ms");
    remuda_task *task[MOST_TASKS];
    long ms[MOST_TASKS];
    size_t n = read_list(text != NULL ? text : "1000,1500,500", ms);

    if (n == 0)
        return 400;
    for (size_t i = 0; i < n; i++)
        task[i] = remuda_spawn(c, REMUDA_ON_LOOP, suspend_task, &ms[i]);
    int rc = remuda_wait(c, task, n, REMUDA_ALL, REMUDA_FOREVER);
    return rc < 0 ? rc : remuda_text(c, 200, "waited for %zu tasks\n", n);
}

static int wrap_blocking(remuda_ctx *c)
{
    long ms;

    if (!get_number(c, &sleep_ms, &ms))
        return 400;
    remuda_task *task = remuda_spawn(c, REMUDA_ON_POOL, block_task, &ms);
    int rc = remuda_wait(c, &task, 1, REMUDA_ALL, REMUDA_FOREVER);
    return rc < 0 ? rc : remuda_text(c, 200, "blocked a pool thread for %ld ms\n", ms);
}

static int bad_blocking(remuda_ctx *c)
{
    long ms;

    if (!get_number(c, &sleep_ms, &ms))
        return 400;
    block((double)ms);
    return remuda_text(c, 200, "blocked everyone for %ld ms\n", ms);
}

static int async_deadline(remuda_ctx *c)
{
    long ms, limit;

    if (!get_number(c, &sleep_ms, &ms) || !get_number(c, &limit_ms, &limit))
        return 400;
    remuda_deadline(c, (uint32_t)limit);
    remuda_task *task = remuda_spawn(c, REMUDA_ON_LOOP, suspend_task, &ms);
    int rc = remuda_wait(c, &task, 1, REMUDA_ALL, REMUDA_FOREVER);
    return rc < 0 ? rc : remuda_text(c, 200, "in time\n");
}

static int semaphore(remuda_ctx *c)
{
    static const struct number permits = {"permits", 5, 1, 1000};
    long ms, n;

    if (!get_number(c, &sleep_ms, &ms) || !get_number(c, &permits, &n))
        return 400;
    remuda_sem *sem = remuda_semaphore(c, remuda_format(c, "%ld", n), (uint32_t)n);
    int rc = remuda_acquire(c, sem, REMUDA_FOREVER);
    if (rc == 0)
        rc = remuda_sleep(c, (uint32_t)ms);
    return rc < 0 ? rc : remuda_text(c, 200, "one of %ld for %ld ms\n", n, ms);
}

/* ---- a client on the loop: no call below blocks ---- */

struct call {
    int64_t port;
    long ms;
};

static int open_connection(remuda_ctx *c, int fd, int64_t port)
{
    const struct sockaddr_in to = {.sin_family = AF_INET,
                                   .sin_port = htons((uint16_t)port),
                                   .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    socklen_t size = sizeof(int);
    int error = 0;

    if (connect(fd, (const struct sockaddr *)&to, sizeof(to)) == 0)
        return 0;
    if (errno != EINPROGRESS)
        return -errno;
    int rc = remuda_ready(c, fd, REMUDA_WRITABLE, REMUDA_FOREVER);
    if (rc < 0)
        return rc;
    if (getsockopt(fd, SOL_SOCKET, SO_ERROR, &error, &size) < 0)
        return -errno;
    return -error;
}

/* The answer ends with the connection; of it, only "200" matters. */
static int read_answer(remuda_ctx *c, int fd)
{
    static const char good[] = "HTTP/1.1 200 ";
    char text[1024];
    size_t n = 0;

    for (;;) {
        ssize_t got = recv(fd, text + n, sizeof(text) - n, 0);
        int rc = 0;

        if (got > 0)
            n += (size_t)got;
        else if (got < 0 && errno == EAGAIN)
            rc = remuda_ready(c, fd, REMUDA_READABLE, REMUDA_FOREVER);
        else if (got < 0)
            rc = -errno;
        else /* the end, or no room for more */
            return n > sizeof(good) && memcmp(text, good, sizeof(good) - 1) == 0
                       ? 0
                       : -EPROTO;
        if (rc < 0)
            return rc;
    }
}

static int ask(remuda_ctx *c, int fd, const struct call *what)
{
    const char *text = remuda_format(c,
                                     "GET /sync/noawait?ms=%ld HTTP/1.1\r\n"
                                     "Host: 127.0.0.1\r\nConnection: close\r\n\r\n",
                                     what->ms);
    int rc = open_connection(c, fd, what->port);

    if (rc < 0)
        return rc;
    /* less than any socket's buffer: it goes in one piece */
    if (send(fd, text, strlen(text), MSG_NOSIGNAL) < 0)
        return -errno;
    return read_answer(c, fd);
}

static int call_task(remuda_ctx *c, void *arg)
{
    int fd = socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);

    if (fd < 0)
        return -errno;
    int rc = ask(c, fd, arg);
    close(fd);
    return rc;
}

static int call_many(remuda_ctx *c)
{
    static const struct number times = {"times", 10, 1, MOST_TASKS};
    struct call what = {.port = remuda_conf_num(c, "upstream_port")};
    remuda_task *task[MOST_TASKS];
    long n;

    if (what.port == 0)
        return 404;
    if (!get_number(c, &times, &n) || !get_number(c, &sleep_ms, &what.ms))
        return 400;
    for (long i = 0; i < n; i++)
        task[i] = remuda_spawn(c, REMUDA_ON_LOOP, call_task, &what);
    int rc = remuda_wait(c, task, (size_t)n, REMUDA_ALL, REMUDA_FOREVER);
    return rc < 0 ? rc : remuda_text(c, 200, "%ld answers\n", n);
}

/* ---- the plugin ---- */

static int check(remuda_ctx *c)
{
    int64_t port = remuda_conf_num(c, "upstream_port");

    if (port >= 0 && port <= UINT16_MAX)
        return 0;
    remuda_log(c, REMUDA_ERROR, "upstream_port: %lld, allowed: 0 to 65535",
               (long long)port);
    return -EINVAL;
}

static int start(remuda_ctx *c, void **state)
{
    struct timespec now;

    (void)c;
    (void)state;
    clock_gettime(CLOCK_REALTIME, &now);
    atomic_store(&chance, ((unsigned long long)getpid() << 40) ^
                              (unsigned long long)now.tv_sec * 1000000000 ^
                              (unsigned long long)now.tv_nsec);
    return 0;
}

REMUDA_PLUGIN(.name = "lab", .check = check, .start = start,
              REMUDA_ROUTES(
                  REMUDA_GET("/sync/noawait", noawait), REMUDA_GET("/sync/cpu", cpu),
                  REMUDA_GET("/sync/draw", draw_evenly),
                  REMUDA_GET("/sync/exponential", draw_exponential),
                  REMUDA_GET("/sync/hog", hog), REMUDA_GET("/sync/crash", crash),
                  REMUDA_GET("/sync/deadline", sync_deadline),
                  REMUDA_GET("/async/await-one", await_one, .mode = REMUDA_ASYNC),
                  REMUDA_GET("/async/await-many", await_many, .mode = REMUDA_ASYNC),
                  REMUDA_GET("/async/wrap-blocking", wrap_blocking, .mode = REMUDA_ASYNC),
                  REMUDA_GET("/async/bad-blocking", bad_blocking, .mode = REMUDA_ASYNC),
                  REMUDA_GET("/async/cpu-bound", cpu, .mode = REMUDA_ASYNC),
                  REMUDA_GET("/async/deadline", async_deadline, .mode = REMUDA_ASYNC),
                  REMUDA_GET("/async/semaphore", semaphore, .mode = REMUDA_ASYNC),
                  REMUDA_GET("/async/call-many", call_many, .mode = REMUDA_ASYNC)),
              REMUDA_OPTIONS(
                  REMUDA_OPTION("upstream_port", REMUDA_INT, "0",
                                .help = "port of the server that call-many asks")));
