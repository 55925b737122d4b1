/* SPDX-License-Identifier: MIT */
/*
 * frail - a worker with it dies `after` so long, if the file `file` is there when it starts; it
 * takes `boot` to start, grows when it is asked to, and says goodbye when it drains.
 *
 * GET /fine                      "fine"
 * GET /grow?kib=N                keeps N KiB more, for ever
 * GET /{sync,async}/ticks        REMUDA_LONG: "tick" each 10 ms, and "bye" in a drain
 * GET /{sync,async}/draining     "draining", when it is
 */
#include <remuda.h>

#include <errno.h>
#include <pthread.h>
#include <signal.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

enum { PAUSE_MS = 10 };

struct kept {
    struct kept *next;
    char bytes[];
};

static struct kept *all; /* reachable: no leak in the eyes of a sanitizer */
static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;

static int fine(remuda_ctx *c)
{
    return remuda_text(c, 200, "fine");
}

static int grow(remuda_ctx *c)
{
    const char *text = remuda_query(c, "kib");
    size_t bytes = (text != NULL ? strtoul(text, NULL, 10) : 0) * 1024;
    struct kept *kept = malloc(sizeof(*kept) + bytes);

    if (kept == NULL)
        return -ENOMEM;
    memset(kept->bytes, 1, bytes);
    pthread_mutex_lock(&lock);
    kept->next = all;
    all = kept;
    pthread_mutex_unlock(&lock);
    return remuda_text(c, 200, "kept");
}

static int ticks(remuda_ctx *c)
{
    int rc = remuda_begin(c, 200, "text/plain");

    while (rc == 0) {
        rc = remuda_write(c, "tick ", 5);
        if (rc == 0)
            rc = remuda_sleep(c, PAUSE_MS);
    }
    return rc == -ESHUTDOWN ? remuda_write(c, "bye", 3) : rc;
}

static int draining(remuda_ctx *c)
{
    int rc = 0;

    while (rc == 0 && !remuda_draining(c))
        rc = remuda_sleep(c, PAUSE_MS);
    return rc < 0 ? rc : remuda_text(c, 200, "draining");
}

static void rest(uint64_t ms)
{
    const struct timespec wait = {(time_t)(ms / 1000), (long)(ms % 1000) * 1000000};

    nanosleep(&wait, NULL);
}

static void *die_later(void *ms)
{
    rest((uintptr_t)ms);
    raise(SIGKILL);
    return NULL;
}

static int start(remuda_ctx *c, void **state)
{
    const char *file = remuda_conf(c, "file");
    const int64_t ms = remuda_conf_num(c, "after");
    pthread_t thread;

    *state = NULL;
    rest((uint64_t)remuda_conf_num(c, "boot"));
    if (file[0] == '\0' || access(file, F_OK) != 0)
        return 0;
    if (ms == 0)
        raise(SIGKILL);
    if (pthread_create(&thread, NULL, die_later, (void *)(uintptr_t)ms) == 0)
        pthread_detach(thread);
    return 0;
}

REMUDA_PLUGIN(.name = "frail", .start = start,
              REMUDA_ROUTES(
                  REMUDA_GET("/fine", fine, .mode = REMUDA_ASYNC),
                  REMUDA_GET("/grow", grow, .mode = REMUDA_ASYNC),
                  REMUDA_GET("/sync/ticks", ticks, .mode = REMUDA_LONG),
                  REMUDA_GET("/async/ticks", ticks, .mode = REMUDA_ASYNC | REMUDA_LONG),
                  REMUDA_GET("/sync/draining", draining),
                  REMUDA_GET("/async/draining", draining, .mode = REMUDA_ASYNC)),
              REMUDA_OPTIONS(REMUDA_OPTION("file", REMUDA_STRING, ""),
                             REMUDA_OPTION("after", REMUDA_DURATION, "0"),
                             REMUDA_OPTION("boot", REMUDA_DURATION, "0")));
